//! A subscriber as data: the record, its rates, whether it is served, its place in the files.

use serde::Serialize;

use crate::finding::Where;
use crate::locate::Locator;
use crate::model::{Address, Date, Plan, Subscriber};
use crate::render::{Unserved, unserved};
use crate::repo::{Record, Repo};

/// A subscriber with everything that programs ask for; docs/subscriber.md documents the JSON.
#[derive(Debug, Serialize)]
pub struct SubscriberView<'r> {
    /// `address@domain`.
    pub key: String,
    /// The record's own id.
    pub id: Option<&'r str>,
    /// Addresses and prefixes.
    pub ip: &'r [Address],
    /// Its domain.
    pub domain: &'r str,
    /// Its plan.
    pub plan: &'r str,
    /// The plan's rate up in bit/s; nothing for an unknown plan.
    pub up_bps: Option<u64>,
    /// The plan's rate down in bit/s.
    pub down_bps: Option<u64>,
    /// Free text.
    pub name: Option<&'r str>,
    /// `active` or `suspended`.
    pub status: &'static str,
    /// First day of service.
    pub starts: Option<String>,
    /// First day without service.
    pub ends: Option<String>,
    /// Labels by name.
    pub labels: std::collections::BTreeMap<&'r str, &'r str>,
    /// Whether it has a line in the shaper file today.
    pub served: bool,
    /// Why it has none, in a word.
    pub reason: Option<&'static str>,
    /// The path of its file.
    pub file: &'r str,
    /// The line on which its record starts.
    pub line: usize,
}

/// Makes views of the records of one repository.
pub struct Viewer<'r> {
    repo: &'r Repo,
    today: Date,
    locator: Locator<'r>,
    plans: std::collections::HashMap<&'r str, &'r Plan>,
}

impl<'r> Viewer<'r> {
    /// Views as of `today`.
    pub fn new(repo: &'r Repo, today: Date) -> Self {
        let plans = repo.plans.iter().rev().map(|plan| (plan.value.name.as_str(), &plan.value)).collect();
        Self { repo, today, locator: Locator::new(&repo.sources), plans }
    }

    /// The subscriber's plan, if there is one of that name.
    pub fn plan(&self, subscriber: &Subscriber) -> Option<&'r Plan> {
        self.plans.get(subscriber.plan.as_str()).copied()
    }

    /// The view of a record.
    pub fn view(&mut self, record: &'r Record<Subscriber>) -> SubscriberView<'r> {
        let subscriber = &record.value;
        let plan = self.plan(subscriber);
        let reason = self.reason(subscriber);
        let (file, line) = self.place(record);
        SubscriberView {
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
    pub fn place(&mut self, record: &Record<Subscriber>) -> (&'r str, usize) {
        let file = self.repo.sources.file(record.file);
        let span = self.locator.span(&Where::Place(record.place()));
        (file.path(), file.position(span.start).line)
    }

    /// Why a subscriber is not served, in a word.
    pub fn reason(&self, subscriber: &Subscriber) -> Option<&'static str> {
        unserved_reason(self.repo, subscriber, self.today)
    }
}

/// Why a subscriber is not served on a day, in a word.
pub fn unserved_reason(repo: &Repo, subscriber: &Subscriber, today: Date) -> Option<&'static str> {
    unserved(repo, subscriber, today).map(|reason| match reason {
        Unserved::Suspended => "suspended",
        Unserved::NotStarted => "not started",
        Unserved::Ended => "ended",
    })
}

/// The status as it is written.
pub fn status(subscriber: &Subscriber) -> &'static str {
    match subscriber.status {
        crate::model::SubscriberStatus::Active => "active",
        crate::model::SubscriberStatus::Suspended => "suspended",
    }
}
