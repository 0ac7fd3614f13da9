//! Findings → output: text, JSON, GitHub annotations, SARIF, JUnit.
//!
//! A [`CheckReport`] is the result of a check; [`CheckReport::entries`] resolves the places; each
//! format is one file with one function that writes a report. Every value from the data passes through
//! `escape` on its way into any of them.

mod entry;
mod escape;
mod excerpt;
mod github;
mod json;
mod junit;
mod sarif;
mod summary;
mod text;

pub use entry::{LocatedFinding, LocatedLabel};

use std::io::Write;
use std::time::Duration;

use anyhow::Result;

use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::repo::Repo;
use crate::rules::RULES;
use crate::source::Sources;

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// For people, with excerpts.
    Text,
    /// For programs; see docs/check-json.md.
    Json,
    /// GitHub workflow commands: annotations on the pull request.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test reports.
    Junit,
}

/// What a check gave.
pub struct CheckReport<'a> {
    sources: &'a Sources,
    findings: Vec<Finding>,
    off: Vec<&'static str>,
    folder: String,
    /// How many records were read.
    pub(crate) counts: Counts,
    /// The time it took.
    pub(crate) elapsed: Duration,
    /// Whether a change was checked.
    pub(crate) with_change: bool,
}

/// Numbers of records read and of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Files read.
    pub(crate) files: usize,
    /// Subscribers read.
    pub(crate) subscribers: usize,
    /// Plans read.
    pub(crate) plans: usize,
    /// Domains read.
    pub(crate) domains: usize,
    /// Findings that refuse the data.
    pub(crate) errors: usize,
    /// Findings that do not.
    pub(crate) warnings: usize,
    /// Errors outside the change under review.
    pub(crate) errors_outside_change: usize,
    /// Warnings outside the change under review.
    pub(crate) warnings_outside_change: usize,
}

impl Counts {
    fn count(&mut self, finding: &Finding) {
        let outside = usize::from(finding.in_change == Some(false));
        if finding.severity == Severity::Error {
            self.errors += 1;
            self.errors_outside_change += outside;
        } else {
            self.warnings += 1;
            self.warnings_outside_change += outside;
        }
    }
}

impl<'a> CheckReport<'a> {
    /// Runs every rule and adds the findings of `rendering`. `reading` is the time it took to read the
    /// data.
    pub fn new(context: &Context<'a>, rendering: Vec<Finding>, reading: Duration) -> Self {
        let started = std::time::Instant::now();
        let findings = crate::rules::check(context, rendering);
        let off = RULES.iter().filter(|rule| crate::rules::severity(context.repo, rule) == Severity::Off);
        let mut report = Self::of(context.repo, findings);
        report.off = off.map(|rule| rule.id).collect();
        report.with_change = context.change.is_some();
        report.elapsed = reading + started.elapsed();
        report
    }

    /// A report of these findings in `repo`.
    pub fn of(repo: &'a Repo, findings: Vec<Finding>) -> Self {
        let mut counts = Counts {
            files: repo.sources.len() - repo.git_files,
            subscribers: repo.subscribers.len(),
            plans: repo.plans.len(),
            domains: repo.domains.len(),
            ..Counts::default()
        };
        findings.iter().for_each(|finding| counts.count(finding));
        let with_change = findings.iter().any(|finding| finding.in_change.is_some());
        Self {
            sources: &repo.sources,
            findings,
            off: Vec::new(),
            folder: String::new(),
            counts,
            elapsed: Duration::ZERO,
            with_change,
        }
    }

    /// Sets the path of the data repository within its git repository, with `/`; empty for the top.
    /// Annotations and code scanning need paths from the top.
    pub fn in_folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Whether the data is refused.
    pub fn refused(&self) -> bool {
        self.counts.errors > 0
    }

    /// The findings with their places resolved: those of the change first, then by path and place.
    pub fn entries(&self) -> Vec<LocatedFinding<'_>> {
        entry::locate(self.sources, &self.findings)
    }

    /// A file's path as seen from the top of the git repository.
    fn path_in_git(&self, path: &str) -> String {
        let (mut folder, mut path) = (self.folder.as_str(), path);
        // Git's own files may be above the data.
        while let Some(above) = path.strip_prefix("../") {
            (folder, path) = (folder.rsplit_once('/').map_or("", |(above, _)| above), above);
        }
        if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
    }
}

/// Prints the report to standard output, and a line with the counts and the time to standard error:
/// what is on standard output depends on the data alone.
///
/// # Errors
/// If standard output cannot be written.
pub(crate) fn print(report: &CheckReport<'_>, format: CheckFormat) -> Result<()> {
    match format {
        CheckFormat::Text => write_buffered(report, format, anstream::stdout().lock())?,
        // These contain no colours, and every byte must stay.
        _ => write_buffered(report, format, std::io::stdout().lock())?,
    }
    // The result is written. A closed standard error changes nothing.
    let _ = writeln!(std::io::stderr(), "{}", summary::line(report));
    if format == CheckFormat::Text {
        let hint = summary::explanation(report.findings.iter().map(|finding| finding.rule));
        hint.into_iter().for_each(|hint| drop(writeln!(std::io::stderr(), "{hint}")));
    }
    Ok(())
}

fn write_buffered(report: &CheckReport<'_>, format: CheckFormat, out: impl Write) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, out);
    write(report, format, &mut out)?;
    out.flush()?;
    Ok(())
}

/// Writes the report. Text includes colours; the caller strips them where needed.
///
/// # Errors
/// If `out` cannot be written.
pub fn write(report: &CheckReport<'_>, format: CheckFormat, out: &mut dyn Write) -> Result<()> {
    match format {
        CheckFormat::Text => text::write(report, out),
        CheckFormat::Json => json::write(report, out),
        CheckFormat::Github => github::write(report, out),
        CheckFormat::Sarif => sarif::write(report, out),
        CheckFormat::Junit => junit::write(report, out),
    }
}
