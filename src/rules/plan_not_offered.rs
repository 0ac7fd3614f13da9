//! `plan-not-offered`: the subscriber's domain may not sell the plan.

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::text::quote::{listed, quoted};

pub const RULE: Rule = Rule {
    id: "plan-not-offered",
    group: Group::References,
    severity: Severity::Error,
    fixed: false,
    summary: "a subscriber has a plan that its domain may not sell",
    why: "A domain with a list of `plans` has contracted those and no others.",
    bad: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n\
          plans: [30_MEG_UP_30_MEG_DOWN]\n\n\
          # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    good: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n\
           plans: [30_MEG_UP_30_MEG_DOWN, 50_MEG_UP_50_MEG_DOWN]\n\n\
           # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    context.each_subscriber(|subscriber| {
        let ((plan, _), (_, domain)) = (subscriber.plan?, subscriber.domain?);
        if domain.may_sell(plan) {
            return None;
        }
        let name = subscriber.record.value.plan.as_str();
        let message = format!("{} may not sell the plan {}", quoted(domain.name()), quoted(name));
        let sold = domain.record.value.plans.as_deref().unwrap_or_default().iter().map(|plan| plan.as_str());
        Some(
            Finding::new(RULE.id, subscriber.record.at("plan"), message)
                .related(domain.record.at("plans"), "the plans that it may sell")
                .help(format!("choose one of {}", listed(sold))),
        )
    })
}
