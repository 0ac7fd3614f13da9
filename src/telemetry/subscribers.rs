//! The declared subscribers, and which of them a series belongs to.

use std::collections::{BTreeMap, HashMap};

use super::store::series::Series;
use crate::inventory::address_table::AddressTable;
use crate::model::Address;
use crate::render::Table;

/// A subscriber that is served today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Its id, or else address@domain.
    pub(crate) key: String,
    pub(crate) domain: String,
    pub(crate) plan: String,
    /// The plan's rates in bit/s.
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) addresses: Vec<Address>,
}

/// The subscribers of a table, in the order of the data.
pub(crate) fn declared(table: &Table) -> Vec<Declared> {
    let mut found: BTreeMap<u32, Declared> = BTreeMap::new();
    for row in table.rows() {
        found.entry(table.subscriber_number(*row)).or_insert_with(|| {
            let (subscriber, plan) = (&table.subscriber(*row).value, table.plan(*row));
            Declared {
                key: subscriber.key(),
                domain: subscriber.domain.to_string(),
                plan: plan.name.to_string(),
                up: plan.up.bps(),
                down: plan.down.bps(),
                addresses: subscriber.ip.as_slice().to_vec(),
            }
        });
    }
    found.into_values().collect()
}

/// Finds the subscriber of a series: by the names in the settings, by its name, by its address.
pub(crate) struct Directory<'d> {
    names: &'d BTreeMap<String, String>,
    keys: HashMap<String, u32>,
    addresses: AddressTable,
}

impl<'d> Directory<'d> {
    pub(crate) fn new(declared: &[Declared], names: &'d BTreeMap<String, String>) -> Directory<'d> {
        let mut keys = HashMap::new();
        for (number, one) in (0_u32..).zip(declared) {
            keys.entry(one.key.clone()).or_insert(number);
            if let Some(address) = one.addresses.first() {
                keys.entry(format!("{address}@{}", one.domain)).or_insert(number);
            }
        }
        let addresses = (0_u32..)
            .zip(declared)
            .flat_map(|(number, one)| one.addresses.iter().map(move |address| (number, address)));
        Directory { names, keys, addresses: AddressTable::new(addresses) }
    }

    /// The number of the subscriber; of several prefixes around an address, the longest counts.
    pub(crate) fn find(&self, series: &Series) -> Option<u32> {
        let name = series.facts.name.as_str();
        if let Some(named) = self.names.get(name) {
            return self.keys.get(named).copied();
        }
        let by_address = || {
            let address: Address = series.facts.address.as_deref()?.parse().ok()?;
            self.addresses.around(&address).next()
        };
        self.keys.get(name).copied().or_else(by_address)
    }
}
