//! `log`: what was done to a target, or with the backup folder.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::Outcome;
use super::targets::{period, print_json, report_failure, settings};
use crate::cli::{ListFormat, LogArgs, TargetArgs};
use crate::model::{Backup, Settings};
use crate::publish::choice::choose_targets;
use crate::publish::site::Site;
use crate::records::ledger::Ledger;
use crate::records::listing::LogListing;
use crate::records::log::{ActionLog, LogEntry, LogStatus};
use crate::store::open::open_folder;
use crate::text::columns::{columns, csv_line};
use crate::text::quote::harmless;
use crate::text::quote::short_id;
use crate::text::style::{self, Style};
use crate::tree::SETTINGS;

pub(super) fn run(root: &Path, args: &LogArgs) -> Result<Outcome> {
    let settings = settings(root)?;
    let period = period(&args.period)?;
    let (logs, failed) = logs(&settings, &args.targets, args.backup)?;
    let listing = |(target, log)| LogListing::of(target, log, &period);
    let all: Vec<LogListing> = logs.into_iter().map(listing).collect();
    match args.format {
        ListFormat::Json => print_json(&all)?,
        ListFormat::Csv => print_csv(&all)?,
        ListFormat::Text => print_text(&all)?,
    }
    let whole = report_damage(all.iter().map(|listing| (listing.target.as_str(), listing.damage.as_slice())))?;
    Ok(match whole {
        _ if failed => Outcome::Failed,
        true => Outcome::Fine,
        false => Outcome::Refused,
    })
}

/// Prints what is wrong with logs to standard error, so that it shows when the list is piped on. Returns
/// whether all are whole.
pub(super) fn report_damage<'l>(logs: impl Iterator<Item = (&'l str, &'l [String])>) -> Result<bool> {
    let mut whole = true;
    for (target, damage) in logs {
        for damage in damage {
            whole = false;
            let damage = harmless(damage, 1000);
            let what = Style::Bad.paint("THE LOG WAS DAMAGED OR TAMPERED WITH");
            writeln!(crate::console::err(), "{target}: {what}: {damage}")?;
        }
    }
    Ok(whole)
}

/// The chosen logs, each with what it is the log of; and whether one could not be read, which
/// was reported.
pub(super) fn logs(
    settings: &Settings,
    targets: &TargetArgs,
    backup: bool,
) -> Result<(Vec<(String, ActionLog)>, bool)> {
    if backup {
        let store = open_folder(&backup_folder(settings)?.access())?;
        return Ok((vec![("backup".to_owned(), Ledger::of_folder(store.as_ref()).log()?)], false));
    }
    let (mut logs, mut failed) = (Vec::new(), false);
    for target in choose_targets(settings, &targets.targets)? {
        let log = Site::open(target).and_then(|site| site.ledger().log());
        logs.extend(report_failure(target, log, &mut failed)?.map(|log| (target.name.to_string(), log)));
    }
    Ok((logs, failed))
}

/// The backup folder of the settings.
pub(super) fn backup_folder(settings: &Settings) -> Result<&Backup> {
    settings.backup.as_ref().with_context(|| {
        format!("{SETTINGS} names no backup folder: add `backup: {{url: 'file:///srv/backups'}}`, with the folder that keeps the copies, and commit it")
    })
}

fn print_text(all: &[LogListing]) -> Result<()> {
    let mut out = crate::console::out();
    for listing in all {
        if all.len() > 1 {
            writeln!(out, "{}", listing.target)?;
        }
        let rows: Vec<[String; 6]> = listing.entries.iter().map(row).collect();
        let status = [("SUCCESS", Style::Good), ("ERROR", Style::Bad)];
        for line in columns(&rows).lines() {
            writeln!(out, "{}", style::word(line, &status))?;
        }
        if rows.is_empty() {
            writeln!(out, "nothing was done to {} in that time", listing.target)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn row(entry: &LogEntry) -> [String; 6] {
    let commit = harmless(entry.commit.as_deref().unwrap_or_default(), 40);
    let status = match entry.status {
        LogStatus::Success => "SUCCESS",
        LogStatus::Error => "ERROR",
    };
    let reason = entry.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    [
        entry.time.to_string(),
        format!("{} {status}", entry.action.as_str()),
        harmless(&entry.actor, 24),
        short_id(&commit).to_owned(),
        String::new(),
        harmless(&format!("{}{reason}", entry.parameter), 400),
    ]
}

fn print_csv(all: &[LogListing]) -> Result<()> {
    let mut out = crate::console::plain_out();
    out.write_all(b"target,n,time,action,parameter,status,reason,actor,host,commit,digest\n")?;
    for listing in all {
        for entry in &listing.entries {
            let (n, time) = (entry.n.to_string(), entry.time.to_string());
            let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default(), 2000);
            let (reason, commit, digest) = (text(&entry.reason), text(&entry.commit), text(&entry.digest));
            let parameter = harmless(&entry.parameter, 2000);
            let (actor, host) = (harmless(&entry.actor, 200), harmless(&entry.host, 200));
            let fields = [
                listing.target.as_str(),
                &n,
                &time,
                entry.action.as_str(),
                &parameter,
                entry.status.as_str(),
                &reason,
                &actor,
                &host,
                &commit,
                &digest,
            ];
            out.write_all(csv_line(fields).as_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}
