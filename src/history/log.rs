//! The log that a history is made of: commits, and the changes of each in the records of each file.
//!
//! It holds the content of the files and not what follows from it, so that it can be cut at any commit
//! and extended from there. It borrows from bytes: those of the cache, or new ones.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use git2::Oid;
use serde::{Deserialize, Serialize};

/// A commit: see [`super::line::Commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCommit<'a> {
    /// Its id.
    pub id: [u8; 20],
    /// The committer's date.
    pub time: i64,
    /// The author's date.
    pub author_time: i64,
    /// The author's name.
    pub author: &'a str,
    /// The author's mail address.
    pub email: &'a str,
    /// The first line of its message.
    pub subject: &'a str,
}

impl LogCommit<'_> {
    /// Its id in hexadecimal.
    pub fn id(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its id for git.
    pub fn oid(&self) -> Option<Oid> {
        Oid::from_bytes(&self.id).ok()
    }
}

/// A record in a file, from a commit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The commit's number on the line.
    pub commit: u32,
    /// The record's key.
    pub key: u32,
    /// The file.
    pub path: u32,
    /// Its facts; `None` if it is gone.
    pub facts: Option<u32>,
    /// Whether they are from an earlier version of the file: see [`super::file`].
    pub carried: bool,
    /// Which commit of a merged branch made the change; `None` if the commit itself.
    pub by: Option<u32>,
}

/// A version of a file that could not be read completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTrouble<'a> {
    /// Since which commit.
    pub commit: u32,
    /// The file.
    pub path: u32,
    /// Why.
    pub why: &'a str,
}

/// The log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLog<'a> {
    /// Whether the clone is shallow, so that the data before the first commit is not known.
    pub cut: bool,
    /// The commits that were live, oldest first.
    #[serde(borrow)]
    pub line: Vec<LogCommit<'a>>,
    /// Commits of merged branches that made a change.
    pub side: Vec<LogCommit<'a>>,
    /// Files.
    pub paths: Vec<&'a str>,
    /// Keys of records.
    pub keys: Vec<&'a str>,
    /// Facts of records.
    pub facts: Vec<&'a str>,
    /// Changes, by commit; within a commit those of one record together.
    pub entries: Vec<HistoryEntry>,
    /// Versions that could not be read, by commit.
    pub troubles: Vec<LogTrouble<'a>>,
}

impl<'a> HistoryLog<'a> {
    /// As bytes.
    ///
    /// # Errors
    /// Never in practice: memory takes it.
    pub fn encode(&self) -> Result<Vec<u8>> {
        Ok(postcard::to_allocvec(self)?)
    }

    /// Decodes bytes. Lengths in them are not trusted: nothing larger than the bytes is allocated.
    ///
    /// # Errors
    /// If they are not from [`HistoryLog::encode`], or an index is out of range.
    pub fn decode(bytes: &'a [u8]) -> Result<HistoryLog<'a>> {
        let log: HistoryLog<'a> = postcard::from_bytes(bytes)?;
        let within = |number: u32, length: usize| (number as usize) < length;
        let sound = |entry: &HistoryEntry| {
            within(entry.commit, log.line.len())
                && within(entry.key, log.keys.len())
                && within(entry.path, log.paths.len())
                && entry.facts.is_none_or(|facts| within(facts, log.facts.len()))
                && entry.by.is_none_or(|by| within(by, log.side.len()))
        };
        ensure!(log.entries.iter().all(sound), "an entry names what is not there");
        ensure!(log.entries.is_sorted_by_key(|entry| entry.commit), "entries are not in order");
        let sound =
            |trouble: &LogTrouble<'_>| within(trouble.commit, log.line.len()) && within(trouble.path, log.paths.len());
        ensure!(log.troubles.iter().all(sound), "a note names what is not there");
        ensure!(log.troubles.is_sorted_by_key(|trouble| trouble.commit), "notes are not in order");
        Ok(log)
    }

    /// The entries up to a number of commits.
    pub fn entries_of(&self, commits: usize) -> &[HistoryEntry] {
        let end = self.entries.partition_point(|entry| (entry.commit as usize) < commits);
        &self.entries[..end]
    }

    /// The troubles up to a number of commits.
    pub fn troubles_of(&self, commits: usize) -> &[LogTrouble<'a>] {
        let end = self.troubles.partition_point(|trouble| (trouble.commit as usize) < commits);
        &self.troubles[..end]
    }

    /// The commits by id, each with its number.
    pub fn numbers(&self) -> HashMap<[u8; 20], usize> {
        self.line.iter().enumerate().map(|(number, commit)| (commit.id, number)).collect()
    }
}

/// The facts of one record in each file, at some commit.
#[derive(Clone, Debug, Default)]
pub struct FactsByFile(Vec<NumberedFacts>);

/// The facts of a record in one file, by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedFacts {
    /// The file.
    pub path: u32,
    /// The facts.
    pub facts: u32,
    /// Whether they are from an earlier version.
    pub carried: bool,
}

impl FactsByFile {
    /// Applies an entry of this record.
    pub fn apply(&mut self, entry: &HistoryEntry) {
        self.0.retain(|holder| holder.path != entry.path);
        self.0.extend(entry.facts.map(|facts| NumberedFacts { path: entry.path, facts, carried: entry.carried }));
    }

    /// The facts that count if files contradict each other: those of a file that can be read, and of
    /// these the first by path.
    pub fn first(&self, paths: &[&str]) -> Option<NumberedFacts> {
        match &self.0[..] {
            [one] => Some(*one),
            all => all.iter().min_by_key(|holder| (holder.carried, paths[holder.path as usize])).copied(),
        }
    }
}

/// Builds a log, with each text once.
#[derive(Default)]
pub struct LogBuilder<'a> {
    log: HistoryLog<'a>,
    paths: HashMap<&'a str, u32>,
    keys: HashMap<&'a str, u32>,
    facts: HashMap<&'a str, u32>,
    side: HashMap<[u8; 20], u32>,
}

/// What [`LogBuilder::entry`] takes: an [`HistoryEntry`] in words.
pub struct NewEntry<'a> {
    /// The commit's number on the line.
    pub commit: u32,
    /// The record's key.
    pub key: &'a str,
    /// The file.
    pub path: &'a str,
    /// Its facts.
    pub facts: Option<&'a str>,
    /// Whether they are from an earlier version.
    pub carried: bool,
    /// Which commit of a merged branch made the change.
    pub by: Option<LogCommit<'a>>,
}

fn number<'a>(text: &'a str, numbers: &mut HashMap<&'a str, u32>, texts: &mut Vec<&'a str>) -> u32 {
    *numbers.entry(text).or_insert_with(|| {
        texts.push(text);
        texts.len() as u32 - 1
    })
}

impl<'a> LogBuilder<'a> {
    /// An empty log.
    pub fn new(cut: bool) -> Self {
        Self { log: HistoryLog { cut, ..HistoryLog::default() }, ..Self::default() }
    }

    /// Adds the next commit of the line.
    pub fn commit(&mut self, commit: LogCommit<'a>) {
        self.log.line.push(commit);
    }

    /// Adds a change; by commit.
    pub fn entry(&mut self, new: &NewEntry<'a>) {
        let log = &mut self.log;
        let by = new.by.map(|commit| {
            *self.side.entry(commit.id).or_insert_with(|| {
                log.side.push(commit);
                log.side.len() as u32 - 1
            })
        });
        let entry = HistoryEntry {
            commit: new.commit,
            key: number(new.key, &mut self.keys, &mut log.keys),
            path: number(new.path, &mut self.paths, &mut log.paths),
            facts: new.facts.map(|facts| number(facts, &mut self.facts, &mut log.facts)),
            carried: new.carried,
            by,
        };
        log.entries.push(entry);
    }

    /// Adds a version that could not be read; by commit.
    pub fn trouble(&mut self, commit: u32, path: &'a str, why: &'a str) {
        let path = number(path, &mut self.paths, &mut self.log.paths);
        self.log.troubles.push(LogTrouble { commit, path, why });
    }

    /// The log.
    pub fn finish(self) -> HistoryLog<'a> {
        self.log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let commit =
            |id| LogCommit { id: [id; 20], time: -1, author_time: i64::MAX, author: "A", email: "", subject: "s" };
        let mut builder = LogBuilder::new(true);
        builder.commit(commit(1));
        builder.commit(commit(2));
        let entry = NewEntry { commit: 0, key: "sk", path: "p", facts: Some("f"), carried: false, by: None };
        builder.entry(&entry);
        builder.entry(&NewEntry { commit: 1, facts: None, by: Some(commit(3)), ..entry });
        builder.trouble(1, "p", "why");
        builder.finish().encode().unwrap()
    }

    #[test]
    fn comes_back_as_it_was() {
        let bytes = sample();
        let log = HistoryLog::decode(&bytes).unwrap();
        assert_eq!((log.line.len(), log.side.len(), log.entries.len(), log.troubles.len()), (2, 1, 2, 1));
        assert_eq!((log.keys.len(), log.paths.len(), log.facts.len()), (1, 1, 1));
        assert_eq!(log.encode().unwrap(), bytes);
    }

    #[test]
    fn damaged_bytes_are_refused_or_make_sense() {
        let bytes = sample();
        for at in 0..bytes.len() {
            assert!(HistoryLog::decode(&bytes[..at]).is_err(), "cut at {at}");
            for wrong in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = wrong;
                let _ = HistoryLog::decode(&bytes);
            }
        }
        // A length that no memory has.
        let mut huge = vec![0];
        huge.extend([0xff; 9]);
        huge.push(1);
        assert!(HistoryLog::decode(&huge).is_err());
        assert!(HistoryLog::decode(&[0, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
    }
}
