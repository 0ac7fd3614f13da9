//! Bandwidth sold, by domain, before and after.

use std::collections::BTreeMap;
use std::ops::Add as _;

use super::later;
use super::side::ServedList;
use super::sums::{Sold, SoldSums};
use crate::inventory::peak::Peaks;
use crate::model::{Capacity, Domain};
use crate::render::Table;
use crate::repo::Repo;

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
pub(crate) fn by_domain(before: SoldSums<'_>, after: SoldSums<'_>, repo: &Repo) -> Vec<DomainSold> {
    let mut domains = Domains::new(repo);
    for (name, sold) in before.by_domain {
        domains.entry(name).before = sold;
    }
    for (name, sold) in after.by_domain {
        domains.entry(name).after = sold;
    }
    domains.sold.into_values().collect()
}

/// The sums of all domains, if there are several. Peaks of different days cannot be added.
pub(super) fn total(domains: &[DomainSold]) -> Option<DomainSold> {
    if domains.len() < 2 {
        return None;
    }
    let sum = |of: fn(&DomainSold) -> Sold| domains.iter().map(of).fold(Sold::default(), Sold::add);
    let (before, after) = (sum(|domain| domain.before), sum(|domain| domain.after));
    let name = "all domains".to_owned();
    Some(DomainSold { name, before, after, peaks: None, peaks_before: None, capacity: None })
}

/// What every domain with served subscribers has sold, by name.
pub(crate) fn sold_by_domain(served: &ServedList<'_>, repo: &Repo) -> Vec<DomainSold> {
    let mut sums = SoldSums::default();
    served.iter().for_each(|served| sums.add(&served));
    by_domain(SoldSums::default(), sums, repo)
}

/// Adds the peaks of each domain before and after. A state before without terms, such as a live file, has
/// the peaks of after.
pub(crate) fn with_peaks(domains: Vec<DomainSold>, before: Option<&Table>, after: &Table) -> Vec<DomainSold> {
    let mut all = Domains::new(after.repo());
    all.sold.extend(domains.into_iter().map(|domain| (domain.name.clone(), domain)));
    let (peaks_before, peaks) = later::peaks(before, after);
    for (name, most) in peaks_before.unwrap_or_else(|| peaks.clone()) {
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
