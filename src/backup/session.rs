//! The backup folder under lock.
//!
//! A copy goes on the list as begun, then its tar is put in place in one step, then it is logged,
//! then it is no longer only begun. Wherever that is interrupted, the next run sees how far it went, and
//! finishes or forgets it.

use anyhow::{Result, bail};

use super::copies::{BackupCopy, Copies, FOLDER};
use super::folder::BackupFolder;
use crate::records::holder::Operator;
use crate::records::ledger::Ledger;
use crate::records::lock::{Lock, Patience};
use crate::records::log::{LogAction, LogEntry, LogStatus};
use crate::records::manifest::Manifest;
use crate::store::{Expect, digest};

/// The backup folder under lock.
pub struct BackupSession<'f> {
    pub(super) folder: &'f BackupFolder,
    ledger: Ledger<'f>,
    lock: Lock,
    manifest: Manifest,
    /// What is there.
    pub copies: Copies,
    pub(super) who: Operator,
    /// What was put in order.
    pub notes: Vec<String>,
}

impl<'f> BackupSession<'f> {
    /// Takes the lock, and finishes or forgets what an interrupted run began.
    ///
    /// # Errors
    /// If the lock is not free in time, or the store fails.
    pub fn begin(
        folder: &'f BackupFolder,
        who: &Operator,
        doing: &str,
        patience: Patience,
        notice: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<BackupSession<'f>> {
        let ledger = folder.ledger();
        let lock = Lock::take(&folder.store, &ledger.lock_folder(), who, doing, patience, notice)?;
        folder.store.sweep(FOLDER, None)?;
        ledger.sweep()?;
        let manifest = ledger.manifest_or_new("backup")?;
        let copies = folder.copies()?;
        let mut session = BackupSession { folder, ledger, lock, manifest, copies, who: who.clone(), notes: Vec::new() };
        session.recover()?;
        Ok(session)
    }

    /// The digest of the last line of the log.
    pub fn log(&self) -> String {
        self.manifest.log.digest.clone()
    }

    /// An entry of the log that is yet to be filled in.
    pub fn entry(&self, action: LogAction, parameter: String) -> LogEntry {
        LogEntry::new(action, parameter, &self.who, &crate::store::writer_name())
    }

    /// Adds an entry to the log.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn record(&mut self, entry: LogEntry) -> Result<()> {
        let fence = || self.lock.fence();
        self.ledger.record(&mut self.manifest, entry, &fence)
    }

    /// Keeps a copy, logs it, and removes the oldest copies of that path.
    ///
    /// # Errors
    /// If the copy could not be kept. What is there by then is put in order by
    /// [`BackupSession::forget`], or by the next run.
    pub fn keep(&mut self, copy: &BackupCopy, tar: &[u8], entry: LogEntry) -> Result<()> {
        self.copies.begin(copy.clone());
        self.write_copies()?;
        let file = copy.id.file();
        let fence = || self.lock.fence();
        if self.folder.store.put(&file, tar, Expect::Nothing, &fence)?.is_none() {
            bail!("{} was put there by another process meanwhile", self.folder.store.place(&file));
        }
        if !self.is_whole(copy)? {
            bail!("{} is not what was written: the disk or the server is at fault", self.folder.store.place(&file));
        }
        self.record(entry)?;
        // The copy is there and logged: the next run can do the rest.
        self.copies.finish(&copy.id);
        self.copies.prune(&copy.path, self.folder.keep);
        if let Err(error) = self.settle() {
            self.notes.push(format!("the next run has to put the folder in order: {error:#}"));
        }
        Ok(())
    }

    /// The copy failed, and the log knows.
    ///
    /// # Errors
    /// If the store fails: then the next run does it.
    pub fn forget(&mut self, copy: &BackupCopy) -> Result<()> {
        self.copies.drop(&copy.id);
        self.settle()
    }

    /// What was begun is there. No older copy is removed: it may be needed for a restore.
    fn finish(&mut self, copy: &BackupCopy) -> Result<()> {
        self.copies.finish(&copy.id);
        self.settle()
    }

    fn settle(&mut self) -> Result<()> {
        // First off the list, then off the disk: nothing listed is ever missing.
        self.write_copies()?;
        self.remove_tars()
    }

    fn recover(&mut self) -> Result<()> {
        self.remove_tars()?;
        let begun: Vec<BackupCopy> = self.copies.begun().cloned().collect();
        if begun.is_empty() {
            return Ok(());
        }
        let log = self.ledger.log()?;
        for copy in begun {
            let logged = log.of_run(&copy.run).map(|entry| entry.status);
            self.recover_one(&copy, logged)?;
        }
        Ok(())
    }

    fn recover_one(&mut self, copy: &BackupCopy, logged: Option<LogStatus>) -> Result<()> {
        let whole = self.is_whole(copy)?;
        let (status, how) = match (logged, whole) {
            (Some(LogStatus::Success), true) => return self.finish(copy),
            (Some(LogStatus::Error), _) => return self.forget(copy),
            (None, true) => {
                (LogStatus::Success, "it was interrupted after the copy was made, and finished by the next run")
            }
            (_, false) => (LogStatus::Error, "it was interrupted before the copy was made"),
        };
        let mut entry = self.entry(LogAction::Backup, copy.path.clone());
        entry.status = status;
        entry.reason = Some(how.to_owned());
        entry.digest = Some(copy.digest.clone());
        (entry.actor, entry.host, entry.run) = (copy.by.clone(), copy.host.clone(), copy.run.clone());
        self.record(entry)?;
        let BackupCopy { path, time, by, host, .. } = copy;
        self.notes.push(format!("a backup of {path} at {time} by {by} on {host} was not finished: {how}"));
        if status == LogStatus::Success { self.finish(copy) } else { self.forget(copy) }
    }

    fn is_whole(&self, copy: &BackupCopy) -> Result<bool> {
        let stored = self.folder.store.read(&copy.id.file())?;
        Ok(stored.is_some_and(|stored| digest(&stored.bytes) == copy.digest))
    }

    fn write_copies(&mut self) -> Result<()> {
        let lock = &self.lock;
        self.copies.write(self.folder.store.as_ref(), &|| lock.fence())
    }

    /// Removes the tars that are off the list. That they are gone is written down with the next
    /// change of the list: to remove them again does no harm.
    fn remove_tars(&mut self) -> Result<()> {
        for id in self.copies.removing() {
            self.lock.fence()?;
            self.folder.store.remove(&id.file())?;
        }
        self.copies.removed();
        Ok(())
    }
}
