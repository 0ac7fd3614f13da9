//! `non-canonical-ip`: an address or prefix is not in canonical form.

use super::reserved_ip::{prefixes, reserved};
use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::Context;
use crate::model::Address;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "non-canonical-ip",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: false,
    summary: "an address or prefix is not written in its canonical form",
    why: "`10.10.10.25/24` looks like one address and is a block of 256; a search for `2001:db8::1` does not find \
          `2001:DB8:0::1`. Write an address without a length, a prefix without host bits, and IPv6 as in RFC 5952.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25/32\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let subscribers = context.each_address(|_, address, held| {
        let written = address.written()?;
        Some(finding(address, written, held.at()))
    });
    let domains = prefixes(context).filter_map(|(prefix, at)| Some(finding(prefix, prefix.written()?, at)));
    let reserved =
        reserved(context).filter_map(|(_, address, at)| Some(finding(address, address.written()?, at)));
    context.first_of(subscribers.into_iter().chain(domains).chain(reserved))
}

fn finding(address: &Address, written: &str, at: Where) -> Finding {
    let canonical = quoted(&address.to_string());
    let (message, help) = match (address.is_host(), has_host_bits(address, written)) {
        (false, true) => (
            format!("{} has bits beyond its length: it is the prefix {canonical}", quoted(written)),
            format!("write {canonical}, or the single address without a length"),
        ),
        _ => (format!("{} is not the canonical form of this address", quoted(written)), format!("write {canonical}")),
    };
    Finding::new(RULE.id, at, message).help(help)
}

fn has_host_bits(address: &Address, written: &str) -> bool {
    let ip = written.split_once('/').and_then(|(ip, _)| ip.parse::<std::net::IpAddr>().ok());
    ip.is_some_and(|ip| ip != address.net().network())
}
