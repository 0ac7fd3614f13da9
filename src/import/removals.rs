//! How many of a domain's subscribers an import may remove.
//!
//! The safety limits spare small domains, where one change is a large share. An import needs them at any
//! size: one row of a domain in a file says that the domain has no other subscriber.

use std::collections::BTreeMap;

use super::adopt::SubscriberWork;
use crate::model::{Date, Limit, Name};
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
