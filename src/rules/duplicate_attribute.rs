//! `duplicate-attribute`: two plans with different rates have the same shaper attribute.

use std::collections::HashMap;

use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::Context;
use crate::model::Plan;
use crate::repo::Record;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "duplicate-attribute",
    group: Group::Identity,
    severity: Severity::Error,
    fixed: false,
    summary: "two plans with different rates have the same shaper attribute",
    why: "The shaper sees only the attribute. If two plans share it, subscribers of one get the rates of the \
          other, whatever the plans say.",
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
                "the plans {} and {} have different rates and the same shaper attribute {}",
                names.0,
                names.1,
                quoted(attribute)
            );
            findings.push(
                Finding::new(RULE.id, attribute_place(plan), message)
                    .related(attribute_place(other), "the same attribute")
                    .help("give each its own attribute"),
            );
        }
    }
    findings.finish()
}

/// Where the shaper attribute comes from: a plan without one gives its name.
fn attribute_place(plan: &Record<Plan>) -> Where {
    plan.at(if plan.value.attribute.is_some() { "attribute" } else { "name" })
}
