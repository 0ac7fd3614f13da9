//! A folder on this host, or mounted.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, bail};

use super::store::{
    Expect, Fence, MAX_BYTES, Mark, Store, Stored, is_left_behind, is_temporary, temporary_name, writer_name,
};
use crate::write::sync_folder;

/// A folder on this host.
pub struct FileStore {
    folder: PathBuf,
    /// Names this writer in what it has not finished.
    writer: String,
    number: AtomicU64,
}

impl FileStore {
    /// The folder, and the name of `file` in it: where that is a symbolic link, those of what it
    /// leads to.
    ///
    /// # Errors
    /// If there is no such folder, or the file is something else than a file.
    pub fn open(folder: &str, file: Option<&str>) -> Result<(FileStore, String)> {
        let mut folder = fs::canonicalize(folder)
            .with_context(|| format!("cannot open the folder {folder}: make it, or mend the url in shapeline.yaml"))?;
        if !folder.is_dir() {
            bail!("{} is not a folder", folder.display());
        }
        let mut name = file.unwrap_or_default().to_owned();
        if let Some(file) = file {
            let path = folder.join(file);
            if path.is_symlink() {
                let real =
                    path.canonicalize().with_context(|| format!("{} is a link that leads nowhere", path.display()))?;
                let parts = real.parent().zip(real.file_name().and_then(|name| name.to_str()));
                let (parent, real_name) =
                    parts.with_context(|| format!("{} leads to no file with a UTF-8 name", path.display()))?;
                (name, folder) = (real_name.to_owned(), parent.to_path_buf());
            }
            let path = folder.join(&name);
            if path.exists() && !path.is_file() {
                bail!("{} is no ordinary file, and is not replaced", path.display());
            }
        }
        let store = FileStore { folder, writer: writer_name(), number: AtomicU64::new(0) };
        Ok((store, name))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes `bytes` beside `path`, on the disk, with the mode and owner that `path` is to have.
    fn stage(&self, path: &Path, bytes: &[u8]) -> Result<Staged> {
        let (folder, file) = split(path)?;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let staged = Staged(folder.join(temporary_name(file, &self.writer, number)));
        let old = match fs::symlink_metadata(path) {
            Ok(old) if !old.is_file() => bail!("it is no ordinary file, and is not replaced"),
            Ok(old) => Some(old),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let mut file = private_file(&staged.0)?;
        file.write_all(bytes)?;
        match old {
            Some(old) => keep_owner_and_mode(&file, &old)?,
            None => set_mode(&file, self.is_own(path))?,
        }
        file.sync_all()?;
        Ok(staged)
    }

    /// Whether `path` is one of our own records, which are nobody else's business.
    fn is_own(&self, path: &Path) -> bool {
        path.parent() != Some(self.folder.as_path())
    }

    fn put_at(&self, path: &Path, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<bool> {
        let (folder, _) = split(path)?;
        if !self.folder.is_dir() {
            bail!("the folder {} is gone", self.folder.display());
        }
        make_folders(folder)?;
        let staged = self.stage(path, bytes)?;
        // Only now: whoever takes the lock from us removes what we staged before, so that from
        // here on either the fence stops us or the rename does.
        fence()?;
        match expect {
            Expect::Nothing => match fs::hard_link(&staged.0, path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                Err(error) => return Err(staged.explain(error)),
            },
            Expect::Anything => fs::rename(&staged.0, path).map_err(|error| staged.explain(error))?,
            Expect::Content(mark) => {
                if read_file(path)?.is_none_or(|bytes| Mark::of(&bytes) != *mark) {
                    return Ok(false);
                }
                fs::rename(&staged.0, path).map_err(|error| staged.explain(error))?;
            }
        }
        drop(staged);
        sync_folder(folder)?;
        Ok(true)
    }
}

impl Store for FileStore {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        let path = self.path(name);
        let bytes = read_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(bytes.map(|bytes| Stored { mark: Mark::of(&bytes), bytes }))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let mut names = names(&self.path(folder))?;
        names.retain(|name| !is_temporary(name));
        Ok(names)
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<Mark>> {
        let path = self.path(name);
        let done =
            self.put_at(&path, bytes, expect, fence).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(done.then(|| Mark::of(bytes)))
    }

    fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        remove(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()> {
        let folder = self.path(folder);
        for name in names(&folder)?.into_iter().filter(|name| is_left_behind(name, &self.writer, only)) {
            let path = folder.join(name);
            remove(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

/// What was written and has not taken its place. Removed when dropped; where that fails, the next
/// holder of the lock sweeps it away.
struct Staged(PathBuf);

impl Staged {
    /// Why it could not take its place.
    fn explain(&self, error: std::io::Error) -> anyhow::Error {
        let swept = error.kind() == ErrorKind::NotFound && self.0.parent().is_some_and(Path::is_dir);
        if swept { anyhow!("another writer took over, and removed what this one had written") } else { error.into() }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn split(path: &Path) -> Result<(&Path, &str)> {
    path.parent().zip(path.file_name().and_then(|name| name.to_str())).context("it is not a file's path")
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    // Asked first: to open a pipe would wait for its other end.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => bail!("it is no ordinary file"),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if bytes.len() > MAX_BYTES {
        bail!("it is larger than {} MiB", MAX_BYTES >> 20);
    }
    Ok(Some(bytes))
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let cannot = || format!("cannot list {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(cannot),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(cannot)?;
        if entry.file_type().with_context(cannot)?.is_file() {
            names.extend(entry.file_name().to_str().map(ToOwned::to_owned));
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Makes `folder` and those above it, each for good.
fn make_folders(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().context("there is no such folder")?;
    make_folders(parent)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o750);
    match builder.create(folder) {
        // Somebody else was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        done => done?,
    }
    Ok(sync_folder(parent)?)
}

/// Nobody reads it before it has the mode that it is to have.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn keep_owner_and_mode(file: &File, old: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let new = file.metadata()?;
    let change = |new: u32, old: u32| (new != old).then_some(old);
    let (owner, group) = (change(new.uid(), old.uid()), change(new.gid(), old.gid()));
    if owner.is_some() || group.is_some() {
        std::os::unix::fs::fchown(file, owner, group).with_context(|| {
            format!(
                "its owner ({}:{}) cannot be kept by user {}; run as that user or as root, or let it belong to this user",
                old.uid(),
                old.gid(),
                new.uid()
            )
        })?;
    }
    Ok(file.set_permissions(old.permissions())?)
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &File, old: &fs::Metadata) -> Result<()> {
    Ok(file.set_permissions(old.permissions())?)
}

/// The live file may be read by all, our records by their owner and group.
#[cfg(unix)]
fn set_mode(file: &File, own: bool) -> std::io::Result<()> {
    let mode = if own { 0o640 } else { 0o644 };
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: bool) -> std::io::Result<()> {
    Ok(())
}
