//! `stat`: how often what was done to a target or with the backup folder, and how it ended.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::Outcome;
use super::log::{logs, report_damage};
use super::targets::{period, print_json, settings};
use crate::cli::{ListFormat, LogArgs};
use crate::records::listing::{ActionCounts, OF_BACKUPS, OF_TARGETS};
use crate::text::columns::{columns, csv_line};
use crate::text::count::grouped;

pub(super) fn run(root: &Path, args: &LogArgs) -> Result<Outcome> {
    let settings = settings(root)?;
    let period = period(&args.period)?;
    let always = if args.backup { OF_BACKUPS } else { OF_TARGETS };
    let (logs, failed) = logs(&settings, &args.targets, args.backup)?;
    let whole = report_damage(logs.iter().map(|(target, log)| (target.as_str(), log.damage.as_slice())))?;
    let count = |(target, log): (String, _)| ActionCounts::of(target, &log, always, &period);
    let all: Vec<ActionCounts> = logs.into_iter().map(count).collect();
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

fn print_rows(
    all: &[ActionCounts],
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
