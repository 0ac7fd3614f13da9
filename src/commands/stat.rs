//! `stat`: how often what was done to a target or with the backup folder, and how it ended.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::Outcome;
use super::log::{logs, report_damage};
use super::targets::{Period, print_json, settings};
use crate::cli::{ListFormat, LogArgs};
use crate::records::log::{LogAction, LogEntry, LogStatus};
use crate::records::moment::Moment;
use crate::text::columns::{columns, csv_line};
use crate::text::count::grouped;

/// How often one kind of action was done.
#[derive(Default, Serialize)]
struct Count {
    attempted: u64,
    successful: u64,
    failed: u64,
    /// When it last succeeded.
    last_success: Option<Moment>,
}

#[derive(Serialize)]
struct TargetCounts {
    target: String,
    actions: BTreeMap<&'static str, Count>,
}

pub(super) fn run(root: &Path, args: &LogArgs) -> Result<Outcome> {
    let settings = settings(root)?;
    let period = Period::of(&args.period)?;
    let mut all = Vec::new();
    let always: &[LogAction] = if args.backup {
        &[LogAction::Backup, LogAction::Restore]
    } else {
        &[LogAction::Publish, LogAction::Rollback, LogAction::Drift]
    };
    let (logs, failed) = logs(&settings, &args.targets, args.backup)?;
    let whole = report_damage(logs.iter().map(|(target, log)| (target.as_str(), log.damage.as_slice())))?;
    for (target, log) in logs {
        all.push(TargetCounts {
            target,
            actions: count(always, log.entries.iter().filter(|entry| period.holds(entry))),
        });
    }
    match args.format {
        ListFormat::Json => print_json(&all)?,
        ListFormat::Csv => print_rows(
            &all,
            |count| count.to_string(),
            |rows| rows.iter().map(|row| csv_line(row.iter().map(String::as_str))).collect(),
        )?,
        ListFormat::Text => print_rows(&all, grouped, columns)?,
    }
    Ok(match whole {
        _ if failed => Outcome::Failed,
        true => Outcome::Fine,
        false => Outcome::Refused,
    })
}

/// Those of `always` are listed even if there was none.
fn count<'e>(always: &[LogAction], entries: impl Iterator<Item = &'e LogEntry>) -> BTreeMap<&'static str, Count> {
    let mut counts: BTreeMap<&'static str, Count> =
        always.iter().map(|action| (action.as_str(), Count::default())).collect();
    for entry in entries {
        let count = counts.entry(entry.action.as_str()).or_default();
        count.attempted += 1;
        match entry.status {
            LogStatus::Success => {
                count.successful += 1;
                count.last_success = Some(entry.time);
            }
            LogStatus::Error => count.failed += 1,
        }
    }
    counts
}

fn print_rows(
    all: &[TargetCounts],
    number: impl Fn(u64) -> String,
    format: impl Fn(&[[String; 6]]) -> String,
) -> Result<()> {
    let heading = ["target", "action", "attempted", "successful", "failed", "last success"];
    let mut rows = vec![heading.map(ToOwned::to_owned)];
    for counts in all {
        for (action, count) in &counts.actions {
            rows.push([
                counts.target.clone(),
                (*action).to_owned(),
                number(count.attempted),
                number(count.successful),
                number(count.failed),
                count.last_success.map(|time| time.to_string()).unwrap_or_default(),
            ]);
        }
    }
    let mut out = crate::console::plain_out();
    out.write_all(format(&rows).as_bytes())?;
    out.flush()?;
    Ok(())
}
