//! `duplicate-name`: two plans, or two domains, or two targets have one name; or two targets one file.

use std::collections::HashMap;

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::inventory::bounded::BoundedFindings;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "duplicate-name",
    group: Group::Identity,
    severity: Severity::Error,
    fixed: true,
    summary: "two plans, two domains or two targets have the same name, or two targets one file",
    why: "Subscribers name their plan and their domain. If two have that name, it is left to chance which rates or \
          limits apply. Two targets or outputs that write one file would overwrite each other's.",
    bad: "# plans/all.yaml\n- name: GOLD\n  up: 30 Mbps\n  down: 30 Mbps\n- name: GOLD\n  up: 50 Mbps\n  down: 50 Mbps\n",
    good: "# plans/all.yaml\n- name: GOLD\n  up: 30 Mbps\n  down: 30 Mbps\n- name: PLATINUM\n  up: 50 Mbps\n  down: 50 Mbps\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let repo = context.repo;
    let plans = repo.plans.iter().map(|plan| (plan.value.name.as_str(), plan.at("name")));
    let domains = repo.domains.iter().map(|domain| (domain.value.name.as_str(), domain.at("name")));
    let mut findings = context.findings();
    twice(&mut findings, Unique::Name("plan"), plans);
    twice(&mut findings, Unique::Name("domain"), domains);
    if let Some(file) = repo.settings_file {
        let targets = repo.settings.targets.iter().enumerate().map(|(index, target)| {
            let place = Place::record(file, None).field("targets").index(index).field("name");
            (target.name.as_str(), Where::Place(place))
        });
        twice(&mut findings, Unique::Name("target"), targets);
        // Each would take the other's file away.
        let urls = repo.settings.targets.iter().enumerate().map(|(index, target)| {
            let place = Place::record(file, None).field("targets").index(index).field("url");
            (target.url.as_str(), Where::Place(place))
        });
        twice(&mut findings, Unique::File("target"), urls);
        // On some disks `A.txt` and `a.txt` are one file.
        let outputs: Vec<(String, String)> = crate::render::outputs(&repo.settings)
            .into_values()
            .map(|output| (output.file.to_lowercase(), output.name))
            .collect();
        let files = outputs
            .iter()
            .map(|(path, name)| (path.as_str(), Where::Place(Place::record(file, None).field("outputs").field(name))));
        twice(&mut findings, Unique::File("output"), files);
    }
    findings.finish()
}

/// What must not occur twice.
#[derive(Clone, Copy)]
enum Unique {
    /// The name of such a record.
    Name(&'static str),
    /// The file that such a thing writes.
    File(&'static str),
}

impl Unique {
    fn finding(self, value: &str, at: Where, other: Where) -> Finding {
        let value = quoted(value);
        let (message, label, help) = match self {
            Unique::Name(kind) => (
                format!("two {kind}s are called {value}"),
                "the same name",
                "remove one of the two, or give it another name",
            ),
            Unique::File(kind) => {
                (format!("two {kind}s write {value}"), "the same file", "give each a file of its own")
            }
        };
        Finding::new(RULE.id, at, message).related(other, label).help(help)
    }
}

fn twice<'a>(findings: &mut BoundedFindings<'_>, unique: Unique, values: impl Iterator<Item = (&'a str, Where)>) {
    let mut first: HashMap<&str, Where> = HashMap::new();
    for (value, at) in values {
        match first.get(value) {
            Some(other) => findings.push(unique.finding(value, at, other.clone())),
            None => {
                first.insert(value, at);
            }
        }
    }
}
