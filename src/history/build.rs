//! Commits → log: an earlier log is extended, or a new one starts at the first commit.

use std::collections::HashMap;

use anyhow::Result;
use git2::Oid;
use rayon::prelude::*;

use super::credit::{WantedMaker, makers};
use super::file::{FileFacts, follow};
use super::line::{Commit, Objects};
use super::log::{HistoryLog, LogBuilder, LogCommit, NewEntry};
use super::trees::{FileLine, changed_files};

/// How the line of a tip continues an existing log.
pub struct Reach {
    /// How many of the log's commits are on the tip's line, from the first.
    pub kept: usize,
    /// The commits that follow them, oldest first.
    pub new: Vec<Commit>,
}

/// Finds how much of `log` is on the line of `tip`.
///
/// # Errors
/// If a commit cannot be read.
pub fn reach(objects: &Objects, tip: Oid, log: &HistoryLog<'_>) -> Result<Reach> {
    // The usual case.
    if log.line.last().and_then(LogCommit::oid) == Some(tip) {
        return Ok(Reach { kept: log.line.len(), new: Vec::new() });
    }
    let numbers = log.numbers();
    let known = |id: Oid| numbers.get(id.as_bytes()).copied();
    let (new, at) = objects.reader()?.line(tip, known)?;
    Ok(Reach { kept: at.map_or(0, |at| at + 1), new })
}

/// An entry before it is numbered in the log.
struct Fresh {
    commit: u32,
    key: String,
    file: usize,
    held: Option<FileFacts>,
}

/// The log of the commits of `reach`, as bytes.
///
/// # Errors
/// If something cannot be read from git.
pub fn extend(objects: &Objects, prefix: &str, log: &HistoryLog<'_>, reach: &Reach) -> Result<Vec<u8>> {
    let base = match reach.kept.checked_sub(1).and_then(|last| log.line[last].oid()) {
        Some(id) => Some(objects.reader()?.commit(id)?.tree),
        None => None,
    };
    let tops: Vec<Oid> = reach.new.iter().map(|commit| commit.tree).collect();
    let files = changed_files(objects, prefix, base, &tops)?;
    let held = held_by(log, reach.kept, &files);
    let stories = files
        .par_iter()
        .zip(held)
        .map_init(
            || objects.reader(),
            |reader, (file, held)| match reader {
                Ok(reader) => follow(reader, file, held),
                Err(error) => Err(anyhow::anyhow!("{error:#}")),
            },
        )
        .collect::<Result<Vec<_>>>()?;
    let (mut fresh, mut troubles) = (Vec::new(), Vec::new());
    for (file, story) in stories.into_iter().enumerate() {
        let entry = |change: super::file::RecordChange| Fresh {
            commit: change.commit,
            key: change.key,
            file,
            held: change.held,
        };
        fresh.extend(story.changes.into_iter().map(entry));
        troubles.extend(story.troubles.into_iter().map(|trouble| (trouble.commit, file, trouble.why)));
    }
    // Files are in the order of their paths.
    fresh.par_sort_unstable_by(|a, b| (a.commit, &a.key, a.file).cmp(&(b.commit, &b.key, b.file)));
    troubles.sort_unstable();
    let makers = makers(objects, prefix, &reach.new, &wanted(&fresh))?;

    let cut = match (reach.kept, reach.new.first()) {
        (0, Some(first)) => objects.is_cut(first.id),
        _ => log.cut,
    };
    let mut builder = LogBuilder::new(cut);
    keep(&mut builder, log, reach.kept);
    reach.new.iter().for_each(|commit| builder.commit(log_commit(commit)));
    for entry in &fresh {
        let maker = makers.get(&(entry.commit, entry.key.as_str()));
        builder.entry(&NewEntry {
            commit: entry.commit + reach.kept as u32,
            key: &entry.key,
            path: &files[entry.file].path,
            facts: entry.held.as_ref().map(|held| held.facts.as_str()),
            carried: entry.held.as_ref().is_some_and(|held| held.carried),
            by: maker.map(|commit| log_commit(commit)),
        });
    }
    // Kept ones too are added last, so that a log has the same bytes however often it was extended.
    for trouble in log.troubles_of(reach.kept) {
        builder.trouble(trouble.commit, log.paths[trouble.path as usize], trouble.why);
    }
    for (commit, file, why) in &troubles {
        builder.trouble(commit + reach.kept as u32, &files[*file].path, why);
    }
    builder.finish().encode()
}

/// The records of each file after the commits that are kept.
fn held_by(log: &HistoryLog<'_>, kept: usize, files: &[FileLine]) -> Vec<HashMap<String, FileFacts>> {
    let numbers: HashMap<&str, usize> =
        files.iter().enumerate().map(|(number, file)| (file.path.as_str(), number)).collect();
    let mut held = vec![HashMap::new(); files.len()];
    let wanted: Vec<Option<usize>> = log.paths.iter().map(|path| numbers.get(path).copied()).collect();
    let mut last: HashMap<(u32, u32), &super::log::HistoryEntry> = HashMap::new();
    for entry in log.entries_of(kept).iter().filter(|entry| wanted[entry.path as usize].is_some()) {
        last.insert((entry.path, entry.key), entry);
    }
    for ((path, key), entry) in last {
        if let (Some(file), Some(facts)) = (wanted[path as usize], entry.facts) {
            let (facts, carried) = (log.facts[facts as usize].to_owned(), entry.carried);
            held[file].insert(log.keys[key as usize].to_owned(), FileFacts { facts, carried });
        }
    }
    held
}

/// The changes of each commit; for a record that moved, the facts in its new file.
fn wanted(fresh: &[Fresh]) -> Vec<WantedMaker<'_>> {
    let mut wanted: Vec<WantedMaker<'_>> = Vec::new();
    for entry in fresh {
        let facts = entry.held.as_ref().map(|held| held.facts.as_str());
        match wanted.last_mut() {
            Some(last) if last.commit == entry.commit && last.key == entry.key => last.facts = last.facts.or(facts),
            _ => wanted.push(WantedMaker { commit: entry.commit, key: &entry.key, facts }),
        }
    }
    wanted
}

fn keep<'a>(builder: &mut LogBuilder<'a>, log: &HistoryLog<'a>, kept: usize) {
    log.line[..kept].iter().for_each(|commit| builder.commit(*commit));
    for entry in log.entries_of(kept) {
        builder.entry(&NewEntry {
            commit: entry.commit,
            key: log.keys[entry.key as usize],
            path: log.paths[entry.path as usize],
            facts: entry.facts.map(|facts| log.facts[facts as usize]),
            carried: entry.carried,
            by: entry.by.map(|by| log.side[by as usize]),
        });
    }
}

fn log_commit(commit: &Commit) -> LogCommit<'_> {
    let mut id = [0; 20];
    // Ids have twenty bytes: a repository with SHA-256 ids cannot be opened.
    id.copy_from_slice(&commit.id.as_bytes()[..20]);
    LogCommit {
        id,
        time: commit.time,
        author_time: commit.author_time,
        author: &commit.author,
        email: &commit.email,
        subject: &commit.subject,
    }
}
