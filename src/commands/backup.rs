//! `backup`: copies of files and folders, and back.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::Outcome;
use super::log::backup_folder;
use super::targets::{JSON_VERSION, settings, who};
use crate::backup::copies::BackupCopy;
use crate::backup::folder::BackupFolder;
use crate::backup::make::backup;
use crate::backup::restore::{RestoreRequest, restore};
use crate::backup::{BackupOptions, BackupOutcome, PathReport};
use crate::cli::{BackupArgs, ListFormat};
use crate::text::columns::{columns, csv_line};
use crate::text::quote::harmless;

pub(super) fn run(root: &Path, args: &BackupArgs) -> Result<Outcome> {
    let settings = settings(root)?;
    let folder = BackupFolder::open(backup_folder(&settings)?)?;
    if args.list {
        return list(&folder, args.format);
    }
    let (who, patience) = who(&args.who);
    let options = BackupOptions { who, patience };
    let mut notice = |who: &str| {
        let _ = writeln!(crate::console::err(), "backup: waiting for {who}");
        Ok(())
    };
    let reports = match &args.restore {
        Some(id) => {
            let if_taken = "put the copy elsewhere with --into DIR, or in its place with --force";
            let wanted = RestoreRequest { id: id.clone(), into: args.into.clone(), force: args.force, if_taken };
            vec![restore(&folder, &wanted, &options, &mut notice)]
        }
        None => backup(&folder, &args.paths, &options, &mut notice),
    };
    print(&reports)?;
    Ok(outcome(&reports))
}

fn print(reports: &[PathReport]) -> Result<()> {
    let mut out = crate::console::out();
    for report in reports {
        let path = harmless(&report.path, 4000);
        for note in &report.notes {
            writeln!(out, "{path}: note: {}", harmless(note, 4000))?;
        }
        writeln!(out, "{path}: {}", sentence(report))?;
        for reason in &report.reasons {
            writeln!(out, "  {}", harmless(reason, 4000))?;
        }
    }
    out.flush()?;
    Ok(())
}

fn sentence(report: &PathReport) -> String {
    let log = report.log.as_deref().map(|log| format!(" (log {})", short(log))).unwrap_or_default();
    match (report.ended, &report.copy) {
        (BackupOutcome::Copied, Some(copy)) => format!("copied, {} bytes: {}{log}", copy.bytes, copy.id),
        (BackupOutcome::Restored, Some(copy)) => format!("put back from {}{log}", copy.id),
        (BackupOutcome::Copied | BackupOutcome::Restored, None) => "done".to_owned(),
        (BackupOutcome::Refused, _) => "REFUSED, nothing was changed".to_owned(),
        (BackupOutcome::Failed, _) => "FAILED".to_owned(),
    }
}

/// As much of a digest as people compare.
fn short(digest: &str) -> String {
    harmless(digest, 20).trim_end_matches('…').to_owned()
}

/// A failure is graver than a refusal.
fn outcome(reports: &[PathReport]) -> Outcome {
    let any = |ended: BackupOutcome| reports.iter().any(|report| report.ended == ended);
    if any(BackupOutcome::Failed) {
        Outcome::Failed
    } else if any(BackupOutcome::Refused) {
        Outcome::Refused
    } else {
        Outcome::Fine
    }
}

/// A copy as programs see it: see docs/backup.md.
#[derive(Serialize)]
struct CopyRow<'c> {
    id: &'c str,
    time: String,
    path: &'c str,
    bytes: u64,
    digest: &'c str,
    by: &'c str,
    host: &'c str,
}

impl<'c> From<&'c BackupCopy> for CopyRow<'c> {
    fn from(copy: &'c BackupCopy) -> CopyRow<'c> {
        let BackupCopy { id, time, path, bytes, digest, by, host, .. } = copy;
        CopyRow { id: id.as_str(), time: time.to_string(), path, bytes: *bytes, digest, by, host }
    }
}

fn list(folder: &BackupFolder, format: ListFormat) -> Result<Outcome> {
    #[derive(Serialize)]
    struct CopiesJson<'a> {
        version: u32,
        copies: &'a [CopyRow<'a>],
    }
    let copies = folder.copies()?;
    let rows: Vec<CopyRow<'_>> = copies.whole().map(CopyRow::from).collect();
    let mut out = crate::console::plain_out();
    match format {
        ListFormat::Json => {
            crate::text::json::write_json(&mut out, &CopiesJson { version: JSON_VERSION, copies: &rows })?
        }
        ListFormat::Csv => {
            let cells = table(&rows, |digest| digest.to_owned());
            cells.iter().try_for_each(|row| out.write_all(csv_line(row.iter().map(String::as_str)).as_bytes()))?;
        }
        ListFormat::Text if rows.is_empty() => writeln!(out, "there are no copies")?,
        ListFormat::Text => out.write_all(columns(&table(&rows, short)).as_bytes())?,
    }
    out.flush()?;
    Ok(Outcome::Fine)
}

fn table(rows: &[CopyRow<'_>], digest: impl Fn(&str) -> String) -> Vec<[String; 6]> {
    let heading = ["id", "time", "path", "bytes", "digest", "by"].map(ToOwned::to_owned);
    let row = |row: &CopyRow<'_>| {
        [
            row.id.to_owned(),
            row.time.clone(),
            harmless(row.path, 4000),
            row.bytes.to_string(),
            digest(&harmless(row.digest, 80)),
            harmless(row.by, 80),
        ]
    };
    std::iter::once(heading).chain(rows.iter().map(row)).collect()
}
