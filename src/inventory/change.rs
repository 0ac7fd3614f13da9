//! The change under review: what differs from the base revision.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::finding::{Finding, Place, Where};
use crate::inventory::Index;
use crate::model::{Domain, Plan, Subscriber};
use crate::repo::{Record, Repo};
use crate::source::{FileId, Sources};

/// What differs between a base revision and the data under review.
pub struct Change<'a> {
    /// The data as it was.
    pub base: &'a Repo,
    /// The data as it was, by name.
    pub base_index: Index<'a>,
    /// Who proposes the change: a login, and the teams it is in. Empty if not told.
    pub actors: &'a [String],
    /// Plans of the base that are not there any more as they were, in the order of the data.
    pub gone_plans: Vec<&'a Record<Plan>>,
    /// The same of domains.
    pub gone_domains: Vec<&'a Record<Domain>>,
    /// The same of subscribers.
    pub gone_subscribers: Vec<&'a Record<Subscriber>>,
    files: Files,
    changed_records: HashSet<(FileId, Option<u32>)>,
    touched_subscribers: Vec<usize>,
}

impl<'a> Change<'a> {
    /// Compares `head` with `base`. Files that `head` lacks are added to its sources without their
    /// text, so that findings can name them.
    pub fn new(base: &'a Repo, head: &mut Repo, actors: &'a [String]) -> Self {
        let files = Files::compare(&base.sources, &mut head.sources);
        let (touched_plans, gone_plans) = compare(&base.plans, &head.plans, &files);
        let (touched_domains, gone_domains) = compare(&base.domains, &head.domains, &files);
        let (touched_subscribers, gone_subscribers) = compare(&base.subscribers, &head.subscribers, &files);
        let mut changed_records = HashSet::new();
        changed_records.extend(touched_plans.iter().map(|number| place(&head.plans[*number])));
        changed_records.extend(touched_domains.iter().map(|number| place(&head.domains[*number])));
        changed_records.extend(touched_subscribers.iter().map(|number| place(&head.subscribers[*number])));
        let base_index = Index::new(base);
        Self {
            base,
            base_index,
            actors,
            gone_plans,
            gone_domains,
            gone_subscribers,
            files,
            changed_records,
            touched_subscribers,
        }
    }

    /// Whether the record at `place` is new or altered.
    pub fn touches(&self, place: &Place) -> bool {
        self.changed_records.contains(&(place.file, place.record))
    }

    /// Which subscribers are new or altered, in the order of the data.
    pub fn touched_subscribers(&self) -> impl Iterator<Item = usize> {
        self.touched_subscribers.iter().copied()
    }

    /// Every file that is new, altered or removed.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        let mut files: Vec<FileId> = self.files.changed.iter().copied().collect();
        files.sort_unstable();
        files.into_iter()
    }

    /// Where a record that is gone used to be: its file, as it is now or as it was removed.
    pub fn where_gone<T>(&self, record: &Record<T>) -> Option<Where> {
        self.files.now.get(&record.file).copied().map(Where::File)
    }

    /// Files below `folder` that the change alters or removes, and in which something could not be
    /// read as it was before.
    pub fn unread_files(&self, folder: &str) -> Vec<Where> {
        let unread = self.base.findings.iter().map(|finding| finding.primary.at.file());
        let unread: std::collections::BTreeSet<FileId> =
            unread.filter(|file| self.base.sources.file(*file).path().starts_with(folder)).collect();
        unread.into_iter().filter_map(|file| self.files.now.get(&file).copied().map(Where::File)).collect()
    }

    fn touches_at(&self, at: &Where) -> bool {
        match at {
            // A record that was not read is not in the table: its file tells.
            Where::Place(place) => {
                self.touches(place) || (place.record.is_none() && self.files.changed.contains(&place.file))
            }
            other => self.files.changed.contains(&other.file()),
        }
    }

    /// Says of a finding whether the change has to do with it, and puts what the change did first:
    /// of two equal addresses, the new one is the offence.
    pub fn attribute(&self, finding: &mut Finding) {
        if !self.touches_at(&finding.primary.at)
            && is_symmetric(finding.rule)
            && let Some(other) = finding.related.iter_mut().find(|label| self.touches_at(&label.at))
        {
            std::mem::swap(&mut finding.primary.at, &mut other.at);
        }
        if finding.in_change.is_none() {
            let schema_in_changed_file =
                finding.rule == "schema" && self.files.changed.contains(&finding.primary.at.file());
            let involved = schema_in_changed_file || finding.labels().any(|label| self.touches_at(&label.at));
            finding.in_change = Some(involved);
        }
    }
}

/// Rules for which either of two places could be the offence.
fn is_symmetric(rule: &str) -> bool {
    matches!(
        rule,
        "duplicate-ip"
            | "duplicate-id"
            | "duplicate-name"
            | "duplicate-plan"
            | "duplicate-attribute"
            | "domain-overlap"
    )
}

/// Which files differ.
struct Files {
    /// Files of the head that are new, altered or removed.
    changed: HashSet<FileId>,
    /// Files of the base that are altered or removed, with the same file in the head.
    now: HashMap<FileId, FileId>,
}

impl Files {
    fn compare(base: &Sources, head: &mut Sources) -> Self {
        let before: HashMap<&str, FileId> = base.iter().map(|(id, file)| (file.path(), id)).collect();
        let mut files = Self { changed: HashSet::new(), now: HashMap::new() };
        let mut kept = HashSet::new();
        for (id, file) in head.iter() {
            let old = before.get(file.path()).copied();
            kept.extend(old);
            if old.is_none_or(|old| !base.file(old).has_content_of(file)) {
                files.changed.insert(id);
                files.now.extend(old.map(|old| (old, id)));
            }
        }
        for (old, file) in base.iter().filter(|(id, _)| !kept.contains(id)) {
            let id = head.add_removed(file.path());
            files.changed.insert(id);
            files.now.insert(old, id);
        }
        files
    }
}

fn place<T>(record: &Record<T>) -> (FileId, Option<u32>) {
    (record.file, record.index)
}

/// The places in `head` of what `base` does not hold, and what of `base` is gone from `head`. A
/// record counts as often as it stands there; in a file that is the same in both, all are the same.
fn compare<'a, T: Eq + Hash>(
    base: &'a [Record<T>],
    head: &[Record<T>],
    files: &Files,
) -> (Vec<usize>, Vec<&'a Record<T>>) {
    let mut before: HashMap<&T, usize> = HashMap::new();
    let candidates = || base.iter().filter(|record| files.now.contains_key(&record.file));
    for record in candidates() {
        *before.entry(&record.value).or_default() += 1;
    }
    let mut touched = Vec::new();
    for (number, record) in head.iter().enumerate().filter(|(_, record)| files.changed.contains(&record.file)) {
        match before.get_mut(&record.value) {
            Some(count) if *count > 0 => *count -= 1,
            _ => touched.push(number),
        }
    }
    let mut gone = Vec::new();
    for record in candidates() {
        if let Some(count) = before.get_mut(&record.value).filter(|count| **count > 0) {
            *count -= 1;
            gone.push(record);
        }
    }
    (touched, gone)
}
