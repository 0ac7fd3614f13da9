//! Data with some domains restored from an earlier commit.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Record, Repo, UnreadNames};
use crate::source::{FileId, Sources};

impl Repo {
    /// Restores the records of `domains`, and their subscribers, from `last`, and drops the findings in the
    /// files `covered`. The files of the restored records are added after all others, so that every
    /// [`FileId`] keeps its meaning.
    pub(crate) fn put_back(&mut self, last: &Repo, domains: &BTreeSet<String>, covered: &HashSet<FileId>) {
        let mut files = AddedFiles { from: &last.sources, into: &mut self.sources, known: HashMap::new() };
        let of_domain = |name: &str| domains.contains(name);
        self.subscribers.retain(|record| !of_domain(record.value.domain.as_str()));
        self.domains.retain(|record| !of_domain(record.value.name.as_str()));
        let subscribers = last.subscribers.iter().filter(|record| of_domain(record.value.domain.as_str()));
        self.subscribers.extend(subscribers.map(|record| files.moved(record)));
        let records = last.domains.iter().filter(|record| of_domain(record.value.name.as_str()));
        self.domains.extend(records.map(|record| files.moved(record)));
        // Their records are not those of their texts any more.
        self.flat_nodes.clear();
        self.findings.retain(|finding| !covered.contains(&finding.primary.at.file()));
        let in_domains = |file: FileId| self.sources.file(file).path().starts_with("domains/");
        if !self.findings.iter().any(|finding| in_domains(finding.primary.at.file())) {
            self.unread_domains = UnreadNames::default();
        }
    }

    /// Whether every file with unreadable data is named by a finding.
    pub(crate) fn names_all_unread(&self) -> bool {
        self.findings_left_out == 0
    }
}

/// Files of one repository, added to another as they are needed.
struct AddedFiles<'f> {
    from: &'f Sources,
    into: &'f mut Sources,
    known: HashMap<FileId, FileId>,
}

impl AddedFiles<'_> {
    fn moved<T: Clone>(&mut self, record: &Record<T>) -> Record<T> {
        let add = || self.into.add(self.from.file(record.file).clone());
        let file = *self.known.entry(record.file).or_insert_with(add);
        Record { file, ..record.clone() }
    }
}
