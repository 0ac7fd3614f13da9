//! `overlapping-prefix`: an address or prefix lies within a prefix that is given out as a whole.

use super::{Group, Rule, non_canonical_ip};
use crate::finding::{Finding, Severity};
use crate::inventory::{Context, Overlap};
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "overlapping-prefix",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: false,
    summary: "an address or prefix lies within a prefix that is given out too",
    why: "A prefix routed to one subscriber contains every address in it. An address in it that is on another line \
          gets two rates, and which one applies depends on the shaper.",
    bad: "# subscribers/example.yaml\n- ip: 10.10.10.16/28\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n\
          - ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\n- ip: 10.10.10.16/28\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n\
           - ip: 10.10.10.32\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let overlaps = context.holdings().clear_overlaps(!non_canonical_ip::refuses(context));
    context.first_of(overlaps.iter().filter(|overlap| !overlap.same).filter_map(|overlap| finding(context, overlap)))
}

fn finding(context: &Context<'_>, overlap: &Overlap) -> Option<Finding> {
    let ((inner, here), (outer, there)) = (context.held(overlap.inner)?, context.held(overlap.outer)?);
    let own = overlap.inner.owner == overlap.outer.owner;
    let (inner, outer) = (quoted(&inner.to_string()), quoted(&outer.to_string()));
    let whose = if own { "of the same subscriber" } else { "of another subscriber" };
    let message = format!("{inner} lies within the prefix {outer} {whose}");
    let help = if own {
        format!("remove {inner}: the prefix contains it")
    } else {
        format!("choose an address outside {outer}, or split the prefix")
    };
    Some(Finding::new(RULE.id, here, message).related(there, "the prefix around it").help(help))
}
