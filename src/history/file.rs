//! One file through all commits: the records that were added, changed and removed in it.
//!
//! A version that cannot be read completely removes no record, because such data is not published.
//! Records of the version before that are missing in it are carried on until the file can be read
//! again.

use std::collections::HashMap;

use anyhow::Result;
use git2::ObjectType;

use super::facts::Known;
use super::line::ObjectReader;
use super::text::{self, VersionShape};
use super::trees::{Blob, BlobVersion, FileLine};
use crate::schema::FileKind;
use crate::source::MAX_FILE_BYTES;
use crate::text::quote::quoted;

/// The facts of a record in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// The facts.
    pub facts: String,
    /// Whether they are from an earlier version, because this one cannot be read completely.
    pub carried: bool,
}

/// A change of a record in a file.
#[derive(Clone, Debug)]
pub struct RecordChange {
    /// In which commit.
    pub commit: u32,
    /// The record's key.
    pub key: String,
    /// Its facts in the file since; `None` if it is gone.
    pub held: Option<FileFacts>,
}

/// A version that could not be read completely.
#[derive(Clone, Debug)]
pub struct UnreadableVersion {
    /// Since which commit.
    pub commit: u32,
    /// Why.
    pub why: String,
}

/// The story of a file.
#[derive(Debug, Default)]
pub struct FileStory {
    /// Every change of a record, by commit.
    pub changes: Vec<RecordChange>,
    /// Every version that could not be read completely.
    pub troubles: Vec<UnreadableVersion>,
}

/// Follows a file. `before` are its records before the first of the commits.
///
/// # Errors
/// If a version cannot be read from git.
pub fn follow(reader: &ObjectReader<'_>, line: &FileLine, before: HashMap<String, FileFacts>) -> Result<FileStory> {
    let mut file = FileReplay { kind: line.kind, records: before, shape: VersionShape::default(), text: None };
    if line.before.is_some() && !line.versions.is_empty() {
        file.resume(reader, line.before)?;
    }
    let mut story = FileStory::default();
    let size = |(_, version): BlobVersion| version.and_then(|(_, id)| reader.size(id).ok()).unwrap_or_default();
    let read = |(_, version): BlobVersion| bytes(reader, version);
    reader.versions(&line.versions, size, read, |(commit, _), bytes| {
        let (changes, trouble) = file.step(bytes);
        story.changes.extend(changes.into_iter().map(|(key, held)| RecordChange { commit, key, held }));
        story.troubles.extend(trouble.map(|why| UnreadableVersion { commit, why }));
        Ok(())
    })?;
    Ok(story)
}

/// The content of a version.
enum Bytes {
    Gone,
    Text(String),
    Unread(String),
}

fn bytes(reader: &ObjectReader<'_>, version: Option<Blob>) -> Result<Bytes> {
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

struct FileReplay {
    kind: FileKind,
    records: HashMap<String, FileFacts>,
    shape: VersionShape,
    /// The version that `records` and `shape` are of, if it could be read.
    text: Option<String>,
}

type RecordChanges = Vec<(String, Option<FileFacts>)>;

impl FileReplay {
    /// Continues after an earlier run, from which the records are known and their text is not.
    fn resume(&mut self, reader: &ObjectReader<'_>, before: Option<Blob>) -> Result<()> {
        if let Bytes::Text(text) = bytes(reader, before)? {
            let version = text::read(self.kind, &text);
            self.shape = version.shape();
            self.shape.borders &= self.records.len() == version.records.len();
            self.text = Some(text);
        }
        Ok(())
    }

    /// Goes on to the next version.
    fn step(&mut self, version: Bytes) -> (RecordChanges, Option<String>) {
        match version {
            Bytes::Gone => {
                (self.text, self.shape) = (None, VersionShape::default());
                (std::mem::take(&mut self.records).into_keys().map(|key| (key, None)).collect(), None)
            }
            Bytes::Unread(why) => {
                (self.text, self.shape) = (None, VersionShape::default());
                (self.replace(Vec::new(), true), Some(why))
            }
            Bytes::Text(text) => self.read(text),
        }
    }

    fn read(&mut self, text: String) -> (RecordChanges, Option<String>) {
        if let Some(changes) = self.read_difference(&text) {
            self.text = Some(text);
            return (changes, None);
        }
        let version = text::read(self.kind, &text);
        let (count, broken) = (version.records.len(), version.trouble.is_some());
        self.shape = version.shape();
        let trouble = version.trouble;
        let changes = self.replace(version.records, broken);
        // The first of several records with one key counts, and only the whole file shows which it is.
        self.shape.borders &= self.records.len() == count;
        self.text = Some(text);
        (changes, trouble)
    }

    /// Reads only what differs from the version before; `None` if that would not be the same.
    fn read_difference(&mut self, text: &str) -> Option<RecordChanges> {
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
        let mut changes = RecordChanges::new();
        for key in removed.keys().filter(|key| !after.contains_key(*key)) {
            changes.push(((*key).to_owned(), None));
        }
        for (key, facts) in after.iter().filter(|(key, facts)| removed.get(*key) != Some(facts)) {
            changes.push(((*key).to_owned(), Some(FileFacts { facts: (*facts).to_owned(), carried: false })));
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

    /// Replaces all records by those of a version.
    fn replace(&mut self, records: Vec<Known>, broken: bool) -> RecordChanges {
        let mut before = std::mem::take(&mut self.records);
        let mut changes = RecordChanges::new();
        for Known { key, facts } in records {
            if self.records.contains_key(&key) {
                continue;
            }
            let held = FileFacts { facts, carried: false };
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
            let carried = FileFacts { carried: true, ..held.clone() };
            if carried != held {
                changes.push((key.clone(), Some(carried.clone())));
            }
            self.records.insert(key, carried);
        }
        changes
    }
}

/// A sentence about a version that could not be read completely.
pub fn sentence(path: &str, why: &str) -> String {
    format!("{} could not be read completely: {why}; subscribers that were in it and are not found stay", quoted(path))
}
