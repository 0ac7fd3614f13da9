//! For programs: a versioned shape of its own, which docs/check-json.md describes.
//!
//! There is no time in it: the same data gives the same bytes.

use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use super::Report;
use super::entry::{Entry, Located};
use crate::source;
use crate::text::json::write_json;

/// Changes when something that was there goes or means something else; new fields do not count.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Log<'a> {
    version: u32,
    tool: Tool,
    summary: Summary,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
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
struct Finding<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    in_change: Option<bool>,
    primary: Location<'a>,
    related: Vec<Location<'a>>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    label: &'a str,
    whole_file: bool,
    span: Span,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let entries = report.entries();
    let log = Log {
        version: VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        summary: summary(report),
        findings: entries.iter().map(finding).collect(),
    };
    write_json(out, &log)?;
    Ok(())
}

fn summary(report: &Report<'_>) -> Summary {
    let counts = report.counts;
    Summary {
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

fn finding<'a>(entry: &Entry<'a>) -> Finding<'a> {
    let finding = entry.finding;
    Finding {
        rule: finding.rule,
        severity: finding.severity.as_str(),
        message: &finding.message,
        help: finding.help.as_deref(),
        in_change: finding.in_change,
        primary: location(&entry.primary),
        related: entry.related.iter().map(location).collect(),
    }
}

fn location<'a>(place: &Located<'a>) -> Location<'a> {
    Location {
        path: place.path(),
        label: place.label,
        whole_file: place.whole_file,
        span: Span { start: place.span.start, end: place.span.end },
        start: position(place.start),
        end: position(place.end),
    }
}

fn position(at: source::Position) -> Position {
    Position { line: at.line, column: at.column }
}
