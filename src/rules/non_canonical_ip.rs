//! `non-canonical-ip`: an address or prefix is not in canonical form.

use super::reserved_ip::{prefixes, reserved};
use super::{Group, Rule, severity};
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
    let reserved = reserved(context).filter_map(|(_, address, at)| Some(finding(address, address.written()?, at)));
    context.first_of(subscribers.into_iter().chain(domains).chain(reserved))
}

/// Whether this rule refuses the data for such addresses. Then the other rules leave a prefix that may be
/// meant as a single address alone: it gives one error, and none for its neighbours.
pub(super) fn refuses(context: &Context<'_>) -> bool {
    severity(context.repo, &RULE) == Severity::Error
}

fn finding(address: &Address, written: &str, at: Where) -> Finding {
    if let Some(found) = address.block_or_host() {
        return Finding::new(RULE.id, at, found.message.clone()).help(found.help());
    }
    let message = format!("{} is not the usual spelling of this address", quoted(written));
    Finding::new(RULE.id, at, message).help(format!("write {}", quoted(&address.to_string())))
}
