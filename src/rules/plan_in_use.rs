//! `plan-in-use`: the change removes a plan or a domain that something still names.

use std::collections::BTreeMap;

use super::{Group, Rule, unknown_domain, unknown_plan};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::{Context, ReviewedChange};
use crate::text::count::counted;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "plan-in-use",
    group: Group::Change,
    severity: Severity::Error,
    fixed: true,
    summary: "the change removes a plan or a domain that is still referred to",
    why: "The author of a removal sees only that file; the subscribers that have the plan or domain are elsewhere, \
          and would lose their service. Move them first. Without `--base`, `unknown-plan` and `unknown-domain` \
          report each of them.",
    bad: "# before: plans/GOLD.yaml\nname: GOLD\nup: 20 Mbps\ndown: 20 Mbps\n\n\
          # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: GOLD\n",
    good: "# before: plans/GOLD.yaml\nname: GOLD\nup: 20 Mbps\ndown: 20 Mbps\n\n\
           # before: subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: GOLD\n\n\
           # after: subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\n\
           plan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

/// How many places are shown of each name.
const SHOWN: usize = 5;

fn check(context: &Context<'_>) -> Vec<Finding> {
    let Some(change) = &context.change else { return Vec::new() };
    let repo = context.repo;
    let plans = in_use(unknown_plan::references(context), |name| {
        change.base_index.plan_number(name).is_some() && !repo.unread_plans.may_have(name)
    });
    let domains = in_use(unknown_domain::references(context), |name| {
        change.base_index.domain_number(name).is_some() && !repo.unread_domains.may_have(name)
    });
    let plans = plans.into_iter().map(|(name, places)| finding("plan", name, places, gone_plan(change, name)));
    let domains = domains.into_iter().map(|(name, places)| finding("domain", name, places, gone_domain(change, name)));
    context.first_of(plans.chain(domains).flatten())
}

/// Where something removed is still named.
#[derive(Default)]
struct InUse {
    count: usize,
    /// The first few places.
    places: Vec<Where>,
}

/// What is removed and still named, by name.
fn in_use<'c>(
    references: impl Iterator<Item = (&'c str, Where)>,
    is_removed: impl Fn(&str) -> bool,
) -> BTreeMap<&'c str, InUse> {
    let mut in_use: BTreeMap<&str, InUse> = BTreeMap::new();
    for (name, at) in references.filter(|(name, _)| is_removed(name)) {
        let named = in_use.entry(name).or_default();
        named.count += 1;
        if named.places.len() < SHOWN {
            named.places.push(at);
        }
    }
    in_use
}

fn gone_plan(change: &ReviewedChange<'_>, name: &str) -> Option<Where> {
    change.base_index.plan(name).and_then(|record| change.where_gone(record))
}

fn gone_domain(change: &ReviewedChange<'_>, name: &str) -> Option<Where> {
    change.base_index.domain(name).and_then(|record| change.where_gone(record))
}

fn finding(kind: &str, name: &str, named: InUse, gone: Option<Where>) -> Option<Finding> {
    let count = counted(named.count, "place still names it", "places still name it");
    let mut places = named.places.into_iter();
    let message = format!("the change removes the {kind} {}, and {count}", quoted(name));
    let mut finding = Finding::new(RULE.id, places.next()?, message);
    for place in places {
        finding = finding.related(place, "named here too");
    }
    if let Some(gone) = gone {
        finding = finding.related(gone, format!("the {kind} was here"));
    }
    let finding = finding.help(format!("keep the {kind} until nothing names it, or change these in the same proposal"));
    Some(Finding { in_change: Some(true), ..finding })
}
