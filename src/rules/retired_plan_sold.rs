//! `retired-plan-sold`: the change gives a retired plan to a subscriber that did not have it.

use std::collections::HashMap;

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::{Context, ReviewedChange};
use crate::model::{PlanStatus, Subscriber};
use crate::repo::Record;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "retired-plan-sold",
    group: Group::Change,
    severity: Severity::Error,
    fixed: false,
    summary: "the change gives a retired plan to a subscriber that did not have it",
    why: "A retired plan is kept for those who have it. A subscriber is the same one if its `id` is the same, or \
          without an id its address and domain; give it an id before its address changes.",
    bad: "# plans/all.yaml\n- name: OLD\n  up: 2 Mbps\n  down: 2 Mbps\n  status: retired\n\
          - name: NEW\n  up: 10 Mbps\n  down: 10 Mbps\n\n\
          # after: subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: OLD\n",
    good: "# plans/all.yaml\n- name: OLD\n  up: 2 Mbps\n  down: 2 Mbps\n  status: retired\n\
           - name: NEW\n  up: 10 Mbps\n  down: 10 Mbps\n\n\
           # after: subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: NEW\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let sold_anew = SoldAnew::new(context);
    if context.change.is_none() {
        return Vec::new();
    }
    context.each_subscriber(|subscriber| {
        let (_, plan) = subscriber.plan.filter(|(_, plan)| plan.value.status == PlanStatus::Retired)?;
        if !sold_anew.holds(subscriber.record) {
            return None;
        }
        let message = format!("the plan {} is retired and no longer sold", quoted(plan.value.name.as_str()));
        Some(
            Finding::new(RULE.id, subscriber.record.at("plan"), message)
                .related(plan.at("status"), "retired here")
                .help("choose a plan that is offered"),
        )
    })
}

/// Which subscribers have their plan only since the change.
pub(super) struct SoldAnew<'c> {
    change: Option<&'c ReviewedChange<'c>>,
    /// The plans of altered subscribers, as they were.
    before: HashMap<String, &'c str>,
}

impl<'c> SoldAnew<'c> {
    pub(super) fn new(context: &'c Context<'_>) -> Self {
        let change = context.change.as_ref();
        let gone = change.into_iter().flat_map(|change| &change.gone_subscribers);
        Self { change, before: gone.map(|record| (record.value.key(), record.value.plan.as_str())).collect() }
    }

    pub(super) fn holds(&self, record: &Record<Subscriber>) -> bool {
        self.change.is_some_and(|change| change.touches(&record.place()))
            && self.before.get(&record.value.key()).copied() != Some(record.value.plan.as_str())
    }
}
