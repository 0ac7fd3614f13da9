//! The next free address of a domain.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::unread::UnreadAddresses;
use crate::inventory::Index;
use crate::inventory::KnownDomain;
use crate::inventory::reserved::reserved_until;
use crate::model::{Address, Domain};
use crate::repo::Repo;

/// The lowest free address for a host, in the blocks of the domain in their order, IPv4 first, or in
/// `within`. Addresses in records that could not be read are not free.
pub fn next_free(repo: &Repo, domain: &Domain, within: Option<&Address>) -> Option<Address> {
    let index = Index::new(repo);
    let known = index.domains().iter().find(|known| known.name() == domain.name.as_str())?;
    let mut blocks: Vec<&Address> = within.map_or_else(|| domain.prefixes.iter().collect(), |within| vec![within]);
    blocks.sort_by_key(|block| is_v6(block));
    let mut taken: Vec<(bool, u128, u128)> = repo
        .subscribers
        .iter()
        .flat_map(|record| record.value.ip.as_slice())
        .chain(UnreadAddresses::of(repo).addresses())
        .map(|address| (is_v6(address), address.bounds().0, address.bounds().1))
        .collect();
    taken.sort_unstable();
    blocks.into_iter().find_map(|block| first_free(block, &taken, known))
}

/// The domains one of whose blocks holds the address, by name.
pub fn domains_of<'r>(index: &Index<'r>, address: &Address) -> Vec<&'r str> {
    index.domains().iter().filter(|domain| domain.blocks.hold(address)).map(KnownDomain::name).collect()
}

fn is_v6(address: &Address) -> bool {
    address.net().network().is_ipv6()
}

fn first_free(block: &Address, taken: &[(bool, u128, u128)], domain: &KnownDomain<'_>) -> Option<Address> {
    let (family, (first, last)) = (is_v6(block), block.bounds());
    // The first address of an IPv6 block is every router's (RFC 4291 section 2.6.1).
    let mut at = if family && first < last { first + 1 } else { first };
    let mut ranges = taken.iter().skip(taken.partition_point(|range| (range.0, range.2) < (family, 0))).peekable();
    while at <= last {
        let mut beyond = None;
        while let Some(range) = ranges.next_if(|range| range.0 == family && range.1 <= at) {
            beyond = beyond.max(Some(range.2).filter(|end| *end >= at));
        }
        let address = address(family, at);
        let beyond = beyond.or_else(|| reserved_until(&address)).or_else(|| {
            let edge = !family && domain.edge(at as u32).is_some();
            (edge || !domain.blocks.hold(&address)).then_some(at)
        });
        match beyond {
            None => return Some(address),
            Some(end) => at = end.checked_add(1)?,
        }
    }
    None
}

fn address(v6: bool, number: u128) -> Address {
    let ip = if v6 { IpAddr::V6(Ipv6Addr::from_bits(number)) } else { IpAddr::V4(Ipv4Addr::from_bits(number as u32)) };
    Address::from(IpNet::from(ip))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    fn free(prefixes: &str, taken: &[&str], within: Option<&str>) -> Option<String> {
        let record = |ip: &&str| format!("- {{ip: '{ip}', domain: a.example, plan: P}}\n");
        let files = [
            ("domains/a.example.yaml".to_owned(), format!("name: a.example\nprefixes: [{prefixes}]\n").into_bytes()),
            ("subscribers/a.yaml".to_owned(), taken.iter().map(record).collect::<String>().into_bytes()),
        ];
        let repo = Repo::load(&Tree::Memory(files.into_iter().collect())).unwrap();
        let within = within.map(|within| within.parse().unwrap());
        next_free(&repo, &repo.domains[0].value, within.as_ref()).map(|address| address.to_string())
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
}
