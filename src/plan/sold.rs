//! Bandwidth sold, by domain, before and after.

use std::collections::{BTreeMap, HashSet};

use super::{Served, later};
use crate::inventory::peak::Peaks;
use crate::model::{Capacity, Domain};
use crate::render::Table;
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
    /// The most that will be sold from the plan's day on; only if the plan looks ahead.
    pub peaks: Option<Peaks>,
    /// The same of the data before.
    pub peaks_before: Option<Peaks>,
    /// What the domain has contracted, if it says so.
    pub capacity: Option<Capacity>,
}

/// Every domain in which anything is sold or was, by name.
pub fn by_domain(before: &[Served<'_>], after: &[Served<'_>], repo: &Repo) -> Vec<DomainSold> {
    let mut domains = Domains::new(repo);
    for (name, sold) in sum(before) {
        domains.entry(name).before = sold;
    }
    for (name, sold) in sum(after) {
        domains.entry(name).after = sold;
    }
    domains.sold.into_values().collect()
}

/// The same with the most that each domain will have sold, before and after; where what was before has
/// no terms, after alone counts.
pub fn with_peaks(domains: Vec<DomainSold>, before: Option<&Table>, after: &Table) -> Vec<DomainSold> {
    let mut all = Domains::new(after.repo());
    all.sold.extend(domains.into_iter().map(|domain| (domain.name.clone(), domain)));
    let peaks = later::peaks(after);
    for (name, most) in before.map_or_else(|| peaks.clone(), later::peaks) {
        all.entry(name).peaks_before = Some(most);
    }
    for (name, most) in peaks {
        all.entry(name).peaks = Some(most);
    }
    all.sold.into_values().collect()
}

/// Sums by name, made as they are needed.
struct Domains<'r> {
    known: BTreeMap<&'r str, &'r Domain>,
    sold: BTreeMap<String, DomainSold>,
}

impl<'r> Domains<'r> {
    fn new(repo: &'r Repo) -> Domains<'r> {
        let known = repo.domains.iter().rev().map(|domain| (domain.value.name.as_str(), &domain.value)).collect();
        Domains { known, sold: BTreeMap::new() }
    }

    fn entry(&mut self, name: &str) -> &mut DomainSold {
        let known = &self.known;
        self.sold.entry(name.to_owned()).or_insert_with(|| DomainSold {
            name: name.to_owned(),
            before: Sold::default(),
            after: Sold::default(),
            peaks: None,
            peaks_before: None,
            capacity: known.get(name).and_then(|domain| domain.capacity.clone()),
        })
    }
}

impl DomainSold {
    /// Whether the plan changes anything about the domain's sums, today or later.
    pub fn changes(&self) -> bool {
        let most = |peaks: &Option<Peaks>| peaks.map_or((0, 0), |peaks| (peaks.up.bps, peaks.down.bps));
        self.before != self.after || most(&self.peaks) != most(&self.peaks_before)
    }
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
