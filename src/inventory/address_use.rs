//! How many addresses of a domain are given out, and how many are free.

use super::index::{Blocks, KnownDomain};
use super::reserved::reserved_v4;
use crate::model::Address;

/// How the addresses of a domain's blocks are used. IPv6 blocks are too large to count addresses: of them,
/// the given out prefixes are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddressUse {
    /// IPv4 addresses in the blocks.
    pub(crate) v4: u64,
    /// IPv4 addresses that are given out.
    pub(crate) v4_used: u64,
    /// IPv4 addresses that a subscriber can still get.
    pub(crate) v4_free: u64,
    /// IPv6 addresses and prefixes that are given out.
    pub(crate) v6_used: usize,
}

/// Every address that is given out, for questions about many domains.
pub(crate) struct GivenOut {
    held: Blocks,
    v6: Vec<Address>,
}

impl GivenOut {
    /// What these addresses cover, each counted once.
    pub(crate) fn new<'a>(addresses: impl Iterator<Item = &'a Address> + Clone) -> GivenOut {
        let is_v6 = |address: &&Address| address.net().network().is_ipv6();
        let mut v6: Vec<Address> = addresses.clone().filter(is_v6).cloned().collect();
        v6.sort_by_key(Address::sort_key);
        v6.dedup_by(|a, b| a.net() == b.net());
        GivenOut { held: Blocks::new(addresses), v6 }
    }

    /// How the blocks of a domain are used.
    pub(crate) fn of(&self, domain: &KnownDomain<'_>) -> AddressUse {
        let mut used = AddressUse::default();
        for (first, last) in domain.blocks.of_family(false) {
            let held: Vec<(u128, u128)> = self.held.within(false, first, last).collect();
            used.v4 += count([(first, last)]);
            used.v4_used += count(held.iter().copied());
            let edges = domain.edges().map(|edge| (u128::from(edge), u128::from(edge)));
            let other = edges.chain(reserved_v4()).chain(domain.reserved.of_family(false));
            let not_free = Blocks::of_ranges(held.into_iter().chain(other).map(|(from, to)| (false, from, to)));
            used.v4_free += count([(first, last)]) - count(not_free.within(false, first, last));
        }
        for (first, last) in domain.blocks.of_family(true) {
            let from = self.v6.partition_point(|address| address.bounds().0 < first);
            let to = self.v6.partition_point(|address| address.bounds().0 <= last);
            used.v6_used += to.saturating_sub(from);
        }
        used
    }
}

/// How many IPv4 addresses these ranges have.
fn count(ranges: impl IntoIterator<Item = (u128, u128)>) -> u64 {
    ranges.into_iter().map(|(first, last)| (last - first + 1) as u64).sum()
}
