//! Who is served with what, by address: the common shape of data and of a live file.

use std::borrow::Cow;

use crate::model::{Address, Plan, Rate, Subscriber};
use crate::render::Table;

/// One address and what is given to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served<'a> {
    /// The address or prefix.
    pub address: Address,
    /// The domain that it belongs to.
    pub domain: Cow<'a, str>,
    /// What the shaper is told.
    pub attribute: Cow<'a, str>,
    /// The plan's name; where only the attribute is known, that.
    pub plan: Cow<'a, str>,
    /// Upload and download rate; `None` where the attribute stands for no known plan.
    pub rates: Option<(Rate, Rate)>,
    /// The subscriber's name for people, where there is one.
    pub name: Option<&'a str>,
    /// Which subscriber this is: addresses of one subscriber share a number.
    pub subscriber: Option<u32>,
}

impl<'a> Served<'a> {
    /// One address of a subscriber, served with a plan. `number` is the subscriber's.
    pub fn of(address: &Address, subscriber: &'a Subscriber, plan: &'a Plan, number: u32) -> Served<'a> {
        Served {
            address: address.clone(),
            domain: subscriber.domain.as_str().into(),
            attribute: plan.shaper_attribute().into(),
            plan: plan.name.as_str().into(),
            rates: Some((plan.up, plan.down)),
            name: subscriber.name.as_ref().map(|name| name.as_str()),
            subscriber: Some(number),
        }
    }

    /// Whether the network gives this address something else afterwards. A new name for people is
    /// nothing to it.
    pub fn differs(&self, after: &Served<'_>) -> bool {
        let rates_differ = self.rates.is_some() && self.rates != after.rates;
        self.domain != after.domain || self.attribute != after.attribute || rates_differ
    }
}

/// Everybody whom `table` serves, in its order.
pub fn of_table(table: &Table) -> Vec<Served<'_>> {
    table
        .rows()
        .iter()
        .map(|&row| {
            let subscriber = &table.subscriber(row).value;
            Served::of(table.address(row), subscriber, table.plan(row), table.subscriber_number(row))
        })
        .collect()
}
