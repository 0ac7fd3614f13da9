//! Who is served today, by address: the rows from which every output is made.

use std::collections::HashMap;
use std::sync::Arc;

use crate::inventory::Context;
use crate::model::{Address, Coming, Date, Domain, Name, Plan, Status, Subscriber, Suspended};
use crate::repo::{Record, Repo};

/// One address of one served subscriber.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Row {
    subscriber: u32,
    position: u32,
    plan: u32,
}

/// All rows, IPv4 before IPv6, by address as a number. Owns the data, as templates need it to.
#[derive(Debug)]
pub struct Table {
    repo: Arc<Repo>,
    rows: Vec<Row>,
    today: Date,
}

/// Why a subscriber is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// It is suspended, and the settings leave such subscribers out.
    Suspended,
    /// Its first day has not come.
    NotStarted,
    /// Its last day is over.
    Ended,
}

/// Whether and why `subscriber` is not served on `today`.
pub fn unserved(repo: &Repo, subscriber: &Subscriber, today: Date) -> Option<Unserved> {
    if subscriber.starts.is_some_and(|starts| today < starts) {
        Some(Unserved::NotStarted)
    } else if subscriber.ends.is_some_and(|ends| ends <= today) {
        Some(Unserved::Ended)
    } else if subscriber.status == Status::Suspended && repo.settings.suspended == Suspended::Omit {
        Some(Unserved::Suspended)
    } else {
        None
    }
}

impl Table {
    /// The rows of `repo`, which is `context`'s too.
    ///
    /// A subscriber whose plan is not known has no row: the rules refuse such data before.
    pub fn new(repo: &Arc<Repo>, context: &Context<'_>) -> Self {
        Self::of(repo, context, |reason| reason.is_none())
    }

    /// The rows of `repo` with those of subscribers whose terms have not begun: what a template must be
    /// able to write on some later day. Nothing if there is no such subscriber.
    pub(super) fn with_coming(repo: &Arc<Repo>, context: &Context<'_>) -> Option<Self> {
        let begins = |reason| reason == Some(Unserved::NotStarted);
        let any = repo.subscribers.iter().any(|record| begins(unserved(repo, &record.value, context.today)));
        any.then(|| Self::of(repo, context, |reason| reason.is_none() || begins(reason)))
    }

    fn of(repo: &Arc<Repo>, context: &Context<'_>, has_rows: impl Fn(Option<Unserved>) -> bool) -> Self {
        let plans: HashMap<&str, u32> =
            repo.plans.iter().enumerate().rev().map(|(at, plan)| (plan.value.name.as_str(), at as u32)).collect();
        let mut rows = Vec::with_capacity(context.holdings().len());
        for holding in context.holdings().in_order() {
            let subscriber = &repo.subscribers[holding.owner as usize].value;
            if !has_rows(unserved(repo, subscriber, context.today)) {
                continue;
            }
            if let Some(&plan) = plans.get(effective_plan(repo, subscriber).as_str()) {
                rows.push(Row { subscriber: holding.owner, position: holding.position, plan });
            }
        }
        Self { repo: repo.clone(), rows, today: context.today }
    }

    /// A table of `rows` that were another table's; nothing if one has no record in `repo`.
    #[cfg(unix)]
    pub(super) fn from_rows(repo: Arc<Repo>, rows: Vec<Row>, today: Date) -> Option<Self> {
        let known = |row: &Row| {
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

    /// The day for which the rows hold.
    pub fn today(&self) -> Date {
        self.today
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nobody is served.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The subscriber of a row.
    pub fn subscriber(&self, row: Row) -> &Record<Subscriber> {
        &self.repo.subscribers[row.subscriber as usize]
    }

    /// A number that all rows of one subscriber share, and no other.
    pub fn subscriber_number(&self, row: Row) -> u32 {
        row.subscriber
    }

    /// The address of a row.
    pub fn address(&self, row: Row) -> &Address {
        &self.subscriber(row).value.ip.as_slice()[row.position as usize]
    }

    /// The plan that the subscriber of a row is served with.
    pub fn plan(&self, row: Row) -> &Plan {
        &self.repo.plans[row.plan as usize].value
    }

    /// That plan's place in [`Repo::plans`].
    pub fn plan_number(&self, row: Row) -> u32 {
        row.plan
    }

    /// Every subscriber that is served or will be, by its number, with the plan that it is served with
    /// and what is left of its term.
    pub fn coming_or_served(&self) -> impl Iterator<Item = (u32, &Record<Subscriber>, &Plan, Coming)> {
        let plans: HashMap<&str, &Plan> =
            self.repo.plans.iter().rev().map(|plan| (plan.value.name.as_str(), &plan.value)).collect();
        (0..).zip(&self.repo.subscribers).filter_map(move |(number, record)| {
            let subscriber = &record.value;
            let coming = subscriber.coming(self.today)?;
            if subscriber.status == Status::Suspended && self.repo.settings.suspended == Suspended::Omit {
                return None;
            }
            let plan = plans.get(effective_plan(&self.repo, subscriber).as_str())?;
            Some((number, record, *plan, coming))
        })
    }

    /// The same of those whose term begins or ends on a later day.
    pub fn coming(&self) -> impl Iterator<Item = (u32, &Record<Subscriber>, &Plan, Coming)> {
        self.coming_or_served().filter(|(.., coming)| coming.begins.is_some() || coming.ends.is_some())
    }

    /// The domain records, by name; used by whole-document templates.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.repo.domains.iter().map(|domain| &domain.value)
    }
}

/// The plan a subscriber is served with: its own, or the one for the suspended.
fn effective_plan<'a>(repo: &'a Repo, subscriber: &'a Subscriber) -> &'a Name {
    match (&repo.settings.suspended, subscriber.status) {
        (Suspended::Plan(plan), Status::Suspended) => plan,
        _ => &subscriber.plan,
    }
}
