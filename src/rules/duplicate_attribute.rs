//! `duplicate-attribute`: the shaper cannot tell two plans apart whose rates differ.

use std::collections::HashMap;

use super::{Group, Rule};
use crate::inventory::Context;
use crate::finding::{Finding, Severity, Where};
use crate::text::quote::quoted;
use crate::model::Plan;
use crate::repo::Record;

/// The rule.
pub const RULE: Rule = Rule {
    id: "duplicate-attribute",
    group: Group::Identity,
    severity: Severity::Error,
    fixed: false,
    summary: "two plans with different rates tell the shaper the same",
    why: "The shaper sees only the attribute. If two plans share it, subscribers of one get the rates of the other, \
          whatever is written here.",
    bad: "# plans/GOLD.yaml\nname: GOLD\nup: 30 Mbps\ndown: 30 Mbps\nattribute: shape-30\n\n\
          # plans/PLATINUM.yaml\nname: PLATINUM\nup: 50 Mbps\ndown: 50 Mbps\nattribute: shape-30\n",
    good: "# plans/GOLD.yaml\nname: GOLD\nup: 30 Mbps\ndown: 30 Mbps\nattribute: shape-30\n\n\
           # plans/PLATINUM.yaml\nname: PLATINUM\nup: 50 Mbps\ndown: 50 Mbps\nattribute: shape-50\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut first: HashMap<&str, &Record<Plan>> = HashMap::new();
    let mut findings = context.findings();
    for plan in context.index.plans() {
        let attribute = plan.value.shaper_attribute();
        let other = *first.entry(attribute).or_insert(*plan);
        if (other.value.up, other.value.down) != (plan.value.up, plan.value.down) {
            let names = (quoted(other.value.name.as_str()), quoted(plan.value.name.as_str()));
            let message = format!(
                "the plans {} and {} have different rates, and both tell the shaper {}",
                names.0,
                names.1,
                quoted(attribute)
            );
            findings.push(
                Finding::new(RULE.id, told(plan), message)
                    .related(told(other), "tells the shaper the same")
                    .help("give each its own attribute"),
            );
        }
    }
    findings.finish()
}

/// What the shaper is told: the attribute, or without one the name.
fn told(plan: &Record<Plan>) -> Where {
    plan.at(if plan.value.attribute.is_some() { "attribute" } else { "name" })
}
