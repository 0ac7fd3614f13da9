//! `unknown-plan`: something names a plan that does not exist.

use rayon::prelude::*;

use super::suggest::Suggestions;
use super::{Context, Group, Rule};
use crate::finding::{Finding, Place, Severity, Where, quoted};
use crate::model::{PlanName, Suspended};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unknown-plan",
    group: Group::References,
    severity: Severity::Error,
    fixed: true,
    summary: "a subscriber, a domain or the settings name a plan that does not exist",
    why: "The shaper is told a plan's attribute. Without the plan there is nothing to tell it, and the \
          subscriber would have no line at all.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut suggestions = Suggestions::new(context.index.plan_names());
    let mut findings = Vec::new();
    for (name, at) in references(context) {
        if !is_unknown(context, name) {
            continue;
        }
        let message = format!("there is no plan {}", quoted(name));
        let finding = Finding::new(RULE.id, at, message);
        findings.push(match suggestions.find(name) {
            Some(near) => finding.did_you_mean(Some(near)),
            None if PlanName::is_valid(name) => {
                finding.help(format!("add {}, or name another plan", quoted(&format!("plans/{name}.yaml"))))
            }
            None => finding.help("name a plan that exists"),
        });
    }
    findings
}

/// Every place that names a plan which the index does not have.
pub(super) fn references<'c>(context: &'c Context<'_>) -> Vec<(&'c str, Where)> {
    let repo = context.repo;
    let lacking = context.subscribers().filter(|subscriber| subscriber.plan.is_none());
    let mut found: Vec<(&str, Where)> =
        lacking.map(|subscriber| (subscriber.record.value.plan.as_str(), subscriber.record.at("plan"))).collect();
    for domain in &repo.domains {
        for (index, name) in domain.value.plans.iter().flatten().enumerate() {
            if context.index.plan_number(name.as_str()).is_none() {
                found.push((name.as_str(), Where::Place(domain.place().field("plans").index(index))));
            }
        }
    }
    if let (Suspended::Plan(name), Some(file)) = (&repo.settings.suspended, repo.settings_file)
        && context.index.plan_number(name.as_str()).is_none()
    {
        found.push((name.as_str(), Where::Place(Place::record(file, None).field("suspended"))));
    }
    found
}

/// Not one that could not be read, and not one that the change removes: `plan-in-use` tells those.
fn is_unknown(context: &Context<'_>, name: &str) -> bool {
    let removed = context.change.as_ref().is_some_and(|change| change.base_index.plan_number(name).is_some());
    !removed && !context.repo.unread_plans.may_hold(name)
}
