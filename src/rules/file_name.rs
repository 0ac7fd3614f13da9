//! `file-name`: a file or folder is not named after its content, or in a way that other programs interpret.

use rayon::prelude::*;

use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::Context;
use crate::repo::{Record, stem};
use crate::text::characters::is_steering;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "file-name",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: false,
    summary: "a plan's or domain's file is not named after it, a subscriber is in another domain's folder, or a name \
              has characters that a shell interprets",
    why: "People find a record by its path, and CODEOWNERS assigns reviews by path. A file with a single plan or \
          domain is therefore named after it, and a folder or file below `subscribers/` that has the name of a \
          domain contains only subscribers of that domain. Lists of plans or domains may have any name. A name may \
          not have control characters, invisible ones, or any of ``$ ` \" \\ ; | < > * ?``: on a command line \
          or in a script such a name can run something else, and some file systems cannot hold it. Files in the data \
          folders that would not be read at all (symbolic links, hidden files, other extensions) are reported here \
          too, always as errors: no record is skipped silently.",
    bad: "# plans/GOLD.yaml\nname: SILVER\nup: 30 Mbps\ndown: 30 Mbps\n",
    good: "# plans/SILVER.yaml\nname: SILVER\nup: 30 Mbps\ndown: 30 Mbps\n",
    check,
};

/// What a shell interprets even within a name, or some file systems cannot have.
const INTERPRETED: &str = "$`\"\\;|<>*?";

fn check(context: &Context<'_>) -> Vec<Finding> {
    let repo = context.repo;
    let plans = repo.plans.iter().filter_map(|plan| named_otherwise(context, plan, "plan", plan.value.name.as_str()));
    let domains =
        repo.domains.iter().filter_map(|domain| named_otherwise(context, domain, "domain", domain.value.name.as_str()));
    context.first_of(interpreted(context).chain(plans).chain(domains).chain(misplaced(context)))
}

/// Files whose path has a character that is not taken as it is everywhere.
fn interpreted<'c>(context: &'c Context<'_>) -> impl Iterator<Item = Finding> + use<'c> {
    context.repo.sources.iter().filter_map(|(id, file)| {
        let found = file.path().chars().find(|c| is_steering(*c) || INTERPRETED.contains(*c))?;
        let message = match is_steering(found) {
            true => format!("the file's path has the character U+{:04X}, which is invisible", u32::from(found)),
            false => format!("the file's path has a `{found}`, which shells and some file systems interpret"),
        };
        Some(Finding::new(RULE.id, Where::File(id), message).help("rename it with letters, digits and . _ -"))
    })
}

/// A single record whose file has another name.
fn named_otherwise<T>(context: &Context<'_>, record: &Record<T>, kind: &str, name: &str) -> Option<Finding> {
    let path = context.repo.sources.file(record.file).path();
    if record.index().is_some() || stem(path) == name {
        return None;
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    let message = format!("the {kind} {} is in a file called {}", quoted(name), quoted(file));
    let help =
        format!("rename the file to {}, or the {kind} to {}", quoted(&format!("{name}.yaml")), quoted(stem(path)));
    Some(Finding::new(RULE.id, record.at("name"), message).help(help))
}

/// Subscribers below a folder, or in a file, that has the name of another domain.
fn misplaced(context: &Context<'_>) -> Vec<Finding> {
    let files: Vec<_> = context.repo.sources.iter().collect();
    let domains_of_files: Vec<Vec<u32>> = files.par_iter().map(|(_, file)| domains_in(context, file.path())).collect();
    context.each_subscriber(|subscriber| {
        let expected = domains_of_files.get(subscriber.record.file.index())?;
        // `unknown-domain` reports a domain that does not exist.
        let (domain, known) = subscriber.domain.filter(|_| !expected.is_empty())?;
        let other = expected.iter().find(|&&expected| expected != domain)?;
        let place = context.index.domains().get(*other as usize)?;
        let message = format!("a subscriber of {} is among those of {}", quoted(known.name()), quoted(place.name()),);
        let help = format!("move it to {}", quoted(&format!("subscribers/{}/", known.name())));
        Some(Finding::new(RULE.id, subscriber.record.at("domain"), message).help(help))
    })
}

/// The domains that the folders and the file of a path below `subscribers/` are named after.
fn domains_in(context: &Context<'_>, path: &str) -> Vec<u32> {
    let Some((folders, _)) =
        path.strip_prefix("subscribers/").map(|below| below.rsplit_once('/').unwrap_or(("", below)))
    else {
        return Vec::new();
    };
    folders.split('/').chain([stem(path)]).filter_map(|name| context.index.domain_number(name)).collect()
}
