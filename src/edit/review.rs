//! The effect of an edit: new findings, and what would be served before and after.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;

use super::draft::Draft;
use super::new_findings::new_findings;
use crate::finding::{Finding, Severity, Where};
use crate::inventory::Context;
use crate::inventory::ReviewedChange;
use crate::model::Date;
use crate::render::{Table, template_findings};
use crate::repo::Repo;
use crate::rules::{self};
use crate::source::{FileId, SourceFile};

/// A draft, checked like any other data.
pub struct Review {
    /// The edited data.
    pub after: Arc<Repo>,
    /// Errors and warnings that the edit causes.
    pub new: Vec<Finding>,
    /// How many errors were there before and remain.
    pub old_errors: usize,
    /// The domains of the subscribers that the edit touches.
    pub domains: BTreeSet<String>,
    /// What is served now.
    pub table_before: Arc<Table>,
    /// What would be served.
    pub table_after: Arc<Table>,
}

impl Review {
    /// Checks `draft`, whose base `before` was read from, by every rule, those on changes included.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn of(before: &Arc<Repo>, draft: &Draft, today: Date) -> Result<Review> {
        let mut after = Repo::load(&draft.tree())?;
        let change = ReviewedChange::new(before, &mut after, &[]);
        let domains = domains(&change, &after);
        let after = Arc::new(after);
        let ((old, table_before), (now, table_after)) = rayon::join(
            || {
                let context = Context::new(before, today, None);
                let findings = rules::check(&context, template_findings(before, &context));
                (findings, Arc::new(Table::new(before, &context)))
            },
            || {
                let context = Context::new(&after, today, Some(change));
                let findings = rules::check(&context, template_findings(&after, &context));
                (findings, Arc::new(Table::new(&after, &context)))
            },
        );
        let (new, old_errors) = compare(before, &old, &after, now);
        Ok(Review { after, new, old_errors, domains, table_before, table_after })
    }

    /// Whether the edit causes errors.
    pub fn refused(&self) -> bool {
        self.new.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// The domains of the subscribers that are new, altered or gone.
fn domains(change: &ReviewedChange<'_>, after: &Repo) -> BTreeSet<String> {
    let now = change.touched_subscribers().filter_map(|number| after.subscribers.get(number));
    let records = now.chain(change.gone_subscribers.iter().copied());
    records.map(|record| record.value.domain.to_string()).collect()
}

/// The errors and the warnings in the change that were not there before, and how many errors were.
fn compare(before: &Repo, old: &[Finding], after: &Repo, now: Vec<Finding>) -> (Vec<Finding>, usize) {
    let unchanged = unchanged_files(before, old, after);
    let key = |repo: &Repo, finding: &Finding| {
        let path = path(repo, finding);
        let place = unchanged.contains(path).then(|| (finding.rule, path.to_owned(), place(&finding.primary.at)));
        ((finding.rule, path.to_owned(), finding.message.clone()), place)
    };
    let (mut new, known) = new_findings((before, old), (after, now), key);
    new.retain(|finding| finding.severity == Severity::Error || finding.in_change == Some(true));
    (new, known)
}

/// The paths of the files with old findings whose text the edit does not change.
fn unchanged_files<'r>(before: &'r Repo, old: &[Finding], after: &Repo) -> HashSet<&'r str> {
    if old.is_empty() {
        return HashSet::new();
    }
    let files_after: HashMap<&str, &SourceFile> = after.sources.iter().map(|(_, file)| (file.path(), file)).collect();
    let files: HashSet<FileId> = old.iter().map(|finding| finding.primary.at.file()).collect();
    let files = files.into_iter().map(|file| before.sources.file(file));
    let is_unchanged =
        |file: &&SourceFile| files_after.get(file.path()).is_some_and(|after| file.has_content_of(after));
    files.filter(is_unchanged).map(SourceFile::path).collect()
}

fn path<'r>(repo: &'r Repo, finding: &Finding) -> &'r str {
    repo.sources.file(finding.primary.at.file()).path()
}

/// A place within its file.
fn place(at: &Where) -> String {
    match at {
        Where::File(_) => String::new(),
        Where::Span(_, span) => format!("{span:?}"),
        Where::Place(place) => format!("{:?} {:?}", place.record, place.path),
    }
}
