//! The work on one target.

use anyhow::{Error, Result};

use super::heal::heal;
use super::journal::Journal;
use super::refusal;
use super::snapshot::TargetSnapshot;
use super::state::{SyncState, TargetStatus};
use super::stop::{LockWait, StopSignal};
use crate::model::Target;
use crate::publish::data::Data;
use crate::publish::drift::{Drift, DriftKind};
use crate::publish::remedy::Words;
use crate::publish::run::{PublishOptions, PublishOutcome, TargetReport, publish};
use crate::publish::site::Site;
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::text::quote::{harmless, short_id};

/// Works on one target after the other, and writes to the journal.
pub(super) struct Worker<'w> {
    pub(super) who: &'w Operator,
    pub(super) patience: Patience,
    pub(super) words: Words,
    pub(super) stop: &'w StopSignal,
    pub(super) journal: &'w mut Journal,
    /// Targets whose live file was restored, each with a sentence.
    pub(super) restored: Vec<(String, String)>,
}

/// The status of a target and its fingerprint; `None` if the wait for its lock was given up because the
/// process is ending.
pub(super) type TargetOutcome = Option<(TargetStatus, Option<TargetSnapshot>)>;

impl Worker<'_> {
    /// Restores a changed live file, and publishes.
    pub(super) fn publish(&mut self, target: &Target, data: &Data) -> TargetOutcome {
        let name = target.name.as_str();
        let wanted = || {
            let site = Site::open(target).ok()?;
            let drift = Drift::look(&site, target, data).ok().filter(|drift| drift.kind() == DriftKind::Same)?;
            Some(drift.declared.digest.clone())
        };
        // Publish even if healing failed: it may repair the target, and reports what it cannot repair.
        let not_healed = self.heal(target, &wanted)?.err();
        let options = PublishOptions {
            who: self.who.clone(),
            patience: self.patience,
            planned: None,
            acknowledged: None,
            dry_run: false,
            quiet: true,
            words: self.words,
        };
        let mut wait = LockWait::new(name, self.stop);
        let mut report = publish(target, data, &options, &mut |holder| wait.notice(holder));
        if wait.given_up {
            return None;
        }
        for note in &report.notes {
            self.journal.event(name, note);
        }
        if let Some(error) = not_healed.filter(|_| report.ended != PublishOutcome::Published) {
            report.ended = PublishOutcome::Failed;
            if !report.reasons.contains(&sentence(&error)) {
                report.reasons.insert(0, sentence(&error));
            }
        }
        let seen = TargetSnapshot::now(target).ok().flatten();
        let status = status(target, state(&report, seen.as_ref()), &report.reasons, seen.as_ref());
        self.report(&status, &report);
        // A file that was changed meanwhile must not count as published, and a failure is always tried
        // again.
        Some((status, seen.filter(|seen| report.ended != PublishOutcome::Failed && seen.live == report.digest)))
    }

    fn report(&mut self, status: &TargetStatus, report: &TargetReport) {
        let (name, why) = (&status.target, status.reasons.join("; "));
        match status.state {
            SyncState::Ok | SyncState::Starting => self.journal.fine(name),
            SyncState::Held => self.journal.trouble(name, &format!("HELD: {why}")),
            SyncState::Refused => self.journal.trouble(name, &format!("REFUSED: {why}")),
            SyncState::Failing => self.journal.trouble(name, &format!("FAILED: {why}")),
        }
        if report.ended == PublishOutcome::Published {
            self.journal.event(name, &published(report));
        }
    }

    /// Only restores a changed live file: nothing can be published, for a reason as grave as `gravity`.
    pub(super) fn keep(&mut self, target: &Target, gravity: SyncState) -> TargetOutcome {
        let healed = self.heal(target, &|| None)?;
        let seen = TargetSnapshot::now(target).ok().flatten();
        Some(match healed {
            Ok(()) => {
                let status = status(target, gravity, &[], seen.as_ref());
                (status, seen.filter(|seen| seen.published.is_none() || seen.live.as_ref() == seen.published_digest()))
            }
            Err(error) => {
                let status = status(target, SyncState::Failing, &[sentence(&error)], seen.as_ref());
                self.journal.trouble(&status.target, &format!("FAILED: {}", sentence(&error)));
                (status, None)
            }
        })
    }

    /// `None` if the wait for the lock was given up.
    fn heal(&mut self, target: &Target, wanted: &dyn Fn() -> Option<String>) -> Option<Result<()>> {
        let name = target.name.as_str();
        let mut wait = LockWait::new(name, self.stop);
        let notice = &mut |holder: &str| wait.notice(holder);
        let healed = Site::open(target).and_then(|site| heal(&site, wanted, self.who, self.patience, notice));
        if wait.given_up {
            return None;
        }
        Some(healed.map(|healed| {
            if let Some(healed) = healed {
                let restored = format!("{}; version {} is live again", healed.found, healed.version);
                self.journal.event(name, &restored);
                self.restored.push((name.to_owned(), restored));
            }
        }))
    }

    /// Adds the refusal of `commit` to the target's log; `false` if that failed.
    pub(super) fn log_refusal(&mut self, target: &Target, commit: &str, reason: &str) -> bool {
        let name = target.name.as_str();
        let mut wait = LockWait::new(name, self.stop);
        let notice = &mut |holder: &str| wait.notice(holder);
        let logged =
            Site::open(target).and_then(|site| refusal::record(&site, commit, reason, self.who, self.patience, notice));
        if let Err(error) = &logged
            && !wait.given_up
        {
            self.journal.trouble(name, &format!("the refusal could not be logged: {}", sentence(error)));
        }
        logged.is_ok()
    }
}

/// An error on one line.
pub(super) fn sentence(error: &Error) -> String {
    harmless(&format!("{error:#}"), 2000)
}

fn state(report: &TargetReport, seen: Option<&TargetSnapshot>) -> SyncState {
    match report.ended {
        PublishOutcome::Published | PublishOutcome::Unchanged | PublishOutcome::Planned => SyncState::Ok,
        PublishOutcome::Refused if seen.is_some_and(|seen| seen.held.is_some()) => SyncState::Held,
        PublishOutcome::Refused => SyncState::Refused,
        PublishOutcome::Failed => SyncState::Failing,
    }
}

fn status(target: &Target, state: SyncState, reasons: &[String], seen: Option<&TargetSnapshot>) -> TargetStatus {
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
