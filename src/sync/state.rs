//! The states of sync.

use serde::{Deserialize, Serialize};

use crate::records::moment::Moment;

/// The state of a round or a target, ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SyncState {
    /// No round has ended yet.
    Starting,
    /// The tip of the branch is live.
    Ok,
    /// The tip was rolled back, and is not published again.
    Held,
    /// The tip of the branch may not be published.
    Refused,
    /// An error occurred.
    Failing,
}

impl SyncState {
    /// The name in the status file.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SyncState::Starting => "starting",
            SyncState::Ok => "ok",
            SyncState::Held => "held",
            SyncState::Refused => "refused",
            SyncState::Failing => "failing",
        }
    }
}

/// The status of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetStatus {
    pub(crate) target: String,
    pub(crate) state: SyncState,
    /// The version that was published last.
    pub(crate) version: Option<u64>,
    pub(crate) digest: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) since: Option<Moment>,
    /// Why it is not `ok`, in sentences.
    pub(crate) reasons: Vec<String>,
}
