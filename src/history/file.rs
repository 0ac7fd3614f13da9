//! One file through all commits: which records came into it, changed in it, and left it.
//!
//! A version that cannot be read whole removes nobody: such data is not published, so who was served
//! stays so. Records that the version before held, and that are not seen in this one, are carried on
//! until the file can be read again.

use std::collections::HashMap;

use anyhow::Result;
use git2::ObjectType;

use super::facts::Known;
use super::line::Reader;
use super::text::{self, Shape};
use super::trees::{Blob, FileLine, Version};
use crate::schema::FileKind;
use crate::source::MAX_FILE_BYTES;
use crate::text::quote::quoted;

/// What a file says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What the record says.
    pub facts: String,
    /// Whether that is from an earlier version, as the present one cannot be read whole.
    pub carried: bool,
}

/// A change of what a file says of a record.
#[derive(Clone, Debug)]
pub struct Change {
    /// In which commit.
    pub commit: u32,
    /// The record's key.
    pub key: String,
    /// What the file says of it now; `None` if nothing.
    pub held: Option<Held>,
}

/// A version that could not be read whole.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Since which commit.
    pub commit: u32,
    /// Why.
    pub why: String,
}

/// The story of a file.
#[derive(Debug, Default)]
pub struct FileStory {
    /// Every change of a record, by commit.
    pub changes: Vec<Change>,
    /// Every version that could not be read whole.
    pub troubles: Vec<Trouble>,
}

/// Follows a file. `before` is what it said before the first of the commits.
///
/// # Errors
/// If a version cannot be had from git.
pub fn follow(reader: &Reader<'_>, line: &FileLine, before: HashMap<String, Held>) -> Result<FileStory> {
    let mut file = File { kind: line.kind, records: before, shape: Shape::default(), text: None };
    if line.before.is_some() && !line.versions.is_empty() {
        file.resume(reader, line.before)?;
    }
    let mut story = FileStory::default();
    let size = |(_, version): Version| version.and_then(|(_, id)| reader.size(id).ok()).unwrap_or_default();
    let read = |(_, version): Version| bytes(reader, version);
    reader.versions(&line.versions, size, read, |(commit, _), bytes| {
        let (changes, trouble) = file.step(bytes);
        story.changes.extend(changes.into_iter().map(|(key, held)| Change { commit, key, held }));
        story.troubles.extend(trouble.map(|why| Trouble { commit, why }));
        Ok(())
    })?;
    Ok(story)
}

/// What there is to read in a version.
enum Bytes {
    Gone,
    Text(String),
    Unread(String),
}

fn bytes(reader: &Reader<'_>, version: Option<Blob>) -> Result<Bytes> {
    Ok(match version {
        None => Bytes::Gone,
        Some((0o120_000, _)) => Bytes::Unread("it is a symbolic link, which is not followed".to_owned()),
        Some((0o160_000, _)) => Bytes::Unread("it is a git repository of its own".to_owned()),
        Some((_, id)) if reader.size(id)? > MAX_FILE_BYTES => Bytes::Unread("it is too large".to_owned()),
        Some((_, id)) => match String::from_utf8(reader.read(id, ObjectType::Blob)?) {
            Ok(text) => Bytes::Text(text),
            Err(_) => Bytes::Unread("it is not UTF-8".to_owned()),
        },
    })
}

struct File {
    kind: FileKind,
    records: HashMap<String, Held>,
    shape: Shape,
    /// The version that `records` and `shape` are of, if it could be read.
    text: Option<String>,
}

type Changes = Vec<(String, Option<Held>)>;

impl File {
    /// Takes up where an earlier run stopped: what the records are is known, how they were written
    /// is not.
    fn resume(&mut self, reader: &Reader<'_>, before: Option<Blob>) -> Result<()> {
        if let Bytes::Text(text) = bytes(reader, before)? {
            let version = text::read(self.kind, &text);
            self.shape = version.shape();
            self.shape.borders &= self.records.len() == version.records.len();
            self.text = Some(text);
        }
        Ok(())
    }

    /// Goes on to the next version.
    fn step(&mut self, version: Bytes) -> (Changes, Option<String>) {
        match version {
            Bytes::Gone => {
                (self.text, self.shape) = (None, Shape::default());
                (std::mem::take(&mut self.records).into_keys().map(|key| (key, None)).collect(), None)
            }
            Bytes::Unread(why) => {
                (self.text, self.shape) = (None, Shape::default());
                (self.replace(Vec::new(), true), Some(why))
            }
            Bytes::Text(text) => self.read(text),
        }
    }

    fn read(&mut self, text: String) -> (Changes, Option<String>) {
        if let Some(changes) = self.read_difference(&text) {
            self.text = Some(text);
            return (changes, None);
        }
        let version = text::read(self.kind, &text);
        let (count, broken) = (version.records.len(), version.trouble.is_some());
        self.shape = version.shape();
        let trouble = version.trouble;
        let changes = self.replace(version.records, broken);
        // Of records with the same key the first counts; which that is only the whole tells.
        self.shape.borders &= self.records.len() == count;
        self.text = Some(text);
        (changes, trouble)
    }

    /// Reads only what differs from the version before; `None` if that would not be the same.
    fn read_difference(&mut self, text: &str) -> Option<Changes> {
        let old = self.text.as_deref().filter(|_| self.shape.borders)?;
        let difference = text::difference(self.kind, old, text)?;
        let shape = self.shape.after(&difference)?;
        let mut after: HashMap<&str, &str> = HashMap::new();
        for known in &difference.added {
            if after.insert(&known.key, &known.facts).is_some() {
                return None;
            }
        }
        let removed: HashMap<&str, &str> =
            difference.removed.iter().map(|known| (known.key.as_str(), known.facts.as_str())).collect();
        if after.keys().any(|key| !removed.contains_key(key) && self.records.contains_key(*key)) {
            return None;
        }
        let mut changes = Changes::new();
        for key in removed.keys().filter(|key| !after.contains_key(*key)) {
            changes.push(((*key).to_owned(), None));
        }
        for (key, facts) in after.iter().filter(|(key, facts)| removed.get(*key) != Some(facts)) {
            changes.push(((*key).to_owned(), Some(Held { facts: (*facts).to_owned(), carried: false })));
        }
        for (key, held) in &changes {
            match held {
                Some(held) => self.records.insert(key.clone(), held.clone()),
                None => self.records.remove(key),
            };
        }
        self.shape = shape;
        Some(changes)
    }

    /// Takes all records of a version in place of those there were.
    fn replace(&mut self, records: Vec<Known>, broken: bool) -> Changes {
        let mut before = std::mem::take(&mut self.records);
        let mut changes = Changes::new();
        for Known { key, facts } in records {
            if self.records.contains_key(&key) {
                continue;
            }
            let held = Held { facts, carried: false };
            if before.remove(&key).as_ref() != Some(&held) {
                changes.push((key.clone(), Some(held.clone())));
            }
            self.records.insert(key, held);
        }
        for (key, held) in before {
            if !broken {
                changes.push((key, None));
                continue;
            }
            let carried = Held { carried: true, ..held.clone() };
            if carried != held {
                changes.push((key.clone(), Some(carried.clone())));
            }
            self.records.insert(key, carried);
        }
        changes
    }
}

/// A sentence about a version that could not be read whole.
pub fn sentence(path: &str, why: &str) -> String {
    format!("{} could not be read whole: {why}; who was in it and is not seen stays", quoted(path))
}
