//! `drift`: what is live against what the data says.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::targets::{default_rev, load_data, note_left_on_disk, notice, print_json, report_failure, who};
use super::{Outcome, refuse};
use crate::cli::{DriftArgs, TextOrJson};
use crate::model::Target;
use crate::plan::text;
use crate::publish::choice::choose_targets;
use crate::publish::data::{Data, DataRequest, LoadedData};
use crate::publish::drift::{self, Drift, DriftKind, DriftReport};
use crate::publish::site::Site;
use crate::text::quote::harmless;
use crate::text::quote::short_id;
use crate::text::style::{self, Style};

pub(super) fn run(root: &Path, args: &DriftArgs) -> Result<Outcome> {
    let rev = match &args.data.rev {
        None if !args.allow_dirty => default_rev(root)?,
        rev => rev.clone(),
    };
    let wanted = DataRequest { rev, today: super::today(&args.data), allow_dirty: args.allow_dirty };
    let data = match load_data(root, &wanted)? {
        LoadedData::Ready(data) => data,
        LoadedData::Unsound(repo, findings, _) => return refuse(&repo, findings),
    };
    note_left_on_disk(&data)?;
    for frozen in data.frozen.iter().filter(|_| args.format == TextOrJson::Text) {
        writeln!(crate::console::out(), "note: {}", harmless(&frozen.sentence(), 2000))?;
    }
    let mut reports = Vec::new();
    let mut failed = false;
    for target in choose_targets(&data.table.repo().settings, &args.targets.targets)? {
        reports.extend(report_failure(target, look(target, &data, args), &mut failed)?);
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

fn look(target: &Target, data: &Data, args: &DriftArgs) -> Result<DriftReport> {
    let site = Site::open(target)?;
    let drift = Drift::look(&site, target, data)?;
    let plan = drift.plan(&site, data);
    let report = DriftReport::of(&site.name, &drift, &plan, drift.lines(data), &data.frozen);
    if args.format == TextOrJson::Text {
        print(&site.name, &drift, &report, &text::changes(&plan))?;
    }
    if args.record && report.drift != DriftKind::Same {
        let summary = format!("{}: {} by the data", kind(&drift), report.changes);
        let (who, patience) = who(&args.who);
        drift::record(&site, &drift, &summary, &who, patience, &mut notice(target))?;
    }
    Ok(report)
}

/// How many lines are listed that are no subscriber's.
const MAX_LINES: usize = 50;

fn print(name: &str, drift: &Drift, report: &DriftReport, changes: &str) -> Result<()> {
    let mut out = crate::console::out();
    writeln!(out, "{name}: {}", style_of(drift.kind()).paint(kind(drift)))?;
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

fn kind(drift: &Drift) -> &'static str {
    match drift.kind() {
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
