//! What a listing holds.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::layout::MAX_FOLDERS;
use crate::source::MAX_FILE_BYTES;

/// What a listed entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file that can be read.
    File,
    /// A symbolic link, with where it leads.
    Symlink(String),
    /// A folder.
    Folder,
    /// A folder so deep down that what is in it is not looked at.
    TooDeep,
    /// A git repository of its own.
    Submodule,
    /// A file that is not on disk as it is committed although git calls it unchanged.
    Altered(Altered),
    /// A socket, a pipe, a device.
    Special,
    /// A file whose name is not UTF-8.
    BadName,
}

/// Why a file on disk is not what is committed, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// A sentence, without a full stop.
    pub why: String,
    /// What to do.
    pub help: &'static str,
}

/// One entry of the listing.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Relative to the data repository, with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    pub(super) blob: Option<git2::Oid>,
}

/// A file's bytes, or why there are none.
#[derive(Debug)]
pub enum Content {
    /// The bytes.
    Bytes(Vec<u8>),
    /// More of them than [`MAX_FILE_BYTES`].
    TooLarge,
}

pub(super) fn folder_kind(depth: usize) -> EntryKind {
    if depth < MAX_FOLDERS { EntryKind::Folder } else { EntryKind::TooDeep }
}

pub(super) fn read_file(path: &Path) -> Result<Content> {
    let cannot = || format!("cannot read {}", path.display());
    let file = crate::disk::open::without_waiting(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    // One more than allowed, so that a file that grows while it is read is seen to be too large.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(cannot)?;
    Ok(if bytes.len() > MAX_FILE_BYTES { Content::TooLarge } else { Content::Bytes(bytes) })
}

/// What is at `file`, listed as `path`; nothing if there is nothing.
pub(super) fn entry_on_disk(file: &Path, path: String) -> Result<Option<Entry>> {
    if !exists(file)? {
        return Ok(None);
    }
    let kind = work_kind(file, fs::symlink_metadata(file)?.file_type());
    Ok(Some(Entry { path, kind, blob: None }))
}

/// Whether there is anything at `path`. A disk that does not answer is no empty folder.
pub(super) fn exists(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

pub(super) fn work_kind(path: &Path, file_type: fs::FileType) -> EntryKind {
    if file_type.is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        EntryKind::Symlink(target.to_string_lossy().into_owned())
    } else if file_type.is_dir() {
        EntryKind::Folder
    } else if file_type.is_file() {
        EntryKind::File
    } else {
        EntryKind::Special
    }
}
