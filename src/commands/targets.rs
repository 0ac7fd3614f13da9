//! What the commands that work on targets share.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde::Serialize;

use crate::cli::{ActorArgs, PeriodArgs};
use crate::disk::open;
use crate::git::Git;
use crate::model::{Settings, Target};
use crate::notification::notice::{NoticeKind, Subject, Trouble};
use crate::notification::notifier::Notifier;
use crate::publish::choice::{self, SeveralTargets};
use crate::publish::data::{Data, DataRequest, LoadedData, NotLoaded};
use crate::publish::remedy::Remedy;
use crate::publish::run::{PublishOutcome, TargetReport};
use crate::records::holder::{self, Operator};
use crate::records::lock::Patience;
use crate::records::period::{Period, PeriodError};
use crate::repo::settings;
use crate::source::MAX_FILE_BYTES;
use crate::text::quote::{harmless, listed};
use crate::text::style::{self, Style};
use crate::tree::SETTINGS;

/// The version of what these commands print for programs: see docs/publish-json.md.
pub(super) const JSON_VERSION: u32 = 1;

/// The settings that count: those of the commit that `sync` works by, where it has gone on from what
/// is checked out; else those of the commit that is checked out, as for `publish`. If they cannot be
/// read, those of the last commit before it that can. The rest of the data may be as broken as it
/// likes: one must be able to look and to go back, above all if the settings are at fault. Where no
/// commit has any, they are read from disk.
pub(super) fn settings(root: &Path) -> Result<Settings> {
    let Some(git) = Git::around(root)? else { return on_disk(root) };
    let synced = git.synced();
    let Some(from) = synced.or_else(|| git.commit("HEAD").ok()) else { return on_disk(root) };
    let Some((commit, settings)) = settings::before(&git, from).next() else { return on_disk(root) };
    let short = Git::short(commit);
    if synced.is_some() {
        writeln!(crate::console::err(), "note: sync runs in this clone: the targets are those of commit {short}")?;
    } else if commit != from {
        let head = Git::short(from);
        let why = match git.texts_before(SETTINGS, from, 1).pop().map(|(_, text)| settings::read(text)) {
            Some(Err(error)) => format!("{SETTINGS} of {head} has an error: {error:#}"),
            _ => format!("there is no {SETTINGS} in {head}"),
        };
        let why = harmless(&why, 500);
        writeln!(crate::console::err(), "note: {why}; the targets are those of commit {short}")?;
    } else if git.is_edited(SETTINGS) {
        writeln!(crate::console::err(), "note: {SETTINGS} has changes that are not committed; they do not count yet")?;
    }
    Ok(settings)
}

fn on_disk(root: &Path) -> Result<Settings> {
    let path = root.join(SETTINGS);
    let read = open::read(&path, MAX_FILE_BYTES as u64);
    let Some(text) = read.with_context(|| format!("cannot read {}", path.display()))? else {
        return Ok(Settings::default());
    };
    let has_error = |error| anyhow!("{}: {error:#}; `shapeline check` shows where", path.display());
    settings::read(text).map_err(has_error)
}

/// The revision that is meant where none is named: the commit that `sync` works by, where it has gone
/// on from what is checked out.
pub(super) fn default_rev(root: &Path) -> Result<Option<String>> {
    Ok(Git::around(root)?.and_then(|git| git.synced()).map(|commit| commit.to_string()))
}

/// Says on standard error that files on disk were left out, if any were.
pub(super) fn note_left_on_disk(data: &Data) -> Result<()> {
    if let Some(note) = data.left_on_disk() {
        writeln!(crate::console::err(), "note: {note}")?;
    }
    Ok(())
}

pub(super) fn who(args: &ActorArgs) -> (Operator, Patience) {
    let holder = Operator::here(holder::actor(args.actor.as_deref()));
    (holder, Patience::of(Duration::from_secs(u64::from(args.wait))))
}

/// The target called `name`; without a name, the only one.
pub(super) fn one_target<'t>(settings: &'t Settings, name: Option<&str>) -> Result<&'t Target> {
    choice::one_target(settings, name).map_err(|error| match error.downcast_ref::<SeveralTargets>() {
        Some(SeveralTargets(names)) => {
            let names = listed(names.iter().map(String::as_str));
            anyhow!("name the target with --target; there are: {names}")
        }
        None => error,
    })
}

/// Loads and checks the data that is published or compared.
pub(super) fn load_data(root: &Path, wanted: &DataRequest) -> Result<LoadedData> {
    Data::load(root, wanted).map_err(|error| match error.downcast_ref::<NotLoaded>() {
        Some(why @ NotLoaded::NoGit(_)) => anyhow!("{why}, or with --allow-dirty the files on disk"),
        Some(why @ NotLoaded::NoFiles(_)) => anyhow!("{why}: name a revision with --rev"),
        None => error,
    })
}

/// What to do about a refusal, with the options of `publish` and `rollback`.
pub(super) fn remedy(remedy: &Remedy<'_>) -> String {
    match remedy {
        Remedy::Acknowledge { fingerprint, rev } => {
            let rev = rev.map(|rev| format!(" --rev {}", harmless(rev, 100))).unwrap_or_default();
            format!("if it is meant: publish{rev} --ack {fingerprint}")
        }
        Remedy::MakePlan(target) => format!(
            "`shapeline publish --dry-run --format json` makes one for all targets, `shapeline plan --live {target} \
             --format json` for this one"
        ),
        Remedy::PlanAgain(target) => {
            format!("look at `shapeline plan --live {target}`, and write the plan with `--format json --out FILE`")
        }
        Remedy::ChooseVersion { last, before } => {
            let before = before.map(|before| format!(", --to {before} what was before that")).unwrap_or_default();
            format!("--to {last} puts back what was published last{before}")
        }
        Remedy::Force => "--force does it anyway".to_owned(),
        Remedy::SkipCheck => "--force goes without it".to_owned(),
    }
}

/// Prints which holder of the lock the run waits for, once for each.
pub(super) fn notice(target: &Target) -> impl FnMut(&str) -> Result<()> + use<> {
    let name = target.name.to_string();
    let mut printed = String::new();
    move |who| {
        if printed != who {
            let _ = writeln!(crate::console::err(), "{name}: waiting for {who}");
            who.clone_into(&mut printed);
        }
        Ok(())
    }
}

/// Prints what happened on each target, a line each and the reasons below.
pub(super) fn print(reports: &[TargetReport], json: bool) -> Result<()> {
    let mut out = crate::console::out();
    if json {
        return print_json(reports);
    }
    for report in reports {
        let name = &report.target;
        if let Some(plan) = &report.plan {
            out.write_all(style::plan(plan).as_bytes())?;
        }
        for note in &report.notes {
            writeln!(out, "{name}: note: {}", harmless(note, 2000))?;
        }
        writeln!(out, "{name}: {}", style::word(&sentence(report), &ENDS))?;
        for reason in &report.reasons {
            writeln!(out, "  {}", harmless(reason, 2000))?;
        }
    }
    // The same for all targets.
    for frozen in reports.first().map(|report| report.frozen.as_slice()).unwrap_or_default() {
        writeln!(out, "{}", harmless(&frozen.sentence(), 2000))?;
    }
    out.flush()?;
    Ok(())
}

/// The exit code says how it ended, even if the reader of standard output has gone.
pub(super) fn whether_read_or_not(printed: Result<()>) -> Result<()> {
    printed.or_else(|error| if super::is_broken_pipe(&error) { Ok(()) } else { Err(error) })
}

/// The words of [`sentence`] that say how it ended.
const ENDS: [(&str, Style); 4] =
    [("REFUSED", Style::Bad), ("FAILED", Style::Bad), ("is live", Style::Good), ("would be published", Style::Good)];

fn sentence(report: &TargetReport) -> String {
    let version = report.version.map_or_else(|| "what is there".to_owned(), |id| format!("version {id}"));
    let changes = match report.changes {
        Some(changes) => format!("{changes}; "),
        None => String::new(),
    };
    match report.ended {
        PublishOutcome::Published => {
            let log = report.log.as_deref().unwrap_or_default();
            format!("{changes}{version} is live (log {})", harmless(log, 20).trim_end_matches('…'))
        }
        PublishOutcome::Unchanged => format!("nothing to do: {version} is live and stays"),
        PublishOutcome::Planned => format!("{changes}would be published"),
        PublishOutcome::Refused => "REFUSED, nothing was changed".to_owned(),
        PublishOutcome::Failed => "FAILED".to_owned(),
    }
}

/// `{version, targets}`.
pub(super) fn print_json<T: Serialize>(targets: &[T]) -> Result<()> {
    #[derive(Serialize)]
    struct TargetsJson<'a, T> {
        version: u32,
        targets: &'a [T],
    }
    let mut out = crate::console::plain_out();
    crate::text::json::write_json(&mut out, &TargetsJson { version: JSON_VERSION, targets })?;
    out.flush()?;
    Ok(())
}

/// A failure is graver than a refusal. Of data with frozen domains a part was refused.
pub(super) fn outcome(reports: &[TargetReport]) -> super::Outcome {
    let any = |ended: PublishOutcome| reports.iter().any(|report| report.ended == ended);
    if any(PublishOutcome::Failed) {
        super::Outcome::Failed
    } else if any(PublishOutcome::Refused) || reports.iter().any(|report| !report.frozen.is_empty()) {
        super::Outcome::Refused
    } else {
        super::Outcome::Fine
    }
}

/// Notifies that a command failed as a whole, or that it did not fail any more.
pub(super) fn notify_of_end<T>(notifier: &Notifier, command: &str, kind: NoticeKind, ended: &Result<T>) {
    let subject = Subject::of(command);
    match ended {
        Err(error) if !super::is_broken_pipe(error) => {
            notifier.trouble(&subject, &Trouble::new(kind, None, format!("{error:#}")));
        }
        _ => notifier.fine(&subject, "the command did its work"),
    }
}

/// The result of one target; a failure is printed, and the other targets follow.
pub(super) fn report_failure<T>(target: &Target, result: Result<T>, failed: &mut bool) -> Result<Option<T>> {
    match result {
        Ok(result) => Ok(Some(result)),
        Err(error) => {
            *failed = true;
            let error = harmless(&format!("{error:#}"), 2000);
            writeln!(crate::console::err(), "{}: FAILED: {error}", target.name)?;
            Ok(None)
        }
    }
}

/// The part of a log that the arguments mean.
pub(super) fn period(args: &PeriodArgs) -> Result<Period> {
    Period::of(args.from.as_deref(), args.to.as_deref()).map_err(|error| match error {
        PeriodError::From(why) | PeriodError::To(why) => anyhow!(why),
        PeriodError::Reversed(from, to) => {
            anyhow!("--from {from} is later than --to {to}: nothing could lie between")
        }
    })
}
