//! `expired`: a term that is over.

use super::{Group, Rule};
use crate::inventory::Context;
use crate::finding::{Finding, Severity};

/// The rule.
pub const RULE: Rule = Rule {
    id: "expired",
    group: Group::Time,
    severity: Severity::Warning,
    fixed: false,
    summary: "a subscriber's term is over",
    why: "The subscriber is left out of the shaper file, but its record still holds the address. The history keeps \
          what is removed, so nothing is lost with it. Set to `error`, the rule refuses proposals that add or alter \
          such a record (with `--base`); it stays a warning for a record whose term ran out since, because a new day \
          alone must not stop what is published.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
          ends: 2026-01-01\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
           ends: 2099-01-01\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.each_subscriber(|subscriber| {
        let ends = subscriber.record.value.ends.filter(|ends| *ends <= context.today)?;
        // A term that never was is another rule's business.
        if subscriber.record.value.starts.is_some_and(|starts| ends <= starts) {
            return None;
        }
        let message = format!("the term ended: {ends} was the first day without service");
        Some(Finding::new(RULE.id, subscriber.record.at("ends"), message).help("remove the record, or move `ends`"))
    })
}
