//! The history of subscribers and plans, from git alone: who had what, since when, who changed it.
//!
//! It follows the data that was live: the first-parent line of a revision, commit by commit.
//!
//! 1. [`mod@line`] reads the commits, [`trees`] finds the files that changed in each of them.
//! 2. [`mod@file`] follows each file through its versions; [`text`] reads of a version only what differs
//!    from the one before; [`facts`] are the content of a record.
//! 3. [`credit`] finds the author of each change that a merge brought.
//! 4. [`build`] makes a [`log`], which [`cache`] keeps: the next run extends it.
//! 5. [`story`] replays the log: the states of each record, and their times ([`times`]).
//! 6. [`query`] selects records for a question, [`answer`] is the result, with [`notes`] on its limits;
//!    [`mod@print`], [`json`] and [`csv`] show it.

pub(crate) mod answer;
mod build;
mod cache;
mod credit;
pub(crate) mod csv;
pub mod facts;
mod file;
pub(crate) mod json;
mod line;
pub mod log;
mod notes;
pub(crate) mod print;
pub(crate) mod query;
pub mod story;
pub mod text;
pub(crate) mod times;
mod trees;

use anyhow::Result;
use git2::Oid;

use crate::git::Git;
use cache::Cache;
use line::Objects;
use log::HistoryLog;

/// The log of a revision, as bytes for [`HistoryLog::decode`].
pub struct LoadedLog {
    /// The log; it may extend beyond the revision.
    pub bytes: Vec<u8>,
    /// How many of its commits are on the revision's line.
    pub commits: usize,
    /// Why the cache could not be written.
    pub note: Option<String>,
}

/// The log of `tip`, from the cache as far as possible, if it may be used.
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

/// Whether a log begins where the history does: a shallow clone may have been completed since.
fn still_holds(objects: &Objects, log: &HistoryLog<'_>) -> bool {
    let first = log.line.first().and_then(log::LogCommit::oid);
    !log.cut || first.is_some_and(|first| objects.is_cut(first))
}
