//! Going back to a version of the past.

use anyhow::Result;

use crate::model::Target;
use crate::publish::remedy::{Remedy, Words};
use crate::publish::replace::Replacement;
use crate::publish::report::{PublishOutcome, TargetReport};
use crate::publish::site::{Site, TargetSession};
use crate::records::failure::Failure;
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::records::log::{LogAction, LogStatus};
use crate::records::manifest::{Hold, Manifest, StoredVersion};
use crate::store::Stored;
use crate::text::count::counted;

/// How to go back.
#[derive(Clone, Debug)]
pub struct RollbackOptions {
    /// For whom.
    pub who: Operator,
    /// How long to wait for others.
    pub patience: Patience,
    /// The version's number; without it, the one before.
    pub to: Option<u64>,
    /// Even if few subscribers would be left: see [`guard`].
    pub force: bool,
    /// Only report what would happen: nothing is locked, changed or recorded.
    pub dry_run: bool,
    /// How to word what can be done about a refusal.
    pub words: Words,
}

/// Puts a kept version in place. Whatever goes wrong is in the report.
pub fn rollback(
    target: &Target,
    options: &RollbackOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> TargetReport {
    try_rollback(target, options, notice).unwrap_or_else(|error| {
        TargetReport::new(target.name.as_str(), PublishOutcome::Failed, vec![format!("{error:#}")])
    })
}

fn try_rollback(
    target: &Target,
    options: &RollbackOptions,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<TargetReport> {
    let site = Site::open(target)?;
    if options.dry_run {
        return look(&site, options);
    }
    let mut session = TargetSession::begin(&site, &options.who, "rollback", options.patience, notice)?;
    let mut report = go_back(&site, &mut session, options)?;
    report.notes.splice(0..0, std::mem::take(&mut session.notes));
    report.log = Some(session.manifest.log.digest.clone());
    Ok(report)
}

/// What going back would do.
fn look(site: &Site, options: &RollbackOptions) -> Result<TargetReport> {
    let ledger = site.ledger();
    let (manifest, live) = (ledger.manifest_or_new(&site.name)?, site.live()?);
    let mut report = TargetReport::new(&site.name, PublishOutcome::Refused, Vec::new());
    report.version = manifest.live.as_ref().map(|live| live.version.id);
    report.digest = live.as_ref().map(|live| live.digest().to_owned());
    let to = match choose(&manifest, live.as_ref(), options) {
        Ok(to) => to,
        Err(reason) => {
            report.reasons.push(reason);
            return Ok(report);
        }
    };
    report.reasons.extend(guard(&to, &ledger.read_logged_version(&to)?, live.as_ref(), options));
    if report.reasons.is_empty() {
        let is_live = report.digest.as_ref() == Some(&to.digest) && report.version == Some(to.id);
        report.ended = if is_live { PublishOutcome::Unchanged } else { PublishOutcome::Planned };
    }
    let serves = to.subscribers.map(|count| format!(" with {}", counted_u64(count))).unwrap_or_default();
    report.notes.push(format!("version {} of {}{serves} would be restored", to.id, to.time));
    Ok(report)
}

fn counted_u64(subscribers: u64) -> String {
    counted(usize::try_from(subscribers).unwrap_or(usize::MAX), "subscriber", "subscribers")
}

fn go_back(site: &Site, session: &mut TargetSession<'_>, options: &RollbackOptions) -> Result<TargetReport> {
    let live = site.live()?;
    let to = match choose(&session.manifest, live.as_ref(), options) {
        Ok(to) => to,
        Err(reason) => return refuse(session, options, reason),
    };
    let bytes = session.ledger.read_logged_version(&to)?;
    let mut report = TargetReport::new(&site.name, PublishOutcome::Unchanged, Vec::new());
    (report.version, report.digest, report.commit) = (Some(to.id), Some(to.digest.clone()), to.commit.clone());
    if options.to.is_none() && live.is_none() {
        report.notes.push(format!("there was no live file: version {} is what was published last", to.id));
    }
    if let Some(reason) = guard(&to, &bytes, live.as_ref(), options) {
        return refuse(session, options, reason);
    }
    let recorded = session.manifest.live.as_ref().is_some_and(|live| live.version.id == to.id);
    if recorded && live.as_ref().is_some_and(|live| live.digest() == to.digest) {
        report.notes.push("that version is live already".to_owned());
        return Ok(report);
    }
    let held = session.manifest.live.as_ref().filter(|live| live.version.id != to.id).map(|live| Hold {
        since: crate::records::moment::Moment::now(),
        run: session.run.clone(),
        by: options.who.actor.clone(),
        from: live.version.id,
        commit: live.version.commit.clone(),
    });
    let change = Replacement {
        action: LogAction::Rollback,
        live: live.as_ref(),
        bytes: &bytes,
        digest: &to.digest.clone(),
        subscribers: to.subscribers,
        commit: to.commit.clone(),
        dirty: to.dirty,
        frozen: to.frozen.clone(),
        held: held.or_else(|| session.manifest.held.clone()),
        limits: session.manifest.limits.clone(),
        // What was taken back, and what comes before it, is not new.
        newest: None,
        check: !options.force,
        reason: options.force.then(|| "forced: the check command was not asked".to_owned()),
        kept: Some(to),
    };
    report.held = change.held.is_some();
    report.ended = match session.replace(change) {
        Ok(_) => PublishOutcome::Published,
        Err(Failure::Refused(reason)) => {
            report.reasons.push(format!("{reason}; {}", (options.words)(&Remedy::SkipCheck)));
            PublishOutcome::Refused
        }
        Err(Failure::Failed(error)) => {
            report.reasons.push(format!("{error:#}"));
            PublishOutcome::Failed
        }
    };
    Ok(report)
}

/// Which versions are kept.
pub(super) fn kept(manifest: &Manifest) -> String {
    match manifest.versions.as_slice() {
        [] => "none is kept: nothing was published here".to_owned(),
        versions => format!("kept are {}: `shapeline log` lists them", ranges(versions)),
    }
}

/// The kept version with this number.
///
/// # Errors
/// If it is not kept: a sentence.
pub(super) fn find_version(manifest: &Manifest, id: u64) -> Result<StoredVersion, String> {
    let not_kept = || format!("version {id} is not kept; {}", kept(manifest));
    manifest.find(id).cloned().ok_or_else(not_kept)
}

/// The last version before `current` that is another; the last of all without one.
pub(super) fn version_before(manifest: &Manifest, current: Option<&StoredVersion>) -> Option<StoredVersion> {
    let before = |version: &&StoredVersion| {
        current.is_none_or(|current| version.id < current.id && version.digest != current.digest)
    };
    // A version that was found in place is chosen only where nothing was published before it.
    let published = manifest.versions.iter().rev().filter(before).find(|version| !version.found);
    published.or_else(|| manifest.versions.iter().rev().find(before)).cloned()
}

/// The version that is meant.
fn choose(manifest: &Manifest, live: Option<&Stored>, options: &RollbackOptions) -> Result<StoredVersion, String> {
    if let Some(id) = options.to {
        return find_version(manifest, id);
    }
    let current = manifest.live.as_ref().map(|live| &live.version);
    let previous = version_before(manifest, current);
    match (current, live) {
        // No subscriber is served: what was published last is nearest.
        (Some(current), None) => return Ok(current.clone()),
        // Either the change by hand or the published version may be the fault: the operator decides.
        (Some(current), Some(live)) if current.digest != live.digest() => {
            let one = Remedy::ChooseVersion { last: current.id, before: previous.map(|previous| previous.id) };
            return Err(format!(
                "the live file was changed outside shapeline since version {} was published; choose one: {}",
                current.id,
                (options.words)(&one)
            ));
        }
        _ => {}
    }
    previous.ok_or_else(|| format!("there is no version before the live one; {}", kept(manifest)))
}

/// The numbers of versions, oldest first: `1-3, 7, 9-12`.
fn ranges(versions: &[StoredVersion]) -> String {
    let runs = versions.chunk_by(|one, next| next.id == one.id + 1);
    let range = |run: &[StoredVersion]| match run {
        [first, .., last] => format!("{}-{}", first.id, last.id),
        run => run.iter().map(|one| one.id.to_string()).collect(),
    };
    runs.map(range).collect::<Vec<String>>().join(", ")
}

/// What no rollback may do unless it is forced: leave no lines, or less than a third.
/// A version of the past was live once, so the limits of a publish do not apply: in an outage,
/// going back must not be refused for going far.
fn guard(to: &StoredVersion, bytes: &[u8], live: Option<&Stored>, options: &RollbackOptions) -> Option<String> {
    if options.force {
        return None;
    }
    let force = || (options.words)(&Remedy::Force);
    if bytes.is_empty() {
        return Some(format!("version {} is empty: no subscriber would be served; {}", to.id, force()));
    }
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let (now, then) = (live.map_or(0, |live| lines(&live.bytes)), lines(bytes));
    (now >= 10 && then * 3 < now).then(|| {
        format!(
            "version {} has {}, and the live file {now}: most would be cut off; {}",
            to.id,
            counted(then, "line", "lines"),
            force()
        )
    })
}

fn refuse(session: &mut TargetSession<'_>, options: &RollbackOptions, reason: String) -> Result<TargetReport> {
    let parameter = options.to.map_or_else(|| "the version before".to_owned(), |id| format!("version {id}"));
    let mut entry = session.entry(LogAction::Rollback, parameter);
    entry.status = LogStatus::Error;
    entry.reason = Some(format!("refused: {reason}"));
    session.record(entry)?;
    Ok(TargetReport::new(&session.site.name, PublishOutcome::Refused, vec![reason]))
}
