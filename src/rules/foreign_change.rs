//! `foreign-change`: the actor changes data of other owners.

use std::collections::{BTreeMap, HashSet};

use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::{Context, ReviewedChange};
use crate::model::Owner;
use crate::repo::Record;
use crate::text::quote::{listed, quoted};
use crate::tree::{SETTINGS, configures_git};

pub const RULE: Rule = Rule {
    id: "foreign-change",
    group: Group::Change,
    severity: Severity::Error,
    fixed: true,
    summary: "the proposer owns neither the domain nor the settings that the change touches",
    why: "Only a domain's `owners` may change its subscribers, and the `admins` of the settings. If there are \
          admins, only they may change plans, domains, templates, settings, and the files that configure git \
          (`.gitattributes` and `.gitmodules`, at the top or above). Both lists are read from the base revision, \
          so that no proposal can make its author an owner; if the base cannot be read, no one is an owner. A \
          domain without owners may be changed by anyone. The rule needs `--base` and `--actor`.",
    bad: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\nowners: [alice]\n\n\
          # after: subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\n\
          # by: mallory\n",
    good: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\nowners: [alice]\n\n\
           # after: subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\n\
           # by: alice\n",
    check,
};

/// How many places are shown of each domain.
const SHOWN: usize = 5;

fn check(context: &Context<'_>) -> Vec<Finding> {
    let Some(change) = context.change.as_ref().filter(|change| !change.actors.is_empty()) else {
        return Vec::new();
    };
    let admins = admins(change);
    if matches!(admins, Owners::These(_)) && admins.allow(change.actors) {
        return Vec::new();
    }
    let mut findings = subscribers(context, change);
    findings.extend(unread(context, change));
    findings.extend(domains(context, change, &admins));
    if !admins.allow(change.actors) {
        findings.extend(plans(context, change, &admins));
        findings.extend(settings(context, change, &admins));
        findings.extend(templates(context, change, &admins));
        findings.extend(git_files(context, change, &admins));
    }
    for finding in &mut findings {
        finding.in_change = Some(true);
    }
    findings
}

/// Who may change something.
pub(crate) enum Owners<'a> {
    /// The list is empty.
    Anyone,
    /// Only these.
    These(&'a [Owner]),
    /// The base cannot be read.
    Unknown,
}

impl Owners<'_> {
    /// Whether one of `actors` is allowed.
    pub(crate) fn allow(&self, actors: &[String]) -> bool {
        match self {
            Owners::Anyone => true,
            Owners::These(owners) => owners.iter().any(|owner| actors.iter().any(|actor| owner.is(actor))),
            Owners::Unknown => false,
        }
    }

    fn help(&self) -> String {
        match self {
            Owners::These(owners) => {
                format!("let one of them propose it: {}", listed(owners.iter().map(|owner| owner.as_str())))
            }
            _ => "fix the base revision first: its list of owners cannot be read".to_owned(),
        }
    }
}

fn owners_or_anyone<'a>(owners: &'a [Owner]) -> Owners<'a> {
    if owners.is_empty() { Owners::Anyone } else { Owners::These(owners) }
}

/// Who may change templates, settings, plans and domains, according to the base.
pub(crate) fn admins<'a>(change: &ReviewedChange<'a>) -> Owners<'a> {
    let base = change.base;
    let broken = base.findings.iter().any(|finding| base.sources.file(finding.primary.at.file()).path() == SETTINGS);
    if broken { Owners::Unknown } else { owners_or_anyone(&base.settings.admins) }
}

fn owners<'a>(change: &ReviewedChange<'a>, domain: &str) -> Owners<'a> {
    match change.base_index.domain(domain) {
        Some(record) => owners_or_anyone(&record.value.owners),
        None if change.base.unread_domains.may_have(domain) => Owners::Unknown,
        // A new domain: who may add it may fill it.
        None => Owners::Anyone,
    }
}

fn refused(change: &ReviewedChange<'_>, at: Where, what: &str, owners: &Owners<'_>) -> Finding {
    let actor = change.actors.first().map(String::as_str).unwrap_or_default();
    Finding::new(RULE.id, at, format!("{} may not change {what}", quoted(actor))).help(owners.help())
}

/// Files of the base that could not be read as they were, and that the change alters or removes:
/// any subscriber may have been in them, so only an owner of every domain may touch them.
fn unread(context: &Context<'_>, change: &ReviewedChange<'_>) -> Vec<Finding> {
    let owns_all = change.base.domains.iter().all(|domain| owners_or_anyone(&domain.value.owners).allow(change.actors));
    if owns_all && !change.base.unread_domains.any() {
        return Vec::new();
    }
    let what = "subscribers that could not be read in the base revision";
    let refuse = |at: Where| refused(change, at, what, &Owners::Unknown);
    context.first_of(change.unread_files("subscribers/").into_iter().map(refuse))
}

/// What the change does to the subscribers of one domain.
#[derive(Default)]
struct DomainChange {
    added: usize,
    removed: usize,
    places: Vec<(Where, &'static str)>,
}

fn subscribers(context: &Context<'_>, change: &ReviewedChange<'_>) -> Vec<Finding> {
    let mut touched: BTreeMap<&str, DomainChange> = BTreeMap::new();
    let mut present = HashSet::new();
    for subscriber in change.touched_subscribers().filter_map(|number| context.subscriber(number)) {
        let record = subscriber.record;
        present.insert((record.value.domain.as_str(), record.value.key()));
        let touched = touched.entry(record.value.domain.as_str()).or_default();
        touched.added += 1;
        if touched.places.len() < SHOWN {
            touched.places.push((Where::Place(record.place()), "changed too"));
        }
    }
    for record in &change.gone_subscribers {
        // What is altered was counted where it is now.
        if present.contains(&(record.value.domain.as_str(), record.value.key())) {
            continue;
        }
        let touched = touched.entry(record.value.domain.as_str()).or_default();
        touched.removed += 1;
        if touched.places.len() < SHOWN {
            let place = change.where_gone(record).map(|place| (place, "removed from this file"));
            touched.places.extend(place.filter(|place| !touched.places.contains(place)));
        }
    }
    let foreign = touched.into_iter().filter_map(|(domain, touched)| {
        let owners = owners(change, domain);
        (!owners.allow(change.actors)).then_some((domain, touched, owners))
    });
    let finding = |(domain, touched, owners): (&str, DomainChange, Owners<'_>)| {
        finding(context, change, domain, touched, &owners)
    };
    context.first_of(foreign.filter_map(finding))
}

fn finding(
    context: &Context<'_>,
    change: &ReviewedChange<'_>,
    domain: &str,
    touched: DomainChange,
    owners: &Owners<'_>,
) -> Option<Finding> {
    let DomainChange { added, removed, places } = touched;
    let did = match (added, removed) {
        (added, 0) => format!("{added} added or altered"),
        (0, removed) => format!("{removed} removed"),
        (added, removed) => format!("{added} added or altered, {removed} removed"),
    };
    let what = format!("subscribers of {}: {did}", quoted(domain));
    let mut places = places.into_iter();
    let mut finding = refused(change, places.next()?.0, &what, owners);
    for (place, label) in places {
        finding = finding.related(place, label);
    }
    if let Some(place) = where_owners(context, change, domain) {
        finding = finding.related(place, "the owners");
    }
    Some(finding)
}

/// The list of owners, if it is the same in the proposal as in the base.
fn where_owners(context: &Context<'_>, change: &ReviewedChange<'_>, domain: &str) -> Option<Where> {
    let (now, before) = (context.index.domain(domain)?, change.base_index.domain(domain)?);
    (now.value.owners == before.value.owners && !now.value.owners.is_empty()).then(|| now.at("owners"))
}

fn domains(context: &Context<'_>, change: &ReviewedChange<'_>, admins: &Owners<'_>) -> Vec<Finding> {
    let touched = touched(change, &context.repo.domains, &change.gone_domains, |domain| domain.name.as_str());
    let refuse = |(name, at): (&str, Where)| {
        let owners = owners(change, name);
        let allowed = match admins {
            Owners::Anyone => &owners,
            admins => admins,
        };
        (!allowed.allow(change.actors)).then(|| refused(change, at, &format!("the domain {}", quoted(name)), allowed))
    };
    context.first_of(touched.into_iter().filter_map(refuse))
}

fn plans(context: &Context<'_>, change: &ReviewedChange<'_>, admins: &Owners<'_>) -> Vec<Finding> {
    let touched = touched(change, &context.repo.plans, &change.gone_plans, |plan| plan.name.as_str());
    let refuse = |(name, at): (&str, Where)| refused(change, at, &format!("the plan {}", quoted(name)), admins);
    context.first_of(touched.into_iter().map(refuse))
}

/// Every record that is new, altered or gone, each name once, with its place in the proposal.
fn touched<'r, T>(
    change: &ReviewedChange<'r>,
    records: &'r [Record<T>],
    gone: &[&'r Record<T>],
    name: fn(&T) -> &str,
) -> BTreeMap<&'r str, Where> {
    let mut touched = BTreeMap::new();
    for record in records.iter().filter(|record| change.touches(&record.place())) {
        touched.entry(name(&record.value)).or_insert_with(|| record.at("name"));
    }
    for record in gone {
        if let Some(place) = change.where_gone(record) {
            touched.entry(name(&record.value)).or_insert(place);
        }
    }
    touched
}

fn settings(context: &Context<'_>, change: &ReviewedChange<'_>, admins: &Owners<'_>) -> Option<Finding> {
    let touched = change.files().find(|id| context.repo.sources.file(*id).path() == SETTINGS)?;
    // A comment, or the order of keys, changes nothing.
    let same = context.repo.settings == change.base.settings && context.repo.settings_file.is_some();
    (!same).then(|| refused(change, Where::File(touched), "the settings", admins))
}

fn templates(context: &Context<'_>, change: &ReviewedChange<'_>, admins: &Owners<'_>) -> Vec<Finding> {
    files(context, change, admins, "the template", |path| path.starts_with("templates/"))
}

fn git_files(context: &Context<'_>, change: &ReviewedChange<'_>, admins: &Owners<'_>) -> Vec<Finding> {
    files(context, change, admins, "the git configuration", configures_git)
}

/// Every changed file that `selects` picks.
fn files(
    context: &Context<'_>,
    change: &ReviewedChange<'_>,
    admins: &Owners<'_>,
    what: &str,
    selects: fn(&str) -> bool,
) -> Vec<Finding> {
    let path = |id| context.repo.sources.file(id).path();
    let touched = change.files().filter(|id| selects(path(*id)));
    context
        .first_of(touched.map(|id| refused(change, Where::File(id), &format!("{what} {}", quoted(path(id))), admins)))
}
