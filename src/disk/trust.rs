//! Files and folders that other users may have created or changed.
//!
//! A path is walked one name at a time, each folder opened relative to the one before, so that nothing
//! on the way can be replaced between a check and its use. A symbolic link is followed only if no other
//! user can have created it: it belongs to root or to the current user, and so does its folder, which
//! no one else may write to (or only with the sticky bit, as in /tmp).

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, linkat, mkdirat, openat, readlinkat, renameat};
use rustix::fs::{statat, unlinkat};
use rustix::io::Errno;

use crate::disk::open::regular_only;

/// The limit that Linux has.
const MOST_LINKS: usize = 40;

/// How a folder on the way is opened: on Linux that needs no right to list it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const STEP: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const STEP: OFlags = OFlags::RDONLY;

/// What is checked on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TrustCheck {
    /// Links only: a file may lie in a folder of another user.
    Links,
    /// Everything, as OpenSSH checks `authorized_keys`.
    Everything,
}

/// An open folder. Operations apply to this folder, even if its path leads elsewhere by then.
#[derive(Debug)]
pub(crate) struct TrustedFolder {
    fd: OwnedFd,
    path: PathBuf,
}

impl TrustedFolder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// If there is none, or a link on the way is not trusted.
    pub(crate) fn open(path: &Path) -> Result<TrustedFolder> {
        walk(path, TrustCheck::Links, None)
    }

    /// Like [`TrustedFolder::open`], but creates missing folders, with `mode` less the umask.
    ///
    /// # Errors
    /// As [`TrustedFolder::open`], or if a folder cannot be made.
    pub(crate) fn open_or_make(path: &Path, mode: u32) -> Result<TrustedFolder> {
        walk(path, TrustCheck::Links, Some(Mode::from_raw_mode(mode as _)))
    }

    /// Its path, without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The status of the entry `name`, without following links; `None` if there is none.
    ///
    /// # Errors If the system call fails.
    pub(crate) fn stat(&self, name: &str) -> Result<Option<Stat>> {
        found(statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW))
    }

    /// Opens the regular file `name` for reading. A link is not followed.
    ///
    /// # Errors
    /// If it is something else than a regular file, or cannot be opened.
    pub(crate) fn file(&self, name: &str) -> Result<Option<File>> {
        let Some(stat) = self.stat(name)? else { return Ok(None) };
        regular_only(is(&stat, FileType::RegularFile))?;
        let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Some(file) = found(openat(&self.fd, name, how, Mode::empty()))?.map(File::from) else { return Ok(None) };
        regular_only(file.metadata()?.is_file())?;
        Ok(Some(file))
    }

    /// Creates the file `name` with `mode` less the umask.
    ///
    /// # Errors
    /// If there is anything of that name, or it cannot be created.
    pub(crate) fn create(&self, name: &str, mode: u32) -> Result<File> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.fd, name, how, Mode::from_raw_mode(mode as _))?.into())
    }

    /// Renames `from` to `to`, and replaces what was there.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Creates `to` as a hard link to `from`.
    ///
    /// # Errors If `to` exists, or the system refuses.
    pub(crate) fn link(&self, from: &str, to: &str) -> Result<()> {
        Ok(linkat(&self.fd, from, &self.fd, to, AtFlags::empty())?)
    }

    /// Removes the file `name`, if it exists.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        found(unlinkat(&self.fd, name, AtFlags::empty())).map(|_| ())
    }

    /// The names of the regular files in it that are UTF-8, in order.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::new(self.reopen()?)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let is_file = match entry.file_type() {
                // Some file systems do not say.
                FileType::Unknown => self.stat(name)?.is_some_and(|stat| is(&stat, FileType::RegularFile)),
                kind => kind == FileType::RegularFile,
            };
            names.extend(is_file.then(|| name.to_owned()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Flushes the folder's entries to disk.
    ///
    /// # Errors
    /// If the system cannot.
    pub(crate) fn sync(&self) -> Result<()> {
        Ok(rustix::fs::fsync(self.reopen()?)?)
    }

    /// Follows the link `name` to its end: the folder and the name of what it leads to.
    ///
    /// # Errors
    /// If a link is not trusted, or leads nowhere.
    pub(crate) fn follow(self, name: &str) -> Result<(TrustedFolder, String)> {
        let (mut folder, mut name) = (self, name.to_owned());
        for _ in 0..MOST_LINKS {
            let at = folder.path.join(&name);
            let stat = folder.stat(&name)?;
            let Some(stat) = stat.filter(|stat| is(stat, FileType::Symlink)) else { return Ok((folder, name)) };
            check_link(&at, &stat, &fstat(&folder.fd)?)?;
            let target = folder.path.join(target_of(folder.fd.as_fd(), Path::new(&name))?);
            let nowhere = || Error::new(ErrorKind::NotFound, format!("{} is a link that leads nowhere", at.display()));
            let parts = target.parent().zip(target.file_name().and_then(|name| name.to_str()));
            let (parent, file) = parts.ok_or_else(nowhere)?;
            folder = TrustedFolder::open(parent).map_err(|error| if is_absent(&error) { nowhere() } else { error })?;
            folder.stat(file)?.ok_or_else(nowhere)?;
            name = file.to_owned();
        }
        Err(too_many_links(&folder.path.join(name)))
    }

    /// A folder opened with [`STEP`] can neither be listed nor flushed.
    fn reopen(&self) -> Result<OwnedFd> {
        Ok(openat(&self.fd, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    }
}

impl AsFd for TrustedFolder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Opens a file that decides whom to trust, such as a list of signers. It and every folder and link on
/// the way must belong to root or to the current user, and no one else may write to them; a folder that
/// others may write to is accepted with the sticky bit, as /tmp has it. Also returns the path without
/// links.
///
/// # Errors If a condition is violated, or the file is not regular. The message names the path at
/// fault.
pub(crate) fn open_strictly(path: &Path) -> Result<(File, PathBuf)> {
    let absolute = std::path::absolute(path)?;
    let parts = absolute.parent().zip(absolute.file_name());
    let (mut parent, mut name) = parts
        .map(|(parent, name)| (parent.to_path_buf(), PathBuf::from(name)))
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it is not a file's path"))?;
    for _ in 0..MOST_LINKS {
        let folder = walk(&parent, TrustCheck::Everything, None)?;
        let at = folder.path.join(&name);
        let stat = statat(&folder.fd, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        check_owner_and_mode(&at, &stat)?;
        if !is(&stat, FileType::Symlink) {
            regular_only(is(&stat, FileType::RegularFile))?;
            let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            let file = File::from(openat(&folder.fd, &name, how, Mode::empty())?);
            check_owner_and_mode(&at, &fstat(&file)?)?;
            regular_only(file.metadata()?.is_file())?;
            return Ok((file, at));
        }
        let target = folder.path.join(target_of(folder.fd.as_fd(), &name)?);
        let parts = target.parent().zip(target.file_name());
        (parent, name) = parts
            .map(|(parent, name)| (parent.to_path_buf(), PathBuf::from(name)))
            .ok_or_else(|| Error::new(ErrorKind::InvalidInput, format!("{} leads to no file", at.display())))?;
    }
    Err(too_many_links(path))
}

/// Walks to the folder at `path`; with `make`, creates missing folders with that mode.
fn walk(path: &Path, judge: TrustCheck, make: Option<Mode>) -> Result<TrustedFolder> {
    let open = |at: Option<BorrowedFd<'_>>, name: &Path| {
        let how = STEP | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(at.unwrap_or(rustix::fs::CWD), name, how, Mode::empty())
    };
    let mut way = vec![open(None, Path::new("/"))?];
    let mut at = PathBuf::from("/");
    if judge == TrustCheck::Everything {
        check_owner_and_mode(&at, &fstat(&way[0])?)?;
    }
    let mut rest = components(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(step) = rest.pop() {
        let Some(here) = way.last() else { break };
        match step {
            PathPart::Root => {
                way.truncate(1);
                at = PathBuf::from("/");
            }
            PathPart::Up => {
                if way.len() > 1 {
                    way.pop();
                    at.pop();
                }
            }
            PathPart::Into(name) => {
                let next = at.join(&name);
                let stat = match statat(here, &name, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) if make.is_some() => {
                        make_folder(here, &name, make.unwrap_or(Mode::empty()))?;
                        statat(here, &name, AtFlags::SYMLINK_NOFOLLOW)?
                    }
                    stat => stat?,
                };
                if judge == TrustCheck::Everything {
                    check_owner_and_mode(&next, &stat)?;
                }
                if is(&stat, FileType::Symlink) {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(too_many_links(path));
                    }
                    check_link(&next, &stat, &fstat(here)?)?;
                    rest.extend(components(&target_of(here.as_fd(), &name)?));
                    continue;
                }
                way.push(open(Some(here.as_fd()), &name)?);
                at = next;
            }
        }
    }
    match way.pop() {
        Some(fd) => Ok(TrustedFolder { fd, path: at }),
        None => Err(ErrorKind::NotFound.into()),
    }
}

enum PathPart {
    Root,
    Up,
    Into(PathBuf),
}

/// The steps of a path, the first one last.
fn components(path: &Path) -> Vec<PathPart> {
    let step = |component| match component {
        Component::RootDir => Some(PathPart::Root),
        Component::ParentDir => Some(PathPart::Up),
        Component::Normal(name) => Some(PathPart::Into(PathBuf::from(name))),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

/// Creates a folder and flushes its parent to disk.
fn make_folder(here: &OwnedFd, name: &Path, mode: Mode) -> Result<()> {
    match mkdirat(here, name, mode) {
        // Another run created it first.
        Err(Errno::EXIST) => Ok(()),
        made => {
            made?;
            let parent = openat(here, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            Ok(rustix::fs::fsync(parent)?)
        }
    }
}

fn target_of(folder: BorrowedFd<'_>, name: &Path) -> Result<PathBuf> {
    let target = readlinkat(folder, name, Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes())))
}

fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

/// `None` if there is no such file.
fn found<T>(result: rustix::io::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether `error` says that there is no such file.
pub(crate) fn is_absent(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// Whether `user` is root or the current user.
pub(crate) fn is_trusted(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

fn refused(why: String) -> Error {
    Error::new(ErrorKind::PermissionDenied, why)
}

fn too_many_links(path: &Path) -> Error {
    refused(format!("{} leads through more than {MOST_LINKS} links", path.display()))
}

/// Refuses a link that another user can have created.
fn check_link(at: &Path, link: &Stat, folder: &Stat) -> Result<()> {
    let shown = at.display();
    if !is_trusted(link.st_uid) {
        return Err(refused(format!(
            "{shown} is a symbolic link of user {}, and only links of root and of the user who runs this are followed: name the target itself, or recreate the link",
            link.st_uid
        )));
    }
    let mode = u32::from(folder.st_mode as u16);
    let own_group = folder.st_gid == 0 || folder.st_gid == rustix::process::getegid().as_raw();
    let shared = mode & 0o002 != 0 || mode & 0o020 != 0 && !own_group;
    if !is_trusted(folder.st_uid) || shared && mode & 0o1000 == 0 {
        return Err(refused(format!(
            "{shown} is a symbolic link in a folder to which other users may write, and is not followed: name the target itself"
        )));
    }
    Ok(())
}

/// Refuses what another user can have written or replaced.
fn check_owner_and_mode(at: &Path, stat: &Stat) -> Result<()> {
    let shown = at.display();
    if !is_trusted(stat.st_uid) {
        return Err(refused(format!(
            "{shown} belongs to user {}, and must belong to root or to the user who runs this: chown it",
            stat.st_uid
        )));
    }
    let sticky = is(stat, FileType::Directory) && stat.st_mode & 0o1000 != 0;
    if !is(stat, FileType::Symlink) && stat.st_mode & 0o022 != 0 && !sticky {
        return Err(refused(format!("users other than its owner may write to {shown}: chmod go-w {shown}")));
    }
    Ok(())
}
