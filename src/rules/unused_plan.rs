//! `unused-plan`: no subscriber has the plan.

use rayon::prelude::*;

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::model::Suspended;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "unused-plan",
    group: Group::Plans,
    severity: Severity::Off,
    fixed: false,
    summary: "no subscriber has the plan",
    why: "A plan without subscribers may simply be new, so the rule is off unless the settings turn it on. It \
          helps to find retired plans that can be removed.",
    bad: "# shapeline.yaml\nrules: {unused-plan: warning}\n\n\
          # plans/GOLD.yaml\nname: GOLD\nup: 30 Mbps\ndown: 30 Mbps\n",
    good: "# shapeline.yaml\nrules: {unused-plan: warning}\n\n\
           # plans/GOLD.yaml\nname: GOLD\nup: 30 Mbps\ndown: 30 Mbps\n\n\
           # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: GOLD\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let plans = context.index.plans();
    let none = || vec![false; plans.len()];
    let mark = |mut used: Vec<bool>, number: u32| {
        if let Some(used) = used.get_mut(number as usize) {
            *used = true;
        }
        used
    };
    let mut used = context
        .subscribers()
        .filter_map(|subscriber| subscriber.plan.map(|(number, _)| number))
        .fold(none, mark)
        .reduce(none, |a, b| a.iter().zip(&b).map(|(a, b)| a | b).collect());
    if let Suspended::Plan(name) = &context.repo.settings.suspended
        && let Some(number) = context.index.plan_number(name.as_str())
    {
        used = mark(used, number);
    }
    let unused = plans.iter().zip(used).filter(|(_, used)| !used);
    context.first_of(unused.map(|(plan, _)| {
        let message = format!("no subscriber has the plan {}", quoted(plan.value.name.as_str()));
        Finding::new(RULE.id, plan.at("name"), message).help("remove it, if it is not about to be sold")
    }))
}
