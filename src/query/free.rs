//! The free addresses of a domain, as ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::inventory::reserved::{reserved_v4, reserved_v6};
use crate::inventory::{Blocks, Index, KnownDomain};
use crate::repo::Repo;

/// Addresses in a row that a subscriber can get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeRange {
    /// The lowest.
    pub first: IpAddr,
    /// The highest.
    pub last: IpAddr,
    /// How many there are.
    pub addresses: u128,
}

/// The free addresses of the domain called `name`, IPv4 first, in order; none for an unknown domain. `held`
/// are the addresses of all subscribers. Addresses that no host can have are not free: see
/// [`super::next_free()`], which finds the first of them.
pub(crate) fn free_ranges(repo: &Repo, name: &str, held: &Blocks) -> Vec<FreeRange> {
    let index = Index::new(repo);
    let Some(domain) = index.domains().iter().find(|domain| domain.name() == name) else { return Vec::new() };
    [false, true].into_iter().flat_map(|v6| of_family(domain, held, v6)).collect()
}

fn of_family(domain: &KnownDomain<'_>, held: &Blocks, v6: bool) -> Vec<FreeRange> {
    let mut free = Vec::new();
    let unusable: Vec<(u128, u128)> = if v6 {
        reserved_v6().chain(routers(domain)).collect()
    } else {
        let edges = domain.edges().map(|edge| (u128::from(edge), u128::from(edge)));
        reserved_v4().chain(edges).collect()
    };
    for (first, last) in domain.blocks.of_family(v6) {
        let taken = held.within(v6, first, last).chain(domain.reserved.of_family(v6));
        let taken = taken.chain(unusable.iter().copied()).map(|(from, to)| (v6, from, to));
        let taken = Blocks::of_ranges(taken);
        let mut at = Some(first);
        for (from, to) in taken.within(v6, first, last) {
            if let Some(at) = at.filter(|at| *at < from) {
                free.push(range(v6, at, from - 1));
            }
            at = to.checked_add(1);
        }
        free.extend(at.filter(|at| *at <= last).map(|at| range(v6, at, last)));
    }
    free
}

/// The first address of an IPv6 block is every router's (RFC 4291 section 2.6.1).
fn routers<'d>(domain: &'d KnownDomain<'_>) -> impl Iterator<Item = (u128, u128)> + 'd {
    let blocks = domain.record.value.prefixes.iter().filter(|block| block.net().network().is_ipv6());
    blocks.map(|block| block.bounds()).filter(|(first, last)| first < last).map(|(first, _)| (first, first))
}

fn range(v6: bool, first: u128, last: u128) -> FreeRange {
    let ip = |number: u128| match v6 {
        true => IpAddr::V6(Ipv6Addr::from_bits(number)),
        false => IpAddr::V4(Ipv4Addr::from_bits(number as u32)),
    };
    FreeRange { first: ip(first), last: ip(last), addresses: (last - first).saturating_add(1) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::query::next_free;
    use crate::tree::Tree;

    fn repo(domain: &str, taken: &[&str]) -> Repo {
        let record = |ip: &&str| format!("- {{ip: '{ip}', domain: a.example, plan: P}}\n");
        let files = [
            ("domains/a.example.yaml".to_owned(), format!("name: a.example\n{domain}\n").into_bytes()),
            ("subscribers/a.yaml".to_owned(), taken.iter().map(record).collect::<String>().into_bytes()),
        ];
        Repo::load(&Tree::Memory(files.into_iter().collect())).unwrap()
    }

    fn free(domain: &str, taken: &[&str]) -> Vec<String> {
        let repo = repo(domain, taken);
        let held = Blocks::new(repo.subscribers.iter().flat_map(|record| record.value.ip.as_slice()));
        let ranges = free_ranges(&repo, "a.example", &held);
        let next = next_free(&repo, &repo.domains[0].value, None, None);
        assert_eq!(
            ranges.first().map(|range| range.first.to_string()),
            next.map(|next| next.to_string()),
            "the first is the one that is offered"
        );
        ranges.iter().map(|range| format!("{}-{} {}", range.first, range.last, range.addresses)).collect()
    }

    #[test]
    fn what_is_held_reserved_or_an_edge_is_not_free() {
        let domain = "prefixes: [10.0.0.0/28]\nreserved: [10.0.0.1]";
        assert_eq!(
            free(domain, &["10.0.0.4/30", "10.0.0.9"]),
            ["10.0.0.2-10.0.0.3 2", "10.0.0.8-10.0.0.8 1", "10.0.0.10-10.0.0.14 5"]
        );
        assert_eq!(free("prefixes: [10.0.0.0/30]", &["10.0.0.1", "10.0.0.2"]), [""; 0]);
        assert_eq!(free("prefixes: [127.0.0.0/30, 10.0.0.0/31]", &["192.0.2.1"]), ["10.0.0.0-10.0.0.1 2"]);
    }

    #[test]
    fn both_families_have_ranges_ipv4_first() {
        assert_eq!(
            free("prefixes: ['2001:db8::/126', 10.0.0.0/30]", &["2001:db8::2"]),
            ["10.0.0.1-10.0.0.2 2", "2001:db8::1-2001:db8::1 1", "2001:db8::3-2001:db8::3 1"]
        );
        assert_eq!(
            free("prefixes: ['ffff:ffff::/32', '::/0']", &["192.0.2.1"]).len(),
            3,
            "between what is reserved, and nothing at the end"
        );
    }
}
