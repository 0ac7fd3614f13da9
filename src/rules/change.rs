//! The change under review: what differs from the base revision.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::Index;
use crate::finding::{Finding, Place, Where};
use crate::repo::{Record, Repo};
use crate::source::FileId;

/// What differs between a base revision and the data under review.
pub struct Change<'a> {
    /// The data as it was.
    pub base: &'a Repo,
    /// The data as it was, by name.
    pub base_index: Index<'a>,
    /// Who proposes the change: a login, and the teams it is in. Empty if not told.
    pub actors: &'a [String],
    changed_files: HashSet<FileId>,
    changed_records: HashSet<(FileId, Option<u32>)>,
}

impl<'a> Change<'a> {
    /// Compares `head` with `base`.
    pub fn new(base: &'a Repo, head: &Repo, actors: &'a [String]) -> Self {
        let before: HashMap<&str, &str> = base.sources.iter().map(|(_, file)| (file.path(), file.text())).collect();
        let same = |path: &str, text: &str| before.get(path) == Some(&text);
        let changed_files: HashSet<FileId> =
            head.sources.iter().filter(|(_, file)| !same(file.path(), file.text())).map(|(id, _)| id).collect();
        let mut changed_records = HashSet::new();
        note_changed(&base.plans, &head.plans, &changed_files, &mut changed_records);
        note_changed(&base.domains, &head.domains, &changed_files, &mut changed_records);
        note_changed(&base.subscribers, &head.subscribers, &changed_files, &mut changed_records);
        Self { base, base_index: Index::new(base), actors, changed_files, changed_records }
    }

    /// Whether the record at `place` is new or altered.
    pub fn touches(&self, place: &Place) -> bool {
        self.changed_records.contains(&(place.file, place.record))
    }

    fn touches_at(&self, at: &Where) -> bool {
        match at {
            // A record that was not read is not in the table: its file tells.
            Where::Place(place) => {
                self.touches(place) || (place.record.is_none() && self.changed_files.contains(&place.file))
            }
            other => self.changed_files.contains(&other.file()),
        }
    }

    /// Says of a finding whether the change has to do with it, and puts what the change did first:
    /// of two equal addresses, the new one is the offence.
    pub fn attribute(&self, finding: &mut Finding) {
        let of_change = finding.rule == "foreign-change" || finding.rule == "plan-in-use";
        let primary = self.touches_at(&finding.primary.at);
        if !primary
            && is_symmetric(finding.rule)
            && let Some(other) = finding.related.iter_mut().find(|label| self.touches_at(&label.at))
        {
            std::mem::swap(&mut finding.primary.at, &mut other.at);
        }
        let schema_in_changed_file =
            finding.rule == "schema" && self.changed_files.contains(&finding.primary.at.file());
        let involved = of_change || schema_in_changed_file || finding.labels().any(|label| self.touches_at(&label.at));
        finding.in_change = Some(involved);
    }
}

/// Rules for which either of two places could be the offence.
fn is_symmetric(rule: &str) -> bool {
    matches!(rule, "duplicate-ip" | "duplicate-id" | "duplicate-name" | "duplicate-plan" | "domain-overlap")
}

fn note_changed<T: Eq + Hash>(
    base: &[Record<T>],
    head: &[Record<T>],
    changed_files: &HashSet<FileId>,
    changed: &mut HashSet<(FileId, Option<u32>)>,
) {
    if changed_files.is_empty() {
        return;
    }
    let before: HashSet<&T> = base.iter().map(|record| &record.value).collect();
    for record in head.iter().filter(|record| changed_files.contains(&record.file)) {
        if !before.contains(&record.value) {
            changed.insert((record.file, record.index));
        }
    }
}
