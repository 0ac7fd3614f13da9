//! Making copies.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use anyhow::Result;

#[cfg(feature = "serve")]
use super::below::PathBelow;
use super::copies::{BackupCopy, FOLDER};
use super::folder::BackupFolder;
use super::pack::{self, Packed};
use super::path::{absolute, label, to_text};
use super::session::BackupSession;
use super::{BackupOptions, BackupOutcome, PathReport};
use crate::records::failure::Failure;
use crate::records::log::{LogAction, LogEntry, LogStatus};
use crate::records::moment::Moment;
use crate::store::digest;

/// Copies each path. Whatever goes wrong is in the reports; one failure does not stop the others.
pub fn backup(
    folder: &BackupFolder,
    paths: &[PathBuf],
    options: &BackupOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Vec<PathReport> {
    let mut session = match BackupSession::begin(folder, &options.who, "backup", options.patience, notice) {
        Ok(session) => session,
        Err(error) => {
            let failed = |path: &PathBuf| {
                let reasons = vec![format!("{error:#}")];
                PathReport { reasons, ..PathReport::new(to_text(path), BackupOutcome::Failed) }
            };
            return paths.iter().map(failed).collect();
        }
    };
    paths.iter().map(|path| one(&mut session, path)).collect()
}

/// Copies one path that was opened before. Whatever goes wrong is in the report.
#[cfg(feature = "serve")]
pub(crate) fn backup_below(
    folder: &BackupFolder,
    below: &PathBelow,
    options: &BackupOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> PathReport {
    use std::os::fd::AsFd as _;
    let text = to_text(&below.path);
    let mut session = match BackupSession::begin(folder, &options.who, "backup", options.patience, notice) {
        Ok(session) => session,
        Err(error) => return PathReport::failed(text, Failure::Failed(error)),
    };
    let at = below.folder.as_ref().map_or(rustix::fs::CWD, |folder| folder.as_fd());
    let packed = pack(&session, at, &below.name, &below.path);
    finish(&mut session, text, packed.map(|packed| (packed, below.path.clone())))
}

fn one(session: &mut BackupSession<'_>, path: &Path) -> PathReport {
    let found = absolute(path).map_err(Failure::from);
    let text = to_text(found.as_deref().unwrap_or(path));
    let packed = found.and_then(|path| Ok((pack(session, rustix::fs::CWD, &path, &path)?, path)));
    finish(session, text, packed)
}

/// Keeps and logs what was packed, or logs why it was not.
fn finish(session: &mut BackupSession<'_>, text: String, packed: Result<(Packed, PathBuf), Failure>) -> PathReport {
    let mut report = match packed {
        Ok((packed, path)) => keep(session, &path, text, packed),
        Err(failure) => {
            let mut report = PathReport::failed(text, failure);
            record_failure(session, &mut report, None);
            report
        }
    };
    report.notes.append(&mut session.notes);
    report.log = Some(session.log());
    report
}

/// Packs what is called `name` in the open folder `at`, and is at `path`.
fn pack(session: &BackupSession<'_>, at: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<Packed, Failure> {
    if let Some(reason) = session.folder.is_own(path) {
        return Err(Failure::Refused(reason));
    }
    pack::pack(at, name, path, &label(path), session.folder.identity(), pack::LIMIT)
}

fn keep(session: &mut BackupSession<'_>, path: &Path, text: String, packed: Packed) -> PathReport {
    let mut report = match describe(session, path, &text, &packed) {
        Ok((copy, entry)) => match session.keep(&copy, &packed.tar, entry) {
            Ok(()) => PathReport { copy: Some(copy), ..PathReport::new(text, BackupOutcome::Copied) },
            Err(error) => failed(session, text, error, Some(&copy)),
        },
        Err(error) => failed(session, text, error, None),
    };
    report.notes.splice(0..0, packed.notes);
    report
}

/// The copy for the list, and its entry for the log.
fn describe(session: &BackupSession<'_>, path: &Path, text: &str, packed: &Packed) -> Result<(BackupCopy, LogEntry)> {
    let time = Moment::now();
    let there = session.folder.store.list(FOLDER)?;
    let id = session.copies.free_id(time, &label(path), &there)?;
    let digest = digest(&packed.tar);
    let mut entry = session.entry(LogAction::Backup, text.to_owned());
    entry.digest = Some(digest.clone());
    // By this it can be put back.
    let called = std::iter::once(format!("copy {id}"));
    entry.reason = Some(called.chain(packed.notes.iter().cloned()).collect::<Vec<String>>().join("; "));
    let copy = BackupCopy {
        id,
        time,
        path: text.to_owned(),
        bytes: packed.tar.len() as u64,
        digest,
        by: session.who.actor.clone(),
        host: session.who.host.clone(),
        run: entry.run.clone(),
        begun: false,
    };
    Ok((copy, entry))
}

fn failed(
    session: &mut BackupSession<'_>,
    text: String,
    error: anyhow::Error,
    begun: Option<&BackupCopy>,
) -> PathReport {
    let mut report = PathReport::failed(text, Failure::Failed(error));
    record_failure(session, &mut report, begun);
    report
}

/// Logs what went wrong, and takes back what was begun.
fn record_failure(session: &mut BackupSession<'_>, report: &mut PathReport, begun: Option<&BackupCopy>) {
    let mut entry = session.entry(LogAction::Backup, report.path.clone());
    let refused = if report.ended == BackupOutcome::Refused { "refused: " } else { "" };
    entry.status = LogStatus::Error;
    entry.reason = Some(format!("{refused}{}", report.reasons.join("; ")));
    if let Some(copy) = begun {
        entry.run.clone_from(&copy.run);
        entry.digest = Some(copy.digest.clone());
    }
    let logged = session.record(entry).and_then(|()| begun.map_or(Ok(()), |copy| session.forget(copy)));
    if let Err(error) = logged {
        report.notes.push(format!("the log could not be written: {error:#}"));
    }
}
