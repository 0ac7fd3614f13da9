//! Putting another version in place, and finishing that after an interruption.
//!
//! Before the live file is touched, the old bytes, the new bytes and the intended change are
//! written down. From then on there is at any moment enough to go on or to go back, and
//! [`TargetSession::recover`] finishes or undoes what an interrupted run left behind.

use anyhow::{Context as _, Result, anyhow, bail};

use crate::model::Safety;
use crate::publish::site::TargetSession;
use crate::records::command::CommandRecord;
use crate::records::failure::Failure;
use crate::records::frozen::FrozenAt;
use crate::records::log::{LogAction, LogEntry, LogStatus, found_as, version};
use crate::records::manifest::{Hold, Live, Pending, StoredVersion};
use crate::records::moment::Moment;
use crate::store::{Expect, Stored};

/// A version to put in place.
pub struct Replacement<'c> {
    /// A publish or a rollback.
    pub action: LogAction,
    /// The live file as it was looked at.
    pub live: Option<&'c Stored>,
    /// The new bytes.
    pub bytes: &'c [u8],
    /// Their digest.
    pub digest: &'c str,
    /// The kept version that this is; without it, a new one.
    pub kept: Option<StoredVersion>,
    /// How many subscribers it serves.
    pub subscribers: Option<u64>,
    /// The commit of the data.
    pub commit: Option<String>,
    /// The data was not committed.
    pub dirty: bool,
    /// Domains that are as they were in an earlier commit.
    pub frozen: Vec<FrozenAt>,
    /// Set if the next publish must not replace it.
    pub held: Option<Hold>,
    /// Limits by which the next publish is judged, too.
    pub limits: Option<Safety>,
    /// The commit that is the newest from then on, if it is.
    pub newest: Option<String>,
    /// Whether the check command is asked.
    pub check: bool,
    /// Remarks for the log.
    pub reason: Option<String>,
}

impl TargetSession<'_> {
    /// Puts a version in place, checked, read back and reloaded; or leaves the old one. Gives the
    /// version that is live now. Either way it is logged.
    ///
    /// # Errors
    /// A refusal by the check command; or what went wrong, and what is live then.
    pub fn replace(&mut self, change: Replacement<'_>) -> Result<StoredVersion, Failure> {
        let mut entry = self.entry(change.action, String::new());
        let pending = match self.prepare(&change, &mut entry) {
            Ok(pending) => pending,
            Err(failure) => {
                entry.status = LogStatus::Error;
                entry.reason = Some(failure.to_string());
                // If this fails too, it is for the same cause, which is reported.
                let _ = self.record(entry);
                return Err(failure);
            }
        };
        self.put_live(&pending, change.live, change.bytes)?;
        self.reload_or_take_back(pending)?.map_err(|reason| Failure::Failed(anyhow!(reason)))
    }

    /// Everything before the live file is touched: what is there is kept, what is to come is
    /// checked and kept, and the intended change is written down.
    fn prepare(&mut self, change: &Replacement<'_>, entry: &mut LogEntry) -> Result<Pending, Failure> {
        entry.commit.clone_from(&change.commit);
        entry.frozen.clone_from(&change.frozen);
        entry.digest = Some(change.digest.to_owned());
        entry.parameter = match &change.kept {
            Some(kept) => version(kept.id),
            None => "a new version".to_owned(),
        };
        // Only its records are missing: it is live already.
        let same = change.live.is_some_and(|live| live.bytes == change.bytes);
        let before = match change.live {
            Some(live) if !same => Some(self.keep_found(live)?),
            _ => None,
        };
        entry.reason = self.reason_with_found(before.as_ref(), change.reason.as_ref());
        let after = self.version(change);
        entry.parameter = version(after.id);
        let record = if change.check { self.site.apply.check(change.bytes)? } else { None };
        if let Some(record) = record {
            let refusal =
                (!record.ok).then(|| format!("the check command refuses the new file: {}", record.sentence()));
            entry.check = Some(record);
            if let Some(refusal) = refusal {
                return Err(Failure::Refused(refusal));
            }
        }
        let fence = || self.lock.fence();
        self.ledger.write_version(after.id, change.bytes, &fence)?;
        let mut pending = Pending::new(entry.clone(), before, after);
        (pending.held, pending.limits) = (change.held.clone(), change.limits.clone());
        pending.newest.clone_from(&change.newest);
        self.ledger.write_pending(&pending, &fence)?;
        Ok(pending)
    }

    /// The version that is live, kept: a file that was put there outside shapeline is kept before it is lost.
    fn keep_found(&mut self, live: &Stored) -> Result<StoredVersion> {
        let digest = live.digest();
        let of_live = self.manifest.live.as_ref().map(|live| &live.version).filter(|version| version.digest == digest);
        if let Some(known) = of_live.or_else(|| self.manifest.with_digest(digest)).cloned() {
            // Its bytes may have been lost or damaged: here they are.
            let fence = || self.lock.fence();
            self.ledger.write_version(known.id, &live.bytes, &fence)?;
            return Ok(known);
        }
        let found = StoredVersion::found(self.manifest.next, &live.bytes);
        let fence = || self.lock.fence();
        self.ledger.write_version(found.id, &live.bytes, &fence)?;
        self.manifest.next = found.id.saturating_add(1);
        self.manifest.versions.push(found.clone());
        self.ledger.write_manifest(&self.manifest, &fence)?;
        Ok(found)
    }

    /// The reason for the log; with the number by which to go back to a file that was found in place,
    /// which is nowhere else.
    fn reason_with_found(&self, before: Option<&StoredVersion>, reason: Option<&String>) -> Option<String> {
        let found = before.filter(|before| before.found);
        let kept = found.map(|found| found_as(found.id));
        match (reason, kept) {
            (Some(reason), Some(kept)) => Some(format!("{reason}; {kept}")),
            (reason, kept) => kept.or_else(|| reason.cloned()),
        }
    }

    fn version(&self, change: &Replacement<'_>) -> StoredVersion {
        change.kept.clone().unwrap_or_else(|| StoredVersion {
            id: self.manifest.next,
            digest: change.digest.to_owned(),
            bytes: change.bytes.len() as u64,
            subscribers: change.subscribers,
            commit: change.commit.clone(),
            dirty: change.dirty,
            frozen: change.frozen.clone(),
            found: false,
            time: Moment::now(),
            actor: self.actor().to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            undated: false,
        })
    }

    /// Replaces the live file, and looks whether that is so. What is not certain is left pending
    /// for the next run.
    fn put_live(&mut self, pending: &Pending, live: Option<&Stored>, bytes: &[u8]) -> Result<(), Failure> {
        let site = self.site;
        let expect = live.map_or(Expect::Nothing, |live| Expect::Content(&live.mark));
        let fence = || self.lock.fence();
        let put = site.store.put(&site.file, bytes, expect, &fence);
        // The lock is lost: the process that took it puts things in order.
        self.lock.fence()?;
        // Also after an error: the answer may have been lost on the way, not the file.
        let now = match (site.live(), put.as_ref()) {
            (Ok(now), _) => now.map(|now| now.digest().to_owned()),
            (Err(error), Ok(_)) => {
                return Err(Failure::Failed(error.context("the file was written and cannot be read back")));
            }
            // Whether it was replaced is for the next run to find out.
            (Err(_), Err(_)) => return put.map(|_| ()).map_err(Failure::Failed),
        };
        if now.as_ref() == Some(&pending.after.digest) {
            if let Err(error) = put {
                self.notes.push(format!("the new file is in place, but something went wrong at that: {error:#}"));
            }
            return Ok(());
        }
        let unchanged = now.as_deref() == live.map(Stored::digest);
        let reason = match put {
            Err(error) if unchanged => format!("{error:#}; the live file is as it was"),
            Err(error) => format!("{error:#}; the live file is neither the old nor the new version"),
            Ok(None) => {
                "the live file was changed outside shapeline at this very moment; look at `drift`, then publish again"
                    .into()
            }
            Ok(Some(_)) => "read back, the live file is not what was written: another process writes to it".into(),
        };
        self.settle(pending.clone(), LogStatus::Error, Some(reason.clone())).with_context(|| reason.clone())?;
        Err(Failure::Failed(anyhow!(reason)))
    }

    /// Makes the shaper read the new file. If it cannot, the old one is put back, and why is given
    /// in place of the version; either way it is settled.
    fn reload_or_take_back(&mut self, mut pending: Pending) -> Result<Result<StoredVersion, String>> {
        let after = pending.after.clone();
        let trouble = match self.site.apply.reload() {
            Ok(record) => {
                let trouble = record.as_ref().filter(|record| !record.ok).map(CommandRecord::sentence);
                pending.entry.reload = record.or(pending.entry.reload.take());
                trouble
            }
            Err(error) => Some(format!("the reload command: {error:#}")),
        };
        let Some(trouble) = trouble else {
            let untold = || format!("version {} is live, but that could not be written down: publish again", after.id);
            self.settle(pending, LogStatus::Success, None).with_context(untold)?;
            return Ok(Ok(after));
        };
        let fence = || self.lock.fence();
        pending.taken_back = Some(format!("the reload failed: {trouble}"));
        let why = pending.taken_back.clone().unwrap_or_default();
        self.ledger.write_pending(&pending, &fence).with_context(|| why.clone())?;
        Ok(Err(self.take_back(pending).context(why)?))
    }

    /// Puts the old version back and reloads again.
    fn take_back(&mut self, pending: Pending) -> Result<String> {
        let site = self.site;
        let why = pending.taken_back.clone().unwrap_or_default();
        let live = site.live()?;
        let now = live.as_ref().map(|live| live.digest().to_owned());
        let fence = || self.lock.fence();
        let mut said = match (&pending.before, live) {
            (Some(before), _) if now.as_ref() == Some(&before.digest) => format!("version {} is live again", before.id),
            (None, None) => "there was no file before, and there is none".to_owned(),
            _ if now.as_ref() != Some(&pending.after.digest) => {
                "meanwhile the live file was changed outside shapeline, and it stays as it is".to_owned()
            }
            (_, None) => "there is no live file".to_owned(),
            (Some(before), Some(live)) => match self.ledger.read_version(before) {
                Ok(bytes) => {
                    let put = site.store.put(&site.file, &bytes, Expect::Content(&live.mark), &fence)?;
                    if put.is_none() {
                        fence()?;
                        bail!("{} was changed by another process while the old version was put back", site.place());
                    }
                    format!("version {} is live again", before.id)
                }
                // To go on failing here would keep every later publish out.
                Err(error) => format!("THE OLD VERSION CANNOT BE PUT BACK, and the new one stays: {error:#}"),
            },
            // Without it the shaper would have no file.
            (None, Some(_)) => {
                // It is ours: the next run must not take it for a file of unknown origin.
                if self.manifest.find(pending.after.id).is_none() {
                    self.manifest.versions.push(pending.after.clone());
                }
                "there was no other version before, and this one stays".to_owned()
            }
        };
        match site.apply.reload() {
            Ok(None) => {}
            Ok(Some(record)) if record.ok => said.push_str(", and was reloaded"),
            Ok(Some(record)) => said.push_str(&format!("; THE SHAPER DID NOT RELOAD IT: {}", record.sentence())),
            Err(error) => said.push_str(&format!("; THE SHAPER DID NOT RELOAD IT: {error:#}")),
        }
        let reason = format!("{why}; {said}");
        self.settle(pending, LogStatus::Error, Some(reason.clone())).context(said)?;
        Ok(reason)
    }

    /// Writes down how it ended: the log, the manifest, and then that nothing is pending.
    fn settle(&mut self, mut pending: Pending, status: LogStatus, reason: Option<String>) -> Result<()> {
        pending.entry.status = status;
        pending.entry.reason = reason.or(pending.entry.reason);
        let fence = || self.lock.fence();
        self.ledger.append(&mut self.manifest, pending.entry.clone(), &fence)?;
        self.close(pending, status)
    }

    /// The log says how it ended; this writes the rest.
    fn close(&mut self, pending: Pending, status: LogStatus) -> Result<()> {
        let Pending { entry, after, held, limits, newest, .. } = pending;
        let id = after.id;
        if status == LogStatus::Success {
            self.note_live(&entry.actor, after, held, limits);
            self.manifest.newest = newest.or(self.manifest.newest.take());
        } else {
            // The log speaks of it: the number is not given again.
            self.manifest.next = self.manifest.next.max(id.saturating_add(1));
        }
        let fence = || self.lock.fence();
        self.ledger.write_manifest(&self.manifest, &fence)?;
        // While it is pending: if this is interrupted, the next run comes back to it.
        self.ledger.prune(&mut self.manifest, self.site.keep, &fence)?;
        self.ledger.clear_pending(&fence)
    }

    fn note_live(&mut self, by: &str, version: StoredVersion, held: Option<Hold>, limits: Option<Safety>) {
        let manifest = &mut self.manifest;
        manifest.target.clone_from(&self.site.name);
        manifest.next = manifest.next.max(version.id.saturating_add(1));
        if manifest.find(version.id).is_none() {
            manifest.versions.push(version.clone());
        }
        manifest.live = Some(Live { version, since: Moment::now(), by: by.to_owned() });
        (manifest.held, manifest.limits) = (held, limits);
    }

    /// Finishes or undoes what an interrupted run left behind.
    ///
    /// # Errors
    /// If the store fails, or the old version cannot be put back.
    pub(super) fn recover(&mut self) -> Result<()> {
        let Some(mut pending) = self.ledger.pending()? else { return Ok(()) };
        let LogEntry { action, parameter, time, actor, host, .. } = pending.entry.clone();
        if let Some(status) = self.ledger.log()?.of_run(&pending.entry.run).map(|entry| entry.status) {
            return self.finish_records(pending, status);
        }
        let now = self.site.live()?.map(|live| live.digest().to_owned());
        let before = pending.before.as_ref().map(|before| before.digest.clone());
        let how = if pending.taken_back.is_some() {
            self.take_back(pending)?
        } else if now.as_ref() == Some(&pending.after.digest) {
            let how = "it was interrupted after the file was replaced, and finished by the next run".to_owned();
            pending.entry.reason = Some(how.clone());
            self.reload_or_take_back(pending)?.map_or_else(|reason| reason, |_| how)
        } else {
            let how = match now == before {
                true => "it was interrupted before the file was replaced: nothing had changed",
                false => "it was interrupted, and the live file is neither the old nor the new version",
            };
            self.settle(pending, LogStatus::Error, Some(how.to_owned()))?;
            how.to_owned()
        };
        let what = format!("a {} of {parameter} at {time} by {actor} on {host}", action.as_str());
        self.notes.push(format!("{what} was not finished: {how}"));
        Ok(())
    }

    /// The log was written and the rest was not.
    fn finish_records(&mut self, pending: Pending, status: LogStatus) -> Result<()> {
        self.manifest.log = self.ledger.log()?.head;
        self.close(pending, status)
    }
}
