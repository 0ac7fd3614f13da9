//! How many of a domain's subscribers an import may remove, and who they are.
//!
//! The safety limits spare small domains, where one change is a large share. An import needs them at any
//! size: one row of a domain in a file says that the domain has no other subscriber.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::adopt::SubscriberWork;
use crate::model::{Date, Limit, Name, Subscriber};
use crate::plan::{DEFAULT_LIMIT, percent};
use crate::render::unserved;
use crate::repo::Repo;
use crate::text::count::counted;
use crate::text::quote::quoted;

/// A sentence for each domain that would lose more subscribers than its limit for removals.
pub fn beyond_limits(repo: &Repo, work: &SubscriberWork, today: Date) -> Vec<String> {
    let mut removed: BTreeMap<&Name, usize> = BTreeMap::new();
    for at in work.removed() {
        *removed.entry(&repo.subscribers[at].value.domain).or_default() += 1;
    }
    let mut served: BTreeMap<&Name, usize> = BTreeMap::new();
    for record in repo.subscribers.iter().filter(|record| removed.contains_key(&record.value.domain)) {
        let is_served = unserved(repo, &record.value, today).is_none();
        *served.entry(&record.value.domain).or_default() += usize::from(is_served);
    }
    let beyond = |(domain, removed): (&Name, usize)| {
        let total = served.get(domain).copied().unwrap_or_default();
        let limit = limit(repo, domain);
        // One of three leaves on any day; three of three are a mistake.
        (removed > 1 && limit.exceeded(removed, total)).then(|| {
            format!(
                "{removed} of {} of {} are not in the source and would be removed ({}), more than {limit}",
                counted(total, "subscriber", "subscribers"),
                quoted(domain.as_str()),
                percent(removed, total)
            )
        })
    };
    removed.into_iter().filter_map(beyond).collect()
}

fn limit(repo: &Repo, domain: &Name) -> Limit {
    let Some(safety) = &repo.settings.safety else { return DEFAULT_LIMIT };
    let of_domain = safety.domains.iter().find(|(name, _)| name.as_str() == domain.as_str());
    of_domain.and_then(|(_, limits)| limits.max_removed).or(safety.max_removed).unwrap_or(DEFAULT_LIMIT)
}

/// How many domains are listed, and of each how many subscribers.
const LISTED: usize = 10;

/// Who is removed, for a question: a line for each domain.
pub fn listed(removed: &[Subscriber], shown: &str) -> String {
    let mut domains: BTreeMap<&str, Vec<&Subscriber>> = BTreeMap::new();
    for subscriber in removed {
        domains.entry(subscriber.domain.as_str()).or_default().push(subscriber);
    }
    let mut out = format!("Not in {shown}, and removed by this import:\n");
    for (domain, removed) in domains.iter().take(LISTED) {
        let who: Vec<String> = removed.iter().take(LISTED).map(|subscriber| who(subscriber)).collect();
        let (count, more) = (counted(removed.len(), "subscriber", "subscribers"), and_more(removed.len()));
        let _ = writeln!(out, "  {count} of {}: {}{more}", quoted(domain), who.join(", "));
    }
    if domains.len() > LISTED {
        let rest: usize = domains.values().skip(LISTED).map(Vec::len).sum();
        let (rest, more) = (counted(rest, "subscriber", "subscribers"), domains.len() - LISTED);
        let _ = writeln!(out, "  {rest} of {}", counted(more, "other domain", "other domains"));
    }
    out + "To add and change only, and remove no subscriber: --add-only\n"
}

fn and_more(count: usize) -> String {
    if count > LISTED { format!(" and {} more", count - LISTED) } else { String::new() }
}

/// A subscriber by its first address and its name.
fn who(subscriber: &Subscriber) -> String {
    let address = subscriber.ip.first().map(ToString::to_string).unwrap_or_default();
    let name = subscriber.name.as_ref().map(|name| format!(" ({})", quoted(name.as_str())));
    address + &name.unwrap_or_default()
}
