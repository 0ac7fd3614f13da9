//! What is remembered beside the live file: which version is live, the versions of the past, an
//! intent that was begun and perhaps not finished, and the log.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::log::{self, Entry, Head, Log};
use super::moment::Moment;
use super::store::{Expect, Fence, Store, digest};
use crate::model::Safety;

/// The version of these files' shape. It grows when an older program would be misled.
const VERSION: u32 = 1;

/// A version of the file: what was published, or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number, from 1.
    pub id: u64,
    /// Of its bytes.
    pub digest: String,
    /// How many bytes.
    pub bytes: u64,
    /// How many subscribers it serves; not known for what was found or made by a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribers: Option<u64>,
    /// The commit of the data; none for what was found, or was never committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The data had changes that were not committed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// It was not published but found, put there by somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
    /// When it was made or found.
    pub time: Moment,
    /// By whom.
    pub actor: String,
    /// The version of the tool.
    pub tool: String,
}

/// The version that is live, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The version.
    #[serde(flatten)]
    pub version: Version,
    /// Since when.
    pub since: Moment,
    /// Who put it in place.
    pub by: String,
}

/// Set by a rollback: what it took back is not to be published again by the next run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Since when.
    pub since: Moment,
    /// Who rolled back.
    pub by: String,
    /// The version that was taken back.
    pub from: u64,
    /// The commit that was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What is live, and what is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// The target's name at the last publish.
    pub target: String,
    /// What is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// Set by a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// The safety limits at the last publish: data that raises them is judged by these, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Safety>,
    /// The number of the next version.
    pub next: u64,
    /// What is kept, oldest first.
    pub versions: Vec<Version>,
    /// The end of the log.
    pub log: Head,
}

impl Manifest {
    fn new(target: &str) -> Manifest {
        Manifest {
            version: VERSION,
            target: target.to_owned(),
            live: None,
            held: None,
            limits: None,
            next: 1,
            versions: Vec::new(),
            log: Head::default(),
        }
    }

    /// The kept version with this number.
    pub fn find(&self, id: u64) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The newest kept version with these bytes.
    pub fn with_digest(&self, digest: &str) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.digest == digest)
    }
}

/// Written before the live file is replaced and removed when all is done, so that whoever comes
/// after a crash knows what was meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    version: u32,
    /// The entry that will stand in the log.
    pub entry: Entry,
    /// The version that was live, if there was a file.
    pub before: Option<Version>,
    /// The version that is to be.
    pub after: Version,
    /// The hold that is to be.
    pub held: Option<Held>,
    /// The limits that are to be noted.
    pub limits: Option<Safety>,
    /// Set once the new file turned out to be no good: the old one is to be put back, because of
    /// this.
    pub taken_back: Option<String>,
}

impl Pending {
    /// What is meant to happen.
    pub fn new(entry: Entry, before: Option<Version>, after: Version) -> Pending {
        Pending { version: VERSION, entry, before, after, held: None, limits: None, taken_back: None }
    }
}

/// The records beside a live file.
pub struct Ledger<'s> {
    store: &'s dyn Store,
    folder: String,
}

impl<'s> Ledger<'s> {
    /// The records of `file` in `store`.
    pub fn of(store: &'s dyn Store, file: &str) -> Ledger<'s> {
        Ledger { store, folder: folder_of(file) }
    }

    /// The records of a whole folder.
    pub fn of_folder(store: &'s dyn Store) -> Ledger<'s> {
        Ledger { store, folder: ".shapeline".to_owned() }
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
        self.record("manifest.json")
    }

    /// The manifest, or a fresh one, for somebody who has the lock.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub fn manifest_or_new(&self, target: &str) -> Result<Manifest> {
        if let Some(manifest) = self.manifest()? {
            return Ok(manifest);
        }
        let mut manifest = Manifest::new(target);
        // Versions that are there without a manifest are somebody's last copies.
        let kept = self.store.list(&self.name("versions"))?;
        let last = kept.iter().filter_map(|name| name.parse::<u64>().ok()).max();
        manifest.next = last.map_or(1, |last| last.saturating_add(1));
        Ok(manifest)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest, fence: Fence<'_>) -> Result<()> {
        self.write("manifest.json", manifest, fence)
    }

    /// What was begun and not finished.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub fn pending(&self) -> Result<Option<Pending>> {
        self.record("pending.json")
    }

    /// Writes down what is about to be done.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_pending(&self, pending: &Pending, fence: Fence<'_>) -> Result<()> {
        self.write("pending.json", pending, fence)
    }

    /// All is done.
    ///
    /// # Errors
    /// If the note cannot be removed.
    pub fn remove_pending(&self, fence: Fence<'_>) -> Result<()> {
        fence()?;
        self.store.remove(&self.name("pending.json"))
    }

    /// The bytes of a kept version.
    ///
    /// # Errors
    /// If they are not there, or are not what they were.
    pub fn read_version(&self, version: &Version) -> Result<Vec<u8>> {
        let name = self.version_name(version.id);
        let place = self.store.place(&name);
        let Some(stored) = self.store.read(&name)? else {
            bail!("version {} is not kept any more: there is no {place}", version.id);
        };
        if digest(&stored.bytes) != version.digest {
            bail!("version {} was changed since: {place} does not have its digest {}", version.id, version.digest);
        }
        Ok(stored.bytes)
    }

    /// Keeps the bytes of a version, also if they were kept and are not what they were.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn keep_version(&self, version: &Version, bytes: &[u8], fence: Fence<'_>) -> Result<()> {
        if self.read_version(version).is_err() {
            self.store.put(&self.version_name(version.id), bytes, Expect::Anything, fence)?;
        }
        Ok(())
    }

    /// Removes the bytes of a version that never came to be listed: it was no good, or cut off.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub fn remove_unlisted(&self, manifest: &Manifest, id: u64) -> Result<()> {
        if manifest.find(id).is_some() { Ok(()) } else { self.store.remove(&self.version_name(id)) }
    }

    /// Removes the bytes of the oldest versions beyond `keep`, never those of the live one.
    ///
    /// # Errors
    /// If they cannot be removed, or the manifest cannot be written.
    pub fn prune(&self, manifest: &mut Manifest, keep: usize, fence: Fence<'_>) -> Result<()> {
        let live = manifest.live.as_ref().map(|live| live.version.id);
        let spare = manifest.versions.len().saturating_sub(keep);
        let old: Vec<u64> =
            manifest.versions.iter().map(|version| version.id).filter(|id| Some(*id) != live).take(spare).collect();
        if old.is_empty() {
            return Ok(());
        }
        // First out of the list, then off the disk: nothing listed is ever missing.
        manifest.versions.retain(|version| !old.contains(&version.id));
        self.write_manifest(manifest, fence)?;
        for id in old {
            self.store.remove(&self.version_name(id))?;
        }
        Ok(())
    }

    /// Adds an entry to the log, and notes the new end in `manifest`, which is yet to be written.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn append(&self, manifest: &mut Manifest, entry: Entry, fence: Fence<'_>) -> Result<()> {
        manifest.log = log::append(self.store, &self.name("log"), entry, &manifest.log, fence)?;
        Ok(())
    }

    /// The whole log, held against the manifest.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn log(&self) -> Result<Log> {
        // The manifest first: entries that are added meanwhile are no damage.
        let manifest = self.manifest()?;
        let mut log = log::read(self.store, &self.name("log"))?;
        if let Some(manifest) = manifest {
            log.compare(&manifest.log);
        }
        Ok(log)
    }

    fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    fn version_name(&self, id: u64) -> String {
        self.name(&format!("versions/{id:08}"))
    }

    fn record<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        #[derive(Deserialize)]
        struct Shape {
            version: u32,
        }
        let name = self.name(name);
        let Some(stored) = self.store.read(&name)? else { return Ok(None) };
        let place = self.store.place(&name);
        let damaged = || format!("{place} is damaged: move it away to go on without what it tells");
        let shape: Shape = serde_json::from_slice(&stored.bytes).with_context(damaged)?;
        if shape.version > VERSION {
            bail!("{place} was written by a newer version of shapeline: use that one");
        }
        serde_json::from_slice(&stored.bytes).map(Some).with_context(damaged)
    }

    fn write<T: Serialize>(&self, name: &str, record: &T, fence: Fence<'_>) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(record)?;
        bytes.push(b'\n');
        self.store.put(&self.name(name), &bytes, Expect::Anything, fence)?;
        Ok(())
    }
}

/// The folder of the records of `file`, beside it.
pub fn folder_of(file: &str) -> String {
    format!(".{file}.shapeline")
}
