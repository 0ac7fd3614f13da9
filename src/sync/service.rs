//! Runs rounds until a signal ends it.

use std::path::PathBuf;

use anyhow::Result;

use super::interval::Interval;
use super::journal::Journal;
use super::notify::notify_of;
use super::state::SyncState;
use super::status::SyncStatus;
use super::stop::StopSignal;
use super::syncer::Syncer;
use super::systemd::notify;
use crate::notification::notifier::Notifier;
use crate::records::moment::Moment;

/// The settings of the service.
pub(crate) struct SyncService<'n> {
    pub(crate) syncer: Syncer,
    /// Whether to run only one round.
    pub(crate) once: bool,
    pub(crate) interval: Interval,
    pub(crate) status_file: Option<PathBuf>,
    pub(crate) notifier: &'n Notifier,
    /// Called after each round.
    pub(crate) after: &'n mut dyn FnMut(),
}

impl SyncService<'_> {
    /// Runs rounds until `stop` is set, or one. Returns the last status; `None` if the first round was cut
    /// short.
    ///
    /// # Errors
    /// If the status file cannot be written at the start.
    pub(crate) fn run(mut self, stop: &StopSignal) -> Result<Option<SyncStatus>> {
        let mut journal = Journal::default();
        let mut status = SyncStatus::begin(self.status_file.as_deref(), self.syncer.upstream(), self.interval);
        if let Some(path) = &self.status_file {
            status.write(path)?;
        }
        notify("READY=1");
        let mut ended = None;
        while !stop.asked() {
            let began = Moment::now();
            let round = self.syncer.round(stop, &mut journal);
            if round.cut_short {
                break;
            }
            status.note(&round, began);
            let pause = self.interval.after(status.failures);
            if !self.once {
                status.note_next(pause);
            }
            self.report(&status, &mut journal);
            notify_of(self.notifier, &status, &round.restored);
            (self.after)();
            ended = Some(status.clone());
            if self.once {
                break;
            }
            stop.sleep(pause);
        }
        notify("STOPPING=1");
        Ok(ended)
    }

    fn report(&self, status: &SyncStatus, journal: &mut Journal) {
        match (&status.error, status.state) {
            (Some(error), SyncState::Refused) if !status.frozen.is_empty() => {
                journal.trouble("", &format!("REFUSED in part: {error}"));
            }
            (Some(error), SyncState::Refused) => {
                journal.trouble("", &format!("REFUSED, what was published stays: {error}"));
            }
            (Some(error), _) => journal.trouble("", &format!("FAILED, what was published stays: {error}")),
            (None, _) => journal.fine(""),
        }
        if let Some(path) = &self.status_file
            && let Err(error) = status.write(path)
        {
            journal.trouble("status", &format!("{error:#}"));
        }
        notify(&format!("WATCHDOG=1\nSTATUS={}", status.state.as_str()));
    }
}
