//! `expired`: a term that is over.

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;

pub const RULE: Rule = Rule {
    id: "expired",
    group: Group::Time,
    severity: Severity::Warning,
    fixed: false,
    summary: "a subscriber's term is over",
    why: "The subscriber is left out of the shaper file, but its record still blocks the address. The history \
          keeps what is removed. Set to `error`, the rule rejects changes that add or alter such a record (with \
          `--base`); it stays a warning for a record whose term ran out later, because a new day alone must not \
          stop publishing.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
          ends: 2026-01-01\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
           ends: 2099-01-01\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.each_subscriber(|subscriber| {
        let ends = subscriber.record.value.ends.filter(|ends| *ends <= context.today)?;
        // `ends-before-starts` reports a term without a day.
        if subscriber.record.value.starts.is_some_and(|starts| ends <= starts) {
            return None;
        }
        let message = format!("the term ended: {ends} was the first day without service");
        Some(
            Finding::new(RULE.id, subscriber.record.at("ends"), message)
                .help("remove the record, or write a later day in `ends`"),
        )
    })
}
