//! One round after the other, until told to stop.

use std::path::PathBuf;

use anyhow::Result;

use super::interval::Interval;
use super::journal::Journal;
use super::state::State;
use super::status::Status;
use super::stop::Stop;
use super::syncer::Syncer;
use super::systemd::notify;
use crate::records::moment::Moment;

/// How to go round.
pub struct Service {
    /// What is done.
    pub syncer: Syncer,
    /// Only one round.
    pub once: bool,
    /// The time from one to the next.
    pub interval: Interval,
    /// Where the status is written.
    pub status_file: Option<PathBuf>,
}

impl Service {
    /// Goes round until `stop` says so, or once. Gives how it was at the end; nothing if the first
    /// round was cut short.
    ///
    /// # Errors
    /// If the status file cannot be written at the start.
    pub fn run(mut self, stop: &Stop) -> Result<Option<Status>> {
        let mut journal = Journal::default();
        let mut status = Status::begin(self.status_file.as_deref(), self.syncer.upstream(), self.interval);
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
            self.tell(&status, &mut journal);
            ended = Some(status.clone());
            if self.once {
                break;
            }
            stop.sleep(pause);
        }
        notify("STOPPING=1");
        Ok(ended)
    }

    fn tell(&self, status: &Status, journal: &mut Journal) {
        match (&status.error, status.state) {
            (Some(error), State::Refused) if !status.frozen.is_empty() => {
                journal.trouble("", &format!("REFUSED in part: {error}"));
            }
            (Some(error), State::Refused) => {
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
