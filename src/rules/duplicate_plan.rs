//! `duplicate-plan`: two plans differ in nothing but their names.

use std::collections::HashMap;

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::model::Rate;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "duplicate-plan",
    group: Group::Identity,
    severity: Severity::Warning,
    fixed: false,
    summary: "two plans have the same rates and the same shaper attribute",
    why: "For the network the two are one plan. Counts of its subscribers, and later changes of its rates, miss \
          those under the other name.",
    bad: "# plans/GOLD.yaml\nname: GOLD\nup: 30 Mbps\ndown: 30 Mbps\nattribute: shape-30\n\n\
          # plans/PREMIUM.yaml\nname: PREMIUM\nup: 30 Mbps\ndown: 30 Mbps\nattribute: shape-30\n",
    good: "# plans/GOLD.yaml\nname: GOLD\nup: 30 Mbps\ndown: 30 Mbps\nattribute: shape-30\n\n\
           # plans/PREMIUM.yaml\nname: PREMIUM\nup: 30 Mbps\ndown: 30 Mbps\nattribute: shape-30-premium\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut first: HashMap<(&str, Rate, Rate), _> = HashMap::new();
    let mut findings = context.findings();
    // The index has each name once: `duplicate-name` reports two plans of one name.
    for plan in context.index.plans() {
        let same = (plan.value.shaper_attribute(), plan.value.up, plan.value.down);
        let other = *first.entry(same).or_insert(*plan);
        if other.value.name != plan.value.name {
            let names = (quoted(other.value.name.as_str()), quoted(plan.value.name.as_str()));
            let message = format!("the plans {} and {} are the same to the shaper", names.0, names.1);
            findings.push(
                Finding::new(RULE.id, plan.at("name"), message)
                    .related(other.at("name"), "same rates, same attribute")
                    .help("keep one of the two, or give them different attributes"),
            );
        }
    }
    findings.finish()
}
