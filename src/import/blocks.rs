//! Which address blocks a domain may give out, proposed from the addresses that its subscribers have.
//!
//! An IPv4 address asks for its /24, an IPv6 address for its /64, and a prefix for its /24 or /48, or
//! for itself if it is wider. A block in which another domain has addresses is halved until each half
//! has those of one domain. Adjacent blocks are merged.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::model::{Address, Name};

/// Upper bound for the blocks proposed for one domain.
const MOST: usize = 10_000;

/// An address that needs a block, and whose.
#[derive(Clone, Debug)]
pub struct Need {
    /// The domain.
    pub domain: Name,
    /// The address.
    pub address: Address,
    /// The caller's number for it.
    pub row: usize,
}

/// Address blocks for every domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProposedBlocks {
    /// The blocks of each domain, in order.
    pub blocks: BTreeMap<Name, Vec<Address>>,
    /// The rows that have an address in a block of another domain, each with the block.
    pub conflicts: BTreeMap<usize, Address>,
    /// How many addresses are the first or last of their block, and are listed by themselves.
    pub edges: usize,
}

/// Proposes blocks. `taken` are the blocks that domains have already: none of the new ones overlaps
/// with them.
pub fn propose(needs: &[Need], taken: &[Address]) -> ProposedBlocks {
    // Blocks grow wider until a domain with scattered subscribers has few enough.
    for wider in 0..16 {
        let proposal = with_width(needs, taken, wider);
        if proposal.blocks.values().all(|blocks| blocks.len() <= MOST) {
            return proposal;
        }
    }
    with_width(needs, taken, 16)
}

/// Something that lies in a block: an address that needs one, or a block that is taken.
#[derive(Clone, Copy)]
struct BlockItem<'n> {
    first: u128,
    last: u128,
    address: &'n Address,
    need: Option<&'n Need>,
}

impl<'n> BlockItem<'n> {
    fn new(address: &'n Address, need: Option<&'n Need>) -> Self {
        let (first, last) = address.bounds();
        Self { first, last, address, need }
    }
}

fn with_width(needs: &[Need], taken: &[Address], wider: u8) -> ProposedBlocks {
    let mut proposal = ProposedBlocks::default();
    for v6 in [false, true] {
        let of_family = |address: &Address| address.net().network().is_ipv6() == v6;
        let taken = taken.iter().filter(|address| of_family(address)).map(|address| BlockItem::new(address, None));
        let needed =
            needs.iter().filter(|need| of_family(&need.address)).map(|need| BlockItem::new(&need.address, Some(need)));
        let mut items: Vec<BlockItem<'_>> = taken.chain(needed).collect();
        items.sort_by_key(|item| (item.first, std::cmp::Reverse(item.last)));
        let mut found: BTreeMap<Name, BTreeSet<IpNet>> = BTreeMap::new();
        let reaching = reaching(&items);
        for block in starts(&items, wider) {
            cover(block, &within(block, &items, &reaching), &mut found, &mut proposal.conflicts);
        }
        for (domain, blocks) in found {
            let blocks = aggregate(blocks);
            proposal.blocks.entry(domain).or_default().extend(blocks.into_iter().map(Address::from));
        }
    }
    list_edges(needs, &mut proposal);
    proposal
}

/// Where to begin: disjoint blocks around everything that needs one.
fn starts(items: &[BlockItem<'_>], wider: u8) -> Vec<IpNet> {
    let mut starts: Vec<IpNet> =
        items.iter().filter(|item| item.need.is_some()).map(|item| start(item.address, wider)).collect();
    starts.sort_by_key(|net| (Address::from(*net).bounds().0, net.prefix_len()));
    let mut disjoint: Vec<IpNet> = Vec::new();
    for net in starts {
        if !disjoint.last().is_some_and(|last| last.contains(&net)) {
            disjoint.push(net);
        }
    }
    disjoint
}

fn start(address: &Address, wider: u8) -> IpNet {
    let net = address.net();
    let length = net.prefix_len();
    let usual = match net {
        IpNet::V4(_) => 24,
        IpNet::V6(_) if address.is_host() => 64,
        IpNet::V6(_) => 48,
    };
    let length = length.min(usual - wider.min(usual - 8));
    IpNet::new(net.network(), length).map_or(net, |net| net.trunc())
}

/// For each place in `items`: which of the blocks before it that are taken goes farthest. Blocks lie
/// within one another or apart, so that no other can reach into what comes.
fn reaching(items: &[BlockItem<'_>]) -> Vec<Option<usize>> {
    let mut farthest: Option<usize> = None;
    let mut all = vec![None];
    for (at, item) in items.iter().enumerate() {
        if item.need.is_none() && farthest.is_none_or(|other| items[other].last < item.last) {
            farthest = Some(at);
        }
        all.push(farthest);
    }
    all
}

/// Those of `items`, which are sorted, that lie in a block or around it. What needs a block itself has
/// its own start around it, and does not reach into another.
fn within<'n>(block: IpNet, items: &[BlockItem<'n>], reaching: &[Option<usize>]) -> Vec<BlockItem<'n>> {
    let (first, last) = Address::from(block).bounds();
    let from = items.partition_point(|item| item.first < first);
    let to = items.partition_point(|item| item.first <= last);
    let before = reaching.get(from).copied().flatten().map(|at| items[at]).filter(|item| item.last >= first);
    before.into_iter().chain(items[from..to].iter().copied()).collect()
}

fn cover(
    block: IpNet,
    items: &[BlockItem<'_>],
    found: &mut BTreeMap<Name, BTreeSet<IpNet>>,
    conflicts: &mut BTreeMap<usize, Address>,
) {
    let mut needs = items.iter().filter_map(|item| item.need);
    let Some(first_need) = needs.next() else { return };
    let one_owner = items.iter().all(|item| item.need.is_some_and(|need| need.domain == first_need.domain));
    if one_owner {
        found.entry(first_need.domain.clone()).or_default().insert(block);
        return;
    }
    let (first, last) = Address::from(block).bounds();
    if let Some(whole) = items.iter().find(|item| item.first <= first && last <= item.last) {
        // One domain has all of the block, so the others conflict with it.
        for item in items {
            if let Some(need) = item.need
                && Some(&need.domain) != whole.need.map(|need| &need.domain)
            {
                conflicts.insert(need.row, whole.address.clone());
            }
        }
        if let Some(need) = whole.need {
            found.entry(need.domain.clone()).or_default().insert(block);
        }
        return;
    }
    let Ok(halves) = block.subnets(block.prefix_len() + 1) else { return };
    for half in halves {
        let (first, last) = Address::from(half).bounds();
        let inside: Vec<BlockItem<'_>> =
            items.iter().filter(|item| item.first <= last && first <= item.last).copied().collect();
        cover(half, &inside, found, conflicts);
    }
}

fn aggregate(blocks: BTreeSet<IpNet>) -> Vec<IpNet> {
    let (mut v4, mut v6): (Vec<Ipv4Net>, Vec<Ipv6Net>) = (Vec::new(), Vec::new());
    for block in blocks {
        match block {
            IpNet::V4(net) => v4.push(net),
            IpNet::V6(net) => v6.push(net),
        }
    }
    let v4 = Ipv4Net::aggregate(&v4).into_iter().map(IpNet::V4);
    v4.chain(Ipv6Net::aggregate(&v6).into_iter().map(IpNet::V6)).collect()
}

/// An address that is served may be the first or last of the block that we ourselves propose, where
/// addresses are routed one by one. Then it is no network or broadcast address; the data says so by
/// listing it beside the block.
fn list_edges(needs: &[Need], proposal: &mut ProposedBlocks) {
    let mut edges: BTreeMap<&Name, BTreeMap<u128, u8>> = BTreeMap::new();
    for (domain, blocks) in &proposal.blocks {
        let of_domain = edges.entry(domain).or_default();
        for block in blocks {
            let net = block.net();
            if let IpNet::V4(net) = net
                && net.prefix_len() <= 30
            {
                let (first, last) = block.bounds();
                of_domain.extend([(first, net.prefix_len()), (last, net.prefix_len())]);
            }
        }
    }
    let mut hosts: BTreeMap<Name, BTreeSet<Address>> = BTreeMap::new();
    for need in needs {
        let v4_host = need.address.is_host() && !need.address.net().network().is_ipv6();
        let on_edge = edges.get(&need.domain).is_some_and(|of_domain| of_domain.contains_key(&need.address.bounds().0));
        if v4_host && on_edge && !proposal.conflicts.contains_key(&need.row) {
            hosts.entry(need.domain.clone()).or_default().insert(need.address.clone());
        }
    }
    for (domain, hosts) in hosts {
        proposal.edges += hosts.len();
        if let Some(blocks) = proposal.blocks.get_mut(&domain) {
            blocks.extend(hosts);
            blocks.sort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(needs: &[(&str, &str)], taken: &[&str]) -> (Vec<String>, Vec<usize>) {
        let need = |(row, (domain, address)): (usize, &(&str, &str))| Need {
            domain: Name::new(domain),
            address: address.parse().unwrap(),
            row,
        };
        let needs: Vec<Need> = needs.iter().enumerate().map(need).collect();
        let taken: Vec<Address> = taken.iter().map(|text| text.parse().unwrap()).collect();
        let proposal = propose(&needs, &taken);
        let blocks = proposal
            .blocks
            .iter()
            .flat_map(|(domain, blocks)| blocks.iter().map(move |block| format!("{domain} {block}")));
        (blocks.collect(), proposal.conflicts.keys().copied().collect())
    }

    #[test]
    fn blocks_are_around_the_addresses() {
        let (blocks, _) = proposed(
            &[
                ("a", "10.10.10.25"),
                ("a", "10.10.11.26"),
                ("a", "10.20.0.64/26"),
                ("a", "10.32.0.0/20"),
                ("a", "2001:db8::5"),
                ("a", "2001:db8:1:100::/56"),
            ],
            &[],
        );
        let expected = ["a 10.10.10.0/23", "a 10.20.0.0/24", "a 10.32.0.0/20", "a 2001:db8::/64", "a 2001:db8:1::/48"];
        assert_eq!(blocks, expected);
    }

    #[test]
    fn a_block_holds_the_addresses_of_one_domain() {
        let (blocks, conflicts) =
            proposed(&[("a", "10.10.10.1"), ("b", "10.10.10.129"), ("a", "10.10.10.70"), ("c", "10.10.10.200")], &[]);
        assert_eq!(blocks, ["a 10.10.10.0/25", "b 10.10.10.128/26", "c 10.10.10.192/26"]);
        assert!(conflicts.is_empty());
    }

    #[test]
    fn what_is_taken_stays_alone() {
        let (blocks, conflicts) = proposed(
            &[("a", "10.10.10.1"), ("a", "10.10.10.129"), ("b", "10.99.1.1")],
            &["10.10.10.128/26", "10.99.0.0/16"],
        );
        assert_eq!(blocks, ["a 10.10.10.0/25"]);
        assert_eq!(conflicts, [1, 2]);
    }

    #[test]
    fn hosts_at_the_edge_are_listed() {
        let (blocks, _) = proposed(&[("a", "10.10.10.0"), ("a", "10.10.10.5")], &[]);
        assert_eq!(blocks, ["a 10.10.10.0/24", "a 10.10.10.0"]);
    }
}
