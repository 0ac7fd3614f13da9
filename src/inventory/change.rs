//! The change under review: what differs from the base revision.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::ops::Range;

use crate::finding::{Finding, Place, Where};
use crate::inventory::Index;
use crate::model::{Domain, Plan, Subscriber};
use crate::repo::{Record, Repo};
use crate::source::{FileId, Sources};

/// What differs between a base revision and the data under review.
pub struct ReviewedChange<'a> {
    /// The data as it was; of the subscribers only those in files that differ.
    pub(crate) base: &'a Repo,
    /// The data as it was, by name.
    pub(crate) base_index: Index<'a>,
    /// The author of the change: a login and its teams. Empty if not known.
    pub(crate) actors: &'a [String],
    /// Plans of the base that were removed or altered, in the order of the data.
    pub(crate) gone_plans: Vec<&'a Record<Plan>>,
    /// The same of domains.
    pub(crate) gone_domains: Vec<&'a Record<Domain>>,
    /// The same of subscribers.
    pub(crate) gone_subscribers: Vec<&'a Record<Subscriber>>,
    files: DifferingFiles,
    changed_records: HashSet<(FileId, Option<u32>)>,
    touched_subscribers: Vec<usize>,
}

impl<'a> ReviewedChange<'a> {
    /// Compares `head` with `base`, which may be read by [`Repo::load_base`]. Files that `head` lacks are added
    /// to its sources without their text, so that findings can name them.
    pub fn new(base: &'a Repo, head: &mut Repo, actors: &'a [String]) -> Self {
        let files = DifferingFiles::compare(base, &mut head.sources);
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
    pub(crate) fn touches(&self, place: &Place) -> bool {
        self.changed_records.contains(&(place.file, place.record))
    }

    /// Subscribers that are new or altered, by number, in the order of the data.
    pub(crate) fn touched_subscribers(&self) -> impl Iterator<Item = usize> {
        self.touched_subscribers.iter().copied()
    }

    /// Every subscriber of the base, in no particular order. `head` is what was compared with it.
    pub(crate) fn subscribers_before(&self, head: &'a Repo) -> impl Iterator<Item = &'a Subscriber> {
        let shared = head.subscribers.iter().filter(|record| self.base.shared.contains(&record.file));
        shared.chain(&self.base.subscribers).map(|record| &record.value)
    }

    /// Every file that is new, altered or removed.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> {
        let mut files: Vec<FileId> = self.files.changed.iter().copied().collect();
        files.sort_unstable();
        files.into_iter()
    }

    /// The file that a record was in before it was removed, whether or not the file still exists.
    pub(crate) fn where_gone<T>(&self, record: &Record<T>) -> Option<Where> {
        self.files.now.get(&record.file).copied().map(Where::File)
    }

    /// Files below `folder` that the change alters or removes, and in which something could not be
    /// read as it was before.
    pub(crate) fn unread_files(&self, folder: &str) -> Vec<Where> {
        let unread = self.base.findings.iter().map(|finding| finding.primary.at.file());
        let unread: std::collections::BTreeSet<FileId> =
            unread.filter(|file| self.base.sources.file(*file).path().starts_with(folder)).collect();
        unread.into_iter().filter_map(|file| self.files.now.get(&file).copied().map(Where::File)).collect()
    }

    fn touches_at(&self, at: &Where) -> bool {
        match at {
            // A record that was not read is not in the table: its file decides.
            Where::Place(place) => {
                self.touches(place) || (place.record.is_none() && self.files.changed.contains(&place.file))
            }
            other => self.files.changed.contains(&other.file()),
        }
    }

    /// Marks whether the change is involved in a finding, and makes the place that the change touches the
    /// primary one: of two equal addresses, the new one is the offence.
    pub(crate) fn attribute(&self, finding: &mut Finding) {
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
struct DifferingFiles {
    /// Files of the head that are new, altered or removed.
    changed: HashSet<FileId>,
    /// Files of the base that are altered or removed, with the same file in the head.
    now: HashMap<FileId, FileId>,
}

impl DifferingFiles {
    fn compare(base: &Repo, head: &mut Sources) -> Self {
        let Repo { sources: base, shared, .. } = base;
        let before: HashMap<&str, FileId> = base.iter().map(|(id, file)| (file.path(), id)).collect();
        let mut files = Self { changed: HashSet::new(), now: HashMap::new() };
        let mut kept = HashSet::new();
        for (id, file) in head.iter().filter(|(id, _)| !shared.contains(id)) {
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
    (record.file, record.index())
}

/// The positions in `head` of records that `base` lacks, and the records of `base` that `head` lacks. A
/// record counts as often as it occurs; files that are the same in both are skipped.
fn compare<'a, T: Eq + Hash>(
    base: &'a [Record<T>],
    head: &[Record<T>],
    files: &DifferingFiles,
) -> (Vec<usize>, Vec<&'a Record<T>>) {
    // Most records of a file that differs are the same, and in the same order: they are not looked up.
    let mut differing: HashMap<FileId, Range<usize>> = HashMap::new();
    let mut start = 0;
    for records in by_file(head) {
        if files.changed.contains(&records[0].file) {
            differing.insert(records[0].file, start..start + records.len());
        }
        start += records.len();
    }
    let mut candidates: Vec<&'a Record<T>> = Vec::new();
    for records in by_file(base) {
        let Some(now) = files.now.get(&records[0].file) else { continue };
        let range = differing.get_mut(now);
        let now = range.as_ref().and_then(|range| head.get(range.start..range.end)).unwrap_or_default();
        let alike = |(a, b): &(&Record<T>, &Record<T>)| a.value == b.value;
        let first = records.iter().zip(now).take_while(alike).count();
        let last = records[first..].iter().rev().zip(now[first..].iter().rev()).take_while(alike).count();
        candidates.extend(&records[first..records.len() - last]);
        if let Some(range) = range {
            *range = range.start + first..range.end - last;
        }
    }
    let mut before: HashMap<&T, usize> = HashMap::new();
    for record in &candidates {
        *before.entry(&record.value).or_default() += 1;
    }
    let mut numbers: Vec<usize> = differing.into_values().flatten().collect();
    numbers.sort_unstable();
    numbers.retain(|number| match before.get_mut(&head[*number].value) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    candidates.retain(|record| match before.get_mut(&record.value) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    (numbers, candidates)
}

/// The records of each file: they stand together.
fn by_file<T>(records: &[Record<T>]) -> impl Iterator<Item = &[Record<T>]> {
    records.chunk_by(|a, b| a.file == b.file)
}
