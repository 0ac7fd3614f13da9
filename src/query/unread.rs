//! Addresses in records that could not be read. They are not free: once the record is fixed, they
//! would be duplicates.

use std::collections::BTreeMap;

use crate::finding::Severity;
use crate::model::Address;
use crate::repo::{Repo, data_kind};
use crate::schema::FileKind;
use crate::source::FileId;
use crate::text::count::counted;
use crate::text::quote::quoted;

/// The addresses in files that could not be read completely.
pub struct UnreadAddresses<'r> {
    files: BTreeMap<FileId, &'r str>,
    /// Every address in their text, with its file.
    addresses: Vec<(Address, FileId)>,
}

impl<'r> UnreadAddresses<'r> {
    /// Searches the subscriber files in which reading found an error.
    pub fn of(repo: &'r Repo) -> UnreadAddresses<'r> {
        let mut unread = UnreadAddresses { files: BTreeMap::new(), addresses: Vec::new() };
        for finding in repo.findings.iter().filter(|finding| finding.severity == Severity::Error) {
            let id = finding.primary.at.file();
            let file = repo.sources.file(id);
            if data_kind(file.path()) != Some(FileKind::Subscriber) || unread.files.insert(id, file.path()).is_some() {
                continue;
            }
            // The text may be no YAML: every word that looks like an address counts.
            let words = file.text().split(|c: char| !(c.is_ascii_hexdigit() || ".:/".contains(c)));
            let found = words.filter_map(|word| word.trim_matches(':').parse::<Address>().ok().map(|it| (it, id)));
            unread.addresses.extend(found);
        }
        unread
    }

    /// The addresses, each as often as it occurs.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> + Clone {
        self.addresses.iter().map(|(address, _)| address)
    }

    /// The file that contains an address or a part of it.
    pub fn holder(&self, address: &Address) -> Option<&'r str> {
        let (first, last) = address.bounds();
        let overlaps = |(other, _): &&(Address, FileId)| {
            let (from, to) = other.bounds();
            other.net().network().is_ipv4() == address.net().network().is_ipv4() && from <= last && first <= to
        };
        let (_, file) = self.addresses.iter().find(overlaps)?;
        self.files.get(file).copied()
    }

    /// A sentence on the files that may contain a subscriber that is not found, if there are any.
    pub fn hint(&self) -> Option<String> {
        let mut paths = self.files.values();
        let first = quoted(paths.next()?);
        let more = paths.count();
        let more = if more > 0 { format!(" and {}", counted(more, "more file", "more files")) } else { String::new() };
        Some(format!(
            "{first}{more} could not be read completely, so subscribers may be missing: see `shapeline check`"
        ))
    }
}
