//! What is remembered beside the live file: which version is live, the versions of the past, an
//! intent that was begun and perhaps not finished, and the log.

use std::collections::HashSet;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::records::lock::MOST;
use crate::records::log::{self, ActionLog, LogAction, LogEntry, LogStatus};
use crate::records::manifest::{Hold, Live, Manifest, Pending, StoredVersion};
use crate::records::versioned::{VERSION, VersionedRecord};
use crate::store::{Expect, Fence, Store};
use crate::text::quote::harmless;

/// How many old versions are removed in one go: the lock is held meanwhile.
const MOST_REMOVED: usize = 1000;

/// The file of the pending change. It is emptied, not removed: a process that was paused could remove
/// the file of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PendingSlot {
    version: u32,
    pending: Option<Pending>,
}

/// The records beside a live file.
pub struct Ledger<'s> {
    store: &'s dyn Store,
    folder: String,
    manifest: VersionedRecord<Manifest>,
    pending: VersionedRecord<PendingSlot>,
}

impl<'s> Ledger<'s> {
    /// The records of `file` in `store`.
    pub fn of(store: &'s dyn Store, file: &str) -> Ledger<'s> {
        Ledger::new(store, folder_of(file))
    }

    /// The records of a whole folder.
    pub fn of_folder(store: &'s dyn Store) -> Ledger<'s> {
        Ledger::new(store, FOLDER.to_owned())
    }

    fn new(store: &'s dyn Store, folder: String) -> Ledger<'s> {
        let without = " without what it records";
        let manifest = VersionedRecord::new(format!("{folder}/manifest.json"), without);
        let pending = VersionedRecord::new(format!("{folder}/pending.json"), without);
        Ledger { store, folder, manifest, pending }
    }

    /// The folder in which the lock is.
    pub fn lock_folder(&self) -> String {
        format!("{}/lock", self.folder)
    }

    /// Removes what others began to write here and did not finish; call it only with the lock.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sweep(&self) -> Result<()> {
        for folder in ["", "/versions", "/log"] {
            self.store.sweep(&format!("{}{folder}", self.folder), None)?;
        }
        Ok(())
    }

    /// The manifest; nothing if nothing was ever published.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        self.manifest.read(self.store)
    }

    /// The manifest, or a fresh one, for a caller that has the lock.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub fn manifest_or_new(&self, target: &str) -> Result<Manifest> {
        if let Some(manifest) = self.manifest()? {
            if manifest.next >= MOST {
                bail!(
                    "{} is damaged: no version has the number {}",
                    self.store.place(&self.name("manifest.json")),
                    manifest.next
                );
            }
            return Ok(manifest);
        }
        let mut manifest = Manifest::new(target);
        // There was one if there is a log, and it was moved away: the versions are the last
        // copies of the past. (Without a log, what lies there is of a first publish that was interrupted.)
        if !self.store.list(&self.name("log"))?.is_empty() {
            for id in self.version_numbers()? {
                manifest.versions.extend(self.found_version(id)?);
                manifest.next = id + 1;
            }
            if manifest.next >= MOST {
                bail!("{} has an impossible number: remove it", self.store.place(&self.version_name(MOST - 1)));
            }
            self.remember(&mut manifest)?;
        }
        Ok(manifest)
    }

    /// Restores from the log what a lost manifest said: the versions, what was put in place last, the newest commit,
    /// and whether a rollback holds the target. Without that, the next run would put back what was
    /// taken away.
    fn remember(&self, manifest: &mut Manifest) -> Result<()> {
        let log = log::read(self.store, &self.name("log"))?;
        for version in &mut manifest.versions {
            let entry = log.of_version(version.id).filter(|entry| entry.digest.as_ref() == Some(&version.digest));
            let Some(entry) = entry else { continue };
            version.commit.clone_from(&entry.commit);
            version.frozen.clone_from(&entry.frozen);
            (version.time, version.actor, version.tool) = (entry.time, entry.actor.clone(), entry.tool.clone());
            version.undated = false;
        }
        let put = |entry: &&LogEntry| {
            entry.status == LogStatus::Success && matches!(entry.action, LogAction::Publish | LogAction::Rollback)
        };
        let newest = log.entries.iter().filter(put).rfind(|entry| entry.action == LogAction::Publish);
        manifest.newest = newest.and_then(|entry| entry.commit.clone());
        let Some(last) = log.entries.iter().rfind(put) else { return Ok(()) };
        let version = manifest.versions.iter_mut().rfind(|version| Some(&version.digest) == last.digest.as_ref());
        manifest.live = version.map(|version| {
            version.commit.clone_from(&last.commit);
            version.frozen.clone_from(&last.frozen);
            version.found = version.commit.is_none();
            Live { version: version.clone(), since: last.time, by: last.actor.clone() }
        });
        manifest.held = (last.action == LogAction::Rollback).then(|| Hold {
            since: last.time,
            run: last.run.clone(),
            by: last.actor.clone(),
            from: 0,
            commit: manifest.newest.clone(),
        });
        Ok(())
    }

    /// A version of which only the bytes are left.
    fn found_version(&self, id: u64) -> Result<Option<StoredVersion>> {
        let Some(stored) = self.store.read(&self.version_name(id))? else { return Ok(None) };
        Ok(Some(StoredVersion { undated: true, ..StoredVersion::found(id, &stored.bytes) }))
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest, fence: Fence<'_>) -> Result<()> {
        self.manifest.write(self.store, manifest, fence)
    }

    /// What was begun and not finished.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub fn pending(&self) -> Result<Option<Pending>> {
        Ok(self.pending.read(self.store)?.and_then(|slot| slot.pending))
    }

    /// Writes down what is about to be done.
    ///
    /// # Errors
    /// If it cannot be written, or another process wrote it meanwhile.
    pub fn write_pending(&self, pending: &Pending, fence: Fence<'_>) -> Result<()> {
        self.pending.write(self.store, &PendingSlot { version: VERSION, pending: Some(pending.clone()) }, fence)
    }

    /// All is done.
    ///
    /// # Errors
    /// If it cannot be written, or another process wrote it meanwhile.
    pub fn clear_pending(&self, fence: Fence<'_>) -> Result<()> {
        self.pending.write(self.store, &PendingSlot { version: VERSION, pending: None }, fence)
    }

    /// The bytes of a kept version.
    ///
    /// # Errors
    /// If they are not there, or are not what they were.
    pub fn read_version(&self, version: &StoredVersion) -> Result<Vec<u8>> {
        let name = self.version_name(version.id);
        let place = self.store.place(&name);
        let Some(stored) = self.store.read(&name)? else {
            bail!("version {} is not kept any more: there is no {place}", version.id);
        };
        if stored.digest() != version.digest {
            bail!("version {} was changed since: {place} does not have its digest {}", version.id, version.digest);
        }
        Ok(stored.bytes)
    }

    /// The bytes of a kept version. A user who can change them can change the manifest to match, so the
    /// digest is compared with the one in the log, if the log has this version.
    ///
    /// # Errors
    /// If they are not there, or are not what they were; or if the log cannot be read.
    pub fn read_logged_version(&self, version: &StoredVersion) -> Result<Vec<u8>> {
        let log = log::read(self.store, &self.name("log"))?;
        let logged = log.of_version(version.id).and_then(|entry| Some((entry.n, entry.digest.as_ref()?)));
        match logged.filter(|(_, digest)| **digest != version.digest) {
            Some((number, digest)) => bail!(
                "version {} is not what was published: entry {number} of the log has the digest {} for it, {} has \
                 {}; restore both from a backup, or take another version",
                version.id,
                harmless(digest, 100),
                self.store.place(&self.name("manifest.json")),
                harmless(&version.digest, 100)
            ),
            None => self.read_version(version),
        }
    }

    /// Keeps the bytes of a version. What is there under that number is replaced only if it is
    /// something else, which nothing lists or which was damaged.
    ///
    /// # Errors
    /// If they cannot be written, or another process writes them.
    pub fn write_version(&self, id: u64, bytes: &[u8], fence: Fence<'_>) -> Result<()> {
        let name = self.version_name(id);
        if self.store.put(&name, bytes, Expect::Nothing, fence)?.is_some() {
            return Ok(());
        }
        let Some(there) = self.store.read(&name)? else {
            bail!("{} was there and is gone: another process works here", self.store.place(&name));
        };
        if there.bytes != bytes && self.store.put(&name, bytes, Expect::Content(&there.mark), fence)?.is_none() {
            bail!("{} was changed by another process meanwhile", self.store.place(&name));
        }
        Ok(())
    }

    /// Takes the oldest versions beyond `keep` off the list, first those that were only found,
    /// never the live one; then removes the bytes of all that are not listed.
    ///
    /// # Errors
    /// If they cannot be removed, or the manifest cannot be written.
    pub fn prune(&self, manifest: &mut Manifest, keep: usize, fence: Fence<'_>) -> Result<()> {
        let live = manifest.live.as_ref().map(|live| live.version.id);
        let spare = manifest.versions.len().saturating_sub(keep);
        let of_kind = |found: bool| {
            let kind = manifest.versions.iter().filter(move |version| version.found == found);
            kind.map(|version| version.id).filter(|id| Some(*id) != live)
        };
        let old: HashSet<u64> = of_kind(true).chain(of_kind(false)).take(spare).collect();
        // First out of the list, then off the disk: nothing listed is ever missing.
        if !old.is_empty() {
            manifest.versions.retain(|version| !old.contains(&version.id));
            self.write_manifest(manifest, fence)?;
        }
        let listed: HashSet<u64> = manifest.versions.iter().map(|version| version.id).collect();
        let unlisted = self.version_numbers()?.into_iter().filter(|id| !listed.contains(id));
        for id in unlisted.take(MOST_REMOVED) {
            fence()?;
            self.store.remove(&self.version_name(id))?;
        }
        Ok(())
    }

    /// The numbers of the versions whose bytes are there, in order.
    fn version_numbers(&self) -> Result<Vec<u64>> {
        let names = self.store.list(&self.name("versions"))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).filter(|id| *id < MOST).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Adds an entry to the log, and writes the manifest with the log's new end.
    ///
    /// # Errors
    /// If either cannot be written.
    pub fn record(&self, manifest: &mut Manifest, entry: LogEntry, fence: Fence<'_>) -> Result<()> {
        self.append(manifest, entry, fence)?;
        self.write_manifest(manifest, fence)
    }

    /// Adds an entry to the log, and notes the new end in `manifest`, which is yet to be written.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn append(&self, manifest: &mut Manifest, entry: LogEntry, fence: Fence<'_>) -> Result<()> {
        manifest.log = log::append(self.store, &self.name("log"), entry, &manifest.log, fence)?;
        Ok(())
    }

    /// The whole log, compared with the manifest.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn log(&self) -> Result<ActionLog> {
        // The manifest first: entries that are added meanwhile are no damage.
        let manifest = self.manifest();
        let mut log = log::read(self.store, &self.name("log"))?;
        match manifest {
            Ok(Some(manifest)) => log.compare(&manifest.log),
            Ok(None) => {}
            // The log is needed most then.
            Err(error) => log.damage.push(format!("it cannot be compared with the manifest: {error:#}")),
        }
        Ok(log)
    }

    fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    fn version_name(&self, id: u64) -> String {
        self.name(&format!("versions/{id:08}"))
    }
}

/// The folder of the records of a whole folder.
pub(crate) const FOLDER: &str = ".shapeline";

/// The folder of the records of `file`, beside it.
pub fn folder_of(file: &str) -> String {
    format!(".{file}.shapeline")
}
