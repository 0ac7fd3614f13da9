//! Who had what, since when, and who changed it: from git alone.
//!
//! What counts is what was live: the data on the first-parent line of a revision, commit by commit.
//!
//! 1. [`mod@line`] reads the commits, [`trees`] tells which files changed in which of them.
//! 2. [`mod@file`] follows each file through its versions; [`text`] reads of a version no more than what
//!    differs from the one before; [`facts`] is what a record says.
//! 3. [`credit`] finds who made what a merge brought.
//! 4. [`build`] makes a [`log`] of it, which [`cache`] keeps: the next run goes on from there.
//! 5. [`story`] replays the log: what became of each record, and when ([`times`]).
//! 6. [`query`] picks what was asked for, [`answer`] is that in words, with [`notes`] on it; [`mod@print`],
//!    [`json`] and [`csv`] show it.

pub mod answer;
pub mod build;
pub mod cache;
pub mod credit;
pub mod csv;
pub mod facts;
pub mod file;
pub mod json;
pub mod line;
pub mod log;
pub mod notes;
pub mod print;
pub mod query;
pub mod story;
pub mod text;
pub mod times;
pub mod trees;

use anyhow::Result;
use git2::Oid;

use crate::git::Git;
use cache::Cache;
use line::Objects;
use log::HistoryLog;

/// The log of a revision, as bytes to be [decoded](Log::decode).
pub struct LoadedLog {
    /// The log; it may go on beyond the revision.
    pub bytes: Vec<u8>,
    /// How many of its commits are on the revision's line.
    pub commits: usize,
    /// What went wrong with the cache, if anything.
    pub note: Option<String>,
}

/// The log of `tip`: out of the cache as far as that goes, if it may be used.
///
/// # Errors
/// If git cannot be read.
pub fn load(git: &Git, tip: Oid, use_cache: bool) -> Result<LoadedLog> {
    let objects = Objects::open(&git.git_dir(), &git.common_dir())?;
    let cache = use_cache.then(|| Cache::new(&git.common_dir(), git.prefix()));
    let kept = cache.as_ref().and_then(Cache::load);
    let log = kept.as_deref().and_then(|bytes| HistoryLog::decode(bytes).ok()).filter(|log| still_holds(&objects, log));
    let log = log.unwrap_or_default();
    let reach = build::reach(&objects, tip, &log)?;
    if reach.new.is_empty() {
        let commits = reach.kept;
        return Ok(LoadedLog { bytes: kept.unwrap_or_default(), commits, note: None });
    }
    let bytes = build::extend(&objects, git.prefix(), &log, &reach)?;
    let stored = cache.map_or(Ok(()), |cache| cache.store(&bytes));
    let note = stored.err().map(|error| format!("the next run will take as long as this one: {error:#}"));
    Ok(LoadedLog { bytes, commits: reach.kept + reach.new.len(), note })
}

/// Whether a log begins where the history does: a clone that was shallow may have been completed.
fn still_holds(objects: &Objects, log: &HistoryLog<'_>) -> bool {
    let first = log.line.first().and_then(log::LogCommit::oid);
    !log.cut || first.is_some_and(|first| objects.is_cut(first))
}
