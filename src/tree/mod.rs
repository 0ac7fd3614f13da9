//! The files of a data repository: in the work tree, or as they were in a git revision.
//!
//! Both are listed and read by the same calls, so that all later steps work on either.

mod attributes;
mod checkout;
mod disk;
mod entry;
mod layout;
mod revision;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

pub(crate) use attributes::altering;
pub(crate) use entry::{EntryKind, FileContent, TreeEntry};
pub use layout::MAX_FOLDERS;
pub(crate) use layout::{ATTRIBUTES, FOLDERS, SETTINGS, TOPS, configures_git, is_repository, nearest_repository};
pub(crate) use revision::open_git;

use crate::git::Git;
use crate::source::MAX_FILE_BYTES;
use disk::list_work;
use entry::read_file;
use layout::is_in_data;
use revision::list_revision;

/// Where files come from.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A folder on disk.
    Work {
        /// The data repository's folder.
        root: PathBuf,
    },
    /// A commit of a git repository.
    Revision {
        /// The git repository.
        git_dir: PathBuf,
        /// Where the data repository is within it; empty for its top.
        prefix: String,
        /// The commit.
        commit: git2::Oid,
    },
    /// Files that are not stored yet: a proposal, or a test. Bytes by path.
    Memory(BTreeMap<String, Vec<u8>>),
    /// Files over those of another tree: a proposal that is checked before it is written.
    Draft {
        /// The tree below.
        base: Box<Tree>,
        /// The proposed files by path; `None` for a file that is removed.
        changed: Arc<BTreeMap<String, Option<Vec<u8>>>>,
    },
}

/// Reads entries; each thread has its own.
pub(crate) enum Reader<'a> {
    /// From disk.
    Work(&'a Path),
    /// From git's object database.
    Revision(Box<git2::Repository>),
    /// From memory.
    Memory(&'a BTreeMap<String, Vec<u8>>),
    /// From the proposed files, else from the tree below.
    Draft(Box<Reader<'a>>, &'a BTreeMap<String, Option<Vec<u8>>>),
}

impl Tree {
    /// All entries of the data folders and the settings, by path.
    ///
    /// # Errors
    /// If a folder cannot be listed, or the revision cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<TreeEntry>> {
        let mut entries = match self {
            Tree::Work { root } => list_work(root)?,
            Tree::Revision { git_dir, prefix, commit } => list_revision(git_dir, prefix, *commit)?,
            Tree::Memory(files) => list_memory(files),
            Tree::Draft { base, changed } => list_draft(base.list()?, changed),
        };
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Where the data repository is within its git repository, with `/`; empty for its top, and where
    /// there is none.
    pub(crate) fn prefix(&self) -> String {
        match self {
            Tree::Work { root } => crate::git::folder_in_work_tree(root),
            Tree::Revision { prefix, .. } => prefix.clone(),
            Tree::Memory(_) => String::new(),
            Tree::Draft { base, .. } => base.prefix(),
        }
    }

    /// A reader for one thread.
    ///
    /// # Errors
    /// If the git repository cannot be opened.
    pub(crate) fn reader(&self) -> Result<Reader<'_>> {
        Ok(match self {
            Tree::Work { root } => Reader::Work(root),
            Tree::Revision { git_dir, .. } => Reader::Revision(Box::new(open_git(git_dir)?)),
            Tree::Memory(files) => Reader::Memory(files),
            Tree::Draft { base, changed } => Reader::Draft(Box::new(base.reader()?), changed),
        })
    }
}

impl Reader<'_> {
    /// The bytes of `entry`.
    ///
    /// # Errors
    /// If the file cannot be read: the message names it.
    pub(crate) fn read(&self, entry: &TreeEntry) -> Result<FileContent> {
        match (self, entry.blob) {
            (Reader::Draft(base, changed), _) => match changed.get(&entry.path) {
                Some(Some(bytes)) if bytes.len() > MAX_FILE_BYTES => Ok(FileContent::TooLarge),
                Some(Some(bytes)) => Ok(FileContent::Bytes(bytes.clone())),
                Some(None) => bail!("{} does not exist", entry.path),
                None => base.read(entry),
            },
            (Reader::Work(root), _) => read_file(&root.join(&entry.path)),
            (Reader::Revision(repository), Some(blob)) => {
                let odb = repository.odb()?;
                let (size, _) = odb.read_header(blob)?;
                if size > MAX_FILE_BYTES {
                    return Ok(FileContent::TooLarge);
                }
                let object = odb.read(blob).with_context(|| format!("cannot read {} from git", entry.path))?;
                Ok(FileContent::Bytes(object.data().to_vec()))
            }
            (Reader::Memory(files), _) => match files.get(&entry.path) {
                Some(bytes) if bytes.len() > MAX_FILE_BYTES => Ok(FileContent::TooLarge),
                Some(bytes) => Ok(FileContent::Bytes(bytes.clone())),
                None => bail!("{} does not exist", entry.path),
            },
            (Reader::Revision(_), None) => bail!("{} is not a file of the revision", entry.path),
        }
    }
}

fn list_memory(files: &BTreeMap<String, Vec<u8>>) -> Vec<TreeEntry> {
    files.keys().filter(|path| is_in_data(path) || configures_git(path)).map(|path| file_in_memory(path)).collect()
}

/// The entries of `base` without those that the draft changes, and the draft's own.
fn list_draft(mut entries: Vec<TreeEntry>, changed: &BTreeMap<String, Option<Vec<u8>>>) -> Vec<TreeEntry> {
    entries.retain(|entry| !changed.contains_key(&entry.path));
    let there = changed.iter().filter(|(path, bytes)| bytes.is_some() && is_in_data(path));
    entries.extend(there.map(|(path, _)| file_in_memory(path)));
    entries
}

fn file_in_memory(path: &str) -> TreeEntry {
    TreeEntry { path: path.to_owned(), kind: EntryKind::File, blob: None }
}

impl Git {
    /// The data as of `rev`: anything that git understands as a commit.
    ///
    /// # Errors
    /// If `rev` names no commit.
    pub(crate) fn tree(&self, rev: &str) -> Result<Tree> {
        Ok(self.tree_of(self.commit(rev)?))
    }

    /// The data as of a commit.
    pub fn tree_of(&self, commit: git2::Oid) -> Tree {
        Tree::Revision { git_dir: self.git_dir(), prefix: self.prefix().to_owned(), commit }
    }

    /// The data files on disk that differ from the commit that is checked out, new ones too.
    ///
    /// # Errors
    /// If git cannot compare the two.
    pub(crate) fn changed_data(&self) -> Result<Vec<String>> {
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true);
        options.disable_pathspec_match(true);
        for name in FOLDERS.iter().chain([&SETTINGS]) {
            options.pathspec(if self.prefix().is_empty() {
                (*name).to_owned()
            } else {
                format!("{}/{name}", self.prefix())
            });
        }
        let statuses = self
            .repository()
            .statuses(Some(&mut options))
            .context("git cannot compare the work tree with the commit")?;
        let mut changed: Vec<String> =
            statuses.iter().map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned()).collect();
        changed.sort_unstable();
        Ok(changed)
    }
}
