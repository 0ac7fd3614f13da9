//! Bandwidth sold, by domain, before and after.

use std::collections::{BTreeMap, HashSet};

use super::Served;
use crate::model::{Capacity, Domain};
use crate::repo::Repo;

/// What a domain's subscribers have bought together. A subscriber with several addresses counts
/// once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    /// How many subscribers.
    pub subscribers: usize,
    /// How many addresses.
    pub addresses: usize,
    /// The sum of their upload rates, in bit/s.
    pub up: u128,
    /// The sum of their download rates, in bit/s.
    pub down: u128,
    /// How many subscribers have a plan whose rates are not known.
    pub unknown: usize,
}

/// One domain, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSold {
    /// The domain's name.
    pub name: String,
    /// What was sold.
    pub before: Sold,
    /// What will be.
    pub after: Sold,
    /// What the domain has contracted, if it says so.
    pub capacity: Option<Capacity>,
}

/// Every domain in which anything is sold or was, by name.
pub fn by_domain(before: &[Served<'_>], after: &[Served<'_>], repo: &Repo) -> Vec<DomainSold> {
    let mut domains: BTreeMap<String, DomainSold> = BTreeMap::new();
    let known: BTreeMap<&str, &Domain> =
        repo.domains.iter().rev().map(|domain| (domain.value.name.as_str(), &domain.value)).collect();
    let entry = |name: &str| DomainSold {
        name: name.to_owned(),
        before: Sold::default(),
        after: Sold::default(),
        capacity: known.get(name).and_then(|domain| domain.capacity.clone()),
    };
    for (name, sold) in sum(before) {
        domains.entry(name.to_owned()).or_insert_with(|| entry(name)).before = sold;
    }
    for (name, sold) in sum(after) {
        domains.entry(name.to_owned()).or_insert_with(|| entry(name)).after = sold;
    }
    domains.into_values().collect()
}

fn sum<'s>(served: &'s [Served<'_>]) -> BTreeMap<&'s str, Sold> {
    let mut domains: BTreeMap<&str, Sold> = BTreeMap::new();
    // Only a subscriber with several addresses could be counted twice; most have one, and those
    // need not be remembered. But which is which is not known here, so all are.
    let mut counted: HashSet<u32> = HashSet::with_capacity(served.len());
    for one in served {
        let sold = domains.entry(one.domain.as_ref()).or_default();
        sold.addresses += 1;
        if one.subscriber.is_some_and(|subscriber| !counted.insert(subscriber)) {
            continue;
        }
        sold.subscribers += 1;
        match one.rates {
            Some((up, down)) => {
                sold.up += u128::from(up.bps());
                sold.down += u128::from(down.bps());
            }
            None => sold.unknown += 1,
        }
    }
    domains
}
