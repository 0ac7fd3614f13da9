//! Names and addresses as people write them, looked up in the data.

use super::refusal::Refusal;
use crate::inventory::Index;
use crate::model::misspelling::Misspelt;
use crate::model::{Address, Domain, Plan, PlanStatus};
use crate::repo::{Repo, data_kind, stem};
use crate::schema::FileKind;
use crate::text::quote::quoted;
use crate::text::suggest::Suggestions;

/// An address in its canonical spelling.
///
/// # Errors
/// If the text is none, or a prefix with host bits, which can be read in two ways.
pub fn address(text: &str) -> Result<Address, Refusal> {
    let address: Address = text.trim().parse().map_err(|wrong: Misspelt| Refusal(wrong.to_string()))?;
    // Another spelling means the same; a prefix with host bits may be meant otherwise.
    match address.block_or_host() {
        Some(found) => Err(Refusal(found.to_string())),
        None => Ok(Address::from(address.net())),
    }
}

/// The domain called `name`.
///
/// # Errors
/// If there is none; with a suggestion.
pub fn domain<'r>(repo: &'r Repo, name: &str) -> Result<&'r Domain, Refusal> {
    let index = Index::new(repo);
    let none = || no_such(repo, FileKind::Domain, name, &index.domain_names().collect::<Vec<_>>());
    index.domain(name).map(|record| &record.value).ok_or_else(none)
}

/// The plan called `name`.
///
/// # Errors
/// If there is none; with a suggestion.
pub fn plan<'r>(repo: &'r Repo, name: &str) -> Result<&'r Plan, Refusal> {
    let index = Index::new(repo);
    let none = || no_such(repo, FileKind::Plan, name, &index.plan_names().collect::<Vec<_>>());
    index.plan(name).map(|record| &record.value).ok_or_else(none)
}

/// The plans that a domain may sell, the slowest first.
pub fn offered<'r>(repo: &'r Repo, domain: &Domain) -> Vec<&'r Plan> {
    let sold = |plan: &&Plan| {
        plan.status == PlanStatus::Offered
            && domain.plans.as_ref().is_none_or(|plans| plans.iter().any(|name| name.as_str() == plan.name.as_str()))
    };
    let mut plans: Vec<&Plan> = repo.plans.iter().map(|plan| &plan.value).filter(sold).collect();
    plans.sort_by_key(|plan| (plan.down.bps(), plan.up.bps(), plan.name.as_str()));
    plans
}

fn no_such(repo: &Repo, kind: FileKind, name: &str, there: &[&str]) -> Refusal {
    if let Some(why) = unread(repo, kind, Some(name)) {
        return Refusal(why);
    }
    let kind = kind.name();
    let hint = Suggestions::alone(there.iter().copied()).hint(name, kind);
    Refusal(format!("there is no {kind} {}; {hint}", quoted(name)))
}

/// A sentence on a plan or a domain that may be there, in a file that cannot be read; of any name without one.
pub(crate) fn unread(repo: &Repo, kind: FileKind, name: Option<&str>) -> Option<String> {
    let unread = if kind == FileKind::Plan { &repo.unread_plans } else { &repo.unread_domains };
    if !name.map_or_else(|| unread.any(), |name| unread.may_have(name)) {
        return None;
    }
    let places = repo.findings.iter().map(|finding| finding.primary.at.file());
    let mut paths = places.map(|file| repo.sources.file(file).path()).filter(|path| data_kind(path) == Some(kind));
    let own = paths.clone().find(|path| name == Some(stem(path)));
    let path = quoted(own.or_else(|| paths.next())?);
    let what = match name {
        Some(name) => format!("the {} {}", kind.name(), quoted(name)),
        None => format!("a {}", kind.name()),
    };
    let could = if own.is_some() { "cannot be read" } else { "may be in a file that cannot be read" };
    Some(format!("{what} {could}: `shapeline check` shows what is wrong in {path}"))
}
