//! `ip-outside-domain`: the address is in none of the domain's prefixes.

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
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
    context.each_address(|subscriber, address, held| {
        let (_, domain) = subscriber.domain?;
        if domain.blocks.hold(address) {
            return None;
        }
        let prefixes = domain.record.value.prefixes.iter().map(ToString::to_string);
        let message =
            format!("{} is in none of the prefixes of {}", quoted(&address.to_string()), quoted(domain.name()));
        Some(
            Finding::new(RULE.id, held.at(), message)
                .related(domain.record.at("prefixes"), "the prefixes of the domain")
                .help(format!("choose an address in {}", listed(prefixes))),
        )
    })
}
