//! Subscribers that match, sorted, in pages.

use std::cmp::Ordering;

use super::names;
use super::refusal::Refusal;
use super::view::{Viewer, status};
use crate::model::{Address, Subscriber};
use crate::repo::{Record, Repo};

/// Subscribers on a page where the request names no number.
pub const PAGE: usize = 50;

/// Which subscribers match by their status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StatusFilter {
    /// Not suspended.
    Active,
    /// Suspended.
    Suspended,
    /// With a line in the shaper file today.
    Served,
    /// Without one: suspended, not started, or ended.
    Unserved,
}

/// The sort key of a list; equal subscribers are sorted by address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SortField {
    /// IPv4 before IPv6, as numbers.
    #[default]
    Address,
    /// The domain.
    Domain,
    /// The plan.
    Plan,
    /// The name.
    Name,
    /// The id, or else ip@domain.
    Id,
    /// The status.
    Status,
    /// The first day of service.
    Starts,
    /// The first day without service.
    Ends,
}

/// Which subscribers, in which order, and which part of them.
#[derive(Clone, Debug, Default)]
pub struct SubscriberQuery<'q> {
    /// In the id, name, addresses, domain, plan or labels; an address also matches prefixes that hold it,
    /// a prefix also what lies in it.
    pub text: Option<&'q str>,
    /// Of this domain.
    pub domain: Option<&'q str>,
    /// With this plan.
    pub plan: Option<&'q str>,
    /// With this status.
    pub status: Option<StatusFilter>,
    /// The order.
    pub sort: SortField,
    /// The other way round.
    pub reverse: bool,
    /// How many to skip.
    pub offset: usize,
    /// How many at most; nothing is no limit.
    pub limit: Option<usize>,
}

/// A part of the subscribers that match.
pub struct Page<'r> {
    /// How many match in all.
    pub total: usize,
    /// How many were skipped.
    pub offset: usize,
    /// The page.
    pub subscribers: Vec<&'r Record<Subscriber>>,
}

impl SubscriberQuery<'_> {
    /// The subscribers of `repo` that match; whether they are served is as of the viewer's day.
    ///
    /// # Errors
    /// If it names a domain or a plan that does not exist and that no subscriber has.
    pub fn run<'r>(&self, repo: &'r Repo, viewer: &Viewer<'r>) -> Result<Page<'r>, Refusal> {
        self.names_exist(repo)?;
        let text = self.text.map(SearchText::new);
        let matches = |record: &&Record<Subscriber>| self.matches(text.as_ref(), &record.value, viewer);
        let mut matching: Vec<&Record<Subscriber>> = repo.subscribers.iter().filter(matches).collect();
        sort(&mut matching, self.sort);
        if self.reverse {
            matching.reverse();
        }
        let total = matching.len();
        let limit = self.limit.unwrap_or(usize::MAX);
        let subscribers = matching.into_iter().skip(self.offset).take(limit).collect();
        Ok(Page { total, offset: self.offset, subscribers })
    }

    fn names_exist(&self, repo: &Repo) -> Result<(), Refusal> {
        let mut all = repo.subscribers.iter().map(|record| &record.value);
        if let Some(name) = self.domain.filter(|name| all.clone().all(|one| one.domain.as_str() != *name)) {
            names::domain(repo, name)?;
        }
        if let Some(name) = self.plan.filter(|name| all.all(|one| one.plan.as_str() != *name)) {
            names::plan(repo, name)?;
        }
        Ok(())
    }

    fn matches(&self, text: Option<&SearchText>, subscriber: &Subscriber, viewer: &Viewer<'_>) -> bool {
        let status_matches = match self.status {
            None => true,
            Some(StatusFilter::Active) => status(subscriber) == "active",
            Some(StatusFilter::Suspended) => status(subscriber) == "suspended",
            Some(StatusFilter::Served) => viewer.reason(subscriber).is_none(),
            Some(StatusFilter::Unserved) => viewer.reason(subscriber).is_some(),
        };
        status_matches
            && self.domain.is_none_or(|domain| domain == subscriber.domain.as_str())
            && self.plan.is_none_or(|plan| plan == subscriber.plan.as_str())
            && text.is_none_or(|text| text.is_in(subscriber))
    }
}

/// A free text, and the address that it may be.
struct SearchText {
    lower: String,
    address: Option<Address>,
}

impl SearchText {
    fn new(text: &str) -> SearchText {
        SearchText { lower: text.to_lowercase(), address: text.parse().ok() }
    }

    fn is_in(&self, subscriber: &Subscriber) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.lower);
        let holds = |address: &Address| {
            let (net, own) = (address.net(), self.address.as_ref().map(Address::net));
            let meets = own.is_some_and(|own| net.contains(&own) || own.contains(&net));
            meets || has(&address.to_string())
        };
        subscriber.ip.as_slice().iter().any(holds)
            || has(&subscriber.key())
            || has(subscriber.domain.as_str())
            || has(subscriber.plan.as_str())
            || subscriber.name.as_ref().is_some_and(|name| has(name.as_str()))
            || subscriber.labels.iter().flat_map(|labels| labels.iter()).any(|(name, value)| has(name) || has(value))
    }
}

impl SortField {
    /// How two subscribers are sorted by this field; equal ones are sorted by address.
    pub(crate) fn compare(self, a: &Subscriber, b: &Subscriber) -> Ordering {
        match self {
            SortField::Address => Ordering::Equal,
            SortField::Domain => a.domain.cmp(&b.domain),
            SortField::Plan => a.plan.cmp(&b.plan),
            // Those without one last.
            SortField::Name => (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name)),
            SortField::Id => (a.id.is_none(), &a.id).cmp(&(b.id.is_none(), &b.id)),
            SortField::Status => status(a).cmp(status(b)),
            SortField::Starts => (a.starts.is_none(), a.starts).cmp(&(b.starts.is_none(), b.starts)),
            SortField::Ends => (a.ends.is_none(), a.ends).cmp(&(b.ends.is_none(), b.ends)),
        }
    }
}

fn sort(records: &mut [&Record<Subscriber>], by: SortField) {
    records.sort_by_cached_key(|record| record.value.ip.first().map(Address::sort_key));
    records.sort_by(|a, b| by.compare(&a.value, &b.value));
}
