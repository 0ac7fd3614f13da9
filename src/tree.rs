//! The files of a data repository: in the work tree, or as they were in a git revision.
//!
//! Both are listed and read by the same calls, so that everything after this works alike on both.

mod attributes;
mod checkout;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

pub use attributes::{ATTRIBUTES, Altering, TOPS, altering};
use checkout::Checkout;

use crate::yaml::MAX_FILE_BYTES;

/// The folders that hold data, and the one that holds templates.
pub const FOLDERS: [&str; 4] = ["domains", "plans", "subscribers", "templates"];

/// How deep folders may nest below those.
pub const MAX_FOLDERS: usize = 64;

/// The file that holds the settings.
pub const SETTINGS: &str = "shapeline.yaml";

/// The file that names git repositories within the repository.
const MODULES: &str = ".gitmodules";

/// Whether the file steers git: what it checks out, and from where. Beside the data such files lie at
/// the top, or above it in a larger repository (`../.gitattributes`).
pub fn steers_git(path: &str) -> bool {
    let name = path.trim_start_matches("../");
    name == ATTRIBUTES || name == MODULES
}

/// How many entries a listing has at most. In git, a folder that is there a million times takes a few
/// hundred bytes.
pub const MAX_ENTRIES: usize = 2_000_000;

/// How long the target of a link may be that is shown: PATH_MAX of Linux.
const MAX_LINK: usize = 4096;

fn too_many_entries() -> anyhow::Error {
    anyhow::anyhow!("below the data folders are more than {MAX_ENTRIES} files and folders: nothing is read")
}

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
    /// Files that are nowhere yet: a proposal, or a test. Bytes by path.
    Memory(BTreeMap<String, Vec<u8>>),
    /// Files over those of another tree: a proposal that is checked before it is written.
    Draft {
        /// What is below.
        base: Box<Tree>,
        /// What is proposed, by path: a file's bytes, or nothing for one that is gone.
        changed: Arc<BTreeMap<String, Option<Vec<u8>>>>,
    },
}

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
    blob: Option<git2::Oid>,
}

/// A file's bytes, or why there are none.
#[derive(Debug)]
pub enum Content {
    /// The bytes.
    Bytes(Vec<u8>),
    /// More of them than [`MAX_FILE_BYTES`].
    TooLarge,
}

/// Reads entries; each thread has its own.
pub enum Reader<'a> {
    /// From disk.
    Work(&'a Path),
    /// From git's object database.
    Revision(Box<git2::Repository>),
    /// From memory.
    Memory(&'a BTreeMap<String, Vec<u8>>),
    /// From what is proposed, else from what is below it.
    Draft(Box<Reader<'a>>, &'a BTreeMap<String, Option<Vec<u8>>>),
}

impl Tree {
    /// All entries of the data folders and the settings, by path.
    ///
    /// # Errors
    /// If a folder cannot be listed, or the revision cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>> {
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
    pub fn prefix(&self) -> String {
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
    pub fn reader(&self) -> Result<Reader<'_>> {
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
    pub fn read(&self, entry: &Entry) -> Result<Content> {
        match (self, entry.blob) {
            (Reader::Draft(base, changed), _) => match changed.get(&entry.path) {
                Some(Some(bytes)) if bytes.len() > MAX_FILE_BYTES => Ok(Content::TooLarge),
                Some(Some(bytes)) => Ok(Content::Bytes(bytes.clone())),
                Some(None) => bail!("{} is not there", entry.path),
                None => base.read(entry),
            },
            (Reader::Work(root), _) => read_file(&root.join(&entry.path)),
            (Reader::Revision(repository), Some(blob)) => {
                let odb = repository.odb()?;
                let (size, _) = odb.read_header(blob)?;
                if size > MAX_FILE_BYTES {
                    return Ok(Content::TooLarge);
                }
                let object = odb.read(blob).with_context(|| format!("cannot read {} from git", entry.path))?;
                Ok(Content::Bytes(object.data().to_vec()))
            }
            (Reader::Memory(files), _) => match files.get(&entry.path) {
                Some(bytes) if bytes.len() > MAX_FILE_BYTES => Ok(Content::TooLarge),
                Some(bytes) => Ok(Content::Bytes(bytes.clone())),
                None => bail!("{} is not there", entry.path),
            },
            (Reader::Revision(_), None) => bail!("{} is not a file of the revision", entry.path),
        }
    }
}

fn read_file(path: &Path) -> Result<Content> {
    let cannot = || format!("cannot read {}", path.display());
    let file = crate::disk::open::without_waiting(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    // One more than allowed, so that a file that grows while it is read is seen to be too large.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(cannot)?;
    Ok(if bytes.len() > MAX_FILE_BYTES { Content::TooLarge } else { Content::Bytes(bytes) })
}

fn list_memory(files: &BTreeMap<String, Vec<u8>>) -> Vec<Entry> {
    files.keys().filter(|path| is_in_data(path) || steers_git(path)).map(|path| file_in_memory(path)).collect()
}

/// The entries of `base` without those that the draft changes, and the draft's own.
fn list_draft(mut entries: Vec<Entry>, changed: &BTreeMap<String, Option<Vec<u8>>>) -> Vec<Entry> {
    entries.retain(|entry| !changed.contains_key(&entry.path));
    let there = changed.iter().filter(|(path, bytes)| bytes.is_some() && is_in_data(path));
    entries.extend(there.map(|(path, _)| file_in_memory(path)));
    entries
}

fn is_in_data(path: &str) -> bool {
    path == SETTINGS || path.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder))
}

fn file_in_memory(path: &str) -> Entry {
    Entry { path: path.to_owned(), kind: EntryKind::File, blob: None }
}

fn list_work(root: &Path) -> Result<Vec<Entry>> {
    let (entries, checkout) = rayon::join(|| list_disk(root), || Checkout::of(root));
    let mut entries = entries?;
    if let Some(checkout) = checkout? {
        checkout.correct(root, &mut entries)?;
    }
    Ok(entries)
}

fn list_disk(root: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for name in [SETTINGS, ATTRIBUTES, MODULES] {
        entries.extend(entry_on_disk(&root.join(name), name.to_owned())?);
    }
    for folder in FOLDERS {
        let top = root.join(folder);
        if !exists(&top)? {
            continue;
        }
        // A data folder that is itself a link is no more followed than any other.
        for found in walkdir::WalkDir::new(&top).max_depth(MAX_FOLDERS).follow_root_links(false) {
            let found = found.with_context(|| format!("cannot list {}", top.display()))?;
            if entries.len() >= MAX_ENTRIES {
                return Err(too_many_entries());
            }
            let relative = found.path().strip_prefix(root).unwrap_or(found.path());
            let kind = match relative.to_str() {
                Some(_) => work_kind(found.path(), found.file_type()),
                None => EntryKind::BadName,
            };
            let kind = match kind {
                // A submodule: git keeps only a name of it, so a reviewer never saw what is in it.
                EntryKind::Folder if found.depth() > 0 && exists(&found.path().join(".git"))? => EntryKind::Submodule,
                EntryKind::Folder => folder_kind(found.depth()),
                kind => kind,
            };
            let path = relative.to_string_lossy().into_owned();
            entries.push(Entry { path, kind, blob: None });
        }
    }
    Ok(entries)
}

/// What is at `file`, listed as `path`; nothing if there is nothing.
fn entry_on_disk(file: &Path, path: String) -> Result<Option<Entry>> {
    if !exists(file)? {
        return Ok(None);
    }
    let kind = work_kind(file, fs::symlink_metadata(file)?.file_type());
    Ok(Some(Entry { path, kind, blob: None }))
}

/// Whether there is anything at `path`. A disk that does not answer is no empty folder.
fn exists(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn folder_kind(depth: usize) -> EntryKind {
    if depth < MAX_FOLDERS { EntryKind::Folder } else { EntryKind::TooDeep }
}

fn work_kind(path: &Path, file_type: fs::FileType) -> EntryKind {
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

pub(crate) fn open_git(dir: &Path) -> Result<git2::Repository> {
    git2::Repository::open(dir).with_context(|| format!("cannot open the git repository {}", dir.display()))
}

fn list_revision(git_dir: &Path, prefix: &str, commit: git2::Oid) -> Result<Vec<Entry>> {
    let repository = open_git(git_dir)?;
    let mut top = repository.find_commit(commit)?.tree()?;
    let mut entries = Vec::new();
    let folders: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    for (depth, part) in folders.iter().enumerate() {
        let way_up = "../".repeat(folders.len() - depth);
        for name in [ATTRIBUTES, MODULES] {
            if let Some(entry) = top.get_name(name) {
                push_revision(&repository, &entry, &way_up, 0, &mut entries)?;
            }
        }
        let Some(object) = top.get_name(part).map(|entry| entry.to_object(&repository)) else {
            // The data repository did not exist in that revision: it was empty.
            return Ok(Vec::new());
        };
        let Ok(folder) = object?.into_tree() else { bail!("{prefix} is not a folder in {commit}") };
        top = folder;
    }
    for name in FOLDERS.iter().chain(&[SETTINGS, ATTRIBUTES, MODULES]) {
        if let Some(entry) = top.get_name(name) {
            push_revision(&repository, &entry, "", 0, &mut entries)?;
        }
    }
    Ok(entries)
}

fn push_revision(
    repository: &git2::Repository,
    entry: &git2::TreeEntry<'_>,
    parent: &str,
    depth: usize,
    entries: &mut Vec<Entry>,
) -> Result<()> {
    let name = String::from_utf8_lossy(entry.name_bytes());
    let path = format!("{parent}{name}");
    let bad_name = std::str::from_utf8(entry.name_bytes()).is_err();
    let kind = match (entry.kind(), entry.filemode()) {
        _ if bad_name => EntryKind::BadName,
        (Some(git2::ObjectType::Blob), 0o120_000) => {
            let odb = repository.odb()?;
            EntryKind::Symlink(match odb.read_header(entry.id())? {
                (length, _) if length > MAX_LINK => "somewhere, in more letters than a path has".to_owned(),
                _ => String::from_utf8_lossy(odb.read(entry.id())?.data()).into_owned(),
            })
        }
        (Some(git2::ObjectType::Blob), _) => EntryKind::File,
        (Some(git2::ObjectType::Tree), _) => folder_kind(depth),
        (Some(git2::ObjectType::Commit), _) => EntryKind::Submodule,
        _ => EntryKind::Special,
    };
    let is_folder = kind == EntryKind::Folder;
    if entries.len() >= MAX_ENTRIES {
        return Err(too_many_entries());
    }
    entries.push(Entry { path: path.clone(), kind, blob: Some(entry.id()) });
    if is_folder {
        for child in &repository.find_tree(entry.id())? {
            push_revision(repository, &child, &format!("{path}/"), depth + 1, entries)?;
        }
    }
    Ok(())
}
