//! `ip-outside-domain`: the address is in none of the domain's prefixes.

use std::sync::LazyLock;

use super::{Group, Rule, non_canonical_ip};
use crate::finding::{Finding, Severity};
use crate::inventory::{Context, KnownDomain};
use crate::model::Address;
use crate::text::quote::{listed, quoted};

pub const RULE: Rule = Rule {
    id: "ip-outside-domain",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: false,
    summary: "a subscriber's address is in none of its domain's prefixes",
    why: "A domain may give out only the addresses in its prefixes. An address outside them is a typing error, or \
          belongs to another network, whose traffic would then be shaped.",
    bad: "# subscribers/example.yaml\nip: 10.10.11.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let refused = non_canonical_ip::refuses(context);
    let blocks = LazyLock::new(|| DomainBlocks::new(context.index.domains()));
    context.each_address(|subscriber, address, held| {
        let (_, domain) = subscriber.domain?;
        if domain.blocks.hold(address) || (refused && address.has_host_bits()) {
            return None;
        }
        let (shown, own) = (quoted(&address.to_string()), quoted(domain.name()));
        let prefixes = listed(domain.record.value.prefixes.iter().map(ToString::to_string));
        let (message, help) = match blocks.holder(address) {
            Some(other) => (
                format!("{shown} is in a block of {}, and the subscriber is one of {own}", quoted(other)),
                format!("write {}, or choose an address in {prefixes}", quoted(&format!("domain: {other}"))),
            ),
            None => (
                format!("{shown} is in none of the prefixes of {own}"),
                format!("choose an address in {prefixes}, or add its block to the prefixes of {own}"),
            ),
        };
        let finding = Finding::new(RULE.id, held.at(), message).help(help);
        Some(finding.related(domain.record.at("prefixes"), "the prefixes of the domain"))
    })
}

/// The blocks of all domains, sorted. A hostile file may have a million addresses outside its domain.
struct DomainBlocks<'c>(Vec<(bool, u128, u128, &'c str)>);

impl<'c> DomainBlocks<'c> {
    /// How many blocks before an address are looked at. One block of a domain lies within another only if
    /// the data has errors, or the domain lists both.
    const LOOKED_AT: usize = 16;

    fn new(domains: &'c [KnownDomain<'c>]) -> Self {
        let blocks = |domain: &'c KnownDomain<'c>| {
            domain.record.value.prefixes.iter().map(|prefix| {
                let (first, last) = prefix.bounds();
                (prefix.net().network().is_ipv6(), first, last, domain.name())
            })
        };
        let mut all: Vec<_> = domains.iter().flat_map(blocks).collect();
        all.sort_unstable();
        Self(all)
    }

    /// The domain in whose block all of `address` lies.
    fn holder(&self, address: &Address) -> Option<&'c str> {
        let (first, last) = address.bounds();
        let family = address.net().network().is_ipv6();
        let after = self.0.partition_point(|block| (block.0, block.1) <= (family, first));
        let before = self.0[..after].iter().rev().take(Self::LOOKED_AT);
        before.filter(|block| block.0 == family && last <= block.2).map(|block| block.3).next()
    }
}
