//! The list of the copies: what is there, what was begun, what is still to be removed.

use std::fmt;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::records::ledger;
use crate::records::moment::Moment;
use crate::records::versioned::{VERSION, VersionedRecord};
use crate::store::{Fence, Store};

/// Where the tars are. Not in the folder itself: files there are for everybody to read, and copies
/// hold secrets.
pub const FOLDER: &str = "copies";

/// The name of a copy: when it was made, of what. The tar is called after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CopyId(String);

impl CopyId {
    /// The tar of the copy, in the backup folder.
    pub fn file(&self) -> String {
        format!("{FOLDER}/{}.tar", self.0)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CopyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<CopyId> for String {
    fn from(id: CopyId) -> String {
        id.0
    }
}

impl TryFrom<String> for CopyId {
    type Error = String;

    /// The list is input: a name must not lead out of the folder.
    fn try_from(text: String) -> Result<CopyId, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let starts_well = text.starts_with(|c: char| c.is_ascii_digit());
        if starts_well && text.len() <= 120 && text.bytes().all(plain) {
            return Ok(CopyId(text));
        }
        Err(format!("{} is not the name of a copy, such as 20261121T072315Z-shaper", crate::text::quote::quoted(&text)))
    }
}

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupCopy {
    /// Its name.
    pub id: CopyId,
    /// When it was made.
    pub time: Moment,
    /// Of what, as [`super::path::to_text`] writes it.
    pub path: String,
    /// How many bytes the tar has.
    pub bytes: u64,
    /// Of the tar.
    pub digest: String,
    /// Who made it.
    pub by: String,
    /// From where.
    pub host: String,
    /// Names the run that made it, in the log, too.
    pub run: String,
    /// The tar may not be there yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
}

/// The list of the copies, as it was read and then changed.
#[derive(Debug)]
pub struct Copies {
    list: CopyList,
    record: VersionedRecord<CopyList>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CopyList {
    version: u32,
    /// In the order in which they were made: clocks go wrong, this does not.
    copies: Vec<BackupCopy>,
    /// Off the list; their tars may be there still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    removing: Vec<CopyId>,
}

impl Default for CopyList {
    fn default() -> Self {
        Self { version: VERSION, copies: Vec::new(), removing: Vec::new() }
    }
}

impl Copies {
    /// The list in the folder; empty if nothing was ever copied.
    ///
    /// # Errors
    /// If it cannot be read, or a newer program wrote it.
    pub fn read(store: &dyn Store) -> Result<Copies> {
        let without = "; the copies beside it can be unpacked with tar";
        let record = VersionedRecord::new(format!("{}/copies.json", ledger::FOLDER), without);
        let list = record.read(store)?.unwrap_or_default();
        Ok(Copies { list, record })
    }

    /// Writes the list.
    ///
    /// # Errors
    /// If it cannot be written, or another process wrote it meanwhile.
    pub fn write(&mut self, store: &dyn Store, fence: Fence<'_>) -> Result<()> {
        self.record.write(store, &self.list, fence)
    }

    /// The copies that are there, oldest first.
    pub fn whole(&self) -> impl Iterator<Item = &BackupCopy> {
        self.list.copies.iter().filter(|copy| !copy.begun)
    }

    /// The copies that were begun: their tars are there whole or not at all.
    pub fn begun(&self) -> impl Iterator<Item = &BackupCopy> {
        self.list.copies.iter().filter(|copy| copy.begun)
    }

    /// What is off the list and may not be off the disk.
    pub fn removing(&self) -> &[CopyId] {
        &self.list.removing
    }

    /// The copy is about to be made.
    pub fn begin(&mut self, copy: BackupCopy) {
        self.list.copies.push(BackupCopy { begun: true, ..copy });
    }

    /// The copy is there.
    pub fn finish(&mut self, id: &CopyId) {
        if let Some(copy) = self.list.copies.iter_mut().find(|copy| copy.id == *id) {
            copy.begun = false;
        }
    }

    /// Takes a copy off the list; its tar is yet to be removed.
    pub fn drop(&mut self, id: &CopyId) {
        self.list.copies.retain(|copy| copy.id != *id);
        self.list.removing.push(id.clone());
    }

    /// Their tars are gone.
    pub fn removed(&mut self) {
        self.list.removing.clear();
    }

    /// Takes the oldest copies of `path` beyond `keep` off the list, never the newest.
    pub fn prune(&mut self, path: &str, keep: usize) {
        let of_path: Vec<CopyId> = self.whole().filter(|copy| copy.path == path).map(|copy| copy.id.clone()).collect();
        for id in of_path.iter().take(of_path.len().saturating_sub(keep.max(1))) {
            self.drop(id);
        }
    }

    /// A name that no copy has, nor any file of `there` in [`FOLDER`].
    ///
    /// # Errors
    /// If there is none, which cannot be.
    pub fn free_id(&self, time: Moment, label: &str, there: &[String]) -> Result<CopyId> {
        let known = |id: &CopyId| self.list.copies.iter().any(|copy| copy.id == *id) || self.list.removing.contains(id);
        for number in 1..=u32::MAX {
            // Two in a second, or a clock that was set back.
            let again = if number == 1 { String::new() } else { format!("-{number}") };
            let id = CopyId::try_from(format!("{}-{label}{again}", time.compact())).map_err(anyhow::Error::msg)?;
            if !known(&id) && !there.contains(&format!("{id}.tar")) {
                return Ok(id);
            }
        }
        bail!("there is no free name for a copy of {label}")
    }
}
