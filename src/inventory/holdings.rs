//! Every address and prefix that is given out, sorted, and which of them overlap.

use std::collections::HashSet;

use ipnet::IpNet;
use rayon::prelude::*;

use crate::model::Address;

/// Where an address is held: the owner's position in its list, and the address's position with the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AddressHolder {
    /// Which subscriber, or which domain.
    pub(crate) owner: u32,
    /// Which of its addresses.
    pub(crate) position: u32,
}

/// Two holders of the same addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// Whose addresses all lie within the other's.
    pub(crate) inner: AddressHolder,
    /// The nearest holder around it; of several with the same addresses the first in the data.
    pub(crate) outer: AddressHolder,
    /// Whether the two are the same address or prefix.
    pub(crate) same: bool,
}

/// Addresses with their holders, each family sorted so that a prefix comes before what lies in it,
/// and equal ones in the order of the data. IPv4 takes 16 bytes each: there may be a million.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    v4: Vec<Holding<u32>>,
    v6: Vec<Holding<u128>>,
    /// Holders of prefixes that may be meant as single addresses: see [`Address::block_or_host`].
    unclear: HashSet<AddressHolder>,
}

#[derive(Clone, Copy, Debug)]
struct Holding<N> {
    first: N,
    last: N,
    holder: AddressHolder,
}

impl Holdings {
    /// The addresses of each owner, in the order of the data. `expected` is about how many.
    pub(crate) fn new<'a>(owners: impl Iterator<Item = &'a [Address]>, expected: usize) -> Self {
        let mut holdings = Self { v4: Vec::with_capacity(expected), ..Self::default() };
        for (owner, addresses) in owners.enumerate() {
            for (position, address) in addresses.iter().enumerate() {
                let holder = AddressHolder { owner: owner as u32, position: position as u32 };
                if address.has_host_bits() {
                    holdings.unclear.insert(holder);
                }
                match address.net() {
                    IpNet::V4(net) => {
                        let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                        holdings.v4.push(Holding { first, last, holder });
                    }
                    IpNet::V6(net) => {
                        let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
                        holdings.v6.push(Holding { first, last, holder });
                    }
                }
            }
        }
        sort(&mut holdings.v4);
        sort(&mut holdings.v6);
        holdings
    }

    /// Everything that lies within something else, each with the nearest around it: IPv4 first,
    /// in the order of the addresses.
    #[cfg(test)]
    fn overlaps(&self) -> Vec<Overlap> {
        self.overlaps_of(|_| true)
    }

    /// The same without the prefixes that may be meant as single addresses, unless `with_unclear`: compared
    /// as blocks, one of them would overlap with records that have no mistake.
    pub(crate) fn clear_overlaps(&self, with_unclear: bool) -> Vec<Overlap> {
        if with_unclear || self.unclear.is_empty() {
            return self.overlaps_of(|_| true);
        }
        self.overlaps_of(|holder| !self.unclear.contains(holder))
    }

    fn overlaps_of(&self, counts: impl Fn(&AddressHolder) -> bool) -> Vec<Overlap> {
        let mut found = overlaps(&self.v4, &counts);
        found.extend(overlaps(&self.v6, &counts));
        found
    }

    /// Every holding in the order of the shaper file: IPv4 first, by address, a prefix before what
    /// lies in it.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = AddressHolder> {
        self.v4.iter().map(|held| held.holder).chain(self.v6.iter().map(|held| held.holder))
    }

    /// How many holdings there are.
    pub(crate) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// The first hundred holders of exactly `address`, in the order of the data.
    pub(crate) fn holders(&self, address: &Address) -> Vec<AddressHolder> {
        match address.net() {
            IpNet::V4(net) => holders(&self.v4, net.network().to_bits(), net.broadcast().to_bits()),
            IpNet::V6(net) => holders(&self.v6, net.network().to_bits(), net.broadcast().to_bits()),
        }
    }
}

fn sort<N: Ord + Copy + Send>(holdings: &mut [Holding<N>]) {
    holdings.par_sort_unstable_by_key(|held| (held.first, std::cmp::Reverse(held.last), held.holder));
}

/// One pass with the prefixes around the current address on a stack. Two prefixes are disjoint or one
/// contains the other, so only the top of the stack matters.
fn overlaps<N: Ord + Copy>(sorted: &[Holding<N>], counts: impl Fn(&AddressHolder) -> bool) -> Vec<Overlap> {
    let mut found = Vec::new();
    let mut around: Vec<Holding<N>> = Vec::new();
    for held in sorted.iter().filter(|held| counts(&held.holder)) {
        while around.last().is_some_and(|outer| outer.last < held.first) {
            around.pop();
        }
        let same = match around.last() {
            Some(outer) => {
                let same = outer.first == held.first && outer.last == held.last;
                found.push(Overlap { inner: held.holder, outer: outer.holder, same });
                same
            }
            None => false,
        };
        if !same {
            around.push(*held);
        }
    }
    found
}

/// How many holders of one address are returned: a hostile file may have as many ids that ask for them.
const MAX_HOLDERS: usize = 100;

fn holders<N: Ord + Copy>(sorted: &[Holding<N>], first: N, last: N) -> Vec<AddressHolder> {
    let key = |held: &Holding<N>| (held.first, std::cmp::Reverse(held.last));
    let wanted = (first, std::cmp::Reverse(last));
    let from = sorted.partition_point(|held| key(held) < wanted);
    let same = sorted[from..].iter().take_while(|held| key(held) == wanted);
    same.take(MAX_HOLDERS).map(|held| held.holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Few addresses, so that they meet: four bits of IPv4 and of IPv6, any length among them.
    fn addresses() -> impl Strategy<Value = Vec<Vec<Address>>> {
        let one = (0_u8..16, 0_u8..=4, any::<bool>()).prop_map(|(bits, length, v6)| {
            let text = if v6 {
                format!("2001:db8::{bits:x}/{}", 124 + length)
            } else {
                format!("10.0.0.{bits}/{}", 28 + length)
            };
            text.parse::<Address>().unwrap()
        });
        prop::collection::vec(prop::collection::vec(one, 1..3), 0..12)
    }

    /// Generated once, when it failed.
    #[test]
    fn a_prefix_that_is_spelt_in_two_ways_is_one() {
        let owners = ["2001:db8::0/124", "2001:db8::1/124"].map(|text| [text.parse::<Address>().unwrap()]);
        let holdings = Holdings::new(owners.iter().map(<[Address; 1]>::as_slice), 0);
        let overlaps = holdings.overlaps();
        assert!(matches!(overlaps.as_slice(), [overlap] if overlap.same), "{overlaps:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn finds_what_comparing_each_with_each_finds(owners in addresses()) {
            let holdings = Holdings::new(owners.iter().map(Vec::as_slice), 0);
            let of = |holder: AddressHolder| &owners[holder.owner as usize][holder.position as usize];
            let all: Vec<AddressHolder> = owners.iter().enumerate().flat_map(|(owner, addresses)| {
                (0..addresses.len()).map(move |position| AddressHolder { owner: owner as u32, position: position as u32 })
            }).collect();
            let found = holdings.overlaps();
            for overlap in &found {
                prop_assert!(of(overlap.outer).net().contains(&of(overlap.inner).net()));
                prop_assert_eq!(overlap.same, of(overlap.outer).net() == of(overlap.inner).net());
            }
            for &holder in &all {
                let inside_another = all.iter().any(|&other| {
                    let (inner, outer) = (of(holder).net(), of(other).net());
                    other != holder && outer.contains(&inner) && (outer != inner || other < holder)
                });
                prop_assert_eq!(found.iter().filter(|overlap| overlap.inner == holder).count(), usize::from(inside_another));
                prop_assert!(holdings.holders(of(holder)).contains(&holder));
            }
        }
    }
}
