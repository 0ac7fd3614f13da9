//! `reserved-ip`: an address that no subscriber can have.

use ipnet::IpNet;

use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::reserved::{ranges, reserved_range};
use crate::inventory::{Context, Edge, KnownDomain, Resolved};
use crate::model::Address;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "reserved-ip",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: false,
    summary: "a network, broadcast, loopback, multicast, unspecified or link-local address, or one that its domain reserves",
    why: "No host can have such an address, so its line would match no traffic or all of it: the first and the \
          last address of an IPv4 block are the network and broadcast addresses, and the others have a special \
          meaning in every network (RFC 6890). An IPv4 address written as IPv6 (`::ffff:10.10.10.25`) would hide a \
          duplicate. Private and documentation ranges are allowed. Where addresses are routed one by one and the \
          first or last of a block is a host, list that address by itself, too, beside the block. A domain's field `reserved` lists \
          more addresses in its blocks that no subscriber gets, such as those of gateways.",
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
        if let Some(place) = reserved_place(subscriber, address) {
            let message = "is reserved: no subscriber of the domain gets it";
            return Some(finding(message).related(place, "reserved here").help("choose another address"));
        }
        let (edge, block) = block_edge(subscriber, address)?;
        let (message, label) = match edge {
            Edge::Network => ("is the first address of a block: its network address", "the block that it starts"),
            Edge::Broadcast => ("is the last address of a block: its broadcast address", "the block that it ends"),
        };
        Some(finding(message).related(block, label).help("choose an address within the block"))
    });
    let domains = prefixes(context).filter_map(|(prefix, at)| {
        // A block around a reserved range gives out only the rest of it.
        let range = ranges(prefix).iter().find(|range| range.holds(prefix.bounds()))?;
        let message = format!("{} {}", shown(prefix), range.message);
        Some(Finding::new(RULE.id, at, message).help(range.help))
    });
    let outside = reserved(context).filter_map(|(domain, address, at)| {
        let message = format!("{} is reserved, and in none of the prefixes of the domain", shown(address));
        let finding = || Finding::new(RULE.id, at, message).related(domain.record.at("prefixes"), "the prefixes");
        (!domain.blocks.hold(address)).then(|| finding().help("correct the address, or remove it"))
    });
    context.first_of(subscribers.into_iter().chain(domains).chain(outside))
}

/// Every reserved address of every domain, with its place.
pub(super) fn reserved<'c>(
    context: &'c Context<'_>,
) -> impl Iterator<Item = (&'c KnownDomain<'c>, &'c Address, Where)> {
    context.index.domains().iter().flat_map(|domain| {
        let at = |index| Where::Place(domain.record.place().field("reserved").index(index));
        let addresses = domain.record.value.reserved.iter().enumerate();
        addresses.map(move |(index, address)| (domain, address, at(index)))
    })
}

/// The place of the reserved address or prefix that an address meets.
fn reserved_place(subscriber: &Resolved<'_>, address: &Address) -> Option<Where> {
    let (_, domain) = subscriber.domain.filter(|(_, domain)| domain.reserved.meet(address))?;
    let meets = |other: &Address| other.net().contains(&address.net()) || address.net().contains(&other.net());
    let index = domain.record.value.reserved.iter().position(meets)?;
    Some(Where::Place(domain.record.place().field("reserved").index(index)))
}

/// Every prefix of every domain, with its place.
pub(super) fn prefixes<'c>(context: &'c Context<'_>) -> impl Iterator<Item = (&'c Address, Where)> {
    context.repo.domains.iter().flat_map(|domain| {
        let at = |index| Where::Place(domain.place().field("prefixes").index(index));
        domain.value.prefixes.iter().enumerate().map(move |(index, prefix)| (prefix, at(index)))
    })
}

fn shown(address: &Address) -> String {
    quoted(&address.to_string())
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
