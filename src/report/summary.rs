//! One line: what was looked at, how much of it is wrong, how long it took.

use super::{CheckReport, Counts};

/// The line, without an end.
pub(super) fn line(report: &CheckReport<'_>) -> String {
    let Counts { files, subscribers, plans, domains, .. } = report.counts;
    format!(
        "check: {}, {}, {} in {}: {} ({:.2} s)",
        count(subscribers, "subscriber"),
        count(plans, "plan"),
        count(domains, "domain"),
        count(files, "file"),
        verdict(report),
        report.elapsed.as_secs_f64(),
    )
}

/// How many errors and warnings there are, and how many of them are none of the change's.
pub(super) fn verdict(report: &CheckReport<'_>) -> String {
    let Counts { errors, warnings, errors_outside_change, warnings_outside_change, .. } = report.counts;
    let outside = |outside: usize| match outside {
        0 => String::new(),
        outside => format!(" ({outside} outside the change)"),
    };
    format!(
        "{}{}, {}{}",
        count(errors, "error"),
        outside(errors_outside_change),
        count(warnings, "warning"),
        outside(warnings_outside_change),
    )
}

/// A number with its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
