//! One publish to one target, from the lock to the log.

use anyhow::Result;

use crate::model::Target;
use crate::plan::ChangePlan;
use crate::publish::data::{Data, RenderedFile};
use crate::publish::freeze;
use crate::publish::guard;
use crate::publish::planned::Planned;
use crate::publish::remedy::{Remedy, Words};
use crate::publish::replace::Replacement;
pub use crate::publish::report::{Changed, PublishOutcome, TargetReport};
use crate::publish::site::{Site, TargetSession};
use crate::records::failure::Failure;
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::records::log::{LogAction, LogStatus};
use crate::records::manifest::{Hold, Manifest, StoredVersion};
use crate::render::{self, Output};
use crate::store::{Stored, digest};

/// How to publish.
#[derive(Clone, Debug)]
pub struct PublishOptions {
    /// For whom.
    pub who: Operator,
    /// How long to wait for others.
    pub patience: Patience,
    /// Only what has this fingerprint: a plan that was looked at before.
    pub planned: Option<Planned>,
    /// The fingerprint of an unsafe plan that is meant.
    pub acknowledged: Option<String>,
    /// Change nothing.
    pub dry_run: bool,
    /// Do not log a refusal that the log has already: for runs that are repeated every minute.
    pub quiet: bool,
    /// How to word what can be done about a refusal.
    pub words: Words,
}

/// Publishes `data` to `target`. Whatever goes wrong is in the report.
pub fn publish(
    target: &Target,
    data: &Data,
    options: &PublishOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> TargetReport {
    let report = try_publish(target, data, options, notice).unwrap_or_else(|error| {
        TargetReport::new(target.name.as_str(), PublishOutcome::Failed, vec![format!("{error:#}")])
    });
    TargetReport { frozen: data.frozen.clone(), ..report }
}

fn try_publish(
    target: &Target,
    data: &Data,
    options: &PublishOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<TargetReport> {
    let settings = &data.table.repo().settings;
    let output = render::output(settings, target.output.as_ref().map(|name| name.as_str()))?;
    // Before the lock: others need not wait for it.
    let file = match data.rendered(&output) {
        Ok(file) => file,
        Err(reason) => return Ok(TargetReport::new(target.name.as_str(), PublishOutcome::Refused, vec![reason])),
    };
    let site = Site::open(target)?;
    if options.dry_run {
        let manifest = site.ledger().manifest_or_new(&site.name)?;
        let live = site.live()?;
        let work = Work { target, site: &site, data, options, output: &output, file: &file };
        return work.look(&manifest, live.as_ref()).map(|(report, _)| report);
    }
    let mut session = TargetSession::begin(&site, &options.who, "publish", options.patience, notice)?;
    let work = Work { target, site: &site, data, options, output: &output, file: &file };
    let mut report = work.carry_out(&mut session)?;
    report.notes.splice(0..0, std::mem::take(&mut session.notes));
    report.log = Some(session.manifest.log.digest.clone());
    Ok(report)
}

struct Work<'w> {
    target: &'w Target,
    site: &'w Site,
    data: &'w Data,
    options: &'w PublishOptions,
    output: &'w Output,
    file: &'w RenderedFile,
}

impl Work<'_> {
    /// Compares and judges; changes nothing. Also returns whether there is anything to do.
    fn look(&self, manifest: &Manifest, live: Option<&Stored>) -> Result<(TargetReport, bool)> {
        let known = guard::known(&self.data.table.repo().settings, self.target, manifest);
        let old = live.map_or(&[][..], |live| live.bytes.as_slice());
        let plan = guard::plan(self.site, &self.data.table, self.output, old, self.file.text.as_bytes(), known.clone());
        let mut report = TargetReport::new(&self.site.name, PublishOutcome::Planned, Vec::new());
        report.changes = Some(Changed::of(&plan));
        report.fingerprint = Some(plan.fingerprint.clone());
        report.acknowledge = Some(acknowledgement(&plan.fingerprint, manifest));
        report.commit = self.data.commit.map(|commit| commit.to_string());
        report.version = manifest.live.as_ref().map(|live| live.version.id);
        report.digest = live.map(|live| live.digest().to_owned());
        let recorded = manifest.live.as_ref().map(|live| &live.version.digest);
        // A file that was put there outside shapeline is taken over, reloaded and recorded, even if it is just
        // what the data gives.
        let nothing_to_do = live.is_some() && !plan.bytes_differ && recorded == report.digest.as_ref();
        let reasons = match self.not_the_plan(&plan) {
            // A job that is started again after it succeeded does nothing, whatever was planned.
            _ if nothing_to_do => Vec::new(),
            Some(reason) => vec![reason],
            None => self.unacknowledged(
                acknowledgement(&plan.fingerprint, manifest),
                guard::reasons(self.site, manifest, self.data, &plan, live, self.file, &known)?,
            ),
        };
        report.ended = match (reasons.is_empty(), nothing_to_do) {
            (false, _) => PublishOutcome::Refused,
            (true, true) => PublishOutcome::Unchanged,
            (true, false) => PublishOutcome::Planned,
        };
        report.reasons = reasons;
        if self.options.dry_run {
            report.plan = Some(crate::plan::text::text(&plan.looking_ahead(None, &self.data.table)));
        }
        Ok((report, !nothing_to_do))
    }

    fn not_the_plan(&self, plan: &ChangePlan<'_>) -> Option<String> {
        let planned = self.options.planned.as_ref()?;
        planned.mismatch(&self.site.name, &plan.fingerprint, self.options.words)
    }

    /// What speaks against it, unless this very plan was acknowledged.
    fn unacknowledged(&self, wanted: String, mut reasons: Vec<String>) -> Vec<String> {
        match &self.options.acknowledged {
            Some(given) if *given == wanted => Vec::new(),
            given => {
                if !reasons.is_empty() {
                    let stale =
                        if given.is_some() { "the fingerprint that was acknowledged is of another plan; " } else { "" };
                    let acknowledge = Remedy::Acknowledge { fingerprint: &wanted, rev: self.data.rev.as_deref() };
                    reasons.push(format!("{stale}{}", (self.options.words)(&acknowledge)));
                }
                reasons
            }
        }
    }

    fn carry_out(&self, session: &mut TargetSession<'_>) -> Result<TargetReport> {
        let live = self.site.live()?;
        let (mut report, anything_to_do) = self.look(&session.manifest, live.as_ref())?;
        if report.ended == PublishOutcome::Refused {
            self.record_refusal(session, &report)?;
            return Ok(report);
        }
        if !anything_to_do {
            self.note_commit(session)?;
            freeze::record(session, report.commit.as_ref(), &self.data.frozen)?;
            return Ok(report);
        }
        let known = guard::known(&self.data.table.repo().settings, self.target, &session.manifest);
        let held = self.still_held(&session.manifest, report.fingerprint.as_deref().unwrap_or_default())?;
        let taken = live.as_ref().is_some_and(|live| live.bytes == self.file.text.as_bytes());
        let change = Replacement {
            action: LogAction::Publish,
            live: live.as_ref(),
            bytes: self.file.text.as_bytes(),
            digest: &self.file.digest,
            kept: self.live_version(&session.manifest),
            subscribers: Some(self.data.subscribers()),
            commit: report.commit.clone(),
            dirty: self.data.dirty,
            frozen: freeze::noted(&self.data.frozen),
            newest: report.commit.clone().filter(|_| held.is_none()),
            held,
            limits: known.instead,
            check: true,
            reason: freeze::reason(&self.data.frozen, taken),
        };
        match session.replace(change) {
            Ok(version) => {
                report.ended = PublishOutcome::Published;
                (report.version, report.digest) = (Some(version.id), Some(version.digest));
            }
            Err(Failure::Refused(reason)) => {
                report.ended = PublishOutcome::Refused;
                report.reasons.push(reason);
            }
            Err(Failure::Failed(error)) => {
                report.ended = PublishOutcome::Failed;
                report.reasons.push(format!("{error:#}"));
            }
        }
        Ok(report)
    }

    /// The version that was published last, if it is this one and only the live file is another.
    fn live_version(&self, manifest: &Manifest) -> Option<StoredVersion> {
        let last = manifest.live.as_ref().map(|live| &live.version)?;
        let commit = self.data.commit.map(|commit| commit.to_string());
        let same = !last.found && last.commit == commit && last.dirty == self.data.dirty;
        (same && last.digest == self.file.digest).then(|| last.clone())
    }

    /// The hold of a rollback goes on if what was rolled back to is put back after it was
    /// changed by hand, by data that does not come after what was taken back.
    fn still_held(&self, manifest: &Manifest, fingerprint: &str) -> Result<Option<Hold>> {
        let Some(held) = &manifest.held else { return Ok(None) };
        let acknowledged = self.options.acknowledged == Some(acknowledgement(fingerprint, manifest));
        let heals = manifest.live.as_ref().is_some_and(|live| live.version.digest == self.file.digest);
        let after = !self.data.dirty && self.follows(held.commit.as_ref())?;
        Ok((heals && !after && !acknowledged).then(|| held.clone()))
    }

    fn record_refusal(&self, session: &mut TargetSession<'_>, report: &TargetReport) -> Result<()> {
        let mut entry = session.entry(LogAction::Publish, format!("output {}", self.output.name));
        entry.status = LogStatus::Error;
        entry.reason = Some(format!("refused: {}", report.reasons.join("; ")));
        entry.commit.clone_from(&report.commit);
        entry.frozen = freeze::noted(&self.data.frozen);
        entry.digest = Some(self.file.digest.clone());
        if !self.options.quiet {
            return session.record(entry);
        }
        let key = |entry: &crate::records::log::LogEntry| {
            let (reason, commit, digest) = (entry.reason.clone(), entry.commit.clone(), entry.digest.clone());
            Some((entry.action, entry.status, reason, commit, digest))
        };
        session.record_once(entry, key).map(drop)
    }

    /// The data gives what is live. Its commit is the newest now; and after a rollback, data that
    /// comes after what was taken back may be published again.
    fn note_commit(&self, session: &mut TargetSession<'_>) -> Result<()> {
        if self.data.dirty {
            return Ok(());
        }
        let manifest = &mut session.manifest;
        let newer = self.follows(manifest.newest.as_ref())? && manifest.newest.is_some();
        let lets_go = match &manifest.held {
            Some(held) => self.follows(held.commit.as_ref())? && self.follows(manifest.newest.as_ref())?,
            None => false,
        };
        let commit = self.data.commit.map(|commit| commit.to_string());
        if newer && manifest.newest != commit {
            manifest.newest.clone_from(&commit);
        } else if !lets_go {
            return Ok(());
        }
        if !lets_go {
            let fence = || session.lock.fence();
            return session.ledger.write_manifest(&session.manifest, &fence);
        }
        manifest.held = None;
        let mut entry = session.entry(LogAction::Publish, format!("output {}", self.output.name));
        entry.reason = Some("the data gives what was rolled back to: publishing goes on".to_owned());
        entry.commit = commit;
        entry.frozen = freeze::noted(&self.data.frozen);
        entry.digest = Some(self.file.digest.clone());
        session.record(entry)
    }

    /// Whether the data's commit is `older` or comes after it; also if there is none to compare.
    fn follows(&self, older: Option<&String>) -> Result<bool> {
        match (&self.data.git, self.data.commit, older) {
            (Some(git), Some(commit), Some(older)) => Ok(git.follows(commit, older)?.unwrap_or(false)),
            (_, _, None) => Ok(true),
            _ => Ok(false),
        }
    }
}

/// What acknowledges a plan: its fingerprint; while a rollback holds the target, one that is of
/// this very rollback. An earlier acknowledgement must not undo it.
fn acknowledgement(fingerprint: &str, manifest: &Manifest) -> String {
    match &manifest.held {
        Some(held) => digest(format!("shapeline held 1\n{fingerprint}\n{}\n{}\n", held.run, held.from).as_bytes()),
        None => fingerprint.to_owned(),
    }
}

/// Logs on `targets` that the data was refused before it came to them.
pub fn record_refused_data(targets: &[&Target], reason: &str, options: &PublishOptions) -> Vec<TargetReport> {
    let record = |target: &&Target| {
        let mut report = TargetReport::new(target.name.as_str(), PublishOutcome::Refused, vec![reason.to_owned()]);
        let logged = Site::open(target).and_then(|site| {
            let mut session = TargetSession::begin(&site, &options.who, "publish", options.patience, &mut |_| Ok(()))?;
            let mut entry = session.entry(LogAction::Publish, "data".to_owned());
            entry.status = LogStatus::Error;
            entry.reason = Some(format!("refused: {reason}"));
            session.record(entry)
        });
        if let Err(error) = logged {
            report.notes.push(format!("the log could not be written: {error:#}"));
        }
        report
    };
    targets.iter().map(record).collect()
}
