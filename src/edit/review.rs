//! What an edit would do to the data: what would be wrong that was not, and what the network would
//! see.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::Draft;
use crate::finding::{Finding, Severity, Where};
use crate::inventory::Context;
use crate::inventory::ReviewedChange;
use crate::model::Date;
use crate::render::{Table, template_findings};
use crate::repo::Repo;
use crate::rules::{self};
use crate::source::FileId;

/// A draft, checked like any other data.
pub struct Review {
    /// The data as it would be.
    pub after: Arc<Repo>,
    /// Errors and warnings that were not there before.
    pub new: Vec<Finding>,
    /// How many errors were there before and still are.
    pub old_errors: usize,
    /// Who was served.
    pub table_before: Arc<Table>,
    /// Who would be.
    pub table_after: Arc<Table>,
}

impl Review {
    /// Checks `draft`, which is of what `before` was read from, by every rule, the rules on changes
    /// among them.
    ///
    /// # Errors
    /// If something cannot be read at all.
    pub fn of(before: &Arc<Repo>, draft: &Draft, today: Date) -> Result<Review> {
        let mut after = Repo::load(&draft.tree())?;
        let change = ReviewedChange::new(before, &mut after, &[]);
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
        let (new, old_errors) = compare(before, old, &after, now);
        Ok(Review { after, new, old_errors, table_before, table_after })
    }

    /// Whether there are errors that were not there before.
    pub fn refused(&self) -> bool {
        self.new.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// What of `now` is new, and how many errors of it are not.
fn compare(before: &Repo, old: Vec<Finding>, after: &Repo, now: Vec<Finding>) -> (Vec<Finding>, usize) {
    let path = |repo: &Repo, finding: &Finding| repo.sources.file(finding.primary.at.file()).path().to_owned();
    let mut known: HashMap<(&'static str, String, String), usize> = HashMap::new();
    let mut places: HashMap<(&'static str, String, String), FileId> = HashMap::new();
    for finding in old.into_iter().filter(|finding| finding.severity == Severity::Error) {
        let path = path(before, &finding);
        // A total, such as of what is sold, has another number after every edit; its place stays.
        places.insert((finding.rule, path.clone(), place(&finding.primary.at)), finding.primary.at.file());
        *known.entry((finding.rule, path, finding.message)).or_default() += 1;
    }
    let mut new = Vec::new();
    let mut still = 0;
    // What the change has nothing to do with uses up what is known first.
    let (outside, inside): (Vec<_>, Vec<_>) = now.into_iter().partition(|finding| finding.in_change == Some(false));
    for finding in outside.into_iter().chain(inside) {
        let path = path(after, &finding);
        let file = after.sources.file(finding.primary.at.file());
        let same_place = places.get(&(finding.rule, path.clone(), place(&finding.primary.at)));
        let is_known = known.get_mut(&(finding.rule, path, finding.message.clone())).is_some_and(|count| {
            let left = *count > 0;
            *count = count.saturating_sub(1);
            left
        });
        let is_old = is_known || same_place.is_some_and(|old| before.sources.file(*old).has_content_of(file));
        match (finding.severity, is_old) {
            (Severity::Error, true) => still += 1,
            (Severity::Warning, _) if finding.in_change != Some(true) => {}
            _ => new.push(finding),
        }
    }
    (new, still)
}

/// A place within its file.
fn place(at: &Where) -> String {
    match at {
        Where::File(_) => String::new(),
        Where::Span(_, span) => format!("{span:?}"),
        Where::Place(place) => format!("{:?} {:?}", place.record, place.path),
    }
}
