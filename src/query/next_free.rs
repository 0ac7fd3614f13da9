//! The next free address of a domain.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::unread::UnreadAddresses;
use crate::inventory::Index;
use crate::inventory::KnownDomain;
use crate::inventory::reserved::reserved_until;
use crate::model::{Address, Domain};
use crate::repo::Repo;

/// The lowest free address for a host, or with a `length` the lowest free prefix of that length: in the
/// blocks of the domain in their order, IPv4 first, or in `within`. A prefix longer than 32 is IPv6, a
/// shorter one IPv4, unless `within` says otherwise. Reserved addresses, and those in records that could not
/// be read, are not free.
pub fn next_free(repo: &Repo, domain: &Domain, within: Option<&Address>, length: Option<u8>) -> Option<Address> {
    let index = Index::new(repo);
    let known = index.domains().iter().find(|known| known.name() == domain.name.as_str())?;
    let mut blocks: Vec<AddressRange> = match within {
        Some(within) => {
            let (first, last) = within.bounds();
            let v6 = is_v6(within);
            known.blocks.within(v6, first, last).map(|(first, last)| (v6, first, last)).collect()
        }
        None => domain.prefixes.iter().map(range).collect(),
    };
    if let (Some(length), None) = (length, within) {
        blocks.retain(|block| block.0 == (length > 32));
    }
    blocks.sort_by_key(|block| block.0);
    let held = repo.subscribers.iter().flat_map(|record| record.value.ip.as_slice());
    let unread = UnreadAddresses::of(repo);
    let mut taken: Vec<AddressRange> =
        held.chain(unread.addresses()).chain(domain.reserved.iter()).map(range).collect();
    taken.sort_unstable();
    blocks.into_iter().find_map(|block| first_free(block, &taken, known, length))
}

/// Whether it is IPv6, the first and the last address.
type AddressRange = (bool, u128, u128);

fn range(address: &Address) -> AddressRange {
    (is_v6(address), address.bounds().0, address.bounds().1)
}

/// The domains one of whose blocks holds the address, by name.
pub fn domains_of<'r>(index: &Index<'r>, address: &Address) -> Vec<&'r str> {
    index.domains().iter().filter(|domain| domain.blocks.hold(address)).map(KnownDomain::name).collect()
}

fn is_v6(address: &Address) -> bool {
    address.net().network().is_ipv6()
}

fn first_free(
    (v6, first, last): AddressRange,
    taken: &[AddressRange],
    domain: &KnownDomain<'_>,
    length: Option<u8>,
) -> Option<Address> {
    let bits: u8 = if v6 { 128 } else { 32 };
    let length = length.unwrap_or(bits);
    let size = 1_u128.checked_shl(bits.checked_sub(length)?.into())?;
    let is_host = length == bits;
    // The first address of an IPv6 block is every router's (RFC 4291 section 2.6.1).
    let mut at = aligned(if v6 && is_host && first < last { first + 1 } else { first }, size)?;
    let mut ranges = taken.iter().skip(taken.partition_point(|range| (range.0, range.2) < (v6, 0))).peekable();
    while at <= last && last - at >= size - 1 {
        let end = at + (size - 1);
        let mut beyond = None;
        while let Some(range) = ranges.next_if(|range| range.0 == v6 && range.1 <= end) {
            beyond = beyond.max(Some(range.2).filter(|last| *last >= at));
        }
        let candidate = prefix(v6, at, length)?;
        let beyond = beyond.or_else(|| reserved_until(&candidate)).or_else(|| {
            let edge = is_host && !v6 && domain.edge(at as u32).is_some();
            edge.then_some(at)
        });
        match beyond {
            None => return Some(candidate),
            Some(end) => at = aligned(end.checked_add(1)?, size)?,
        }
    }
    None
}

/// The first multiple of `size`, a power of two, from `at` on.
fn aligned(at: u128, size: u128) -> Option<u128> {
    Some(at.checked_add(size - 1)? & !(size - 1))
}

fn prefix(v6: bool, number: u128, length: u8) -> Option<Address> {
    let ip = if v6 { IpAddr::V6(Ipv6Addr::from_bits(number)) } else { IpAddr::V4(Ipv4Addr::from_bits(number as u32)) };
    IpNet::new(ip, length).ok().map(Address::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    fn free(prefixes: &str, taken: &[&str], within: Option<&str>) -> Option<String> {
        free_prefix(&format!("prefixes: [{prefixes}]"), taken, within, None)
    }

    fn free_prefix(domain: &str, taken: &[&str], within: Option<&str>, length: Option<u8>) -> Option<String> {
        let record = |ip: &&str| format!("- {{ip: '{ip}', domain: a.example, plan: P}}\n");
        let files = [
            ("domains/a.example.yaml".to_owned(), format!("name: a.example\n{domain}\n").into_bytes()),
            ("subscribers/a.yaml".to_owned(), taken.iter().map(record).collect::<String>().into_bytes()),
        ];
        let repo = Repo::load(&Tree::Memory(files.into_iter().collect())).unwrap();
        let within = within.map(|within| within.parse().unwrap());
        next_free(&repo, &repo.domains[0].value, within.as_ref(), length).map(|address| address.to_string())
    }

    #[test]
    fn edges_and_what_is_held_are_passed_over() {
        let block = "10.0.0.0/29";
        assert_eq!(free(block, &["10.9.9.9"], None).unwrap(), "10.0.0.1");
        assert_eq!(free(block, &["10.0.0.1", "10.0.0.2/31", "10.0.0.5"], None).unwrap(), "10.0.0.4");
        let all = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"];
        assert_eq!(free(block, &all, None), None);
        assert_eq!(free("10.0.0.0/29, 10.1.0.0/30", &all, None).unwrap(), "10.1.0.1");
        assert_eq!(free("'2001:db8::/64', 10.0.0.0/29", &["10.9.9.9"], None).unwrap(), "10.0.0.1", "IPv4 first");
        assert_eq!(free("'2001:db8::/64'", &["2001:db8::1"], None).unwrap(), "2001:db8::2");
        assert_eq!(free("'2001:db8::/64'", &["2001:db8::/65"], None).unwrap(), "2001:db8:0:0:8000::");
    }

    #[test]
    fn a_prefix_narrows_it() {
        assert_eq!(free("10.0.0.0/24", &["10.9.9.9"], Some("10.0.0.128/25")).unwrap(), "10.0.0.128");
        assert_eq!(free("10.0.0.0/24", &["10.0.0.64/26"], Some("10.0.0.70/32")), None);
        assert_eq!(free("10.0.0.0/24", &["10.9.9.9"], Some("10.1.0.0/30")), None, "not the domain's");
    }

    #[test]
    fn reserved_ranges_are_passed_over_at_once() {
        assert_eq!(free("0.0.0.0/0", &["10.9.9.9"], None).unwrap(), "1.0.0.0");
        assert_eq!(free("10.0.0.0/31", &["10.0.0.0"], None).unwrap(), "10.0.0.1");
    }

    #[test]
    fn a_prefix_of_a_length_is_found() {
        let both = "prefixes: ['2001:db8::/32', 10.0.0.0/24, 10.1.0.0/29]";
        let free = |taken: &[&str], within, length| free_prefix(both, taken, within, Some(length));
        assert_eq!(free(&["10.9.9.9"], None, 56).unwrap(), "2001:db8::/56");
        assert_eq!(free(&["2001:db8::1"], None, 56).unwrap(), "2001:db8:0:100::/56");
        assert_eq!(free(&["2001:db8::/56", "2001:db8:0:100::/60"], None, 56).unwrap(), "2001:db8:0:200::/56");
        assert_eq!(free(&["2001:db8::/33"], None, 48).unwrap(), "2001:db8:8000::/48");
        assert_eq!(free(&["2001:db8::/32"], None, 64), None);
        assert_eq!(free(&["10.9.9.9"], Some("2001:db8:7::/48"), 48).unwrap(), "2001:db8:7::/48");
        assert_eq!(free(&["10.9.9.9"], Some("2001:db8:7::/48"), 47), None, "the block is smaller");
        assert_eq!(free(&["10.0.0.3", "10.0.0.8"], None, 29).unwrap(), "10.0.0.16/29");
        assert_eq!(free(&["10.0.0.0/24", "10.1.0.7"], None, 30).unwrap(), "10.1.0.0/30");
        assert_eq!(free(&["10.9.9.9"], Some("10.1.0.0/29"), 33), None, "no IPv4 prefix is that long");
        assert_eq!(free(&["10.9.9.9"], Some("2001:db8::/32"), 0), None);
    }

    #[test]
    fn reserved_addresses_of_the_domain_are_passed_over() {
        let domain = "prefixes: [10.0.0.0/29, '2001:db8::/48']\nreserved: [10.0.0.1, 10.0.0.4/31, '2001:db8::/56']";
        let free = |taken: &[&str], within, length| free_prefix(domain, taken, within, length);
        assert_eq!(free(&["10.9.9.9"], None, None).unwrap(), "10.0.0.2");
        assert_eq!(free(&["10.0.0.2/31"], None, None).unwrap(), "10.0.0.6");
        assert_eq!(free(&["10.9.9.9"], None, Some(56)).unwrap(), "2001:db8:0:100::/56");
        assert_eq!(free(&["10.9.9.9"], None, Some(30)), None);
    }

    #[test]
    fn a_large_block_of_another_network_is_refused_at_once() {
        assert_eq!(free("'2001:db8::/64'", &["10.9.9.9"], Some("fd00::/8")), None);
        assert_eq!(free("'2001:db8::/64'", &["10.9.9.9"], Some("2001:db8::/16")).unwrap(), "2001:db8::1");
    }
}
