//! What was notified and is not over yet, so that each state is notified once: a file beside git's own,
//! `shapeline/notified.json` in the folder that all work trees share. It can be deleted at any time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::notice::NoticeKind;
use crate::disk::open;
use crate::disk::write::write_with_mode;
use crate::git::Git;
use crate::records::moment::Moment;

/// The version of the file.
const VERSION: u32 = 1;

/// The largest file that is read.
const MAX_BYTES: u64 = 16 << 20;

/// A trouble that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownTrouble {
    /// See [`super::notice::Trouble::state`].
    pub(super) state: String,
    /// The id of its notification, for another try.
    pub(super) id: String,
    pub(super) kind: NoticeKind,
    pub(super) time: Moment,
    /// Whether the receiver took it.
    pub(super) delivered: bool,
}

/// Troubles by their subjects.
pub(super) type KnownTroubles = BTreeMap<String, KnownTrouble>;

#[derive(Serialize, Deserialize)]
struct MemoryFile {
    version: u32,
    troubles: KnownTroubles,
}

/// The troubles of one data repository, on disk where that can be written.
#[derive(Default)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    /// Several data repositories can be in one git repository.
    prefix: String,
    troubles: KnownTroubles,
}

impl Memory {
    /// The memory of the data repository at `root`; in this process alone if it is in no git repository.
    pub(super) fn of(root: &Path) -> Memory {
        let Ok(Some(git)) = Git::around(root) else { return Memory::default() };
        let path = git.common_dir().join("shapeline").join("notified.json");
        Memory { path: Some(path), prefix: git.prefix().to_owned(), troubles: BTreeMap::new() }
    }

    /// The key of a subject of this data repository.
    pub(super) fn key(&self, subject: &str) -> String {
        if self.prefix.is_empty() { subject.to_owned() } else { format!("{}:{subject}", self.prefix) }
    }

    /// Changes what is known. Other processes change it, too: it is read each time.
    ///
    /// # Errors
    /// If it cannot be written, the first time: from then on it is kept in this process alone.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut KnownTroubles) -> T) -> (T, Result<()>) {
        if let Some(path) = &self.path {
            // A damaged file is replaced: something may be notified twice.
            let file = open::read(path, MAX_BYTES).ok().flatten();
            let file = file.and_then(|bytes| serde_json::from_slice::<MemoryFile>(&bytes).ok());
            self.troubles = file.filter(|file| file.version == VERSION).map(|file| file.troubles).unwrap_or_default();
        }
        let before = self.troubles.clone();
        let changed = change(&mut self.troubles);
        if self.troubles == before {
            return (changed, Ok(()));
        }
        let written = self.write();
        if written.is_err() {
            self.path = None;
        }
        (changed, written)
    }

    fn write(&self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let file = MemoryFile { version: VERSION, troubles: self.troubles.clone() };
        write_with_mode(path, &serde_json::to_vec_pretty(&file)?, 0o600)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn trouble() -> KnownTrouble {
        let time = "2026-11-21T12:00:00Z".parse().unwrap();
        KnownTrouble { state: "s".into(), id: "i".into(), kind: NoticeKind::Drift, time, delivered: true }
    }

    fn names(memory: &mut Memory) -> Vec<String> {
        memory.change(|troubles| troubles.keys().cloned().collect()).0
    }

    #[test]
    fn other_processes_know_and_damage_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        git2::Repository::init(folder.path()).unwrap();
        let (mut one, mut other) = (Memory::of(folder.path()), Memory::of(folder.path()));
        let key = one.key("drift/hre-1");
        one.change(|troubles| troubles.insert(key, trouble())).1.unwrap();
        assert_eq!(names(&mut other), ["drift/hre-1"]);
        std::fs::write(other.path.clone().unwrap(), "{").unwrap();
        assert_eq!(names(&mut other), [""; 0]);
        other.change(|troubles| troubles.insert("a".into(), trouble())).1.unwrap();
        assert_eq!(names(&mut one), ["a"]);
    }

    #[test]
    fn without_a_file_it_is_kept_in_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(folder.path()).unwrap();
        std::fs::write(repository.path().join("shapeline"), "no folder").unwrap();
        let mut memory = Memory::of(folder.path());
        assert!(memory.change(|troubles| troubles.insert("a".into(), trouble())).1.is_err());
        assert!(memory.change(|troubles| troubles.insert("b".into(), trouble())).1.is_ok(), "said once");
        assert_eq!(names(&mut memory), ["a", "b"]);
    }
}
