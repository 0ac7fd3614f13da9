//! `reserved-ip`: an address that no subscriber can have.

use ipnet::IpNet;

use super::{Context, Edge, Group, Resolved, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::text::quote::quoted;
use crate::model::Address;

/// The rule.
pub const RULE: Rule = Rule {
    id: "reserved-ip",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: false,
    summary: "a network, broadcast, loopback, multicast, unspecified or link-local address",
    why: "No host can have such an address, so the line would shape nobody, or everybody: the first and the last \
          address of an IPv4 block are the block itself and all of its hosts, the others mean something else in \
          every network (RFC 6890). An IPv4 address written as IPv6 (`::ffff:10.10.10.25`) would hide that the \
          same address is given out twice. Private and documentation ranges are allowed. Where \
          addresses are routed one by one and a block's first or last is a host, list it by itself too, beside the \
          block.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.255\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.254\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let subscribers = context.each_address(|subscriber, address, held| {
        let finding = |message: &str| Finding::new(RULE.id, held.at(), format!("{} {message}", shown(address)));
        if let Some(range) = reserved_range(address) {
            return Some(finding(range.message_about(address)).help(range.help));
        }
        let (edge, block) = block_edge(subscriber, address)?;
        let (message, label) = match edge {
            Edge::Network => ("is the first address of a block: it stands for the network", "the block that it starts"),
            Edge::Broadcast => ("is the last address of a block: it stands for all hosts", "the block that it ends"),
        };
        Some(finding(message).related(block, label).help("choose an address within the block"))
    });
    let domains = prefixes(context).filter_map(|(prefix, at)| {
        // A block around a reserved range says only that the rest of it is meant.
        let range = ranges(prefix).iter().find(|range| range.holds(prefix.bounds()))?;
        let message = format!("{} {}", shown(prefix), range.message);
        Some(Finding::new(RULE.id, at, message).help(range.help))
    });
    context.first_of(subscribers.into_iter().chain(domains))
}

/// Every prefix of every domain, with its place.
pub(super) fn prefixes<'c>(context: &'c Context<'_>) -> impl Iterator<Item = (&'c Address, Where)> {
    context.repo.domains.iter().flat_map(|domain| {
        let at = |index| Where::Place(domain.place().field("prefixes").index(index));
        domain.value.prefixes.iter().enumerate().map(move |(index, prefix)| (prefix, at(index)))
    })
}

/// Why no host can have such an address, in any network: the end of a sentence about it.
pub fn reserved_address(address: &Address) -> Option<&'static str> {
    reserved_range(address).map(|range| range.message_about(address))
}

fn reserved_range(address: &Address) -> Option<&'static Range> {
    ranges(address).iter().find(|range| range.overlaps(address.bounds()))
}

fn shown(address: &Address) -> String {
    quoted(&address.to_string())
}

/// Addresses that mean the same in every network, and nothing that could be given out.
struct Range {
    first: u128,
    last: u128,
    message: &'static str,
    help: &'static str,
}

impl Range {
    const fn v4(a: u8, b: u8, length: u8, message: &'static str) -> Self {
        let first = u32::from_be_bytes([a, b, 0, 0]);
        Self { first: first as u128, last: (first | u32::MAX >> length) as u128, message, help: ELSEWHERE }
    }

    const fn v6(first: u128, length: u8, message: &'static str) -> Self {
        let hosts = if length == 128 { 0 } else { u128::MAX >> length };
        Self { first, last: first | hosts, message, help: ELSEWHERE }
    }

    fn overlaps(&self, (first, last): (u128, u128)) -> bool {
        first <= self.last && self.first <= last
    }

    fn message_about(&self, address: &Address) -> &'static str {
        if self.holds(address.bounds()) { self.message } else { "holds addresses that no host can have" }
    }

    fn holds(&self, (first, last): (u128, u128)) -> bool {
        self.first <= first && last <= self.last
    }
}

const ELSEWHERE: &str = "choose an address that a host can have";

const V4: [Range; 5] = [
    // RFC 791 section 3.2: "this network".
    Range::v4(0, 0, 8, "is unspecified: an address that starts with 0 names no host"),
    // RFC 1122 section 3.2.1.3.
    Range::v4(127, 0, 8, "is a loopback address: it never leaves the host"),
    // RFC 3927.
    Range::v4(169, 254, 16, "is a link-local address: it is never routed"),
    // RFC 5771.
    Range::v4(224, 0, 4, "is a multicast address: it names a group, not a host"),
    // RFC 1112 section 4; RFC 919 has its last address, the limited broadcast.
    Range::v4(240, 0, 4, "is reserved: addresses from 240.0.0.0 on are not in use"),
];

const V6: [Range; 5] = [
    // RFC 4291 section 2.5.5.2.
    Range {
        help: "write the IPv4 address",
        ..Range::v6(0xffff_0000_0000, 96, "is an IPv4 address written as IPv6")
    },
    // RFC 4291 sections 2.5.2 and 2.5.3.
    Range::v6(0, 128, "is the unspecified address: it names no host"),
    Range::v6(1, 128, "is the loopback address: it never leaves the host"),
    // RFC 4291 section 2.5.6.
    Range::v6(0xfe80 << 112, 10, "is a link-local address: it is never routed"),
    // RFC 4291 section 2.7.
    Range::v6(0xff00 << 112, 8, "is a multicast address: it names a group, not a host"),
];

fn ranges(address: &Address) -> &'static [Range; 5] {
    match address.net() {
        IpNet::V4(_) => &V4,
        IpNet::V6(_) => &V6,
    }
}

/// The last address of the reserved range that `address` lies in, as a number.
pub(crate) fn reserved_until(address: &Address) -> Option<u128> {
    ranges(address).iter().find(|range| range.overlaps(address.bounds())).map(|range| range.last)
}

/// Whether a single IPv4 address is the first or last of a block of its domain, and where that is.
fn block_edge(subscriber: &Resolved<'_>, address: &Address) -> Option<(Edge, Where)> {
    let (_, domain) = subscriber.domain?;
    let IpNet::V4(net) = address.net() else { return None };
    let edge = domain.edge(net.network().to_bits()).filter(|_| address.is_host())?;
    let ends_here = |prefix: &Address| match prefix.net() {
        IpNet::V4(block) if edge == Edge::Network => block.network() == net.network(),
        IpNet::V4(block) => block.broadcast() == net.network(),
        IpNet::V6(_) => false,
    };
    let index = domain.record.value.prefixes.iter().position(ends_here)?;
    Some((edge, Where::Place(domain.record.place().field("prefixes").index(index))))
}
