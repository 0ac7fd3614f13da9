//! One line: numbers of records and findings, and the time taken.

use super::{CheckReport, Counts};
use crate::text::count::counted;

/// The line, without an end.
pub(super) fn line(report: &CheckReport<'_>) -> String {
    let Counts { files, subscribers, plans, domains, .. } = report.counts;
    format!(
        "check: {}, {}, {} in {}: {} ({:.2} s)",
        counted(subscribers, "subscriber", "subscribers"),
        counted(plans, "plan", "plans"),
        counted(domains, "domain", "domains"),
        counted(files, "file", "files"),
        verdict(report),
        report.elapsed.as_secs_f64(),
    )
}

/// How many errors and warnings there are, and how many of them are outside the change.
pub(super) fn verdict(report: &CheckReport<'_>) -> String {
    let Counts { errors, warnings, errors_outside_change, warnings_outside_change, .. } = report.counts;
    let outside = |outside: usize| match outside {
        0 => String::new(),
        outside => format!(" ({outside} outside the change)"),
    };
    format!(
        "{}{}, {}{}",
        counted(errors, "error", "errors"),
        outside(errors_outside_change),
        counted(warnings, "warning", "warnings"),
        outside(warnings_outside_change),
    )
}

/// How many rules are named.
const MOST_RULES: usize = 6;

/// Where to read about the rules of the findings, each once; nothing without findings.
pub(super) fn explanation(rules: impl Iterator<Item = &'static str>) -> Option<String> {
    let mut seen: Vec<&str> = Vec::new();
    rules.for_each(|rule| {
        if !seen.contains(&rule) {
            seen.push(rule);
        }
    });
    match seen.as_slice() {
        [] => None,
        [one] => Some(format!("Run `shapeline explain {one}` for the reason, and for data that is accepted.")),
        several => {
            let named = several.iter().take(MOST_RULES).copied().collect::<Vec<_>>().join(", ");
            let more = several.len().saturating_sub(MOST_RULES);
            let more = if more > 0 { format!(" and {}", counted(more, "more", "more")) } else { String::new() };
            Some(format!(
                "Run `shapeline explain RULE` for the reason of a rule, and for data that is accepted: {named}{more}."
            ))
        }
    }
}
