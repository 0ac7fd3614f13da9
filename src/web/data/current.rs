//! The snapshot that is served now, and how following the branch goes.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::snapshot::Snapshot;
use crate::records::moment::Moment;

/// A commit that is not served because it did not pass the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefusedCommit {
    /// Its id.
    pub(crate) commit: String,
    /// How many errors its data has; none if it has no subscriber.
    pub(crate) errors: usize,
}

/// How following the branch goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct FollowStatus {
    /// The tip of the branch, if it is not served because it did not pass the check.
    pub(crate) refused: Option<RefusedCommit>,
    /// Why the branch could not be read the last time, in a sentence for the operator.
    pub(crate) failure: Option<String>,
    /// When the branch was last read without a failure.
    pub(crate) followed: Option<Moment>,
    /// How many snapshots were put in place.
    pub(crate) reloads: u64,
    /// How often the branch could not be read.
    pub(crate) failures: u64,
    /// How many commits were refused.
    pub(crate) refusals: u64,
}

/// The snapshot and the status, shared by all requests.
pub(crate) struct Current {
    snapshot: RwLock<Arc<Snapshot>>,
    status: Mutex<FollowStatus>,
}

impl Current {
    /// Begins with this snapshot.
    pub(crate) fn new(snapshot: Snapshot) -> Current {
        let status = FollowStatus { followed: Some(Moment::now()), ..FollowStatus::default() };
        Current { snapshot: RwLock::new(Arc::new(snapshot)), status: Mutex::new(status) }
    }

    /// The snapshot. A request takes it once, so that its answer is of one commit.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another snapshot in place. The old one is freed by the last request that has it, or here: not
    /// while the lock is held.
    pub(crate) fn replace(&self, snapshot: Snapshot) {
        let mut next = Arc::new(snapshot);
        std::mem::swap(&mut *self.snapshot.write().unwrap_or_else(PoisonError::into_inner), &mut next);
        drop(next);
    }

    /// How following goes.
    pub(crate) fn status(&self) -> FollowStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the status.
    pub(crate) fn note(&self, change: impl FnOnce(&mut FollowStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
