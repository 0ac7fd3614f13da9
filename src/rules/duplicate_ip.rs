//! `duplicate-ip`: an address or prefix is given out twice.

use super::{Group, Rule, non_canonical_ip};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "duplicate-ip",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: true,
    summary: "the same address or prefix is given out twice",
    why: "The shaper identifies a subscriber by its address. With two lines for one address, it is left to chance \
          which of the two rates applies. An address belongs to one record at a time, whatever its status and \
          term: remove the record of the previous subscriber before the address is given to another.",
    bad: "# subscribers/example.yaml\n- ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n\
          - ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n",
    good: "# subscribers/example.yaml\n- ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n\
           - ip: 10.10.10.26\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let overlaps = context.holdings().clear_overlaps(!non_canonical_ip::refuses(context));
    let same = overlaps.iter().filter(|overlap| overlap.same);
    let finding = |overlap: &crate::inventory::Overlap| {
        let ((address, here), (_, there)) = (context.held(overlap.inner)?, context.held(overlap.outer)?);
        let what = if address.is_host() { "address" } else { "prefix" };
        let message = format!("the {what} {} is given out twice", quoted(&address.to_string()));
        let help = format!("give one of the two another {what}, or remove the one that is no longer there");
        Some(Finding::new(RULE.id, here, message).related(there, "also given out here").help(help))
    };
    context.first_of(same.filter_map(finding))
}
