//! Names and addresses as people write them, looked up in the data.

use super::refusal::Refusal;
use crate::inventory::Index;
use crate::model::{Address, Domain, Plan, PlanStatus};
use crate::repo::Repo;
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// An address in its canonical spelling.
///
/// # Errors
/// If the text is none, or a prefix with host bits, which can be read in two ways.
pub fn address(text: &str) -> Result<Address, Refusal> {
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

/// The domain called `name`.
///
/// # Errors
/// If there is none; with a suggestion.
pub fn domain<'r>(repo: &'r Repo, name: &str) -> Result<&'r Domain, Refusal> {
    let index = Index::new(repo);
    let none = || no_such("domain", name, &index.domain_names().collect::<Vec<_>>());
    index.domain(name).map(|record| &record.value).ok_or_else(none)
}

/// The plan called `name`.
///
/// # Errors
/// If there is none; with a suggestion.
pub fn plan<'r>(repo: &'r Repo, name: &str) -> Result<&'r Plan, Refusal> {
    let index = Index::new(repo);
    let none = || no_such("plan", name, &index.plan_names().collect::<Vec<_>>());
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
