//! What a rule may look at: the repository, an index of it, today's date, the change under review.

use std::collections::HashMap;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::Change;
use crate::finding::Finding;
use crate::model::{Address, Date, Domain, Plan, Subscriber};
use crate::repo::{Record, Repo};

/// What a rule may look at.
pub struct Context<'a> {
    /// The data.
    pub repo: &'a Repo,
    /// The data by name.
    pub index: Index<'a>,
    /// Today, UTC.
    pub today: Date,
    /// The change under review, if one is.
    pub change: Option<Change<'a>>,
    holdings: OnceLock<[Vec<Holding>; 2]>,
}

impl<'a> Context<'a> {
    /// A context for `repo` as of `today`.
    pub fn new(repo: &'a Repo, today: Date, change: Option<Change<'a>>) -> Self {
        Self { repo, index: Index::new(repo), today, change, holdings: OnceLock::new() }
    }

    /// Looks at every subscriber, on all cores; findings come in the order of the data.
    pub fn each_subscriber<F>(&self, look: F) -> Vec<Finding>
    where
        F: Fn(&Record<Subscriber>) -> Option<Finding> + Sync + Send,
    {
        self.repo.subscribers.par_iter().filter_map(look).collect()
    }

    /// Every address and prefix of every subscriber, IPv4 and IPv6 apart, each sorted so that a
    /// prefix comes before what lies in it, and equal ones in the order of the data.
    pub fn holdings(&self) -> &[Vec<Holding>; 2] {
        self.holdings.get_or_init(|| {
            let mut families = [Vec::with_capacity(self.repo.subscribers.len()), Vec::new()];
            for (subscriber, record) in self.repo.subscribers.iter().enumerate() {
                for (position, address) in record.value.ip.as_slice().iter().enumerate() {
                    let (first, last) = address.bounds();
                    families[usize::from(address.net().network().is_ipv6())].push(Holding {
                        first,
                        last,
                        subscriber: subscriber as u32,
                        position: position as u32,
                    });
                }
            }
            for family in &mut families {
                family.par_sort_unstable_by_key(|h| (h.first, std::cmp::Reverse(h.last), h.subscriber, h.position));
            }
            families
        })
    }

    /// The subscriber that holds a holding.
    pub fn holder(&self, holding: &Holding) -> &'a Record<Subscriber> {
        &self.repo.subscribers[holding.subscriber as usize]
    }

    /// The address itself.
    pub fn address(&self, holding: &Holding) -> Option<&'a Address> {
        self.holder(holding).value.ip.as_slice().get(holding.position as usize)
    }
}

/// An address or prefix that a subscriber holds.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// First address, as a number.
    pub first: u128,
    /// Last address, as a number.
    pub last: u128,
    /// Which subscriber, by its place in [`Repo::subscribers`].
    pub subscriber: u32,
    /// Which of its addresses.
    pub position: u32,
}

/// The data by name. Where a name stands twice, the first counts.
pub struct Index<'a> {
    plans: HashMap<&'a str, &'a Record<Plan>>,
    domains: HashMap<&'a str, (&'a Record<Domain>, Blocks)>,
}

impl<'a> Index<'a> {
    /// An index of `repo`.
    pub fn new(repo: &'a Repo) -> Self {
        let mut index = Self {
            plans: HashMap::with_capacity(repo.plans.len()),
            domains: HashMap::with_capacity(repo.domains.len()),
        };
        for plan in &repo.plans {
            index.plans.entry(plan.value.name.as_str()).or_insert(plan);
        }
        for domain in &repo.domains {
            let blocks = || (domain, Blocks::new(&domain.value.prefixes));
            index.domains.entry(domain.value.name.as_str()).or_insert_with(blocks);
        }
        index
    }

    /// The plan called `name`.
    pub fn plan(&self, name: &str) -> Option<&'a Record<Plan>> {
        self.plans.get(name).copied()
    }

    /// The domain called `name`.
    pub fn domain(&self, name: &str) -> Option<&'a Record<Domain>> {
        self.domains.get(name).map(|(domain, _)| *domain)
    }

    /// The addresses that the domain called `name` may give out.
    pub fn blocks(&self, name: &str) -> Option<&Blocks> {
        self.domains.get(name).map(|(_, blocks)| blocks)
    }

    /// All plan names, in no order.
    pub fn plan_names(&self) -> impl Iterator<Item = &'a str> {
        self.plans.keys().copied()
    }

    /// All domain names, in no order.
    pub fn domain_names(&self) -> impl Iterator<Item = &'a str> {
        self.domains.keys().copied()
    }
}

/// Address blocks, merged and sorted, so that a search costs the same with ten thousand of them.
#[derive(Debug, Default)]
pub struct Blocks(Vec<(bool, u128, u128)>);

impl Blocks {
    fn new(prefixes: &[Address]) -> Self {
        let mut all: Vec<(bool, u128, u128)> = prefixes
            .iter()
            .map(|prefix| {
                let (first, last) = prefix.bounds();
                (prefix.net().network().is_ipv6(), first, last)
            })
            .collect();
        all.sort_unstable();
        let mut merged: Vec<(bool, u128, u128)> = Vec::with_capacity(all.len());
        for (family, first, last) in all {
            match merged.last_mut() {
                Some(open) if open.0 == family && first <= open.2.saturating_add(1) => open.2 = open.2.max(last),
                _ => merged.push((family, first, last)),
            }
        }
        Self(merged)
    }

    /// Whether all of `address` lies within.
    pub fn hold(&self, address: &Address) -> bool {
        let (first, last) = address.bounds();
        let family = address.net().network().is_ipv6();
        let after = self.0.partition_point(|block| (block.0, block.1) <= (family, first));
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|block| block.0 == family && last <= block.2)
    }
}
