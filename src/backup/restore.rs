//! Putting a copy back.
//!
//! It is unpacked beside its place and then takes it in one step: what was there before is there
//! whole until then, and gone only after.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, renameat, statat};
use rustix::io::Errno;

use super::copies::{BackupCopy, Copies};
use super::folder::BackupFolder;
use super::path::{from_text, label, to_text};
use super::session::BackupSession;
use super::unpack::unpack;
use super::{BackupOptions, BackupOutcome, PathReport};
use crate::disk::trust::TrustedFolder as Parent;
use crate::records::failure::Failure;
use crate::records::log::{LogAction, LogStatus};
use crate::store::writer_name;
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// Which copy is put back, and where.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    /// Its name.
    pub id: String,
    /// The folder that it is put into. Without it, where it was.
    pub into: Option<PathBuf>,
    /// In place of what is there.
    pub force: bool,
    /// What the caller says can be done if something is there.
    pub if_taken: &'static str,
}

/// Puts a copy back. Whatever goes wrong is in the report.
pub fn restore(
    folder: &BackupFolder,
    wanted: &RestoreRequest,
    options: &BackupOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> PathReport {
    // After a loss, copies must be readable even where they cannot be written to any more.
    let mut unlogged = None;
    let begun = BackupSession::begin(folder, &options.who, "restore", options.patience, notice);
    let mut session = begun.map_err(|error| unlogged = Some(format!("the log could not be written: {error:#}"))).ok();
    let mut report = put_back(folder, wanted);
    if let Some(session) = &mut session {
        report.notes.splice(0..0, std::mem::take(&mut session.notes));
        if let Err(error) = record(session, &report) {
            unlogged = Some(format!("the log could not be written: {error:#}"));
        }
        report.log = Some(session.log());
    }
    report.notes.extend(unlogged);
    report
}

fn record(session: &mut BackupSession<'_>, report: &PathReport) -> Result<()> {
    let mut entry = session.entry(LogAction::Restore, report.path.clone());
    if report.ended != BackupOutcome::Restored {
        entry.status = LogStatus::Error;
        let refused = if report.ended == BackupOutcome::Refused { "refused: " } else { "" };
        entry.reason = Some(format!("{refused}{}", report.reasons.join("; ")));
    }
    if let Some(copy) = &report.copy {
        entry.digest = Some(copy.digest.clone());
    }
    session.record(entry)
}

fn put_back(folder: &BackupFolder, wanted: &RestoreRequest) -> PathReport {
    let copy = match folder.copies().map_err(Failure::from).and_then(|copies| find(&copies, &wanted.id)) {
        Ok(copy) => copy,
        Err(failure) => return PathReport::failed(wanted.id.clone(), failure),
    };
    let mut text = copy.path.clone();
    let mut report = match put_copy_back(folder, &copy, wanted, &mut text) {
        Ok(notes) => PathReport { notes, ..PathReport::new(text, BackupOutcome::Restored) },
        Err(failure) => PathReport::failed(text, failure),
    };
    report.copy = Some(copy);
    report
}

fn find(copies: &Copies, id: &str) -> Result<BackupCopy, Failure> {
    copies.whole().find(|copy| copy.id.as_str() == id).cloned().ok_or_else(|| {
        let hint = match nearest(id, copies.whole().map(|copy| copy.id.as_str())) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => "`shapeline backup --list` shows all".to_owned(),
        };
        Failure::Refused(format!("there is no copy {}; {hint}", quoted(id)))
    })
}

/// Writes to `shown` where it is put, once that is known.
fn put_copy_back(
    folder: &BackupFolder,
    copy: &BackupCopy,
    wanted: &RestoreRequest,
    shown: &mut String,
) -> Result<Vec<String>, Failure> {
    if let (Some(into), Some(name)) = (&wanted.into, from_text(&copy.path).as_ref().and_then(|path| path.file_name())) {
        *shown = to_text(&into.join(name));
    }
    let tar = folder.read(copy)?;
    let place = RestorePlace::open(copy, wanted.into.as_deref())?;
    let path = place.path.clone();
    *shown = to_text(&path);
    if let Some(reason) = folder.is_in_the_way(&path) {
        return Err(Failure::Refused(reason));
    }
    if !wanted.force && place.is_taken()? {
        return Err(taken(&path, wanted.if_taken));
    }
    let prefix = format!(".{}.shapeline-restore-", label(&path));
    let staged = OsString::from(format!("{prefix}{}", writer_name()));
    let done = unpack(&tar, place.folder.as_fd(), &staged).and_then(|()| place.take(&staged, wanted));
    // On success this is what was there before.
    let before = place.folder.path().join(&staged);
    let removed = remove(&before);
    done?;
    let mut notes = Vec::new();
    match removed {
        Ok(()) => notes.extend(place.left_behind(&prefix)),
        Err(error) => {
            notes.push(format!("what was there before is in {}, and cannot be removed: {error}", before.display()))
        }
    }
    Ok(notes)
}

fn taken(path: &Path, what_to_do: &str) -> Failure {
    Failure::Refused(format!("{} is there already: {what_to_do}", path.display()))
}

/// Where something is put: an open folder, and a name in it.
struct RestorePlace {
    path: PathBuf,
    folder: Parent,
    name: OsString,
}

impl RestorePlace {
    /// Where the copy is put; the folder above it is made. Links on the way are followed only if they
    /// are trusted: what is put back as root must not land where another user's link leads.
    fn open(copy: &BackupCopy, into: Option<&Path>) -> Result<RestorePlace, Failure> {
        let original = from_text(&copy.path);
        let parts = original.as_ref().and_then(|path| Some((path.parent()?, path.file_name()?)));
        let Some((parent, name)) = parts else {
            let reason = format!("the copy {} is of {}, which cannot be put back", copy.id, quoted(&copy.path));
            return Err(Failure::Refused(reason));
        };
        let parent = into.unwrap_or(parent);
        let folder = Parent::open_or_make(parent, 0o777)
            .with_context(|| format!("cannot open the folder {}", parent.display()))?;
        Ok(RestorePlace { path: folder.path().join(name), folder, name: name.to_os_string() })
    }

    fn is_taken(&self) -> Result<bool> {
        match statat(self.folder.as_fd(), &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot look at {}", self.path.display())),
        }
    }

    /// What an interrupted run left beside it. It may be all that there is of the old file, so it is
    /// reported and not removed.
    fn left_behind(&self, prefix: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
        let mut left: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
            .map(|entry| entry.path())
            .collect();
        left.sort();
        let note =
            |path: &PathBuf| format!("{} was left by an interrupted run: look at it, and remove it", path.display());
        left.iter().map(note).collect()
    }

    /// Gives what is called `staged` in the folder its place. What was there is called `staged`
    /// then.
    fn take(&self, staged: &OsStr, wanted: &RestoreRequest) -> Result<(), Failure> {
        let folder = self.folder.as_fd();
        let cannot = || format!("cannot replace {}", self.path.display());
        if wanted.force && self.is_taken()? {
            exchange(folder, staged, &self.name).with_context(cannot)?;
        } else {
            match rename_new(folder, staged, &self.name) {
                Err(Errno::EXIST) => return Err(taken(&self.path, wanted.if_taken)),
                done => done.with_context(cannot)?,
            }
        }
        Ok(self.folder.sync().with_context(cannot)?)
    }
}

/// Some file systems and kernels know only the plain rename.
fn is_unknown(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
}

fn rename_new(folder: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
    #[cfg(target_os = "linux")]
    match rustix::fs::renameat_with(folder, from, folder, to, rustix::fs::RenameFlags::NOREPLACE) {
        Err(error) if is_unknown(error) => {}
        done => return done,
    }
    match statat(folder, to, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST),
        Err(Errno::NOENT) => renameat(folder, from, folder, to),
        Err(error) => Err(error),
    }
}

/// The two names change places: in one step, or where the system cannot, in three, of which the
/// last one that was done is undone if the next one fails.
fn exchange(folder: BorrowedFd<'_>, new: &OsStr, old: &OsStr) -> Result<(), Errno> {
    #[cfg(target_os = "linux")]
    match rustix::fs::renameat_with(folder, new, folder, old, rustix::fs::RenameFlags::EXCHANGE) {
        Err(error) if is_unknown(error) => {}
        done => return done,
    }
    let mut aside = new.to_os_string();
    aside.push("-old");
    renameat(folder, old, folder, &aside)?;
    if let Err(error) = renameat(folder, new, folder, old) {
        renameat(folder, &aside, folder, old)?;
        return Err(error);
    }
    renameat(folder, &aside, folder, new)
}

fn remove(path: &Path) -> std::io::Result<()> {
    let is_folder = |metadata: fs::Metadata| metadata.is_dir();
    match fs::symlink_metadata(path).map(is_folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(false) => fs::remove_file(path),
        Ok(true) => match fs::remove_dir_all(path) {
            // Folders without write permission for us.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                open_up(path)?;
                fs::remove_dir_all(path)
            }
            done => done,
        },
    }
}

/// Makes every folder in `folder` one that we may write to.
fn open_up(folder: &Path) -> std::io::Result<()> {
    for entry in walkdir::WalkDir::new(folder).follow_links(false) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            fs::set_permissions(entry.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        }
    }
    Ok(())
}
