//! The folder that holds the copies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use super::copies::{BackupCopy, Copies};
use crate::model::Backup;
use crate::records::failure::Failure;
use crate::records::ledger::Ledger;
use crate::store::open::open_folder;
use crate::store::{Store, digest};

/// How many copies of a path are kept where the settings do not say.
const KEEP: u32 = 100;

/// The folder within reach.
pub struct BackupFolder {
    /// The folder.
    pub store: Arc<dyn Store>,
    /// Where it is on this host, if it is, with no link on the way.
    here: Option<PathBuf>,
    /// How many copies of a path are kept.
    pub keep: usize,
}

impl BackupFolder {
    /// Opens the folder of the settings.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub fn open(backup: &Backup) -> Result<BackupFolder> {
        let store = open_folder(&backup.access())?;
        #[cfg(all(debug_assertions, unix))]
        let store = crate::store::crash::stepwise(store);
        let here = backup.url.local_path().map(std::fs::canonicalize).transpose()?;
        Ok(BackupFolder { store: Arc::from(store), here, keep: backup.keep.unwrap_or(KEEP) as usize })
    }

    /// A folder that is not on this host.
    pub fn of(store: Arc<dyn Store>, keep: usize) -> BackupFolder {
        BackupFolder { store, here: None, keep }
    }

    /// The records in the folder.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger::of_folder(self.store.as_ref())
    }

    /// The list of the copies.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn copies(&self) -> Result<Copies> {
        Copies::read(self.store.as_ref())
    }

    /// The bytes of a copy, if they are what they were.
    ///
    /// # Errors
    /// A refusal if they are not there or were changed; or if they cannot be read.
    pub fn read(&self, copy: &BackupCopy) -> Result<Vec<u8>, Failure> {
        let (id, place) = (&copy.id, self.store.place(&copy.id.file()));
        let Some(stored) = self.store.read(&copy.id.file())? else {
            return Err(Failure::Refused(format!("the copy {id} is gone: there is no {place}")));
        };
        if digest(&stored.bytes) != copy.digest {
            let reason = format!("the copy {id} was changed since it was made: {place} does not have its digest");
            return Err(Failure::Refused(reason));
        }
        Ok(stored.bytes)
    }

    /// The identity of the folder on this host: wherever it turns up, it is this one.
    pub fn identity(&self) -> Option<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(self.here.as_ref()?).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }

    /// Why `path` may not be copied: it is in this folder or around it. So is a link that leads
    /// there.
    pub fn is_own(&self, path: &Path) -> Option<String> {
        let real = std::fs::canonicalize(path).ok();
        self.is_at(path, path).or_else(|| self.is_at(&real?, path))
    }

    /// Why nothing may be put at `path`, whatever is there now: it is in this folder or around it.
    pub fn is_in_the_way(&self, path: &Path) -> Option<String> {
        self.is_at(path, path)
    }

    fn is_at(&self, path: &Path, named: &Path) -> Option<String> {
        let (here, named) = (self.here.as_ref()?, named.display());
        if here.starts_with(path) {
            return Some(format!("{named} contains the backup folder {}: name the folders beside it", here.display()));
        }
        path.starts_with(here).then(|| format!("{named} is in the backup folder {}", here.display()))
    }
}
