//! `ends-before-starts`: a term without a day of service.

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;

pub const RULE: Rule = Rule {
    id: "ends-before-starts",
    group: Group::Time,
    severity: Severity::Error,
    fixed: false,
    summary: "a subscriber's term ends before, or on the day, it starts",
    why: "`starts` is the first day of service, `ends` the first day without. With both on one day, or in the wrong \
          order, the subscriber never has service.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
          starts: 2027-01-01\nends: 2026-12-01\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
           starts: 2026-12-01\nends: 2027-01-01\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.each_subscriber(|subscriber| {
        let (starts, ends) = (subscriber.record.value.starts?, subscriber.record.value.ends?);
        if starts < ends {
            return None;
        }
        let message = if starts == ends {
            format!("the term is empty: {ends} is the first day of service, and the first without")
        } else {
            format!("the term ends on {ends}, before it starts on {starts}")
        };
        Some(
            Finding::new(RULE.id, subscriber.record.at("ends"), message)
                .related(subscriber.record.at("starts"), "the first day of service")
                .help("let `ends` be the day after the last day of service"),
        )
    })
}
