//! What became of one round.

use git2::Oid;

use super::seen::Seen;
use super::state::{State, TargetStatus};
use crate::publish::freeze::Frozen;

/// What became of a round.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// The commit that the branch is at, as far as is known.
    pub commit: Option<Oid>,
    /// The end was asked for before the round was over: what is told here is not all.
    pub cut_short: bool,
    /// What is wrong with the whole: a sentence.
    pub error: Option<String>,
    /// How grave that is.
    gravity: Option<State>,
    /// The targets.
    pub targets: Vec<TargetStatus>,
    /// Domains that are as they were in an earlier commit, because later data of them has errors.
    pub frozen: Vec<Frozen>,
    /// What was seen of each at the end; nothing where one should look again whatever one sees.
    pub(super) seen: Vec<Option<Seen>>,
}

impl Round {
    /// The gravest of all.
    pub fn state(&self) -> State {
        let targets = self.targets.iter().map(|target| target.state);
        targets.chain(self.gravity).max().unwrap_or(State::Ok)
    }

    /// Whether it failed as a whole, and not only on a target.
    pub(super) fn failed(&self) -> bool {
        self.gravity == Some(State::Failing)
    }

    pub(super) fn of(commit: Oid) -> Round {
        Round { commit: Some(commit), ..Round::default() }
    }

    pub(super) fn cut_short() -> Round {
        Round { cut_short: true, ..Round::default() }
    }

    /// The same with something wrong with the whole.
    pub(super) fn with(mut self, gravity: State, error: String) -> Round {
        (self.gravity, self.error) = (Some(gravity), Some(error));
        self
    }

    pub(super) fn add(&mut self, (status, seen): (TargetStatus, Option<Seen>)) {
        self.targets.push(status);
        self.seen.push(seen);
    }
}
