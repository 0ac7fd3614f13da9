//! The subscribers served today, by address: the rows of every output.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::inventory::Context;
use crate::model::{Address, Date, Domain, Name, Plan, RemainingTerm, Subscriber, SubscriberStatus, Suspended};
use crate::repo::{Record, Repo};

/// One address of one served subscriber.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct ServedAddress {
    subscriber: u32,
    position: u32,
    plan: u32,
}

/// All rows, IPv4 before IPv6, by address as a number. Owns the data, because templates need values
/// without a lifetime.
#[derive(Debug)]
pub struct Table {
    repo: Arc<Repo>,
    rows: Vec<ServedAddress>,
    today: Date,
}

/// Why a subscriber is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// It is suspended, and the settings omit suspended subscribers.
    Suspended,
    /// Its term has not begun.
    NotStarted,
    /// Its term is over.
    Ended,
}

/// Whether and why `subscriber` is not served on `today`.
pub(crate) fn unserved(repo: &Repo, subscriber: &Subscriber, today: Date) -> Option<Unserved> {
    if subscriber.starts.is_some_and(|starts| today < starts) {
        Some(Unserved::NotStarted)
    } else if subscriber.ends.is_some_and(|ends| ends <= today) {
        Some(Unserved::Ended)
    } else if subscriber.status == SubscriberStatus::Suspended && repo.settings.suspended == Suspended::Omit {
        Some(Unserved::Suspended)
    } else {
        None
    }
}

impl Table {
    /// The rows of `repo`, which must be the one of `context`.
    ///
    /// A subscriber with an unknown plan has no row: the rules refuse such data before.
    pub fn new(repo: &Arc<Repo>, context: &Context<'_>) -> Self {
        Self::of(repo, context, |reason| reason.is_none())
    }

    /// The rows of `repo` and those of subscribers whose terms have not begun, which a template must be
    /// able to write on a later day. `None` if there is no such subscriber.
    pub(super) fn with_coming(repo: &Arc<Repo>, context: &Context<'_>) -> Option<Self> {
        let begins = |reason| reason == Some(Unserved::NotStarted);
        let any = repo.subscribers.iter().any(|record| begins(unserved(repo, &record.value, context.today)));
        any.then(|| Self::of(repo, context, |reason| reason.is_none() || begins(reason)))
    }

    fn of(repo: &Arc<Repo>, context: &Context<'_>, has_rows: impl Fn(Option<Unserved>) -> bool) -> Self {
        let plans: HashMap<&str, u32, RandomState> =
            repo.plans.iter().enumerate().rev().map(|(at, plan)| (plan.value.name.as_str(), at as u32)).collect();
        let mut rows = Vec::with_capacity(context.holdings().len());
        for holding in context.holdings().in_order() {
            let subscriber = &repo.subscribers[holding.owner as usize].value;
            if !has_rows(unserved(repo, subscriber, context.today)) {
                continue;
            }
            if let Some(&plan) = plans.get(effective_plan(repo, subscriber).as_str()) {
                rows.push(ServedAddress { subscriber: holding.owner, position: holding.position, plan });
            }
        }
        Self { repo: repo.clone(), rows, today: context.today }
    }

    /// A table of the `rows` of another table; `None` if one has no record in `repo`.
    #[cfg(unix)]
    pub(super) fn from_rows(repo: Arc<Repo>, rows: Vec<ServedAddress>, today: Date) -> Option<Self> {
        let known = |row: &ServedAddress| {
            let subscriber = repo.subscribers.get(row.subscriber as usize)?;
            subscriber.value.ip.as_slice().get(row.position as usize)?;
            repo.plans.get(row.plan as usize).map(drop)
        };
        rows.iter().all(|row| known(row).is_some()).then(|| Self { repo: repo.clone(), rows, today })
    }

    /// The data.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// The day of the rows.
    pub(crate) fn today(&self) -> Date {
        self.today
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no subscriber is served.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    pub(crate) fn rows(&self) -> &[ServedAddress] {
        &self.rows
    }
    pub(crate) fn subscriber(&self, row: ServedAddress) -> &Record<Subscriber> {
        &self.repo.subscribers[row.subscriber as usize]
    }

    /// The index of the row's subscriber in [`Repo::subscribers`].
    pub(crate) fn subscriber_number(&self, row: ServedAddress) -> u32 {
        row.subscriber
    }
    pub(crate) fn address(&self, row: ServedAddress) -> &Address {
        &self.subscriber(row).value.ip.as_slice()[row.position as usize]
    }

    /// The plan that the subscriber of a row is served with.
    pub(crate) fn plan(&self, row: ServedAddress) -> &Plan {
        &self.repo.plans[row.plan as usize].value
    }

    /// The index of that plan in [`Repo::plans`].
    pub(crate) fn plan_number(&self, row: ServedAddress) -> u32 {
        row.plan
    }

    /// Every subscriber that is or will be served: its index, its record, the plan it is served with,
    /// and the rest of its term.
    pub(crate) fn coming_or_served(&self) -> impl Iterator<Item = (u32, &Record<Subscriber>, &Plan, RemainingTerm)> {
        self.with_term(|_| true)
    }

    /// The subscribers among them whose term begins or ends on a later day.
    pub(crate) fn coming(&self) -> impl Iterator<Item = (u32, &Record<Subscriber>, &Plan, RemainingTerm)> {
        self.with_term(|coming| coming.begins.is_some() || coming.ends.is_some())
    }

    fn with_term(
        &self,
        wanted: impl Fn(&RemainingTerm) -> bool,
    ) -> impl Iterator<Item = (u32, &Record<Subscriber>, &Plan, RemainingTerm)> {
        let plans: HashMap<&str, &Plan, RandomState> =
            self.repo.plans.iter().rev().map(|plan| (plan.value.name.as_str(), &plan.value)).collect();
        (0..).zip(&self.repo.subscribers).filter_map(move |(number, record)| {
            let subscriber = &record.value;
            let coming = subscriber.remaining_term(self.today).filter(&wanted)?;
            if subscriber.status == SubscriberStatus::Suspended && self.repo.settings.suspended == Suspended::Omit {
                return None;
            }
            let plan = plans.get(effective_plan(&self.repo, subscriber).as_str())?;
            Some((number, record, *plan, coming))
        })
    }

    /// The domain records, by name; used by whole-document templates.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.repo.domains.iter().map(|domain| &domain.value)
    }
}

/// The plan a subscriber is served with: its own, or the one for suspended subscribers.
fn effective_plan<'a>(repo: &'a Repo, subscriber: &'a Subscriber) -> &'a Name {
    match (&repo.settings.suspended, subscriber.status) {
        (Suspended::Plan(plan), SubscriberStatus::Suspended) => plan,
        _ => &subscriber.plan,
    }
}
