//! How sync is, from good to bad.

use serde::{Deserialize, Serialize};

use crate::records::moment::Moment;

/// How it is, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No round has ended yet.
    Starting,
    /// What the branch says is live.
    Ok,
    /// What was rolled back is not published again.
    Held,
    /// What the branch says may not be published.
    Refused,
    /// Something went wrong.
    Failing,
}

impl State {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Ok => "ok",
            State::Held => "held",
            State::Refused => "refused",
            State::Failing => "failing",
        }
    }
}

/// How it is with one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// Its name.
    pub target: String,
    /// How it is.
    pub state: State,
    /// The version that was published last.
    pub version: Option<u64>,
    /// Its digest.
    pub digest: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// Since when it is live.
    pub since: Option<Moment>,
    /// Why it is not as it should be. Sentences.
    pub reasons: Vec<String>,
}
