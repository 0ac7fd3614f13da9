//! JUnit XML, for the test reports of GitLab, Jenkins and others.
//!
//! One test case per rule, not per file: the cases are then the same in every run, so that these tools
//! can say since when a rule has failed, and a clean repository of 100,000 files is not 100,000 cases.
//! A case fails if its rule refuses something; the failure lists every place. Warnings fail nothing:
//! they are in the case's output.

use std::io::Write;

use anyhow::Result;

use super::entry::LocatedFinding;
use super::{CheckReport, escape};
use crate::finding::Severity;
use crate::rules::{Group, RULES, find};
use crate::text::count::counted;

/// Writes the report.
pub(super) fn write(report: &CheckReport<'_>, out: &mut dyn Write) -> Result<()> {
    let entries = report.entries();
    let cases = cases(report, &entries);
    let failures = cases.iter().filter(|case| !case.errors.is_empty()).count();
    let skipped = cases.iter().filter(|case| case.skipped.is_some()).count();
    let tests = cases.len();
    let time = report.elapsed.as_secs_f64();
    let counts =
        format!("name=\"shapeline check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{time:.3}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites {counts}>")?;
    writeln!(out, "  <testsuite {counts} skipped=\"{skipped}\">")?;
    for case in &cases {
        write_case(case, out)?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")?;
    Ok(())
}

struct Case<'e, 'a> {
    rule: &'a str,
    errors: Vec<&'e LocatedFinding<'a>>,
    warnings: Vec<&'e LocatedFinding<'a>>,
    skipped: Option<&'static str>,
}

fn cases<'e, 'a>(report: &CheckReport<'_>, entries: &'e [LocatedFinding<'a>]) -> Vec<Case<'e, 'a>> {
    let case = |rule, skipped| Case { rule, errors: Vec::new(), warnings: Vec::new(), skipped };
    let mut cases: Vec<Case<'e, 'a>> = RULES.iter().map(|rule| case(rule.id, why_skipped(report, rule.id))).collect();
    for entry in entries {
        let rule = entry.finding.rule;
        let at = cases.iter().position(|case| case.rule == rule).unwrap_or_else(|| {
            cases.push(case(rule, None));
            cases.len() - 1
        });
        let error = entry.finding.severity == Severity::Error;
        let case = &mut cases[at];
        if error { &mut case.errors } else { &mut case.warnings }.push(entry);
    }
    cases
}

fn why_skipped(report: &CheckReport<'_>, rule: &str) -> Option<&'static str> {
    if report.off.contains(&rule) {
        return Some("off in the settings or by default");
    }
    let of_changes = find(rule).is_some_and(|rule| rule.group == Group::Change);
    (of_changes && !report.with_change).then_some("needs a change to look at: --base REV")
}

fn write_case(case: &Case<'_, '_>, out: &mut dyn Write) -> Result<()> {
    write!(out, "    <testcase classname=\"shapeline.check\" name=\"{}\"", escape::xml(case.rule))?;
    if case.errors.is_empty() && case.warnings.is_empty() && case.skipped.is_none() {
        writeln!(out, "/>")?;
        return Ok(());
    }
    writeln!(out, ">")?;
    if let Some(why) = case.skipped {
        writeln!(out, "      <skipped message=\"{}\"/>", escape::xml(why))?;
    }
    if let Some(first) = case.errors.first() {
        let message = match case.errors.len() {
            1 => headline(first),
            many => format!("{}; the first: {}", counted(many, "error", "errors"), headline(first)),
        };
        let (message, rule) = (escape::xml(&message), escape::xml(case.rule));
        write!(out, "      <failure message=\"{message}\" type=\"{rule}\">")?;
        write_texts(&case.errors, out)?;
        writeln!(out, "</failure>")?;
    }
    if !case.warnings.is_empty() {
        write!(out, "      <system-out>")?;
        write_texts(&case.warnings, out)?;
        writeln!(out, "</system-out>")?;
    }
    writeln!(out, "    </testcase>")?;
    Ok(())
}

fn write_texts(entries: &[&LocatedFinding<'_>], out: &mut dyn Write) -> Result<()> {
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        for (index, line) in lines(entry).iter().enumerate() {
            let line_end = if index > 0 { "\n" } else { "" };
            write!(out, "{line_end}{}", escape::xml(line))?;
        }
    }
    Ok(())
}

fn lines(entry: &LocatedFinding<'_>) -> Vec<String> {
    let outside = if entry.outside_change() { " (outside the change)" } else { "" };
    let mut lines = vec![format!("{}: {}{outside}", entry.finding.severity.as_str(), headline(entry))];
    let places = std::iter::once(&entry.primary).filter(|place| !place.label.is_empty()).chain(&entry.related);
    lines.extend(places.map(|place| format!("  {}: {}", place.shown(place.path()), escape::plain(place.label))));
    lines.extend(entry.finding.help.as_deref().map(|help| format!("  help: {}", escape::plain(help))));
    lines
}

fn headline(entry: &LocatedFinding<'_>) -> String {
    format!("{}: {}", entry.primary.shown(entry.primary.path()), escape::plain(&entry.finding.message))
}
