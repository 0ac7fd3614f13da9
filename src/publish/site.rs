//! An open target, and a session that holds its lock and finishes what an interrupted run left.

use std::sync::Arc;

use anyhow::Result;

use crate::apply::{Apply, Commands};
use crate::model::Target;
use crate::records::holder::Operator;
use crate::records::ledger::Ledger;
use crate::records::lock::{Lock, Patience};
use crate::records::log::{LogAction, LogEntry};
use crate::records::manifest::Manifest;
use crate::store::open::open_file;
use crate::store::{Store, Stored, writer_name};

/// How many past versions are kept where the settings do not say.
const KEEP: u32 = 100;

/// A target within reach.
pub struct Site {
    /// Its name.
    pub name: String,
    /// The folder that the file is in.
    pub store: Arc<dyn Store>,
    /// The file's name.
    pub file: String,
    pub(super) apply: Box<dyn Apply>,
    pub(super) keep: usize,
}

impl Site {
    /// Opens a target.
    ///
    /// # Errors
    /// If it cannot be reached, or cannot give what publishing needs.
    pub fn open(target: &Target) -> Result<Site> {
        let (store, file) = open_file(&target.access())?;
        #[cfg(all(debug_assertions, unix))]
        let store = crate::store::crash::stepwise(store);
        Ok(Site {
            name: target.name.to_string(),
            apply: Box::new(Commands::of(target, &file, store.place(&file))),
            store: Arc::from(store),
            file,
            keep: target.keep.unwrap_or(KEEP) as usize,
        })
    }

    /// The records beside the file.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger::of(self.store.as_ref(), &self.file)
    }

    /// The live file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn live(&self) -> Result<Option<Stored>> {
        self.store.read(&self.file)
    }

    /// Where the live file is, for people.
    pub fn place(&self) -> String {
        self.store.place(&self.file)
    }
}

/// A target under lock.
pub struct TargetSession<'s> {
    pub(super) site: &'s Site,
    pub(super) ledger: Ledger<'s>,
    pub(super) lock: Lock,
    /// What is live, and what is kept.
    pub manifest: Manifest,
    who: Operator,
    pub(super) run: String,
    /// What was put in order.
    pub notes: Vec<String>,
}

impl<'s> TargetSession<'s> {
    /// Takes the lock, and finishes or undoes what an interrupted run left behind.
    ///
    /// # Errors
    /// As [`TargetSession::begin_looking`], or if what was begun cannot be finished.
    pub fn begin(
        site: &'s Site,
        who: &Operator,
        doing: &str,
        patience: Patience,
        notice: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<TargetSession<'s>> {
        let mut session = TargetSession::begin_looking(site, who, doing, patience, notice)?;
        session.recover()?;
        Ok(session)
    }

    /// Takes the lock, and changes nothing on the target.
    ///
    /// # Errors
    /// If the lock is not free in time, or the store fails.
    pub fn begin_looking(
        site: &'s Site,
        who: &Operator,
        doing: &str,
        patience: Patience,
        notice: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<TargetSession<'s>> {
        let ledger = site.ledger();
        let lock = Lock::take(&site.store, &ledger.lock_folder(), who, doing, patience, notice)?;
        // Always: the process that took over before us may have failed to.
        site.store.sweep("", Some(&site.file))?;
        ledger.sweep()?;
        let manifest = ledger.manifest_or_new(&site.name)?;
        let run = writer_name();
        Ok(TargetSession { site, ledger, lock, manifest, who: who.clone(), run, notes: Vec::new() })
    }

    /// An entry of the log that is yet to be filled in.
    pub fn entry(&self, action: LogAction, parameter: String) -> LogEntry {
        LogEntry::new(action, parameter, &self.who, &self.run)
    }

    /// Adds an entry to the log.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn record(&mut self, entry: LogEntry) -> Result<()> {
        let fence = || self.lock.fence();
        self.ledger.record(&mut self.manifest, entry, &fence)
    }

    /// Adds an entry to the log, unless the log says the same already: see [`crate::records::log::ActionLog::says`].
    /// Returns whether it was added.
    ///
    /// # Errors
    /// If the log cannot be read or written.
    pub(crate) fn record_once<K: PartialEq>(
        &mut self,
        entry: LogEntry,
        key: impl Fn(&LogEntry) -> Option<K>,
    ) -> Result<bool> {
        if self.ledger.log()?.says(&entry, key) {
            return Ok(false);
        }
        self.record(entry).map(|()| true)
    }

    pub(super) fn actor(&self) -> &str {
        &self.who.actor
    }
}
