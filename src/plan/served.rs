//! Served addresses and their plans: the common form of the data and of a live file.

use crate::model::{Address, Plan, Rate, Subscriber};
use crate::render::{ServedAddress, Table};
use crate::repo::Record;
use crate::source::FileId;

/// One address and the plan it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served<'a> {
    pub(crate) address: Address,
    pub(crate) domain: &'a str,
    /// The shaper attribute.
    pub(crate) attribute: &'a str,
    /// The name of the plan, or the attribute if only that is known.
    pub(crate) plan: &'a str,
    /// Upload and download rate; `None` if no plan has the attribute.
    pub(crate) rates: Option<(Rate, Rate)>,
    /// The display name of the subscriber, if it has one.
    pub(crate) name: Option<&'a str>,
    /// The number of a subscriber with several addresses, which share it.
    pub(crate) subscriber: Option<u32>,
    /// The file of its record; `None` if there is none.
    pub(crate) file: Option<FileId>,
}

impl<'a> Served<'a> {
    /// One address of a subscriber, served with a plan. `number` is the subscriber's.
    pub(crate) fn of(address: &Address, record: &'a Record<Subscriber>, plan: &'a Plan, number: u32) -> Served<'a> {
        let subscriber = &record.value;
        Served {
            address: address.clone(),
            domain: subscriber.domain.as_str(),
            attribute: plan.shaper_attribute(),
            plan: plan.name.as_str(),
            rates: Some((plan.up, plan.down)),
            name: subscriber.name.as_ref().map(|name| name.as_str()),
            subscriber: (subscriber.ip.as_slice().len() > 1).then_some(number),
            file: Some(record.file),
        }
    }

    /// One row of `table`.
    pub(super) fn of_row(table: &'a Table, row: ServedAddress) -> Served<'a> {
        Served::of(table.address(row), table.subscriber(row), table.plan(row), table.subscriber_number(row))
    }

    /// Whether the network treats this address differently afterwards. A new display name makes no
    /// difference.
    pub(crate) fn differs(&self, after: &Served<'_>) -> bool {
        let rates_differ = self.rates.is_some() && self.rates != after.rates;
        self.domain != after.domain || self.attribute != after.attribute || rates_differ
    }
}
