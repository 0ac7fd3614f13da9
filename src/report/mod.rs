//! Findings → output: text, JSON, GitHub annotations, SARIF, JUnit.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;

use crate::cli::CheckFormat;
use crate::finding::{Finding, Severity, Where};
use crate::locate::Locator;
use crate::rules::Context;
use crate::source::{Position, Sources};

/// A label with its place worked out.
#[derive(Clone, Debug)]
pub struct Located<'a> {
    /// The file's path.
    pub path: &'a str,
    /// The file's text.
    pub text: &'a str,
    /// The bytes meant.
    pub span: crate::source::Span,
    /// Where they start.
    pub start: Position,
    /// Where they end: the column after the last.
    pub end: Position,
    /// Whether the file as a whole is meant: there is no place in it to show.
    pub whole_file: bool,
    /// What is there; may be empty.
    pub label: &'a str,
}

/// A finding with its places worked out.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The offence.
    pub primary: Located<'a>,
    /// Whatever else is involved.
    pub related: Vec<Located<'a>>,
}

/// What a check gave.
pub struct Report<'a> {
    sources: &'a Sources,
    findings: Vec<Finding>,
    /// How many records were read.
    pub counts: Counts,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether a change was looked at.
    pub with_change: bool,
}

/// How much was looked at, and how much of it is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files read.
    pub files: usize,
    /// Subscribers read.
    pub subscribers: usize,
    /// Plans read.
    pub plans: usize,
    /// Domains read.
    pub domains: usize,
    /// Findings that refuse the data.
    pub errors: usize,
    /// Findings that do not.
    pub warnings: usize,
    /// Errors that the change under review has nothing to do with.
    pub errors_outside_change: usize,
    /// Warnings that the change under review has nothing to do with.
    pub warnings_outside_change: usize,
}

impl<'a> Report<'a> {
    /// Runs every rule and gathers the result. `reading` is how long the data took to read.
    pub fn new(context: &Context<'a>, reading: Duration) -> Self {
        let started = std::time::Instant::now();
        let findings = crate::rules::check(context);
        let repo = context.repo;
        let mut counts = Counts {
            files: repo.sources.len(),
            subscribers: repo.subscribers.len(),
            plans: repo.plans.len(),
            domains: repo.domains.len(),
            ..Counts::default()
        };
        for finding in &findings {
            let outside = usize::from(finding.in_change == Some(false));
            match finding.severity {
                Severity::Error => {
                    (counts.errors, counts.errors_outside_change) =
                        (counts.errors + 1, counts.errors_outside_change + outside)
                }
                _ => {
                    (counts.warnings, counts.warnings_outside_change) =
                        (counts.warnings + 1, counts.warnings_outside_change + outside)
                }
            }
        }
        Self {
            sources: &repo.sources,
            findings,
            counts,
            elapsed: reading + started.elapsed(),
            with_change: context.change.is_some(),
        }
    }

    /// Whether the data is refused.
    pub fn refused(&self) -> bool {
        self.counts.errors > 0
    }

    /// The findings, in order, with their places worked out.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut locator = Locator::new(self.sources);
        let mut located = |label: &'_ crate::finding::Label| {
            let file = self.sources.file(label.at.file());
            let span = locator.span(&label.at);
            (file, span, file.position(span.start), file.position(span.end))
        };
        let mut entries = Vec::with_capacity(self.findings.len());
        for finding in &self.findings {
            let mut all = finding.labels().map(|label| {
                let (file, span, start, end) = located(label);
                let whole_file = matches!(label.at, Where::File(_));
                Located { path: file.path(), text: file.text(), span, start, end, whole_file, label: &label.text }
            });
            let Some(primary) = all.next() else { continue };
            let related = all.collect();
            entries.push(Entry { finding, primary, related });
        }
        entries
    }
}

/// Prints the report to standard output.
///
/// # Errors
/// If it cannot be written.
pub fn print(report: &Report<'_>, format: CheckFormat) -> Result<()> {
    let mut out = anstream::stdout().lock();
    for entry in report.entries() {
        let Entry { finding, primary, .. } = &entry;
        writeln!(
            out,
            "{}:{}:{}: {} [{}] {}",
            primary.path,
            primary.start.line,
            primary.start.column,
            finding.severity.as_str(),
            finding.rule,
            finding.message
        )?;
        let _ = format;
    }
    out.flush()?;
    Ok(())
}
