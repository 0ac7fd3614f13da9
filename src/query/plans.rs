//! Plans: what can be sold, at which rates, and how many subscribers have it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::names;
use super::refusal::Refusal;
use crate::finding::Where;
use crate::inventory::Index;
use crate::locate::Locator;
use crate::model::{Plan, PlanStatus};
use crate::repo::{Record, Repo};

/// A plan with everything that programs ask for; docs/commands.md documents the JSON.
#[derive(Debug, Serialize)]
pub struct PlanView<'r> {
    /// Its name.
    pub name: &'r str,
    /// The rate from the subscriber, in bit/s.
    pub up_bps: u64,
    /// The rate to the subscriber, in bit/s.
    pub down_bps: u64,
    /// `offered` or `retired`.
    pub status: &'static str,
    /// The last field of its lines in the shaper file.
    pub attribute: &'r str,
    /// A description for people.
    pub description: Option<&'r str>,
    /// How many subscribers have it.
    pub subscribers: usize,
    /// The same by domain, for the domains that may sell it or have sold it.
    pub domains: BTreeMap<&'r str, usize>,
    /// The path of its file.
    pub file: &'r str,
    /// The line on which its record starts.
    pub line: usize,
    /// The record.
    #[serde(skip)]
    pub plan: &'r Plan,
}

/// The plans of `repo`, the slowest first; with a name, the plan of that name.
///
/// # Errors
/// If there is no plan of that name; with a suggestion.
pub fn plans<'r>(repo: &'r Repo, name: Option<&str>) -> Result<Vec<PlanView<'r>>, Refusal> {
    let wanted = name.map(|name| names::plan(repo, name)).transpose()?;
    let index = Index::new(repo);
    let mut sold: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
    for record in &repo.subscribers {
        let (plan, domain) = (record.value.plan.as_str(), record.value.domain.as_str());
        *sold.entry(plan).or_default().entry(domain).or_default() += 1;
    }
    let mut locator = Locator::new(&repo.sources);
    let mut view = |record: &'r Record<Plan>| {
        let plan = &record.value;
        let mut domains = sold.remove(plan.name.as_str()).unwrap_or_default();
        let subscribers = domains.values().sum();
        if let (PlanStatus::Offered, Some(number)) = (plan.status, index.plan_number(plan.name.as_str())) {
            for domain in index.domains().iter().filter(|domain| domain.may_sell(number)) {
                domains.entry(domain.name()).or_default();
            }
        }
        let file = repo.sources.file(record.file);
        let line = file.position(locator.span(&Where::Place(record.place())).start).line;
        PlanView {
            name: plan.name.as_str(),
            up_bps: plan.up.bps(),
            down_bps: plan.down.bps(),
            status: if plan.status == PlanStatus::Offered { "offered" } else { "retired" },
            attribute: plan.shaper_attribute(),
            description: plan.description.as_ref().map(|text| text.as_str()),
            subscribers,
            domains,
            file: file.path(),
            line,
            plan,
        }
    };
    let is_wanted = |record: &&&Record<Plan>| wanted.is_none_or(|plan| plan.name == record.value.name);
    let mut plans: Vec<PlanView<'r>> = index.plans().iter().filter(is_wanted).map(|record| view(record)).collect();
    plans.sort_by_key(|plan| (plan.down_bps, plan.up_bps, plan.name));
    Ok(plans)
}
