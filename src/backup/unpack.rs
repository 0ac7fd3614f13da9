//! A tar that becomes files again, and nothing else.
//!
//! A user who may write to the backup folder may put any tar there. So nothing is written but into
//! folders that were made here a moment ago, from the tar itself: then no `..`, no absolute path
//! and no link leads out. What was not made by [`super::pack`] is refused.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use rustix::fs::{Mode, OFlags, fsync, mkdirat, openat, symlinkat};
use tar::{Archive, Entry, EntryType};

use super::meta::Meta;
use crate::records::failure::Failure;
use crate::text::quote::quoted;

/// Unpacks `tar` as `name` in the open folder `parent`, where nothing of that name is yet.
///
/// # Errors
/// A refusal if the tar holds what is not to be unpacked; or if anything cannot be written. Then
/// some of it may be there.
pub fn unpack(tar: &[u8], parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Failure> {
    let mut unpacker = Unpacker {
        parent,
        name: Path::new(name),
        label: Vec::new(),
        root: None,
        folders: BTreeMap::new(),
        seen: HashSet::new(),
    };
    for entry in Archive::new(tar).entries().map_err(damaged)? {
        unpacker.add(entry.map_err(damaged)?)?;
    }
    if unpacker.seen.is_empty() {
        return Err(Failure::Refused("the copy is empty".to_owned()));
    }
    unpacker.settle_folders()
}

struct Unpacker<'p> {
    parent: BorrowedFd<'p>,
    name: &'p Path,
    /// The first name of every path in the tar.
    label: Vec<u8>,
    /// What was copied, if it was a folder.
    root: Option<OwnedFd>,
    /// The folders that were made, by their paths below the root. Their mode and times wait
    /// until they are full: they may be read-only.
    folders: BTreeMap<PathBuf, Meta>,
    seen: HashSet<PathBuf>,
}

impl Unpacker<'_> {
    fn add(&mut self, mut entry: Entry<'_, &[u8]>) -> Result<(), Failure> {
        let path = self.path_of(&entry)?;
        let meta = meta_of(&mut entry)?;
        let is_root = path.as_os_str().is_empty();
        let known = path.parent().is_some_and(|folder| self.folders.contains_key(folder));
        if is_root != self.seen.is_empty() || !(is_root || known) || !self.seen.insert(path.clone()) {
            return Err(hostile(&entry, "is where it does not belong"));
        }
        let written = match entry.header().entry_type() {
            EntryType::Directory => self.add_folder(path, meta),
            EntryType::Regular => self.add_file(&path, &meta, &mut entry),
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                self.add_link(&path, &meta, &target)
            }
            _ => return Err(hostile(&entry, "is no file, folder or link")),
        };
        Ok(written
            .with_context(|| format!("cannot put back {}", quoted(&String::from_utf8_lossy(&entry.path_bytes()))))?)
    }

    /// The path below the root; empty for the root itself.
    fn path_of(&mut self, entry: &Entry<'_, &[u8]>) -> Result<PathBuf, Failure> {
        let bytes = entry.path_bytes();
        let bytes = bytes.strip_suffix(b"/").unwrap_or(&bytes);
        let mut names = bytes.split(|byte| *byte == b'/');
        let plain = |name: &&[u8]| !name.is_empty() && *name != b"." && *name != b".." && !name.contains(&0);
        let first = names.next().unwrap_or_default();
        if self.seen.is_empty() {
            self.label = first.to_vec();
        }
        if !plain(&first) || first != self.label.as_slice() {
            return Err(hostile(entry, "is outside of what was copied"));
        }
        let mut path = PathBuf::new();
        for name in names {
            if !plain(&name) {
                return Err(hostile(entry, "leads out of what was copied"));
            }
            path.push(OsStr::from_bytes(name));
        }
        Ok(path)
    }

    /// From which open folder, and how, `path` is reached.
    fn at<'a>(&'a self, path: &'a Path) -> (BorrowedFd<'a>, &'a Path) {
        match &self.root {
            Some(root) if !path.as_os_str().is_empty() => (root.as_fd(), path),
            _ => (self.parent, self.name),
        }
    }

    fn add_folder(&mut self, path: PathBuf, meta: Meta) -> Result<()> {
        let (at, name) = self.at(&path);
        // No other user can read or write in it before it has its own mode.
        mkdirat(at, name, Mode::RWXU)?;
        if path.as_os_str().is_empty() {
            self.root = Some(open_folder(at, name)?);
        }
        self.folders.insert(path, meta);
        Ok(())
    }

    fn add_file(&self, path: &Path, meta: &Meta, content: &mut Entry<'_, &[u8]>) -> Result<()> {
        let (at, name) = self.at(path);
        let how = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(at, name, how, Mode::RUSR | Mode::WUSR)?);
        let size = content.size();
        if std::io::copy(content, &mut file)? != size {
            return Err(anyhow!("the copy ends in the middle of it"));
        }
        meta.apply(file.as_fd())?;
        Ok(file.sync_all()?)
    }

    fn add_link(&self, path: &Path, meta: &Meta, target: &[u8]) -> Result<()> {
        let (at, name) = self.at(path);
        symlinkat(OsStr::from_bytes(target), at, name)?;
        Ok(meta.apply_to_link(at, name)?)
    }

    /// The inner ones first: a folder's time changes with what is done in it.
    fn settle_folders(&self) -> Result<(), Failure> {
        for (path, meta) in self.folders.iter().rev() {
            let settle = || -> Result<()> {
                let (at, name) = self.at(path);
                let folder = open_folder(at, name)?;
                meta.apply(folder.as_fd())?;
                Ok(fsync(&folder)?)
            };
            settle().with_context(|| format!("cannot put back the folder {}", quoted(&path.to_string_lossy())))?;
        }
        Ok(())
    }
}

fn open_folder(at: BorrowedFd<'_>, name: &Path) -> rustix::io::Result<OwnedFd> {
    openat(at, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

fn meta_of<R: Read>(entry: &mut Entry<'_, R>) -> Result<Meta, Failure> {
    let header = entry.header();
    let number = |number: u64| u32::try_from(number).map_err(|_| damaged(std::io::ErrorKind::InvalidData.into()));
    let meta = Meta {
        mode: header.mode().map_err(damaged)?,
        user: number(header.uid().map_err(damaged)?)?,
        group: number(header.gid().map_err(damaged)?)?,
        seconds: i64::try_from(header.mtime().map_err(damaged)?).unwrap_or_default(),
        nanos: 0,
    };
    for extension in entry.pax_extensions().map_err(damaged)?.into_iter().flatten() {
        let extension = extension.map_err(damaged)?;
        if extension.key() == Ok("mtime") {
            let time = extension.value().ok().and_then(|time| meta.with_time(time));
            return time.ok_or_else(|| damaged(std::io::ErrorKind::InvalidData.into()));
        }
    }
    Ok(meta)
}

fn damaged(error: std::io::Error) -> Failure {
    Failure::Refused(format!("the copy is no whole tar: {error}"))
}

fn hostile(entry: &Entry<'_, &[u8]>, what: &str) -> Failure {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    Failure::Refused(format!("the copy was not made by shapeline: in it, {} {what}", quoted(&path)))
}
