//! Copies of files and folders, in a folder of their own, which keeps a log of its own.
//!
//! A copy is one tar, made in memory and put into `copies/` whole. Beside that lies `.shapeline/`,
//! with the list of the copies, the lock and the log, as beside a live file.

#[cfg(feature = "serve")]
pub(crate) mod below;
pub(crate) mod copies;
pub mod folder;
pub mod make;
pub(crate) mod meta;
pub(crate) mod pack;
pub(crate) mod path;
pub(crate) mod restore;
pub(crate) mod session;
pub mod unpack;

use self::copies::BackupCopy;
use crate::records::failure::Failure;
use crate::records::holder::Operator;
use crate::records::lock::Patience;

/// For whom copies are made and put back, and how patiently.
#[derive(Clone, Debug)]
pub struct BackupOptions {
    /// For whom.
    pub who: Operator,
    /// How long to wait for others.
    pub patience: Patience,
}

/// How it ended with one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupOutcome {
    /// There is a new copy.
    Copied,
    /// A copy was put back.
    Restored,
    /// It may not be: nothing was changed.
    Refused,
    /// Something went wrong.
    Failed,
}

/// What happened with one path.
#[derive(Clone, Debug)]
pub struct PathReport {
    /// The path, as [`path::to_text`] writes it; the copy's name if there is no such copy.
    pub path: String,
    /// How it ended.
    pub ended: BackupOutcome,
    /// Why it was refused or failed. Sentences.
    pub reasons: Vec<String>,
    /// What else one should know.
    pub notes: Vec<String>,
    /// The copy that was made or put back.
    pub copy: Option<BackupCopy>,
    /// The digest of the last line of the log.
    pub log: Option<String>,
}

impl PathReport {
    fn new(path: String, ended: BackupOutcome) -> PathReport {
        PathReport { path, ended, reasons: Vec::new(), notes: Vec::new(), copy: None, log: None }
    }

    fn failed(path: String, failure: Failure) -> PathReport {
        let (ended, reason) = match failure {
            Failure::Refused(reason) => (BackupOutcome::Refused, reason),
            Failure::Failed(error) => (BackupOutcome::Failed, format!("{error:#}")),
        };
        PathReport { reasons: vec![reason], ..PathReport::new(path, ended) }
    }
}
