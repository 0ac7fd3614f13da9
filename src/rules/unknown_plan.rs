//! `unknown-plan`: something names a plan that does not exist.

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::model::{PlanName, Suspended};
use crate::text::quote::quoted;
use crate::text::suggest::Suggestions;

pub const RULE: Rule = Rule {
    id: "unknown-plan",
    group: Group::References,
    severity: Severity::Error,
    fixed: true,
    summary: "a subscriber, a domain or the settings name a plan that does not exist",
    why: "The shaper file contains the attribute of the plan. Without the plan, the subscriber would have no line \
          at all.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut suggestions = Suggestions::new(context.index.plan_names());
    let mut findings = context.findings();
    for (name, at) in references(context) {
        if !is_unknown(context, name) {
            continue;
        }
        let message = format!("there is no plan {}", quoted(name));
        let finding = Finding::new(RULE.id, at, message);
        let mut help = suggestions.hint(name, "plan");
        if suggestions.find(name).is_none() && PlanName::is_valid(name) {
            help += &format!("; to add it, write {}", quoted(&format!("plans/{name}.yaml")));
        }
        findings.push(finding.help(help));
    }
    findings.finish()
}

/// Every place that names a plan which the index does not have, one by one: there may be a million.
pub(super) fn references<'c>(context: &'c Context<'_>) -> impl Iterator<Item = (&'c str, Where)> {
    let repo = context.repo;
    let lacking = (0..repo.subscribers.len())
        .filter_map(|number| context.subscriber(number))
        .filter(|subscriber| subscriber.plan.is_none())
        .map(|subscriber| (subscriber.record.value.plan.as_str(), subscriber.record.at("plan")));
    let of_domains = repo.domains.iter().flat_map(|domain| {
        let names = domain.value.plans.iter().flatten().enumerate();
        let lacking = names.filter(|(_, name)| context.index.plan_number(name.as_str()).is_none());
        lacking.map(|(index, name)| (name.as_str(), Where::Place(domain.place().field("plans").index(index))))
    });
    let suspended = match (&repo.settings.suspended, repo.settings_file) {
        (Suspended::Plan(name), Some(file)) if context.index.plan_number(name.as_str()).is_none() => {
            Some((name.as_str(), Where::Place(Place::record(file, None).field("suspended"))))
        }
        _ => None,
    };
    lacking.chain(of_domains).chain(suspended)
}

/// Not one that could not be read, and not one that the change removes: `plan-in-use` reports those.
fn is_unknown(context: &Context<'_>, name: &str) -> bool {
    let removed = context.change.as_ref().is_some_and(|change| change.base_index.plan_number(name).is_some());
    !removed && !context.repo.unread_plans.may_have(name)
}
