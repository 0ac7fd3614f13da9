//! For GitHub Actions: each finding as a line for the log and as a workflow command that puts an
//! annotation beside the place in the pull request.
//!
//! GitHub shows ten errors and ten warnings of a step, so what the change broke comes first. An
//! annotation has one place: its message lists the others. It has columns only if it ends on the line
//! on which it starts.

use std::io::Write;

use anyhow::Result;

use super::entry::{LocatedFinding, LocatedLabel};
use super::{CheckReport, escape, summary};
use crate::finding::Severity;

/// Writes the report.
pub(super) fn write(report: &CheckReport<'_>, out: &mut dyn Write) -> Result<()> {
    let mut entries = report.entries();
    entries.sort_by_key(LocatedFinding::urgency);
    for entry in &entries {
        writeln!(out, "{}", log_line(report, entry))?;
        writeln!(out, "{}", command(report, entry))?;
    }
    writeln!(out, "check: {}", summary::verdict(report))?;
    Ok(())
}

/// Of a command, the log shows only the message, without the place.
fn log_line(report: &CheckReport<'_>, entry: &LocatedFinding<'_>) -> String {
    let finding = entry.finding;
    let place = place(report, &entry.primary);
    format!("{}[{}] {place}: {}", finding.severity.as_str(), finding.rule, escape::plain(&finding.message))
}

fn command(report: &CheckReport<'_>, entry: &LocatedFinding<'_>) -> String {
    let name = if entry.finding.severity == Severity::Error { "error" } else { "warning" };
    let properties: Vec<String> = properties(report, entry)
        .into_iter()
        .map(|(name, value)| format!("{name}={}", escape::workflow_property(&value)))
        .collect();
    format!("::{name} {}::{}", properties.join(","), escape::workflow_data(&message(report, entry)))
}

fn properties(report: &CheckReport<'_>, entry: &LocatedFinding<'_>) -> Vec<(&'static str, String)> {
    let LocatedLabel { start, end, whole_file, .. } = entry.primary;
    let outside = if entry.outside_change() { " (outside the change)" } else { "" };
    let mut properties = vec![
        ("title", format!("{}{outside}", entry.finding.rule)),
        ("file", file(&report.path_in_git(entry.primary.path()))),
        ("line", start.line.to_string()),
    ];
    if !whole_file {
        properties.push(("endLine", end.line.to_string()));
    }
    if !whole_file && start.line == end.line {
        properties.push(("col", start.column.to_string()));
        properties.push(("endColumn", end.column.to_string()));
    }
    properties
}

/// The exact file name, since GitHub looks it up; line ends in it are escaped as the toolkit does. Only
/// characters that would control a terminal are replaced.
fn file(path: &str) -> String {
    let parts = path.split_inclusive(['\n', '\r']);
    let plain = |part: &str| match part.strip_suffix(['\n', '\r']) {
        Some(text) => format!("{}{}", escape::plain(text), &part[text.len()..]),
        None => escape::plain(part).into_owned(),
    };
    parts.map(plain).collect()
}

fn message(report: &CheckReport<'_>, entry: &LocatedFinding<'_>) -> String {
    let finding = entry.finding;
    let mut lines = vec![escape::plain(&finding.message).into_owned()];
    if !entry.primary.label.is_empty() {
        lines.push(format!("here: {}", escape::plain(entry.primary.label)));
    }
    for related in &entry.related {
        let what = if related.label.is_empty() { "see also".into() } else { escape::plain(related.label) };
        lines.push(format!("{what}: {}", place(report, related)));
    }
    lines.extend(finding.help.as_deref().map(|help| format!("help: {}", escape::plain(help))));
    lines.join("\n")
}

fn place(report: &CheckReport<'_>, place: &LocatedLabel<'_>) -> String {
    place.shown(&report.path_in_git(place.path()))
}
