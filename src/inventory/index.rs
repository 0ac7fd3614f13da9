//! Plans and domains by name.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;

use crate::model::{Address, Domain, Plan};
use crate::repo::{Record, Repo};

/// Plans and domains by name. If a name occurs twice, the first counts.
pub struct Index<'a> {
    plans: Vec<&'a Record<Plan>>,
    domains: Vec<KnownDomain<'a>>,
    plan_by_name: Numbers<'a>,
    domain_by_name: Numbers<'a>,
}

/// Each subscriber looks up two names.
type Numbers<'a> = HashMap<&'a str, u32, foldhash::fast::RandomState>;

impl<'a> Index<'a> {
    /// An index of `repo`.
    pub(crate) fn new(repo: &'a Repo) -> Self {
        let mut index = Self {
            plans: Vec::with_capacity(repo.plans.len()),
            domains: Vec::with_capacity(repo.domains.len()),
            plan_by_name: Numbers::with_capacity_and_hasher(repo.plans.len(), Default::default()),
            domain_by_name: Numbers::with_capacity_and_hasher(repo.domains.len(), Default::default()),
        };
        for plan in &repo.plans {
            index.plan_by_name.entry(plan.value.name.as_str()).or_insert_with(|| {
                index.plans.push(plan);
                index.plans.len() as u32 - 1
            });
        }
        for domain in &repo.domains {
            index.domain_by_name.entry(domain.value.name.as_str()).or_insert_with(|| {
                index.domains.push(KnownDomain::new(domain, &index.plan_by_name));
                index.domains.len() as u32 - 1
            });
        }
        index
    }

    /// The plan called `name`.
    pub(crate) fn plan(&self, name: &str) -> Option<&'a Record<Plan>> {
        self.plan_number(name).and_then(|number| self.plans.get(number as usize)).copied()
    }

    /// The domain called `name`.
    pub(crate) fn domain(&self, name: &str) -> Option<&'a Record<Domain>> {
        self.domain_number(name).and_then(|number| self.domains.get(number as usize)).map(|domain| domain.record)
    }

    /// All plan names, in no order.
    pub(crate) fn plan_names(&self) -> impl Iterator<Item = &'a str> {
        self.plan_by_name.keys().copied()
    }

    /// All domain names, in no order.
    pub(crate) fn domain_names(&self) -> impl Iterator<Item = &'a str> {
        self.domain_by_name.keys().copied()
    }

    /// Every plan once, in the order of the data.
    pub(crate) fn plans(&self) -> &[&'a Record<Plan>] {
        &self.plans
    }

    /// Every domain once, in the order of the data.
    pub(crate) fn domains(&self) -> &[KnownDomain<'a>] {
        &self.domains
    }

    /// Which of [`Index::plans`] is called `name`.
    pub(crate) fn plan_number(&self, name: &str) -> Option<u32> {
        self.plan_by_name.get(name).copied()
    }

    /// Which of [`Index::domains`] is called `name`.
    pub(crate) fn domain_number(&self, name: &str) -> Option<u32> {
        self.domain_by_name.get(name).copied()
    }
}

/// A domain, with its addresses and plans prepared for fast lookups.
pub(crate) struct KnownDomain<'a> {
    /// The record.
    pub(crate) record: &'a Record<Domain>,
    /// The addresses that it may give out.
    pub(crate) blocks: Blocks,
    /// The addresses that no subscriber gets.
    pub(crate) reserved: Blocks,
    /// First and last addresses of its IPv4 blocks, sorted.
    edges: Vec<(u32, Edge)>,
    /// Which plans it may sell, sorted; `None` for all.
    plans: Option<Vec<u32>>,
}

/// Which end of an IPv4 block an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edge {
    /// The first: the block itself.
    Network,
    /// The last: all of its hosts.
    Broadcast,
}

impl<'a> KnownDomain<'a> {
    fn new(record: &'a Record<Domain>, plans: &Numbers<'_>) -> Self {
        let known = |names: &Vec<crate::model::Name>| {
            let mut known: Vec<u32> = names.iter().filter_map(|name| plans.get(name.as_str()).copied()).collect();
            known.sort_unstable();
            known
        };
        Self {
            record,
            blocks: Blocks::new(&record.value.prefixes),
            reserved: Blocks::new(&record.value.reserved),
            edges: edges(&record.value.prefixes),
            plans: record.value.plans.as_ref().map(known),
        }
    }

    /// The domain's name.
    pub(crate) fn name(&self) -> &'a str {
        self.record.value.name.as_str()
    }

    /// Whether it may sell the plan with this number.
    pub(crate) fn may_sell(&self, plan: u32) -> bool {
        self.plans.as_ref().is_none_or(|plans| plans.binary_search(&plan).is_ok())
    }

    /// The first and last addresses of its IPv4 blocks, which no host can have, as numbers.
    pub(crate) fn edges(&self) -> impl Iterator<Item = u32> {
        self.edges.iter().map(|(address, _)| *address)
    }

    /// Whether this IPv4 address, as a number, is the first or the last of one of the blocks.
    pub(crate) fn edge(&self, address: u32) -> Option<Edge> {
        let at = self.edges.binary_search_by_key(&address, |(edge, _)| *edge).ok()?;
        self.edges.get(at).map(|(_, edge)| *edge)
    }
}

/// RFC 3021: a block of two addresses has neither network nor broadcast address; RFC 4291 has no
/// broadcast in IPv6. An address that is listed by itself as well is a host.
fn edges(prefixes: &[Address]) -> Vec<(u32, Edge)> {
    let v4 = || prefixes.iter().filter_map(|prefix| if let IpNet::V4(net) = prefix.net() { Some(net) } else { None });
    let hosts: HashSet<u32> = v4().filter(|net| net.prefix_len() == 32).map(|net| net.network().to_bits()).collect();
    let mut edges: Vec<(u32, Edge)> = v4()
        .filter(|net| net.prefix_len() <= 30)
        .flat_map(|net| [(net.network().to_bits(), Edge::Network), (net.broadcast().to_bits(), Edge::Broadcast)])
        .filter(|(address, _)| !hosts.contains(address))
        .collect();
    edges.sort_unstable();
    edges
}

/// Address blocks, merged and sorted for binary search.
#[derive(Debug, Default)]
pub(crate) struct Blocks(Vec<(bool, u128, u128)>);

impl Blocks {
    pub(crate) fn new<'p>(prefixes: impl IntoIterator<Item = &'p Address>) -> Self {
        Self::of_ranges(prefixes.into_iter().map(|prefix| {
            let (first, last) = prefix.bounds();
            (prefix.net().network().is_ipv6(), first, last)
        }))
    }

    /// Blocks of ranges: whether they are IPv6, the first and the last address.
    pub(crate) fn of_ranges(ranges: impl Iterator<Item = (bool, u128, u128)>) -> Self {
        let mut all: Vec<(bool, u128, u128)> = ranges.collect();
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

    /// The merged blocks of a family, in order, each from its first to its last address.
    pub(crate) fn of_family(&self, v6: bool) -> impl Iterator<Item = (u128, u128)> {
        self.0.iter().filter(move |block| block.0 == v6).map(|block| (block.1, block.2))
    }

    /// The parts of the blocks that lie between two addresses of a family.
    pub(crate) fn within(&self, v6: bool, first: u128, last: u128) -> impl Iterator<Item = (u128, u128)> {
        let from = self.0.partition_point(|block| (block.0, block.2) < (v6, first));
        let blocks = self.0.get(from..).unwrap_or_default().iter();
        let blocks = blocks.take_while(move |block| block.0 == v6 && block.1 <= last);
        blocks.map(move |block| (block.1.max(first), block.2.min(last)))
    }

    /// Whether a part of `address` lies within.
    pub(crate) fn meet(&self, address: &Address) -> bool {
        let (first, last) = address.bounds();
        self.within(address.net().network().is_ipv6(), first, last).next().is_some()
    }

    /// Whether all of `address` lies within.
    pub(crate) fn hold(&self, address: &Address) -> bool {
        let (first, last) = address.bounds();
        let family = address.net().network().is_ipv6();
        let after = self.0.partition_point(|block| (block.0, block.1) <= (family, first));
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|block| block.0 == family && last <= block.2)
    }
}
