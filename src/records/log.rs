//! What was done to a target, one line each, each line with the digest of the one before.
//!
//! The lines are kept in files of so many, named by the number of their first: a line is added by
//! putting the last file anew, whole, so that none is ever half written. A user who may write to
//! the target may also write the log anew from the start; the digests show that a part of it was changed
//! or removed. `publish` prints the last digest, to be kept where others cannot
//! write.

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::records::command::CommandRecord;
use crate::records::frozen::FrozenAt;
use crate::records::holder::Operator;
use crate::records::lock::MOST;
use crate::records::moment::Moment;
use crate::store::{Expect, Fence, Store, digest};

/// How many entries one file holds.
const SEGMENT: usize = 1000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogAction {
    /// The data was put in place.
    Publish,
    /// A version of the past was put in place.
    Rollback,
    /// The live file was found to differ from the data.
    Drift,
    /// A copy was made.
    Backup,
    /// A copy was brought back.
    Restore,
}

impl LogAction {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            LogAction::Publish => "PUBLISH",
            LogAction::Rollback => "ROLLBACK",
            LogAction::Drift => "DRIFT",
            LogAction::Backup => "BACKUP",
            LogAction::Restore => "RESTORE",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogStatus {
    /// As it should.
    Success,
    /// Otherwise.
    Error,
}

impl LogStatus {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            LogStatus::Success => "SUCCESS",
            LogStatus::Error => "ERROR",
        }
    }
}

/// One thing that was done, or tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// From 1, without gaps.
    pub n: u64,
    /// When, by the clock of the process that did it.
    #[schemars(with = "String")]
    pub time: Moment,
    /// What.
    pub action: LogAction,
    /// With what: the version that was put in place, the path that was copied.
    pub parameter: String,
    /// How it ended.
    pub status: LogStatus,
    /// Why it ended in an error, or remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who.
    pub actor: String,
    /// From where.
    pub host: String,
    /// The commit of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Domains that are as they were in an earlier commit: the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<FrozenAt>,
    /// The digest of the file that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the check command said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CommandRecord>,
    /// What the reload command said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<CommandRecord>,
    /// The version of the tool.
    pub tool: String,
    /// Names this very run, so that an interrupted one is not logged twice.
    pub run: String,
    /// The digest of the line before, without its line break; of nothing for the first.
    pub previous: String,
}

impl LogEntry {
    /// An entry that is yet to be filled in: all went well so far.
    pub fn new(action: LogAction, parameter: String, who: &Operator, run: &str) -> LogEntry {
        LogEntry {
            n: 0,
            time: Moment::now(),
            action,
            parameter,
            status: LogStatus::Success,
            reason: None,
            actor: who.actor.clone(),
            host: who.host.clone(),
            commit: None,
            frozen: Vec::new(),
            digest: None,
            check: None,
            reload: None,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            run: run.to_owned(),
            previous: digest(b""),
        }
    }
}

/// What an entry says of the version that it is about.
pub(crate) fn version(id: u64) -> String {
    format!("version {id}")
}

/// The end of the reason of an entry that stored what was found in the place of the live file.
pub(crate) fn found_as(id: u64) -> String {
    format!("what was found in its place is kept as version {id}")
}

/// The end of the log: how many entries, and the digest of the last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogHead {
    /// How many entries there are.
    pub entries: u64,
    /// The digest of the last line, without its line break; of nothing where there is none.
    pub digest: String,
}

impl Default for LogHead {
    fn default() -> Self {
        Self { entries: 0, digest: digest(b"") }
    }
}

/// The whole log, as far as it can be read, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct ActionLog {
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
    /// What was found changed, removed or damaged. Sentences; nothing if the log is whole.
    pub damage: Vec<String>,
    /// Its end.
    pub head: LogHead,
    /// The last lines that could not be read, from the first to the last in a row.
    unreadable: Option<(u64, u64)>,
}

impl ActionLog {
    /// Whether the log says what `entry` would say: `key` is what must be equal, and nothing for entries that
    /// do not count; the last that counts decides.
    pub(crate) fn says<K: PartialEq>(&self, entry: &LogEntry, key: impl Fn(&LogEntry) -> Option<K>) -> bool {
        let last = self.entries.iter().rev().find_map(&key);
        last.is_some() && last == key(entry)
    }

    /// The entry that put version `id` in place last; none if a file that was found has had that number since.
    /// Numbers begin anew where all other records were lost.
    pub(crate) fn of_version(&self, id: u64) -> Option<&LogEntry> {
        let (version, found) = (version(id), found_as(id));
        let put = |entry: &LogEntry| {
            entry.parameter == version
                && entry.status == LogStatus::Success
                && matches!(entry.action, LogAction::Publish | LogAction::Rollback)
        };
        let found = |entry: &LogEntry| entry.reason.as_ref().is_some_and(|reason| reason.ends_with(&found));
        self.entries.iter().rev().find(|entry| put(entry) || found(entry)).filter(|entry| put(entry))
    }

    /// The entry of the run called `run`.
    pub fn of_run(&self, run: &str) -> Option<&LogEntry> {
        self.entries.iter().rev().find(|entry| entry.run == run)
    }
}

/// Reads the whole log in `folder`, and checks each line against the one before.
///
/// # Errors
/// If it cannot be read. Tampering is no error, but reported in [`ActionLog::damage`].
pub fn read(store: &dyn Store, folder: &str) -> Result<ActionLog> {
    let mut log = ActionLog::default();
    for name in segments(store, folder)? {
        let Some(stored) = store.read(&format!("{folder}/{name}"))? else { continue };
        for line in lines(&stored.bytes) {
            log.add(line);
        }
    }
    Ok(log)
}

impl ActionLog {
    fn add(&mut self, line: &[u8]) {
        let expected = self.head.entries + 1;
        match parse(line) {
            None => self.add_unreadable(expected),
            Some(entry) => {
                self.unreadable = None;
                if entry.n > expected {
                    self.damage.push(format!("entries {expected} to {} are missing", entry.n - 1));
                } else if entry.n < expected {
                    self.damage.push(format!("entry {} is where {expected} should be", entry.n));
                } else if entry.previous != self.head.digest {
                    self.damage.push(format!(
                        "entry {} does not follow from the one before it: that one was changed",
                        entry.n
                    ));
                }
                self.head.entries = entry.n.max(self.head.entries);
                self.head.digest = digest(line);
                self.entries.push(entry);
                return;
            }
        }
        self.head = LogHead { entries: expected, digest: digest(line) };
    }

    /// Many in a row are one sentence: a file of something else has thousands of lines.
    fn add_unreadable(&mut self, number: u64) {
        match &mut self.unreadable {
            Some((first, last)) if *last + 1 == number => {
                *last = number;
                let sentence = format!("entries {first} to {number} cannot be read: the lines were changed");
                if let Some(last) = self.damage.last_mut() {
                    *last = sentence;
                }
            }
            _ => {
                self.unreadable = Some((number, number));
                self.damage.push(format!("entry {number} cannot be read: the line was changed"));
            }
        }
    }

    /// Compares the log with the end that was noted elsewhere: entries missing from the end show only
    /// so.
    pub fn compare(&mut self, noted: &LogHead) {
        if noted.entries > self.head.entries {
            self.damage.push(format!(
                "entries {} to {} are missing: the manifest knows of them",
                self.head.entries + 1,
                noted.entries
            ));
            return;
        }
        let next = self.entries.iter().find(|entry| entry.n == noted.entries + 1);
        let digest = next.map_or(&self.head.digest, |next| &next.previous);
        if *digest != noted.digest {
            self.damage.push(format!("entry {} was changed: the manifest knows another", noted.entries));
        }
    }
}

/// Adds an entry at the end, which was `noted` when the last was added; its number and the digest
/// of the line before are filled in here.
///
/// # Errors
/// If the log cannot be read or written, or another process wrote to it at the same moment.
pub fn append(
    store: &dyn Store,
    folder: &str,
    mut entry: LogEntry,
    noted: &LogHead,
    fence: Fence<'_>,
) -> Result<LogHead> {
    let last = segments(store, folder)?.pop();
    let (mut name, mut stored) = (String::new(), None);
    if let Some(last) = last {
        name = last;
        stored = store.read(&format!("{folder}/{name}"))?;
    }
    let first: u64 = name.parse().unwrap_or(1);
    let mut bytes = Vec::new();
    let mut expect = Expect::Nothing;
    let mut count = 0;
    entry.n = 1;
    entry.previous = digest(b"");
    if let Some(stored) = &stored {
        let all = lines(&stored.bytes);
        count = all.len();
        // A damaged line still has its place.
        entry.n = all.last().map_or(first, |line| parse(line).map_or(first + count as u64, |last| last.n + 1));
        entry.previous = digest(all.last().copied().unwrap_or_default());
        (bytes, expect) = (stored.bytes.clone(), Expect::Content(&stored.mark));
    }
    // The end was removed or changed: what follows must not look as if the log were whole.
    let tail = entry.n - 1;
    if tail < noted.entries || (tail == noted.entries && entry.previous != noted.digest) {
        (entry.n, entry.previous) = (noted.entries + 1, noted.digest.clone());
    }
    if entry.n >= MOST {
        bail!("the log in {} has entries with impossible numbers: move it away", store.place(folder));
    }
    if count >= SEGMENT || stored.is_none() {
        (name, bytes, expect) = (format!("{:08}", entry.n), Vec::new(), Expect::Nothing);
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    let line = serde_json::to_vec(&entry).context("cannot write a log entry")?;
    bytes.extend_from_slice(&line);
    bytes.push(b'\n');
    let path = format!("{folder}/{name}");
    if store.put(&path, &bytes, expect, fence)?.is_none() {
        fence()?;
        bail!("{} was changed by another process meanwhile", store.place(&path));
    }
    Ok(LogHead { entries: entry.n, digest: digest(&line) })
}

/// The names of the files, oldest first: numbers, padded alike.
fn segments(store: &dyn Store, folder: &str) -> Result<Vec<String>> {
    let mut names = store.list(folder)?;
    names.retain(|name| name.len() >= 8 && name.parse().is_ok_and(|first: u64| first < MOST));
    names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
    Ok(names)
}

fn parse(line: &[u8]) -> Option<LogEntry> {
    serde_json::from_slice::<LogEntry>(line).ok().filter(|entry| entry.n < MOST)
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect()
}
