//! For programs: a versioned shape of its own, which docs/check-json.md describes.
//!
//! There is no time in it: the same data gives the same bytes.

use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use super::CheckReport;
use super::entry::{LocatedFinding, LocatedLabel};
use crate::source;
use crate::text::json::write_json;

/// Increases when a field is removed or changes its meaning; new fields do not count.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct CheckJson<'a> {
    version: u32,
    tool: CheckTool,
    summary: CheckSummary,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct CheckTool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct CheckSummary {
    refused: bool,
    with_change: bool,
    files: usize,
    subscribers: usize,
    plans: usize,
    domains: usize,
    errors: usize,
    warnings: usize,
    errors_outside_change: usize,
    warnings_outside_change: usize,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    in_change: Option<bool>,
    primary: LocationJson<'a>,
    related: Vec<LocationJson<'a>>,
}

#[derive(Serialize)]
struct LocationJson<'a> {
    path: &'a str,
    label: &'a str,
    whole_file: bool,
    span: SpanJson,
    start: PositionJson,
    end: PositionJson,
}

#[derive(Serialize)]
struct SpanJson {
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct PositionJson {
    line: usize,
    column: usize,
}

/// Writes the report.
pub(super) fn write(report: &CheckReport<'_>, out: &mut dyn Write) -> Result<()> {
    let entries = report.entries();
    let log = CheckJson {
        version: VERSION,
        tool: CheckTool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        summary: summary(report),
        findings: entries.iter().map(finding).collect(),
    };
    write_json(out, &log)?;
    Ok(())
}

fn summary(report: &CheckReport<'_>) -> CheckSummary {
    let counts = report.counts;
    CheckSummary {
        refused: report.refused(),
        with_change: report.with_change,
        files: counts.files,
        subscribers: counts.subscribers,
        plans: counts.plans,
        domains: counts.domains,
        errors: counts.errors,
        warnings: counts.warnings,
        errors_outside_change: counts.errors_outside_change,
        warnings_outside_change: counts.warnings_outside_change,
    }
}

fn finding<'a>(entry: &LocatedFinding<'a>) -> FindingJson<'a> {
    let finding = entry.finding;
    FindingJson {
        rule: finding.rule,
        severity: finding.severity.as_str(),
        message: &finding.message,
        help: finding.help.as_deref(),
        in_change: finding.in_change,
        primary: location(&entry.primary),
        related: entry.related.iter().map(location).collect(),
    }
}

fn location<'a>(place: &LocatedLabel<'a>) -> LocationJson<'a> {
    LocationJson {
        path: place.path(),
        label: place.label,
        whole_file: place.whole_file,
        span: SpanJson { start: place.span.start, end: place.span.end },
        start: position(place.start),
        end: position(place.end),
    }
}

fn position(at: source::Position) -> PositionJson {
    PositionJson { line: at.line, column: at.column }
}
