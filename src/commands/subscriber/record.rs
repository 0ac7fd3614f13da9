//! A subscriber as it is told to programs, and where it stands.

use serde::Serialize;

use crate::finding::Where;
use crate::locate::Locator;
use crate::model::{Address, Date, Plan, Subscriber};
use crate::render::{Unserved, unserved};
use crate::repo::{Record, Repo};

/// The version of the JSON of `list` and `show`.
pub(super) const JSON_VERSION: u32 = 1;

/// A subscriber in JSON: see docs/subscriber.md.
#[derive(Serialize)]
pub(super) struct Json<'r> {
    pub key: String,
    pub id: Option<&'r str>,
    pub ip: &'r [Address],
    pub domain: &'r str,
    pub plan: &'r str,
    pub up_bps: Option<u64>,
    pub down_bps: Option<u64>,
    pub name: Option<&'r str>,
    pub status: &'static str,
    pub starts: Option<String>,
    pub ends: Option<String>,
    pub labels: std::collections::BTreeMap<&'r str, &'r str>,
    pub served: bool,
    /// Why not.
    pub reason: Option<&'static str>,
    pub file: &'r str,
    pub line: usize,
}

/// Tells of records of one repository.
pub(super) struct Teller<'r> {
    repo: &'r Repo,
    today: Date,
    locator: Locator<'r>,
    plans: std::collections::HashMap<&'r str, &'r Plan>,
}

impl<'r> Teller<'r> {
    pub(super) fn new(repo: &'r Repo, today: Date) -> Self {
        let plans = repo.plans.iter().rev().map(|plan| (plan.value.name.as_str(), &plan.value)).collect();
        Self { repo, today, locator: Locator::new(&repo.sources), plans }
    }

    pub(super) fn plan(&self, subscriber: &Subscriber) -> Option<&'r Plan> {
        self.plans.get(subscriber.plan.as_str()).copied()
    }

    pub(super) fn json(&mut self, record: &'r Record<Subscriber>) -> Json<'r> {
        let subscriber = &record.value;
        let plan = self.plan(subscriber);
        let reason = self.reason(subscriber);
        let (file, line) = self.place(record);
        Json {
            key: subscriber.key(),
            id: subscriber.id.as_ref().map(|id| id.as_str()),
            ip: subscriber.ip.as_slice(),
            domain: subscriber.domain.as_str(),
            plan: subscriber.plan.as_str(),
            up_bps: plan.map(|plan| plan.up.bps()),
            down_bps: plan.map(|plan| plan.down.bps()),
            name: subscriber.name.as_ref().map(|name| name.as_str()),
            status: status(subscriber),
            starts: subscriber.starts.map(|date| date.to_string()),
            ends: subscriber.ends.map(|date| date.to_string()),
            labels: subscriber.labels.iter().flat_map(|labels| labels.iter()).collect(),
            served: reason.is_none(),
            reason,
            file,
            line,
        }
    }

    /// The record's file, and the line on which it starts.
    pub(super) fn place(&mut self, record: &Record<Subscriber>) -> (&'r str, usize) {
        let file = self.repo.sources.file(record.file);
        let span = self.locator.span(&Where::Place(record.place()));
        (file.path(), file.position(span.start).line)
    }

    /// Why a subscriber is not served, in a word.
    pub(super) fn reason(&self, subscriber: &Subscriber) -> Option<&'static str> {
        unserved(self.repo, subscriber, self.today).map(|reason| match reason {
            Unserved::Suspended => "suspended",
            Unserved::NotStarted => "not started",
            Unserved::Ended => "ended",
        })
    }
}

/// The status as it is written.
pub(super) fn status(subscriber: &Subscriber) -> &'static str {
    match subscriber.status {
        crate::model::SubscriberStatus::Active => "active",
        crate::model::SubscriberStatus::Suspended => "suspended",
    }
}
