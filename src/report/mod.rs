//! Findings → output: text, JSON, GitHub annotations, SARIF, JUnit.
//!
//! A [`Report`] holds what a check gave; [`Report::entries`] works the places out; each format is
//! one file with one function that writes a report. What comes from the data passes through
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

pub use entry::{Entry, Located};

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
pub struct Report<'a> {
    sources: &'a Sources,
    findings: Vec<Finding>,
    off: Vec<&'static str>,
    folder: String,
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

impl<'a> Report<'a> {
    /// Runs every rule and gathers the result, together with what `rendering` found. `reading` is
    /// how long the data took to read.
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

    /// The same with where the data repository is within its git repository: a path with `/`, empty
    /// for the top. Annotations and code scanning want paths from there.
    pub fn in_folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Whether the data is refused.
    pub fn refused(&self) -> bool {
        self.counts.errors > 0
    }

    /// The findings with their places worked out: those of the change first, then by path and
    /// place.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        entry::locate(self.sources, &self.findings)
    }

    /// A file's path as seen from the top of the git repository.
    fn path_in_git(&self, path: &str) -> String {
        let (mut folder, mut path) = (self.folder.as_str(), path);
        // What steers git may lie above the data.
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
pub fn print(report: &Report<'_>, format: CheckFormat) -> Result<()> {
    match format {
        CheckFormat::Text => write_buffered(report, format, anstream::stdout().lock())?,
        // These hold no colours, and no byte of them may be taken for one.
        _ => write_buffered(report, format, std::io::stdout().lock())?,
    }
    // The result is out. If nobody listens to the summary, that changes nothing.
    let _ = writeln!(std::io::stderr(), "{}", summary::line(report));
    Ok(())
}

fn write_buffered(report: &Report<'_>, format: CheckFormat, out: impl Write) -> Result<()> {
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, out);
    write(report, format, &mut out)?;
    out.flush()?;
    Ok(())
}

/// Writes the report. Text is written with colours: what they must not reach strips them.
///
/// # Errors
/// If `out` cannot be written.
pub fn write(report: &Report<'_>, format: CheckFormat, out: &mut dyn Write) -> Result<()> {
    match format {
        CheckFormat::Text => text::write(report, out),
        CheckFormat::Json => json::write(report, out),
        CheckFormat::Github => github::write(report, out),
        CheckFormat::Sarif => sarif::write(report, out),
        CheckFormat::Junit => junit::write(report, out),
    }
}
