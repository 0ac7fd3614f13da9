//! Addresses in records that could not be read: nobody may be given them, as whoever mends the record
//! would find the address there twice.

use std::collections::BTreeMap;

use crate::finding::Severity;
use crate::model::Address;
use crate::repo::{Repo, data_kind};
use crate::schema::Kind;
use crate::source::FileId;
use crate::text::quote::quoted;

/// What stands in files of which not all could be read.
pub struct Unread<'r> {
    files: BTreeMap<FileId, &'r str>,
    /// Every address that stands there in any place, with its file.
    addresses: Vec<(Address, FileId)>,
}

impl<'r> Unread<'r> {
    /// Looks through the files of subscribers in which reading found an error.
    pub fn of(repo: &'r Repo) -> Unread<'r> {
        let mut unread = Unread { files: BTreeMap::new(), addresses: Vec::new() };
        for finding in repo.findings.iter().filter(|finding| finding.severity == Severity::Error) {
            let id = finding.primary.at.file();
            let file = repo.sources.file(id);
            if data_kind(file.path()) != Some(Kind::Subscriber) || unread.files.insert(id, file.path()).is_some() {
                continue;
            }
            // Not as YAML, which it may not be: whatever looks like an address counts.
            let words = file.text().split(|c: char| !(c.is_ascii_hexdigit() || ".:/".contains(c)));
            let found = words.filter_map(|word| word.trim_matches(':').parse::<Address>().ok().map(|it| (it, id)));
            unread.addresses.extend(found);
        }
        unread
    }

    /// The addresses, each as often as it stands there.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().map(|(address, _)| address)
    }

    /// The file in which an address or a part of it stands.
    pub fn holder(&self, address: &Address) -> Option<&'r str> {
        let (first, last) = address.bounds();
        let overlaps = |(other, _): &&(Address, FileId)| {
            let (from, to) = other.bounds();
            other.net().network().is_ipv4() == address.net().network().is_ipv4() && from <= last && first <= to
        };
        let (_, file) = self.addresses.iter().find(overlaps)?;
        self.files.get(file).copied()
    }

    /// Where somebody may be whom one does not find: a sentence, if there is any such file.
    pub fn hint(&self) -> Option<String> {
        let mut paths = self.files.values();
        let first = quoted(paths.next()?);
        let more = paths.count();
        let files = if more > 0 { format!("{first} and {more} more files") } else { first };
        Some(format!("not all of {files} could be read, and so not all subscribers: `shapeline check` tells why"))
    }
}
