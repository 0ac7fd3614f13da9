//! `retired-plan`: a subscriber still has a plan that is no longer sold.

use super::{Group, Rule, retired_plan_sold, severity};
use crate::inventory::Context;
use crate::finding::{Finding, Severity};
use crate::text::quote::quoted;
use crate::model::PlanStatus;

/// The rule.
pub const RULE: Rule = Rule {
    id: "retired-plan",
    group: Group::References,
    severity: Severity::Warning,
    fixed: false,
    summary: "a subscriber still has a retired plan",
    why: "A plan is retired so that those who have it keep it and nobody new gets it. The warning keeps in sight \
          who is left. With `--base`, `retired-plan-sold` refuses the new ones.",
    bad: "# plans/all.yaml\n- name: OLD\n  up: 2 Mbps\n  down: 2 Mbps\n  status: retired\n\
          - name: NEW\n  up: 10 Mbps\n  down: 10 Mbps\n\n\
          # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: OLD\n",
    good: "# plans/all.yaml\n- name: OLD\n  up: 2 Mbps\n  down: 2 Mbps\n  status: retired\n\
           - name: NEW\n  up: 10 Mbps\n  down: 10 Mbps\n\n\
           # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: NEW\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let sold_anew = retired_plan_sold::SoldAnew::new(context);
    // Left to the other rule, unless that is more lenient: what is published is checked without it.
    let left_to_it = severity(context.repo, &retired_plan_sold::RULE) >= severity(context.repo, &RULE);
    context.each_subscriber(|subscriber| {
        let (_, plan) = subscriber.plan.filter(|(_, plan)| plan.value.status == PlanStatus::Retired)?;
        let over = subscriber.record.value.ends.is_some_and(|ends| ends <= context.today);
        if over || (left_to_it && sold_anew.holds(subscriber.record)) {
            return None;
        }
        let message = format!("the plan {} is retired", quoted(plan.value.name.as_str()));
        Some(
            Finding::new(RULE.id, subscriber.record.at("plan"), message)
                .related(plan.at("status"), "retired here")
                .help("move the subscriber to a plan that is offered"),
        )
    })
}
