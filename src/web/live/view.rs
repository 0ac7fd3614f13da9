//! What a client may see, and what it asks to see.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::picture::{Picture, Status};
use super::places::NONE;
use crate::web::access::Scope;

/// The most rows of a list.
pub(crate) const MAX_ROWS: usize = 10_000;

/// The longest text that is searched for, in bytes: the key of a subscriber, and what the page lets people write, are
/// shorter.
const MAX_SEARCH: usize = 400;

/// What a client may see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sight {
    /// The domains; `None` for all.
    domains: Option<BTreeSet<String>>,
    /// Whether it sees what belongs to no subscriber.
    pub(crate) unknown: bool,
}

impl Sight {
    pub(crate) fn of(scope: &Scope, operator: bool) -> Sight {
        Sight { domains: scope.domains().cloned(), unknown: operator && scope.is_all() }
    }

    pub(crate) fn sees(&self, domain: &str) -> bool {
        self.domains.as_ref().is_none_or(|domains| domains.contains(domain))
    }

    /// Whether it sees all domains.
    pub(super) fn is_whole(&self) -> bool {
        self.domains.is_none()
    }

    /// For each domain of a picture whether it is seen.
    pub(super) fn domains(&self, picture: &Picture) -> Vec<bool> {
        picture.places.domains.iter().map(|domain| self.sees(&domain.name)).collect()
    }
}

/// Rows of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum List {
    #[default]
    Subscribers,
    Series,
}

/// Which rows are kept if there are more than are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    /// The largest part of a plan's rate first.
    Use,
    #[default]
    Down,
    Up,
    /// By key or name.
    Key,
}

/// What a client asks to see: the message `watch`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct View {
    version: u32,
    r#type: String,
    pub(super) list: List,
    /// Only of this domain.
    domain: Option<String>,
    /// Only with one of these statuses.
    status: Vec<String>,
    /// Only with this text in the key, the address or the name.
    search: String,
    sort: Sort,
    limit: usize,
}

impl Default for View {
    fn default() -> View {
        View {
            version: 1,
            r#type: "watch".to_owned(),
            list: List::default(),
            domain: None,
            status: Vec::new(),
            search: String::new(),
            sort: Sort::default(),
            limit: 1000,
        }
    }
}

impl View {
    /// The view in a message of a client.
    ///
    /// # Errors
    /// What is wrong with it, for the client.
    pub(crate) fn read(text: &str) -> Result<View, &'static str> {
        // An object: serde would take a list, too.
        let object: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(text);
        let view = object.and_then(|object| serde_json::from_value(object.into()));
        let mut view: View = view.map_err(|_| "this is no message of version 1")?;
        let known = |word: &String| Status::ALL.iter().any(|status| status.word() == word);
        if view.version != 1 || view.r#type != "watch" || !view.status.iter().all(known) || view.status.len() > 6 {
            return Err("this is no message of version 1");
        }
        if view.search.len() > MAX_SEARCH {
            return Err("the text to search for is too long");
        }
        view.limit = view.limit.min(MAX_ROWS);
        view.search = view.search.to_lowercase();
        view.status.sort_unstable();
        view.status.dedup();
        Ok(view)
    }

    /// The numbers of the rows that are shown, in order, and how many there are.
    pub(super) fn select(&self, picture: &Picture, sight: &Sight) -> (Vec<u32>, usize) {
        let mut seen = sight.domains(picture);
        if let Some(wanted) = &self.domain {
            let domains = picture.places.domains.iter();
            seen.iter_mut().zip(domains).for_each(|(seen, domain)| *seen &= &*domain.name == wanted.as_str());
        }
        let statuses: Vec<Status> =
            Status::ALL.into_iter().filter(|status| self.status.iter().any(|word| word == status.word())).collect();
        let fits = |status: Status| statuses.is_empty() || statuses.contains(&status);
        let has = |text: &str| {
            self.search.is_empty() || text.contains(self.search.as_str()) || text.to_lowercase().contains(&self.search)
        };
        let in_sight = |domain: u32| seen.get(domain as usize).copied().unwrap_or(false);
        let places = &picture.places;
        let mut found: Vec<(f64, u32)> = match self.list {
            List::Subscribers => (0..)
                .zip(places.subscribers.iter().zip(&picture.subscribers))
                .filter(|(_, (one, now))| {
                    in_sight(one.domain) && fits(now.status) && (has(&one.key) || has(&one.address))
                })
                .map(|(number, (one, now))| {
                    let plan = places.plans.get(one.plan as usize);
                    let part = |used: f64, rate: u64| if rate > 0 { used / rate as f64 } else { 0.0 };
                    let rank = match self.sort {
                        Sort::Use => plan.map_or(0.0, |plan| part(now.up, plan.up).max(part(now.down, plan.down))),
                        Sort::Down => now.down,
                        Sort::Up => now.up,
                        Sort::Key => 0.0,
                    };
                    (rank, number)
                })
                .collect(),
            List::Series => (0..)
                .zip(places.series.iter().zip(&picture.series))
                .filter(|(_, (one, now))| {
                    let domain = places.domain_of(one);
                    let unowned = domain == NONE && self.domain.is_none() && sight.unknown;
                    (in_sight(domain) || unowned) && fits(now.status) && has(&one.name)
                })
                .map(|(number, (_, now))| {
                    let rank = match self.sort {
                        Sort::Use => now.up.max(now.down),
                        Sort::Down => now.down,
                        Sort::Up => now.up,
                        Sort::Key => 0.0,
                    };
                    (rank, number)
                })
                .collect(),
        };
        let total = found.len();
        let name = |number: u32| match self.list {
            List::Subscribers => places.subscribers.get(number as usize).map(|one| &*one.key),
            List::Series => places.series.get(number as usize).map(|one| &*one.name),
        };
        let order = |a: &(f64, u32), b: &(f64, u32)| match self.sort {
            Sort::Key => name(a.1).cmp(&name(b.1)),
            _ => b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)),
        };
        if total > self.limit {
            found.select_nth_unstable_by(self.limit, order);
            found.truncate(self.limit);
        }
        found.sort_unstable_by(order);
        (found.into_iter().map(|(_, number)| number).collect(), total)
    }
}
