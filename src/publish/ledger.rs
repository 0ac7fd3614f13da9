//! What is remembered beside the live file: which version is live, the versions of the past, an
//! intent that was begun and perhaps not finished, and the log.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lock::MOST;
use super::log::{self, Action, Entry, Head, Log, Status};
use super::moment::Moment;
use super::store::{Expect, Fence, Mark, Store, digest};
use crate::model::Safety;

/// How many old versions are removed in one go: the lock is held meanwhile.
const MOST_REMOVED: usize = 1000;

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

impl Version {
    /// A version that was not published but found.
    pub fn found(id: u64, bytes: &[u8]) -> Version {
        Version {
            id,
            digest: digest(bytes),
            bytes: bytes.len() as u64,
            subscribers: None,
            commit: None,
            dirty: false,
            found: true,
            time: Moment::now(),
            actor: "unknown".to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
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
    /// Names the rollback: a second one is another, even in the same second.
    pub run: String,
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
    /// The newest commit that was published or found to give what is live: what does not follow
    /// from it is not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
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
            newest: None,
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
    /// The commit that is to be the newest, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Set once the new file turned out to be no good: the old one is to be put back, because of
    /// this.
    pub taken_back: Option<String>,
}

impl Pending {
    /// What is meant to happen.
    pub fn new(entry: Entry, before: Option<Version>, after: Version) -> Pending {
        Pending { entry, before, after, held: None, limits: None, newest: None, taken_back: None }
    }
}

/// What the file of intents holds. It is emptied, not removed: somebody who was paused could
/// remove the intent of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    version: u32,
    pending: Option<Pending>,
}

/// The records beside a live file.
pub struct Ledger<'s> {
    store: &'s dyn Store,
    folder: String,
    /// The marks of what was read or written last, by name: a record is only replaced while it is
    /// still what this process knows.
    marks: RefCell<BTreeMap<String, Option<Mark>>>,
}

impl<'s> Ledger<'s> {
    /// The records of `file` in `store`.
    pub fn of(store: &'s dyn Store, file: &str) -> Ledger<'s> {
        Ledger { store, folder: folder_of(file), marks: RefCell::default() }
    }

    /// The records of a whole folder.
    pub fn of_folder(store: &'s dyn Store) -> Ledger<'s> {
        Ledger { store, folder: ".shapeline".to_owned(), marks: RefCell::default() }
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
        // There was one if there is a log, and somebody moved it away: the versions are the last
        // copies of the past. (Without a log, what lies there is of a first publish that was cut off.)
        if !self.store.list(&self.name("log"))?.is_empty() {
            for id in self.version_numbers()? {
                manifest.versions.extend(self.found_version(id)?);
                manifest.next = id + 1;
            }
            self.remember(&mut manifest)?;
        }
        Ok(manifest)
    }

    /// What the log tells of a manifest that is gone: what was put in place last, the newest commit,
    /// and whether a rollback holds the target. Without that, the next run would put back what was taken away.
    fn remember(&self, manifest: &mut Manifest) -> Result<()> {
        let log = log::read(self.store, &self.name("log"))?;
        let put = |entry: &&Entry| {
            entry.status == Status::Success && matches!(entry.action, Action::Publish | Action::Rollback)
        };
        let newest = log.entries.iter().filter(put).rfind(|entry| entry.action == Action::Publish);
        manifest.newest = newest.and_then(|entry| entry.commit.clone());
        let Some(last) = log.entries.iter().rfind(put) else { return Ok(()) };
        let version = manifest.versions.iter_mut().rfind(|version| Some(&version.digest) == last.digest.as_ref());
        manifest.live = version.map(|version| {
            version.commit.clone_from(&last.commit);
            version.found = version.commit.is_none();
            Live { version: version.clone(), since: last.time, by: last.actor.clone() }
        });
        manifest.held = (last.action == Action::Rollback).then(|| Held {
            since: last.time,
            run: last.run.clone(),
            by: last.actor.clone(),
            from: 0,
            commit: manifest.newest.clone(),
        });
        Ok(())
    }

    /// A version of which only the bytes are left.
    fn found_version(&self, id: u64) -> Result<Option<Version>> {
        let Some(stored) = self.store.read(&self.version_name(id))? else { return Ok(None) };
        Ok(Some(Version::found(id, &stored.bytes)))
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
        Ok(self.record::<Slot>("pending.json")?.and_then(|slot| slot.pending))
    }

    /// Writes down what is about to be done.
    ///
    /// # Errors
    /// If it cannot be written, or somebody else wrote it meanwhile.
    pub fn write_pending(&self, pending: &Pending, fence: Fence<'_>) -> Result<()> {
        self.write("pending.json", &Slot { version: VERSION, pending: Some(pending.clone()) }, fence)
    }

    /// All is done.
    ///
    /// # Errors
    /// If it cannot be written, or somebody else wrote it meanwhile.
    pub fn clear_pending(&self, fence: Fence<'_>) -> Result<()> {
        self.write("pending.json", &Slot { version: VERSION, pending: None }, fence)
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

    /// Keeps the bytes of a version. What is there under that number is replaced only if it is
    /// something else, which nothing lists or which somebody damaged.
    ///
    /// # Errors
    /// If they cannot be written, or somebody else writes them.
    pub fn write_version(&self, id: u64, bytes: &[u8], fence: Fence<'_>) -> Result<()> {
        let name = self.version_name(id);
        if self.store.put(&name, bytes, Expect::Nothing, fence)?.is_some() {
            return Ok(());
        }
        let Some(there) = self.store.read(&name)? else {
            bail!("{} was there and is gone: somebody else works here", self.store.place(&name));
        };
        if there.bytes != bytes && self.store.put(&name, bytes, Expect::Content(&there.mark), fence)?.is_none() {
            bail!("{} was changed by somebody else meanwhile", self.store.place(&name));
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
        let path = self.name(name);
        let stored = self.store.read(&path)?;
        self.marks.borrow_mut().insert(name.to_owned(), stored.as_ref().map(|stored| stored.mark.clone()));
        let Some(stored) = stored else { return Ok(None) };
        let place = self.store.place(&path);
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
        let path = self.name(name);
        let known = self.marks.borrow().get(name).cloned();
        let known = match known {
            Some(known) => known,
            None => self.store.read(&path)?.map(|stored| stored.mark),
        };
        let expect = known.as_ref().map_or(Expect::Nothing, Expect::Content);
        let Some(mark) = self.store.put(&path, &bytes, expect, fence)? else {
            // Most likely somebody took over: that is to be told then.
            fence()?;
            bail!("{} was changed by somebody else meanwhile", self.store.place(&path));
        };
        self.marks.borrow_mut().insert(name.to_owned(), Some(mark));
        Ok(())
    }
}

/// The folder of the records of `file`, beside it.
pub fn folder_of(file: &str) -> String {
    format!(".{file}.shapeline")
}
