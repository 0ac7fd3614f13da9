//! Bandwidth sold, by domain, before and after.

use std::collections::{BTreeMap, HashSet};

use super::{Served, later};
use crate::inventory::peak::Peaks;
use crate::model::{Capacity, Domain};
use crate::render::Table;
use crate::repo::Repo;

/// The bandwidth that a domain has sold. A subscriber with several addresses counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sold {
    pub(crate) subscribers: usize,
    pub(crate) addresses: usize,
    /// The sum of their upload rates, in bit/s.
    pub(crate) up: u128,
    /// The sum of their download rates, in bit/s.
    pub(crate) down: u128,
    /// How many subscribers have a plan with unknown rates.
    pub(crate) unknown: usize,
}

/// One domain, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DomainSold {
    pub(crate) name: String,
    pub(crate) before: Sold,
    pub(crate) after: Sold,
    /// The largest bandwidth sold from the plan's day on; only if the plan looks ahead.
    pub(crate) peaks: Option<Peaks>,
    /// The same before.
    pub(crate) peaks_before: Option<Peaks>,
    /// The contracted capacity, if the domain has one.
    pub(crate) capacity: Option<Capacity>,
}

/// Every domain with subscribers before or after, by name.
pub(crate) fn by_domain(before: &[Served<'_>], after: &[Served<'_>], repo: &Repo) -> Vec<DomainSold> {
    let mut domains = Domains::new(repo);
    for (name, sold) in sum(before) {
        domains.entry(name).before = sold;
    }
    for (name, sold) in sum(after) {
        domains.entry(name).after = sold;
    }
    domains.sold.into_values().collect()
}

/// The sums of all domains, if there are several. Peaks of different days cannot be added.
pub(super) fn total(domains: &[DomainSold]) -> Option<DomainSold> {
    if domains.len() < 2 {
        return None;
    }
    let sum = |of: fn(&DomainSold) -> Sold| {
        domains.iter().map(of).fold(Sold::default(), |sum, sold| Sold {
            subscribers: sum.subscribers + sold.subscribers,
            addresses: sum.addresses + sold.addresses,
            up: sum.up + sold.up,
            down: sum.down + sold.down,
            unknown: sum.unknown + sold.unknown,
        })
    };
    let (before, after) = (sum(|domain| domain.before), sum(|domain| domain.after));
    let name = "all domains".to_owned();
    Some(DomainSold { name, before, after, peaks: None, peaks_before: None, capacity: None })
}

/// What every domain with served subscribers has sold, by name.
pub(crate) fn sold_by_domain(served: &[Served<'_>], repo: &Repo) -> Vec<DomainSold> {
    by_domain(&[], served, repo)
}

/// Adds the peaks of each domain before and after. A state before without terms, such as a live file, has
/// the peaks of after.
pub(crate) fn with_peaks(domains: Vec<DomainSold>, before: Option<&Table>, after: &Table) -> Vec<DomainSold> {
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

/// Sums by name, created on first use.
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
    /// Whether the plan changes the sums of the domain, today or later.
    pub(crate) fn changes(&self) -> bool {
        let most = |peaks: &Option<Peaks>| peaks.map_or((0, 0), |peaks| (peaks.up.bps, peaks.down.bps));
        self.before != self.after || most(&self.peaks) != most(&self.peaks_before)
    }
}

fn sum<'s>(served: &'s [Served<'_>]) -> BTreeMap<&'s str, Sold> {
    let mut domains: BTreeMap<&str, Sold> = BTreeMap::new();
    // Only a subscriber with several addresses could be counted twice. Most have one, but which is not
    // known here, so all are remembered.
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
