//! The status file for monitoring: JSON, rewritten after each round.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::round::Round;
use super::state::{SyncState, TargetStatus};
use super::upstream::Upstream;
use crate::disk::write::write_with_mode;
use crate::publish::freeze::Frozen;
use crate::records::moment::Moment;

/// Version of the file format, see docs/sync.md.
const VERSION: u32 = 1;

/// The largest status file that is read.
const MAX_BYTES: u64 = 16 << 20;

/// The content of the status file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncStatus {
    version: u32,
    /// The version of the tool.
    pub(crate) tool: String,
    pub(crate) state: SyncState,
    pub(crate) remote: String,
    pub(crate) branch: String,
    /// Seconds from one round to the next.
    pub(crate) interval: u64,
    /// When the last round began.
    pub(crate) last_attempt: Option<Moment>,
    /// When the last successful round ended.
    pub(crate) last_success: Option<Moment>,
    /// The tip of the branch when it was last fetched.
    pub(crate) remote_commit: Option<String>,
    /// The last commit that was live on every target.
    pub(crate) synced_commit: Option<String>,
    /// How many rounds failed in a row.
    pub(crate) failures: u64,
    /// Error of the last round as a whole: a sentence.
    pub(crate) error: Option<String>,
    /// Domains that stay at an earlier commit because their later data has errors.
    #[serde(default)]
    pub(crate) frozen: Vec<Frozen>,
    /// Seconds until the next round; longer after failures.
    pub(crate) pause: Option<u64>,
    /// When the next round is due.
    pub(crate) next_attempt: Option<Moment>,
    pub(crate) targets: Vec<TargetStatus>,
}

impl SyncStatus {
    /// The status before the first round: the one that the last run left at `path`.
    pub(crate) fn begin(path: Option<&Path>, upstream: &Upstream, interval: Interval) -> SyncStatus {
        // A damaged file is replaced.
        let last = path.and_then(|path| SyncStatus::read(path).ok());
        let (remote, branch) = (upstream.remote().to_owned(), upstream.branch().to_owned());
        let mut status = last.filter(|last| last.remote == remote && last.branch == branch).unwrap_or(SyncStatus {
            version: VERSION,
            tool: String::new(),
            state: SyncState::Starting,
            remote,
            branch,
            interval: 0,
            last_attempt: None,
            last_success: None,
            remote_commit: None,
            synced_commit: None,
            failures: 0,
            error: None,
            frozen: Vec::new(),
            pause: None,
            next_attempt: None,
            targets: Vec::new(),
        });
        env!("CARGO_PKG_VERSION").clone_into(&mut status.tool);
        status.interval = interval.seconds();
        (status.pause, status.next_attempt) = (None, None);
        status
    }

    /// Records the result of a round that began at `began`.
    pub(crate) fn note(&mut self, round: &Round, began: Moment) {
        let commit = round.commit.map(|commit| commit.to_string());
        self.last_attempt = Some(began);
        self.state = round.state();
        self.failures = if self.state == SyncState::Failing { self.failures.saturating_add(1) } else { 0 };
        self.error.clone_from(&round.error);
        self.frozen.clone_from(&round.frozen);
        self.targets.clone_from(&round.targets);
        if self.state == SyncState::Ok {
            self.last_success = Some(Moment::now());
            self.synced_commit.clone_from(&commit);
        }
        self.remote_commit = commit.or(self.remote_commit.take());
    }

    /// Records when the next round is due.
    pub(crate) fn note_next(&mut self, pause: std::time::Duration) {
        self.pause = Some(pause.as_secs());
        self.next_attempt = Some(Moment::now().after(pause));
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, or has another version of the format.
    pub(crate) fn read(path: &Path) -> Result<SyncStatus> {
        let shown = path.display();
        let cannot = || format!("cannot read the status {shown}");
        let bytes = crate::disk::open::read(path, MAX_BYTES).with_context(cannot)?;
        let bytes = bytes.with_context(|| format!("cannot read the status {shown}: there is no such file"))?;
        let status: SyncStatus =
            serde_json::from_slice(&bytes).with_context(|| format!("{shown} is no status file of sync"))?;
        if status.version != VERSION {
            anyhow::bail!("{shown} was written by another version of shapeline: use that one");
        }
        Ok(status)
    }

    /// Writes the file, readable for all users.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        // In a folder like /tmp it could point anywhere.
        if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            anyhow::bail!("the status file {} is a symbolic link, which is not followed", path.display());
        }
        // A strict umask would hide it from the monitoring.
        write_with_mode(path, &bytes, 0o644)
    }
}
