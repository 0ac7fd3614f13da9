//! `conform`: measured use against declared rates.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use serde::Serialize;

use super::samples::settings_and_place;
use super::{Outcome, checked_table, load, today};
use crate::cli::{ConformArgs, TextOrJson};
use crate::database::store::block_on;
use crate::model::Rate;
use crate::telemetry::conform::{Conformity, TOLERANCE, Use, conform};
use crate::telemetry::sample::now;
use crate::telemetry::settings::Retention;
use crate::telemetry::store::SampleStore;
use crate::telemetry::subscribers::{Declared, Directory, declared};
use crate::text::columns::{columns, fitted};
use crate::text::count::counted;
use crate::text::quote::{harmless, quoted};

const JSON_VERSION: u32 = 1;

/// Names that the text lists of each kind; JSON has all of them.
const SHOWN: usize = 10;

#[derive(Serialize)]
struct Report<'r> {
    version: u32,
    window_seconds: u64,
    tolerance: f64,
    samples: i64,
    measured: usize,
    exceeding: Vec<Exceeding<'r>>,
    never_seen: Vec<&'r str>,
    unknown: Vec<Unknown<'r>>,
}

#[derive(Serialize)]
struct Exceeding<'r> {
    subscriber: &'r str,
    domain: &'r str,
    plan: &'r str,
    up_bps: u64,
    up_declared_bps: u64,
    down_bps: u64,
    down_declared_bps: u64,
}

#[derive(Serialize)]
struct Unknown<'r> {
    source: &'r str,
    name: &'r str,
}

pub(super) fn run(root: &Path, args: &ConformArgs) -> Result<Outcome> {
    let (settings, place) = settings_and_place(Some(root), &args.state)?;
    let repo = Arc::new(load(root, &args.data)?);
    let Some(table) = checked_table(&repo, today(&args.data))? else { return Ok(Outcome::Refused) };
    let declared = declared(&table);
    let (names, retention): (_, Retention) =
        settings.map_or_else(Default::default, |settings| (settings.names, settings.retention));
    if args.window.seconds() as i64 * 1000 > retention.raw.milliseconds() {
        bail!("--window {} is longer than samples are kept: see `retention.raw` in docs/telemetry.md", args.window);
    }
    let until = now();
    let window = (until - args.window.seconds() as i64 * 1000, until);
    // Opening would make one.
    let there = place.file().is_none_or(|file| file.exists());
    let found = || block_on(async { conform(&SampleStore::open(&place).await?, &declared, &names, window).await });
    let found = if there { Some(found()?) } else { None };
    let Some(found) = found.filter(|found| found.samples > 0) else {
        let _ = writeln!(
            crate::console::err(),
            "there are no samples of the last {} in {}: `shapeline collect` gathers them",
            args.window,
            place.shown()
        );
        return Ok(Outcome::Failed);
    };
    let report = report(&found, &declared, args);
    match args.format {
        TextOrJson::Json => {
            let mut out = crate::console::plain_out();
            crate::text::json::write_json(&mut out, &report)?;
            out.flush()?;
        }
        TextOrJson::Text => print(&report)?,
    }
    let mistaken = Directory::mistaken_names(&names, &declared);
    for (name, of) in mistaken.iter().take(SHOWN) {
        let (name, of) = (quoted(name), quoted(of));
        let _ =
            writeln!(crate::console::err(), "note: `names` gives {name} to {of}, which is no subscriber served today");
    }
    if mistaken.len() > SHOWN {
        let _ = writeln!(crate::console::err(), "note: and {} more such names", mistaken.len() - SHOWN);
    }
    if report.measured == 0 {
        let why = "no sample is of a subscriber: write under `names` in the settings which interface is whose";
        let _ = writeln!(crate::console::err(), "{why}");
        return Ok(Outcome::Failed);
    }
    Ok(if report.exceeding.is_empty() { Outcome::Fine } else { Outcome::Refused })
}

fn report<'r>(found: &'r Conformity, declared: &'r [Declared], args: &ConformArgs) -> Report<'r> {
    let exceeding = |used: &Use| {
        let one = declared.get(used.subscriber)?;
        Some(Exceeding {
            subscriber: &one.key,
            domain: &one.domain,
            plan: &one.plan,
            up_bps: used.up as u64,
            up_declared_bps: one.up,
            down_bps: used.down as u64,
            down_declared_bps: one.down,
        })
    };
    Report {
        version: JSON_VERSION,
        window_seconds: args.window.seconds(),
        tolerance: TOLERANCE,
        samples: found.samples,
        measured: found.measured,
        exceeding: found.exceeding.iter().filter_map(exceeding).collect(),
        never_seen: found.never_seen.iter().filter_map(|number| Some(declared.get(*number)?.key.as_str())).collect(),
        unknown: found.unknown.iter().map(|(source, name)| Unknown { source, name }).collect(),
    }
}

fn print(report: &Report<'_>) -> Result<()> {
    let mut out = crate::console::out();
    let rate = |bps: u64| Rate::from_bps(bps).map_or_else(|| "0 bit/s".to_owned(), |rate| rate.to_string());
    // Whole kbps: a mean to the bit says no more.
    let mean = |bps: u64| rate(bps / 1000 * 1000);
    let row = |one: &Exceeding<'_>| {
        [
            harmless(one.subscriber, 80),
            harmless(one.plan, 80),
            mean(one.up_bps),
            rate(one.up_declared_bps),
            mean(one.down_bps),
            rate(one.down_declared_bps),
        ]
    };
    if !report.exceeding.is_empty() {
        let heading = ["subscriber", "plan", "up", "declared", "down", "declared"].map(ToOwned::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(heading).chain(report.exceeding.iter().map(row)).collect();
        out.write_all(columns(&fitted(rows, 0)).as_bytes())?;
    }
    let some = |title: &str, names: Vec<&str>| {
        let shown: Vec<String> = names.iter().take(SHOWN).map(|name| harmless(name, 80)).collect();
        let more = names.len().saturating_sub(SHOWN);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        if names.is_empty() { String::new() } else { format!("{title}: {}{more}\n", shown.join(", ")) }
    };
    out.write_all(some("never seen", report.never_seen.clone()).as_bytes())?;
    out.write_all(some("unknown", report.unknown.iter().map(|one| one.name).collect()).as_bytes())?;
    out.flush()?;
    let measured = counted(report.measured, "subscriber", "subscribers");
    let _ = writeln!(crate::console::err(), "{measured} measured, {} over the plan", report.exceeding.len());
    Ok(())
}
