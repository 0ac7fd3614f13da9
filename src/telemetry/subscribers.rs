//! The declared subscribers, and which of them a series belongs to.

use std::borrow::Cow;
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

/// A MAC address in one spelling: `02:00:5e:00:53:01`.
pub(crate) fn mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !":-.".contains(*c)).collect();
    let fits = digits.len() == 12 && text.len() <= 17 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = || digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_lowercase());
    fits.then(|| pairs().collect::<Vec<String>>().join(":"))
}

/// Finds the subscriber of a series: by the names in the settings, by its name, by its address.
pub(crate) struct Directory<'d> {
    /// A MAC address in any spelling is that of a device, too.
    names: HashMap<Cow<'d, str>, &'d str>,
    /// By the first address@domain, which only its holder can have.
    holders: HashMap<String, u32>,
    /// By id, which a tier-2 chooses: it may be what a router calls an interface of another one.
    ids: HashMap<String, u32>,
    addresses: AddressTable,
}

impl<'d> Directory<'d> {
    pub(crate) fn new(declared: &[Declared], names: &'d BTreeMap<String, String>) -> Directory<'d> {
        let (mut holders, mut ids) = (HashMap::new(), HashMap::new());
        for (number, one) in (0_u32..).zip(declared) {
            if let Some(address) = one.addresses.first() {
                let holder = format!("{address}@{}", one.domain);
                if holder != one.key {
                    ids.entry(one.key.clone()).or_insert(number);
                }
                holders.entry(holder).or_insert(number);
            }
        }
        let addresses = (0_u32..)
            .zip(declared)
            .flat_map(|(number, one)| one.addresses.iter().map(move |address| (number, address)));
        let spelt = names.iter().filter_map(|(name, of)| Some((Cow::Owned(mac(name)?), of.as_str())));
        let names = spelt.chain(names.iter().map(|(name, of)| (name.as_str().into(), of.as_str()))).collect();
        Directory { names, holders, ids, addresses: AddressTable::new(addresses) }
    }

    fn named(&self, of: &str) -> Option<u32> {
        self.holders.get(of).or_else(|| self.ids.get(of)).copied()
    }

    /// What `names` gives to subscribers that are not served: the series, and what stands there.
    pub(crate) fn mistaken_names(
        names: &'d BTreeMap<String, String>,
        declared: &[Declared],
    ) -> Vec<(&'d str, &'d str)> {
        let directory = Directory::new(declared, names);
        let all = names.iter().map(|(name, of)| (name.as_str(), of.as_str()));
        all.filter(|(_, of)| directory.named(of).is_none()).collect()
    }

    /// The number of the subscriber; of several prefixes around an address, the longest counts.
    pub(crate) fn find(&self, series: &Series) -> Option<u32> {
        let name = series.facts.name.as_str();
        if let Some(named) = self.names.get(name) {
            return self.named(named);
        }
        let by_address = || {
            let address: Address = series.facts.address.as_deref()?.parse().ok()?;
            self.addresses.around(&address).next()
        };
        self.holders.get(name).copied().or_else(by_address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::store::series::{Form, SeriesFacts};

    fn subscriber(key: &str, domain: &str, address: &str) -> Declared {
        let (plan, addresses) = (String::new(), vec![address.parse().unwrap()]);
        Declared { key: key.to_owned(), domain: domain.to_owned(), plan, up: 1, down: 1, addresses }
    }

    fn series(name: &str, address: Option<&str>) -> Series {
        Series {
            id: 1,
            source: "cpe".to_owned(),
            facts: SeriesFacts {
                name: name.to_owned(),
                form: Form::Device,
                address: address.map(str::to_owned),
                description: None,
                facts: None,
            },
            active: true,
            active_from: 0,
            active_until: None,
            until: [None; 3],
            tenure: None,
        }
    }

    #[test]
    fn a_mac_address_in_the_settings_may_be_spelt_in_any_way() {
        let declared = [subscriber("a", "a.example", "10.10.10.25"), subscriber("b", "a.example", "10.10.10.26")];
        let name = |name: &str, of: &str| (name.to_owned(), of.to_owned());
        let names = BTreeMap::from([
            name("02-00-5E-00-53-01", "b"),
            name("0200.5e00.5302", "b"),
            name("02-00-5E-00-53-03", "a"),
            name("02:00:5e:00:53:03", "b"),
            name("cr1", "nothing"),
            name("cr2", "10.10.10.25@a.example"),
        ]);
        let directory = Directory::new(&declared, &names);
        for (mac, of) in [("02:00:5e:00:53:01", 1), ("02:00:5e:00:53:02", 1), ("02:00:5e:00:53:03", 1)] {
            assert_eq!(directory.find(&series(mac, Some("10.10.10.25"))), Some(of), "{mac}");
        }
        // As it is written, for what calls itself so.
        assert_eq!(directory.find(&series("02-00-5E-00-53-03", None)), Some(0));
        assert_eq!(Directory::mistaken_names(&names, &declared), [("cr1", "nothing")]);
    }

    #[test]
    fn an_id_claims_nothing_that_is_another_one_s() {
        let declared = [
            subscriber("10.10.10.25@a.example", "b.example", "10.20.0.1"),
            subscriber("02:00:5e:00:53:01", "b.example", "10.20.0.2"),
            subscriber("cr1::xe-0/0/1", "b.example", "10.20.0.3"),
            subscriber("acme", "a.example", "10.10.10.25"),
        ];
        let names = BTreeMap::from([
            ("cr1::xe-0/0/2".to_owned(), "acme".to_owned()),
            ("cr1::xe-0/0/3".to_owned(), "10.10.10.25@a.example".to_owned()),
        ]);
        let directory = Directory::new(&declared, &names);
        let find = |name: &str, address| directory.find(&series(name, address));
        assert_eq!(find("02:00:5e:00:53:01", Some("10.10.10.25")), Some(3));
        assert_eq!(
            (find("02:00:5e:00:53:01", None), find("cr1::xe-0/0/1", None), find("acme", None)),
            (None, None, None)
        );
        assert_eq!(find("10.10.10.25@a.example", None), Some(3));
        assert_eq!((find("cr1::xe-0/0/2", None), find("cr1::xe-0/0/3", None)), (Some(3), Some(3)));
    }
}
