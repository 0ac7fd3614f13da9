//! `drift`: what is live against what the data says.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::targets::{
    default_rev, load_data, note_left_on_disk, notice, notify_of_end, print_json, report_failure, who,
};
use super::{Outcome, refuse};
use crate::cli::{DriftArgs, TextOrJson};
use crate::model::Target;
use crate::notification::ended::of_drift;
use crate::notification::notice::{NoticeKind, Subject, Trouble};
use crate::notification::notifier::{DeliveryPatience, Notifier};
use crate::plan::text;
use crate::publish::choice::choose_targets;
use crate::publish::data::{Data, DataRequest, LoadedData};
use crate::publish::drift::{self, Drift, DriftKind, DriftReport};
use crate::publish::site::Site;
use crate::text::count::counted;
use crate::text::quote::harmless;
use crate::text::quote::short_id;
use crate::text::style::{self, Style};

pub(super) fn run(root: &Path, args: &DriftArgs) -> Result<Outcome> {
    let notifier = Notifier::start("drift", root, DeliveryPatience::COMMAND)?;
    let ended = compare(root, args, &notifier);
    notify_of_end(&notifier, "drift", NoticeKind::DriftFailed, &ended);
    notifier.end();
    ended
}

fn compare(root: &Path, args: &DriftArgs, notifier: &Notifier) -> Result<Outcome> {
    let rev = match &args.data.rev {
        None if !args.allow_dirty => default_rev(root)?,
        rev => rev.clone(),
    };
    let wanted = DataRequest { rev, today: super::today(&args.data), allow_dirty: args.allow_dirty };
    let data = match load_data(root, &wanted)? {
        LoadedData::Ready(data) => data,
        LoadedData::Unsound(repo, findings, why) => {
            let errors = counted(findings.len(), "error", "errors");
            let unknown = format!("the data has {errors}, so nothing can be compared with it: {why}");
            let trouble = Trouble::new(NoticeKind::DriftFailed, None, unknown);
            notifier.trouble(&Subject::of("drift-data"), &trouble);
            return refuse(&repo, findings);
        }
    };
    notifier.fine(&Subject::of("drift-data"), "the data can be compared again");
    note_left_on_disk(&data)?;
    for frozen in data.frozen.iter().filter(|_| args.format == TextOrJson::Text) {
        writeln!(crate::console::out(), "note: {}", harmless(&frozen.sentence(), 2000))?;
    }
    let mut reports = Vec::new();
    let mut failed = false;
    for target in choose_targets(&data.table.repo().settings, &args.targets.targets)? {
        let looked = look(target, &data, args);
        tell(notifier, target, &looked, data.commit);
        reports.extend(report_failure(target, looked.map(|(report, _)| report), &mut failed)?);
    }
    if args.format == TextOrJson::Json {
        print_json(&reports)?;
    }
    // An interrupted publish may not have been reloaded, whatever the file is like.
    Ok(match reports.iter().all(|report| report.drift == DriftKind::Same && report.pending.is_none()) {
        _ if failed => Outcome::Failed,
        true => Outcome::Fine,
        false => Outcome::Differs,
    })
}

/// Notifies of a difference, or that there is none any more.
fn tell(notifier: &Notifier, target: &Target, looked: &Result<(DriftReport, bool)>, commit: Option<git2::Oid>) {
    let failed = Subject::of_target("look", target.name.as_str());
    let (report, is_logged) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            return notifier.trouble(&failed, &Trouble::new(NoticeKind::DriftFailed, None, format!("{error:#}")));
        }
    };
    notifier.fine(&failed, "the target can be read again");
    let subject = of_drift(&report.target);
    if report.drift == DriftKind::Same {
        return notifier.fine(&subject, "what is live is what the data says");
    }
    let message = format!("{}: by the data {}", kind(report.drift), report.changes);
    let commit = commit.map(|commit| commit.to_string());
    let trouble = Trouble::new(NoticeKind::Drift, commit.as_deref(), message);
    let mark = report.live.clone().unwrap_or_default();
    notifier.trouble_unless(*is_logged, &subject, &Trouble { mark: Some(mark), ..trouble });
}

/// Compares one target. Also returns whether its log had the difference already.
fn look(target: &Target, data: &Data, args: &DriftArgs) -> Result<(DriftReport, bool)> {
    let site = Site::open(target)?;
    let drift = Drift::look(&site, target, data)?;
    let plan = drift.plan(&site, data);
    let report = DriftReport::of(&site.name, &drift, &plan, drift.lines(data), &data.frozen);
    if args.format == TextOrJson::Text {
        print(&site.name, &drift, &report, &text::changes(&plan))?;
    }
    if args.record && report.drift != DriftKind::Same {
        let summary = format!("{}: {} by the data", kind(drift.kind()), report.changes);
        let (who, patience) = who(&args.who);
        let is_new = drift::record(&site, &drift, &summary, &who, patience, &mut notice(target))?;
        return Ok((report, !is_new));
    }
    Ok((report, false))
}

/// How many lines are listed that are no subscriber's.
const MAX_LINES: usize = 50;

fn print(name: &str, drift: &Drift, report: &DriftReport, changes: &str) -> Result<()> {
    let mut out = crate::console::out();
    writeln!(out, "{name}: {}", style_of(drift.kind()).paint(kind(drift.kind())))?;
    if let Some(pending) = &drift.pending {
        writeln!(out, "  {}; if it was interrupted, the next publish finishes it", harmless(pending, 500))?;
    }
    if let Some(live) = &drift.published {
        let commit =
            live.version.commit.as_deref().map_or_else(|| "no commit".to_owned(), |commit| harmless(commit, 40));
        let commit = short_id(&commit);
        let by = harmless(&live.by, 80);
        writeln!(out, "  version {} ({commit}) was put in place by {by} at {}", live.version.id, live.since)?;
    }
    if let Some(held) = &drift.held {
        let by = harmless(&held.by, 80);
        let since = format!("held since {by} rolled back at {}", held.since);
        match report.drift {
            DriftKind::Same => writeln!(
                out,
                "  {since}: the data gives the same now; the next publish ends that, unless its data is older than \
                 what was rolled back"
            )?,
            _ => writeln!(out, "  {since}: nothing is published until the data gives what is live")?,
        }
    }
    if report.drift == DriftKind::Same {
        return Ok(());
    }
    writeln!(out, "What the data would change of what is live:\n")?;
    out.write_all(style::plan(changes.trim_start_matches('\n')).as_bytes())?;
    for line in report.lines.iter().take(MAX_LINES) {
        writeln!(out, "only {}, line {}: {}", line.only, line.line, line.text)?;
    }
    if let Some(more) = report.lines.len().checked_sub(MAX_LINES + 1) {
        writeln!(out, "and {} more lines", more + 1)?;
    }
    Ok(())
}

fn kind(drift: DriftKind) -> &'static str {
    match drift {
        DriftKind::Same => "no difference: what is live is what the data says",
        DriftKind::NotYetPublished => "the data has changed since it was published",
        DriftKind::ChangedByHand => "the live file was changed outside shapeline since it was published",
        DriftKind::NeverPublished => "the live file was not published from here",
        DriftKind::Missing => "there is no live file",
    }
}

fn style_of(kind: DriftKind) -> Style {
    match kind {
        DriftKind::Same => Style::Good,
        DriftKind::NotYetPublished | DriftKind::NeverPublished => Style::Changed,
        DriftKind::ChangedByHand | DriftKind::Missing => Style::Bad,
    }
}
