//! How sync is, for monitoring: a small file of JSON, written anew after each round.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::round::Round;
use super::state::{State, TargetStatus};
use super::upstream::Upstream;
use crate::disk::write::write_with_mode;
use crate::publish::freeze::Frozen;
use crate::records::moment::Moment;

/// The version of the file's shape: see docs/sync.md.
const VERSION: u32 = 1;

/// The largest status file that is read.
const MOST_BYTES: u64 = 16 << 20;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    version: u32,
    /// The version of the tool.
    pub tool: String,
    /// How it is.
    pub state: State,
    /// The remote's name.
    pub remote: String,
    /// The branch.
    pub branch: String,
    /// Seconds from one round to the next.
    pub interval: u64,
    /// When the last round began.
    pub last_attempt: Option<Moment>,
    /// When the last round ended in which all went well.
    pub last_success: Option<Moment>,
    /// The commit that the branch was at when it was last fetched.
    pub remote_commit: Option<String>,
    /// The commit that was last found live, or put there, on every target.
    pub synced_commit: Option<String>,
    /// How many rounds went wrong since one did not.
    pub failures: u64,
    /// What is wrong with the whole: a sentence.
    pub error: Option<String>,
    /// Domains that are as they were in an earlier commit, because later data of them has errors.
    #[serde(default)]
    pub frozen: Vec<Frozen>,
    /// Seconds until the next round; longer after failures.
    pub pause: Option<u64>,
    /// When the next round is due.
    pub next_attempt: Option<Moment>,
    /// The targets.
    pub targets: Vec<TargetStatus>,
}

impl Status {
    /// How it is before the first round: as the last run left it at `path`.
    pub fn begin(path: Option<&Path>, upstream: &Upstream, interval: Interval) -> Status {
        // A damaged file is no reason not to work; it is written anew.
        let last = path.and_then(|path| Status::read(path).ok());
        let (remote, branch) = (upstream.remote().to_owned(), upstream.branch().to_owned());
        let mut status = last.filter(|last| last.remote == remote && last.branch == branch).unwrap_or(Status {
            version: VERSION,
            tool: String::new(),
            state: State::Starting,
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

    /// Notes how a round ended that began at `began`.
    pub fn note(&mut self, round: &Round, began: Moment) {
        let commit = round.commit.map(|commit| commit.to_string());
        self.last_attempt = Some(began);
        self.state = round.state();
        self.failures = if self.state == State::Failing { self.failures.saturating_add(1) } else { 0 };
        self.error.clone_from(&round.error);
        self.frozen.clone_from(&round.frozen);
        self.targets.clone_from(&round.targets);
        if self.state == State::Ok {
            self.last_success = Some(Moment::now());
            self.synced_commit.clone_from(&commit);
        }
        self.remote_commit = commit.or(self.remote_commit.take());
    }

    /// Notes when the next round is due.
    pub fn note_next(&mut self, pause: std::time::Duration) {
        self.pause = Some(pause.as_secs());
        self.next_attempt = Some(Moment::now().after(pause));
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, or another version of the program wrote it.
    pub fn read(path: &Path) -> Result<Status> {
        let shown = path.display();
        let cannot = || format!("cannot read the status {shown}");
        let bytes = crate::disk::open::read(path, MOST_BYTES).with_context(cannot)?;
        let bytes = bytes.with_context(|| format!("cannot read the status {shown}: there is no such file"))?;
        let status: Status =
            serde_json::from_slice(&bytes).with_context(|| format!("{shown} is no status file of sync"))?;
        if status.version != VERSION {
            anyhow::bail!("{shown} was written by another version of shapeline: use that one");
        }
        Ok(status)
    }

    /// Writes the file, for everybody to read.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        // In a folder like /tmp it could lead anywhere.
        if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            anyhow::bail!("the status file {} is a symbolic link, which is not followed", path.display());
        }
        // A strict umask would keep it from those for whom it is written.
        write_with_mode(path, &bytes, 0o644)
    }
}
