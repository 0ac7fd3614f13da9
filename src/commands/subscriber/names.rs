//! What stands on the command line, as values of the model.

use crate::edit::{Refusal, Value};
use crate::inventory::Index;
use crate::model::{Address, Domain, Plan, PlanStatus};
use crate::repo::Repo;
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// An address as it is written in data: in the one way there is.
pub(super) fn address(text: &str) -> Result<Address, Refusal> {
    let address: Address = text.trim().parse().map_err(Refusal)?;
    let canonical = Address::from(address.net());
    // Another spelling means the same; a prefix with host bits may be meant otherwise.
    let host = text.trim().split('/').next().and_then(|ip| ip.parse::<std::net::IpAddr>().ok());
    if host.is_some_and(|host| host != canonical.net().network()) {
        return Err(Refusal(format!(
            "{} is no prefix; did you mean {}?",
            quoted(text),
            quoted(&canonical.to_string())
        )));
    }
    Ok(canonical)
}

/// One address, or a list of them, as a value.
pub(super) fn addresses(list: &[Address]) -> Value {
    match list {
        [one] => Value::text(one.to_string()),
        many => Value::List(many.iter().map(|address| Value::text(address.to_string())).collect()),
    }
}

/// The domain of that name.
pub(super) fn domain<'r>(repo: &'r Repo, name: &str) -> Result<&'r Domain, Refusal> {
    let index = Index::new(repo);
    let none = || no_such("domain", name, &index.domain_names().collect::<Vec<_>>());
    index.domain(name).map(|record| &record.value).ok_or_else(none)
}

/// The plan of that name.
pub(super) fn plan<'r>(repo: &'r Repo, name: &str) -> Result<&'r Plan, Refusal> {
    let index = Index::new(repo);
    let none = || no_such("plan", name, &index.plan_names().collect::<Vec<_>>());
    index.plan(name).map(|record| &record.value).ok_or_else(none)
}

/// The plans that a domain may sell, by name.
pub(super) fn offered(repo: &Repo, domain: &Domain) -> Vec<String> {
    let sold = |plan: &&Plan| {
        plan.status == PlanStatus::Offered
            && domain.plans.as_ref().is_none_or(|plans| plans.iter().any(|name| name.as_str() == plan.name.as_str()))
    };
    let mut names: Vec<String> =
        repo.plans.iter().map(|plan| &plan.value).filter(sold).map(|plan| plan.name.to_string()).collect();
    names.sort_unstable();
    names
}

fn no_such(kind: &str, name: &str, there: &[&str]) -> Refusal {
    let mut there = there.to_vec();
    there.sort_unstable();
    Refusal(match nearest(name, there.iter().copied()) {
        Some(near) => format!("there is no {kind} {}; did you mean {}?", quoted(name), quoted(near)),
        None if there.len() <= 20 && !there.is_empty() => {
            let there: Vec<String> = there.iter().map(|name| quoted(name)).collect();
            format!("there is no {kind} {}; there are: {}", quoted(name), there.join(", "))
        }
        None => format!("there is no {kind} {}", quoted(name)),
    })
}
