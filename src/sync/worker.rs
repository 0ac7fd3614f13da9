//! What is done on one target.

use anyhow::{Error, Result};

use super::heal::heal;
use super::journal::Journal;
use super::refusal;
use super::seen::Seen;
use super::state::{State, TargetStatus};
use super::stop::Stop;
use crate::model::Target;
use crate::publish::data::Data;
use crate::publish::drift::{Drift, DriftKind};
use crate::publish::run::{PublishOptions, PublishOutcome, TargetReport, publish};
use crate::publish::site::Site;
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::store::digest;
use crate::text::quote::harmless;
use crate::text::quote::short_id;

/// Works on one target after the other, and tells the journal.
pub(super) struct Worker<'w> {
    pub(super) who: &'w Operator,
    pub(super) patience: Patience,
    pub(super) stop: &'w Stop,
    pub(super) journal: &'w mut Journal,
}

/// How it is with a target, and what was seen of it.
pub(super) type Done = (TargetStatus, Option<Seen>);

impl Worker<'_> {
    /// Puts back what somebody else changed, and publishes.
    pub(super) fn publish(&mut self, target: &Target, data: &Data) -> Done {
        let name = target.name.as_str();
        let wanted = || {
            let site = Site::open(target).ok()?;
            let drift = Drift::look(&site, target, data).ok().filter(|drift| drift.kind() == DriftKind::Same)?;
            Some(digest(drift.declared.as_bytes()))
        };
        // Whatever came of it: the publish may mend it, and tells what it cannot.
        let not_healed = self.heal(target, &wanted).err();
        let options = PublishOptions {
            who: self.who.clone(),
            patience: self.patience,
            planned: None,
            acknowledged: None,
            dry_run: false,
            quiet: true,
        };
        let mut report = publish(target, data, &options, &mut notice(name, self.stop));
        for note in &report.notes {
            self.journal.event(name, note);
        }
        if let Some(error) = not_healed.filter(|_| report.ended != PublishOutcome::Published) {
            report.ended = PublishOutcome::Failed;
            if !report.reasons.contains(&sentence(&error)) {
                report.reasons.insert(0, sentence(&error));
            }
        }
        let seen = Seen::now(target).ok().flatten();
        let status = status(target, state(&report, seen.as_ref()), &report.reasons, seen.as_ref());
        self.tell(&status, &report);
        // What somebody did to the file meanwhile must not pass for what is to be. And what failed
        // is tried again, whatever it looks like.
        (status, seen.filter(|seen| report.ended != PublishOutcome::Failed && seen.live == report.digest))
    }

    fn tell(&mut self, status: &TargetStatus, report: &TargetReport) {
        let (name, why) = (&status.target, status.reasons.join("; "));
        match status.state {
            State::Ok | State::Starting => self.journal.fine(name),
            State::Held => self.journal.trouble(name, &format!("HELD: {why}")),
            State::Refused => self.journal.trouble(name, &format!("REFUSED: {why}")),
            State::Failing => self.journal.trouble(name, &format!("FAILED: {why}")),
        }
        if report.ended == PublishOutcome::Published {
            self.journal.event(name, &published(report));
        }
    }

    /// Puts back what somebody else changed, and no more: there is nothing to publish, for a reason
    /// as grave as `gravity`.
    pub(super) fn keep(&mut self, target: &Target, gravity: State) -> Done {
        let healed = self.heal(target, &|| None);
        let seen = Seen::now(target).ok().flatten();
        match healed {
            Ok(()) => {
                let status = status(target, gravity, &[], seen.as_ref());
                (status, seen.filter(|seen| seen.published.is_none() || seen.live.as_ref() == seen.published_digest()))
            }
            Err(error) => {
                let status = status(target, State::Failing, &[sentence(&error)], seen.as_ref());
                self.journal.trouble(&status.target, &format!("FAILED: {}", sentence(&error)));
                (status, None)
            }
        }
    }

    fn heal(&mut self, target: &Target, wanted: &dyn Fn() -> Option<String>) -> Result<()> {
        let name = target.name.as_str();
        let site = Site::open(target)?;
        let healed = heal(&site, wanted, self.who, self.patience, &mut notice(name, self.stop))?;
        if let Some(healed) = healed {
            self.journal.event(name, &format!("{}; version {} is live again", healed.found, healed.version));
        }
        Ok(())
    }

    /// Tells the target's log that `commit` is refused. Whether it could be told.
    pub(super) fn tell_refusal(&mut self, target: &Target, commit: &str, reason: &str) -> bool {
        let name = target.name.as_str();
        let notice = &mut notice(name, self.stop);
        let told =
            Site::open(target).and_then(|site| refusal::record(&site, commit, reason, self.who, self.patience, notice));
        if let Err(error) = &told {
            self.journal.trouble(name, &format!("the log could not be told of a refusal: {}", sentence(error)));
        }
        told.is_ok()
    }
}

/// Tells for whom one waits. Whoever is asked to end does not wait on: nothing is begun yet that
/// would have to be brought to an end.
fn notice(name: &str, stop: &Stop) -> impl FnMut(&str) {
    let mut told = String::new();
    move |who| {
        if stop.asked() {
            stop.leave();
        }
        if told != who {
            Journal::default().event(name, &format!("waiting for {who}"));
            who.clone_into(&mut told);
        }
    }
}

/// An error in a line.
pub(super) fn sentence(error: &Error) -> String {
    harmless(&format!("{error:#}"), 2000)
}

fn state(report: &TargetReport, seen: Option<&Seen>) -> State {
    match report.ended {
        PublishOutcome::Published | PublishOutcome::Unchanged | PublishOutcome::Planned => State::Ok,
        PublishOutcome::Refused if seen.is_some_and(|seen| seen.held.is_some()) => State::Held,
        PublishOutcome::Refused => State::Refused,
        PublishOutcome::Failed => State::Failing,
    }
}

fn status(target: &Target, state: State, reasons: &[String], seen: Option<&Seen>) -> TargetStatus {
    let live = seen.and_then(|seen| seen.published.as_ref());
    TargetStatus {
        target: target.name.to_string(),
        state,
        version: live.map(|live| live.version.id),
        digest: live.map(|live| live.version.digest.clone()),
        commit: live.and_then(|live| live.version.commit.clone()),
        since: live.map(|live| live.since),
        reasons: reasons.iter().map(|reason| harmless(reason, 2000)).collect(),
    }
}

fn published(report: &TargetReport) -> String {
    let version = report.version.unwrap_or_default();
    let commit = short_id(report.commit.as_deref().unwrap_or_default());
    let changes = report.changes.map(|changes| changes.to_string()).unwrap_or_default();
    let log: String = report.log.as_deref().unwrap_or_default().chars().take(19).collect();
    format!("version {version} is live: {changes} (commit {commit}, log {log})")
}
