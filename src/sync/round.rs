//! The result of one round.

use git2::Oid;

use super::snapshot::TargetSnapshot;
use super::state::{SyncState, TargetStatus};
use crate::publish::freeze::Frozen;

/// The result of a round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// The tip of the branch, if known.
    pub(crate) commit: Option<Oid>,
    /// Whether the process was asked to end before the round was complete.
    pub(crate) cut_short: bool,
    /// Error of the round as a whole: a sentence.
    pub(crate) error: Option<String>,
    /// The gravity of that error.
    gravity: Option<SyncState>,
    pub(crate) targets: Vec<TargetStatus>,
    /// Domains that stay at an earlier commit because their later data has errors.
    pub(crate) frozen: Vec<Frozen>,
    /// Targets whose live file was restored, each with a sentence.
    pub(super) restored: Vec<(String, String)>,
    /// The state of each target at the end; `None` if the next round must try it again in any case.
    pub(super) seen: Vec<Option<TargetSnapshot>>,
}

impl Round {
    /// The gravest state of all targets and of the round.
    pub(crate) fn state(&self) -> SyncState {
        let targets = self.targets.iter().map(|target| target.state);
        targets.chain(self.gravity).max().unwrap_or(SyncState::Ok)
    }

    /// Whether the round failed as a whole, not only on a target.
    pub(super) fn failed(&self) -> bool {
        self.gravity == Some(SyncState::Failing)
    }

    pub(super) fn of(commit: Oid) -> Round {
        Round { commit: Some(commit), ..Round::default() }
    }

    pub(super) fn cut_short() -> Round {
        Round { cut_short: true, ..Round::default() }
    }

    /// Adds an error of the round as a whole.
    pub(super) fn with(mut self, gravity: SyncState, error: String) -> Round {
        (self.gravity, self.error) = (Some(gravity), Some(error));
        self
    }

    pub(super) fn add(&mut self, (status, seen): (TargetStatus, Option<TargetSnapshot>)) {
        self.targets.push(status);
        self.seen.push(seen);
    }
}
