//! Entries of a listing.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::layout::MAX_FOLDERS;
use crate::source::MAX_FILE_BYTES;

/// The kind of a listed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A file that can be read.
    File,
    /// A symbolic link, with its target.
    Symlink(String),
    /// A folder.
    Folder,
    /// A folder at the top with the name of this data folder in other case.
    Miscased(&'static str),
    /// A folder nested too deep to be read.
    TooDeep,
    /// A git repository of its own.
    Submodule,
    /// A file that differs from the commit although git considers it unchanged.
    Altered(Altered),
    /// A socket, a pipe or a device.
    Special,
    /// A file whose name is not UTF-8.
    BadName,
}

/// Why a file on disk differs from the commit, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Altered {
    /// A sentence, without a full stop.
    pub(crate) why: String,
    pub(crate) help: &'static str,
}

/// One entry of the listing.
#[derive(Clone, Debug)]
pub(crate) struct TreeEntry {
    /// Relative to the data repository, with `/`.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    /// The id of the file's content, if it comes from git.
    pub(crate) blob: Option<git2::Oid>,
}

/// A file's bytes, or why there are none.
#[derive(Debug)]
pub(crate) enum FileContent {
    Bytes(Vec<u8>),
    /// More than [`MAX_FILE_BYTES`].
    TooLarge,
}

pub(super) fn folder_kind(depth: usize) -> EntryKind {
    if depth < MAX_FOLDERS { EntryKind::Folder } else { EntryKind::TooDeep }
}

pub(super) fn read_file(path: &Path) -> Result<FileContent> {
    let cannot = || format!("cannot read {}", path.display());
    let file = crate::disk::open::without_waiting(path).with_context(cannot)?;
    // Room for a file of one record: without it the standard library asks the system four times.
    let mut bytes = Vec::with_capacity(1024);
    // One byte more than allowed, which shows that a file grew too large while it was read.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(cannot)?;
    bytes.shrink_to_fit();
    Ok(if bytes.len() > MAX_FILE_BYTES { FileContent::TooLarge } else { FileContent::Bytes(bytes) })
}

/// The entry for `file`, listed as `path`; `None` if it does not exist.
pub(super) fn entry_on_disk(file: &Path, path: String) -> Result<Option<TreeEntry>> {
    if !exists(file)? {
        return Ok(None);
    }
    let kind = work_kind(file, fs::symlink_metadata(file)?.file_type());
    Ok(Some(TreeEntry { path, kind, blob: None }))
}

/// Whether `path` exists. A disk that does not answer is an error, not an empty folder.
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
