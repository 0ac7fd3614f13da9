//! `retired-plan`: a subscriber still has a retired plan.

use super::{Group, Rule, retired_plan_sold, severity};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::model::PlanStatus;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "retired-plan",
    group: Group::References,
    severity: Severity::Warning,
    fixed: false,
    summary: "a subscriber still has a retired plan",
    why: "A retired plan stays with the subscribers that have it and is not sold to new ones. The warning keeps in \
          sight who still has it. With `--base`, `retired-plan-sold` rejects new ones.",
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
    // The other rule reports it, unless that is more lenient: publishing checks without it.
    let reported_there = severity(context.repo, &retired_plan_sold::RULE) >= severity(context.repo, &RULE);
    context.each_subscriber(|subscriber| {
        let (_, plan) = subscriber.plan.filter(|(_, plan)| plan.value.status == PlanStatus::Retired)?;
        let over = subscriber.record.value.ends.is_some_and(|ends| ends <= context.today);
        if over || (reported_there && sold_anew.holds(subscriber.record)) {
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
