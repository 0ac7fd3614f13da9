//! The author of a change that came with a merge: the commit on the merged branch after which a record
//! had its new facts. If there is none, as after a conflict, it is the merge itself.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use git2::Oid;
use rayon::prelude::*;

use super::line::{Commit, ObjectReader, Objects};
use super::text;
use super::trees::{FileLine, changed_files};
use crate::source::MAX_FILE_BYTES;

/// A change whose maker is wanted.
pub struct WantedMaker<'a> {
    /// The commit's place among the new ones.
    pub commit: u32,
    /// The record.
    pub key: &'a str,
    /// Its facts since; `None` if it is gone.
    pub facts: Option<&'a str>,
}

/// The commits that made changes, by merge and record; none if the merge made the change.
pub type Makers<'a> = HashMap<(u32, &'a str), Commit>;

/// Finds the commits that made the changes of merges. `wanted` is sorted by commit.
///
/// # Errors
/// If something cannot be read from git.
pub fn makers<'a>(objects: &Objects, prefix: &str, line: &[Commit], wanted: &[WantedMaker<'a>]) -> Result<Makers<'a>> {
    let of_merges: Vec<&[WantedMaker<'a>]> = wanted
        .chunk_by(|a, b| a.commit == b.commit)
        .filter(|chunk| chunk.first().is_some_and(|first| line[first.commit as usize].parents.len() > 1))
        .collect();
    let found = of_merges.into_par_iter().map_init(
        || objects.reader(),
        |reader, wanted| {
            let reader = reader.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
            of_merge(objects, reader, prefix, &line[wanted[0].commit as usize], wanted)
        },
    );
    Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn of_merge<'a>(
    objects: &Objects,
    reader: &ObjectReader<'_>,
    prefix: &str,
    merge: &Commit,
    wanted: &[WantedMaker<'a>],
) -> Result<Vec<((u32, &'a str), Commit)>> {
    let mut left: HashMap<&str, &WantedMaker<'a>> = wanted.iter().map(|wanted| (wanted.key, wanted)).collect();
    let mut found = Vec::new();
    // In a shallow clone the branch may be missing: then only the merge is known.
    for id in merged(reader.repository()?, &merge.parents).unwrap_or_default() {
        let commit = reader.commit(id)?;
        // A merge within the branch made no change: an earlier commit of the walk did.
        let [parent] = commit.parents[..] else { continue };
        let parent = reader.commit(parent)?;
        let changed = changed_files(objects, prefix, Some(parent.tree), &[commit.tree])?;
        let mut said: HashMap<String, Option<String>> = HashMap::new();
        for file in &changed {
            differences(reader, file, &left, &mut said)?;
        }
        for (key, facts) in said {
            if left.get(key.as_str()).is_some_and(|wanted| wanted.facts == facts.as_deref())
                && let Some(wanted) = left.remove(key.as_str())
            {
                found.push(((wanted.commit, wanted.key), commit.clone()));
            }
        }
        if left.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// The commits that a merge brought, newest first.
fn merged(repository: &git2::Repository, parents: &[Oid]) -> Result<Vec<Oid>> {
    let mut walk = repository.revwalk()?;
    walk.set_sorting(git2::Sort::TOPOLOGICAL)?;
    for (number, parent) in parents.iter().enumerate() {
        if number == 0 { walk.hide(*parent)? } else { walk.push(*parent)? }
    }
    Ok(walk.collect::<Result<_, _>>()?)
}

/// Adds the wanted records that a commit changed in a file. A record that is removed from one file and
/// added to another has moved.
fn differences(
    reader: &ObjectReader<'_>,
    file: &FileLine,
    wanted: &HashMap<&str, &WantedMaker<'_>>,
    said: &mut HashMap<String, Option<String>>,
) -> Result<()> {
    let read = |version: Option<(u32, Oid)>| -> Result<String> {
        Ok(match version {
            Some((_, id)) if reader.size(id).is_ok_and(|size| size <= MAX_FILE_BYTES) => {
                let bytes = reader.read(id, git2::ObjectType::Blob).unwrap_or_default();
                String::from_utf8(bytes).unwrap_or_default()
            }
            _ => String::new(),
        })
    };
    let old = read(file.before)?;
    let new = read(file.versions.first().and_then(|(_, version)| *version))?;
    // It does not matter whether the whole file would read so: a record counts only if its facts are
    // those after the merge.
    let (removed, added) = match text::difference(file.kind, &old, &new) {
        Some(difference) => (difference.removed, difference.added),
        None => (text::read(file.kind, &old).records, text::read(file.kind, &new).records),
    };
    let unchanged: HashSet<(&str, &str)> =
        removed.iter().map(|known| (known.key.as_str(), known.facts.as_str())).collect();
    for known in &removed {
        if wanted.contains_key(known.key.as_str()) {
            said.entry(known.key.clone()).or_insert(None);
        }
    }
    let mut stayed = Vec::new();
    for known in &added {
        if unchanged.contains(&(known.key.as_str(), known.facts.as_str())) {
            stayed.push(known.key.clone());
        } else if wanted.contains_key(known.key.as_str()) {
            said.insert(known.key.clone(), Some(known.facts.clone()));
        }
    }
    for key in stayed {
        if said.get(&key) == Some(&None) {
            said.remove(&key);
        }
    }
    Ok(())
}
