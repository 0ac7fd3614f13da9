//! A JSON record in a store, with the version of its shape.

use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::{ContentMark, Expect, Fence, Store};

/// The version of the records' shape. It grows when an older program would be misled.
pub(crate) const VERSION: u32 = 1;

/// A file that holds one `T`, which has a field `version`. It is replaced only while it is what this
/// process read first or wrote last.
#[derive(Debug)]
pub(crate) struct VersionedRecord<T> {
    name: String,
    /// What a damaged record costs, for people: ends the sentence "move it away to go on".
    without: &'static str,
    known: Mutex<KnownContent>,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug)]
enum KnownContent {
    NotRead,
    Absent,
    Content(ContentMark),
}

impl KnownContent {
    fn of(mark: Option<ContentMark>) -> KnownContent {
        mark.map_or(KnownContent::Absent, KnownContent::Content)
    }
}

impl<T: Serialize + DeserializeOwned> VersionedRecord<T> {
    pub(crate) fn new(name: String, without: &'static str) -> Self {
        Self { name, without, known: Mutex::new(KnownContent::NotRead), of: PhantomData }
    }

    /// The record; nothing if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub(crate) fn read(&self, store: &dyn Store) -> Result<Option<T>> {
        #[derive(Deserialize)]
        struct VersionField {
            version: u32,
        }
        let stored = store.read(&self.name)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the first time: a caller that reads again, such as for the log, still works with what it
        // read first, and must not replace with that what another process wrote in between.
        if matches!(*known, KnownContent::NotRead) {
            *known = KnownContent::of(stored.as_ref().map(|stored| stored.mark.clone()));
        }
        let Some(stored) = stored else { return Ok(None) };
        let place = store.place(&self.name);
        let damaged = || format!("{place} is damaged: move it away to go on{}", self.without);
        let shape: VersionField = serde_json::from_slice(&stored.bytes).with_context(damaged)?;
        if shape.version > VERSION {
            bail!("{place} was written by a newer version of shapeline: use that one");
        }
        serde_json::from_slice(&stored.bytes).map(Some).with_context(damaged)
    }

    /// Writes the record.
    ///
    /// # Errors
    /// If it cannot be written, or another process wrote it meanwhile.
    pub(crate) fn write(&self, store: &dyn Store, record: &T, fence: Fence<'_>) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(record)?;
        bytes.push(b'\n');
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*known, KnownContent::NotRead) {
            *known = KnownContent::of(store.read(&self.name)?.map(|stored| stored.mark));
        }
        let expect = match &*known {
            KnownContent::Content(mark) => Expect::Content(mark),
            KnownContent::NotRead | KnownContent::Absent => Expect::Nothing,
        };
        let Some(mark) = store.put(&self.name, &bytes, expect, fence)? else {
            // Most likely another process took over the lock: then that is the error to report.
            fence()?;
            bail!("{} was changed by another process meanwhile", store.place(&self.name));
        };
        *known = KnownContent::Content(mark);
        Ok(())
    }
}
