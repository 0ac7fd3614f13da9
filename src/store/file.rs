//! A folder on this host, or mounted.
//!
//! Every step opens the folder anew, and works within what it opened: a link that another user puts
//! in the way is either refused or too late.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, bail};
use rustix::fs::{FileType, Stat};

use crate::disk::open::read_all;
use crate::disk::trust::{TrustedFolder, is_absent};
use crate::store::contract::{
    ContentMark, Expect, Fence, MAX_BYTES, Store, Stored, is_left_behind, is_temporary, temporary_name, writer_name,
};

/// The mode of a new live file, less the umask.
const LIVE: u32 = 0o644;

/// The mode of a new record, less the umask.
const RECORD: u32 = 0o640;

/// The mode of a new folder of records, less the umask.
const RECORDS: u32 = 0o750;

/// A folder on this host.
pub struct FileStore {
    folder: PathBuf,
    /// Names this writer in what it has not finished.
    writer: String,
    number: AtomicU64,
}

impl FileStore {
    /// The folder, and the name of `file` in it: where that is a symbolic link, those of what it
    /// leads to. Only links that [`crate::disk::trust`] accepts are followed.
    ///
    /// # Errors
    /// If there is no such folder, a link is not trusted, or the file is something else than a file.
    pub fn open(folder: &str, file: Option<&str>) -> Result<(FileStore, String)> {
        let opened = TrustedFolder::open(Path::new(folder)).map_err(|error| {
            anyhow!("cannot open the folder {folder}: {error:#}; make the folder, or correct `url` in shapeline.yaml")
        })?;
        let Some(file) = file else { return Ok((FileStore::of(opened.path()), String::new())) };
        let asked = opened.path().join(file);
        let (opened, name) = opened.follow(file).with_context(|| format!("cannot open {}", asked.display()))?;
        if opened.stat(&name)?.is_some_and(|stat| !is_regular(&stat)) {
            bail!("{} is not a regular file, and is not replaced", opened.path().join(name).display());
        }
        Ok((FileStore::of(opened.path()), name))
    }

    fn of(folder: &Path) -> FileStore {
        FileStore { folder: folder.to_path_buf(), writer: writer_name(), number: AtomicU64::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of `name`, if it is there, and its last part.
    fn folder_of<'n>(&self, name: &'n str) -> Result<Option<(TrustedFolder, &'n str)>> {
        let (folder, last) = split(name);
        Ok(present(TrustedFolder::open(&self.path(folder)))?.map(|folder| (folder, last)))
    }

    fn names(&self, folder: &str) -> Result<Option<(TrustedFolder, Vec<String>)>> {
        let Some(folder) = present(TrustedFolder::open(&self.path(folder)))? else { return Ok(None) };
        let names = folder.names()?;
        Ok(Some((folder, names)))
    }

    /// Writes `bytes` beside `name`, on the disk, with the mode and owner that `name` is to have.
    fn stage<'f>(&self, folder: &'f TrustedFolder, name: &str, bytes: &[u8]) -> Result<StagedFile<'f>> {
        let old = folder.stat(name)?;
        if old.is_some_and(|old| !is_regular(&old)) {
            bail!("it is not a regular file, and is not replaced");
        }
        // No other user can read it before it has its final mode.
        let mode = match old {
            Some(_) => 0o600,
            None if folder.path() == self.folder => LIVE,
            None => RECORD,
        };
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let temporary = temporary_name(name, &self.writer, number);
        let mut file = folder.create(&temporary, mode)?;
        let staged = StagedFile { folder, name: temporary };
        file.write_all(bytes)?;
        if let Some(old) = old {
            keep_owner_and_mode(&file, &old)?;
        }
        file.sync_all()?;
        Ok(staged)
    }

    fn put_at(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<bool> {
        let (folder, name) = split(name);
        if present(TrustedFolder::open(&self.folder))?.is_none() {
            bail!("the folder {} is gone", self.folder.display());
        }
        let folder = TrustedFolder::open_or_make(&self.path(folder), RECORDS)?;
        let staged = self.stage(&folder, name, bytes)?;
        // Only now: a process that takes the lock from us removes what we staged before, so that from
        // here on either the fence stops us or the rename does.
        fence()?;
        match expect {
            Expect::Nothing => match folder.link(&staged.name, name) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                Err(error) => return Err(staged.explain(error)),
            },
            Expect::Anything => folder.rename(&staged.name, name).map_err(|error| staged.explain(error))?,
            Expect::Content(mark) => {
                if read(&folder, name)?.is_none_or(|bytes| ContentMark::of(&bytes) != *mark) {
                    return Ok(false);
                }
                folder.rename(&staged.name, name).map_err(|error| staged.explain(error))?;
            }
        }
        drop(staged);
        folder.sync()?;
        Ok(true)
    }
}

impl Store for FileStore {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        let cannot = || format!("cannot read {}", self.place(name));
        let Some((folder, last)) = self.folder_of(name).with_context(cannot)? else { return Ok(None) };
        let bytes = read(&folder, last).with_context(cannot)?;
        Ok(bytes.map(Stored::of))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let listed = self.names(folder).with_context(|| format!("cannot list {}", self.place(folder)))?;
        let mut names = listed.map(|(_, names)| names).unwrap_or_default();
        names.retain(|name| !is_temporary(name));
        Ok(names)
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        let done =
            self.put_at(name, bytes, expect, fence).with_context(|| format!("cannot write {}", self.place(name)))?;
        Ok(done.then(|| ContentMark::of(bytes)))
    }

    fn remove(&self, name: &str) -> Result<()> {
        let cannot = || format!("cannot remove {}", self.place(name));
        let Some((folder, last)) = self.folder_of(name).with_context(cannot)? else { return Ok(()) };
        folder.remove(last).with_context(cannot)
    }

    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()> {
        let listed = self.names(folder).with_context(|| format!("cannot list {}", self.place(folder)))?;
        let Some((folder, names)) = listed else { return Ok(()) };
        for name in names.into_iter().filter(|name| is_left_behind(name, &self.writer, only)) {
            let removed = folder.remove(&name);
            removed.with_context(|| format!("cannot remove {}", folder.path().join(&name).display()))?;
        }
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

/// What was written and has not taken its place. Removed when dropped; where that fails, the next
/// holder of the lock sweeps it away.
struct StagedFile<'f> {
    folder: &'f TrustedFolder,
    name: String,
}

impl StagedFile<'_> {
    /// Why it could not take its place.
    fn explain(&self, error: std::io::Error) -> anyhow::Error {
        let swept = is_absent(&error) && self.folder.path().is_dir();
        if swept { anyhow!("another writer took over, and removed what this one had written") } else { error.into() }
    }
}

impl Drop for StagedFile<'_> {
    fn drop(&mut self) {
        let _ = self.folder.remove(&self.name);
    }
}

/// The folder, empty for the store's own, and the last part.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

fn present<T>(opened: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match opened {
        Err(error) if is_absent(&error) => Ok(None),
        opened => opened.map(Some),
    }
}

fn read(folder: &TrustedFolder, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(folder.file(name)?.map(|file| read_all(file, MAX_BYTES as u64)).transpose()?)
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn keep_owner_and_mode(file: &File, old: &Stat) -> Result<()> {
    let new = file.metadata()?;
    let change = |new: u32, old: u32| (new != old).then_some(old);
    let (owner, group) = (change(new.uid(), old.st_uid), change(new.gid(), old.st_gid));
    if owner.is_some() || group.is_some() {
        std::os::unix::fs::fchown(file, owner, group).with_context(|| {
            format!(
                "its owner ({}:{}) cannot be kept by user {}; run as that user or as root, or let it belong to this user",
                old.st_uid,
                old.st_gid,
                new.uid()
            )
        })?;
    }
    Ok(file.set_permissions(Permissions::from_mode(old.st_mode & 0o7777))?)
}
