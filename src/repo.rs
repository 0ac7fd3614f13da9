//! Files → typed records and findings.
//!
//! A record that cannot be read is skipped and reported; the rules check the others.

mod file;
mod list;
mod put_back;
mod role;
pub(crate) mod settings;

pub use role::data_kind;
pub(crate) use role::stem;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use foldhash::fast::RandomState;
use rayon::prelude::*;

use crate::finding::{Finding, Place, Where};
use crate::model::{Domain, Plan, Settings, Subscriber};
use crate::source::{FileId, Sources};
use crate::text::count::counted;
use crate::tree::{EntryKind, Reader, Tree, TreeEntry};
use file::{FileRead, Records, read_entry};
use list::KnownList;
use role::is_yaml_name;

/// The rule for files that differ from the commit.
pub const ALTERED_BY_GIT: &str = "git-attributes";

/// How many findings about single records of one file are listed; the rest is only counted.
pub const MAX_FINDINGS_A_FILE: usize = 1000;

/// How many findings are listed of all files: a small repository may check out the same broken file a
/// thousand times.
const MAX_READING_FINDINGS: usize = 20_000;

/// How many bytes of text are read in all, enough for ten million subscribers. In git, one large file
/// under a thousand names takes the space of one.
pub(crate) const MAX_TOTAL_BYTES: usize = 1 << 30;

/// A record and its place.
#[derive(Clone, Debug)]
pub struct Record<T> {
    /// The content.
    pub value: T,
    pub(crate) file: FileId,
    /// Position in a list file, from 1, in four bytes: there may be a million records.
    number: Option<NonZeroU32>,
}

impl<T> Record<T> {
    /// A record of `file`, at `index` if that is a list.
    pub(crate) fn new(value: T, file: FileId, index: Option<u32>) -> Self {
        Self { value, file, number: index.and_then(|index| NonZeroU32::new(index + 1)) }
    }

    /// Position in a list file, from 0; `None` if the file is one record.
    pub(crate) fn index(&self) -> Option<u32> {
        self.number.map(|number| number.get() - 1)
    }

    pub(crate) fn place(&self) -> Place {
        Place::record(self.file, self.index())
    }

    /// The place of a field.
    pub(crate) fn at(&self, field: &str) -> Where {
        Where::Place(self.place().field(field))
    }
}

/// Names of one kind that exist but could not be read: references to them are not errors.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnreadNames {
    names: BTreeSet<String>,
    /// A whole list could not be read: it may have had any name.
    any: bool,
}

impl UnreadNames {
    /// Whether anything could not be read.
    pub(crate) fn any(&self) -> bool {
        self.any || !self.names.is_empty()
    }

    /// Whether `name` may be one of them.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.any || self.names.contains(name)
    }
}

/// A data repository, read.
#[derive(Clone, Debug, Default)]
pub struct Repo {
    /// The texts of all files.
    pub sources: Sources,
    /// The settings, or the defaults.
    pub settings: Settings,
    /// The settings' file, if there is one.
    pub(crate) settings_file: Option<FileId>,
    /// In path order.
    pub plans: Vec<Record<Plan>>,
    /// In path order.
    pub domains: Vec<Record<Domain>>,
    /// In path order.
    pub subscribers: Vec<Record<Subscriber>>,
    /// The repository's own templates: path and text.
    pub(crate) templates: BTreeMap<String, FileId>,
    /// How many of the texts configure git and have no data.
    pub(crate) git_files: usize,
    /// Plans that exist but could not be read.
    pub(crate) unread_plans: UnreadNames,
    /// Domains that exist but could not be read.
    pub(crate) unread_domains: UnreadNames,
    /// The first errors of reading.
    pub findings: Vec<Finding>,
    findings_left_out: usize,
    /// The files that are lists of flat records, with the number of nodes of each.
    flat_nodes: HashMap<FileId, usize>,
    /// If this is the base of other data: the files of subscribers that are the same there, by their ids
    /// there. They are not read again, and `subscribers` lacks theirs.
    pub(crate) shared: HashSet<FileId, RandomState>,
}

impl Repo {
    /// Reads everything in `tree`, on all cores.
    ///
    /// # Errors
    /// If a file could not be read at all. Errors in the data are in `findings`.
    pub fn load(tree: &Tree) -> Result<Repo> {
        Repo::default().read(tree, &tree.list()?, None, &HashMap::new())
    }

    /// Reads `tree` as the base of a change that `head` is the result of, but for the subscribers in files
    /// that are the same in both: see [`Repo::shared`].
    ///
    /// # Errors
    /// As [`Repo::load`].
    pub fn load_base(tree: &Tree, head: &Repo) -> Result<Repo> {
        let mut entries = tree.list()?;
        let same = head.same_files(&entries);
        entries.retain(|entry| !same.contains_key(entry.path.as_str()));
        let base = Repo { shared: same.into_values().collect(), ..Repo::default() };
        base.read(tree, &entries, Some(head), &HashMap::new())
    }

    /// Reads everything in `tree`, an earlier state of `head`. Subscribers in files that are the same in both
    /// are copied, and not read again.
    ///
    /// # Errors
    /// As [`Repo::load`].
    pub(crate) fn load_earlier(tree: &Tree, head: &Repo) -> Result<Repo> {
        let entries = tree.list()?;
        Repo::default().read(tree, &entries, Some(head), &head.same_files(&entries))
    }

    /// The files of subscribers that `entries`, of another tree, have with the same content, by path.
    fn same_files(&self, entries: &[TreeEntry]) -> HashMap<&str, FileId> {
        let blobs: HashMap<&str, git2::Oid> = entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::File)
            .filter_map(|entry| Some((entry.path.as_str(), entry.blob?)))
            .collect();
        let found: HashSet<FileId> = self.findings.iter().map(|finding| finding.primary.at.file()).collect();
        // Those in which a subscriber was read: the content of a link, say, is no file's.
        let mut files: Vec<FileId> = self.subscribers.iter().map(|record| record.file).collect();
        files.dedup();
        let is_same = |id: &FileId| {
            let file = self.sources.file(*id);
            !found.contains(id) && blobs.get(file.path()).is_some_and(|blob| file.blob() == Some(*blob))
        };
        let same: Vec<FileId> = files.into_par_iter().filter(is_same).collect();
        same.into_iter().map(|id| (self.sources.file(id).path(), id)).collect()
    }

    /// What reading a file of subscribers gave.
    fn read_again(&self, file: FileId) -> FileRead {
        let records = self.records_of(file).to_vec();
        let source = Some(self.sources.shared(file));
        FileRead { source, records: Records::Subscribers(records), ..FileRead::default() }
    }

    /// Its subscribers' lists of flat records, by path.
    fn known_lists(&self) -> HashMap<&str, KnownList<'_>> {
        let lists = self.flat_nodes.iter().map(|(file, nodes)| {
            let file_text = self.sources.file(*file);
            (file_text.path(), KnownList { text: file_text.text(), records: self.records_of(*file), nodes: *nodes })
        });
        lists.collect()
    }

    fn records_of(&self, file: FileId) -> &[Record<Subscriber>] {
        let start = self.subscribers.partition_point(|record| record.file < file);
        let end = self.subscribers.partition_point(|record| record.file <= file);
        &self.subscribers[start..end]
    }

    /// Adds the files of `entries`. Of the files of `head`, a later state, those in `same` are not read again,
    /// and of the others only what differs.
    fn read(
        mut self,
        tree: &Tree,
        entries: &[TreeEntry],
        head: Option<&Repo>,
        same: &HashMap<&str, FileId>,
    ) -> Result<Repo> {
        let lists = head.map(Repo::known_lists).unwrap_or_default();
        let known = |entry: &TreeEntry| Some(head?.read_again(*same.get(entry.path.as_str())?));
        let prefix = tree.prefix();
        let wanted: Vec<&TreeEntry> =
            entries.iter().filter(|entry| entry.kind != EntryKind::Folder || is_yaml_name(&entry.path)).collect();
        let total = AtomicUsize::new(0);
        let one = |reader: &Result<Reader<'_>>, entry: &TreeEntry| {
            let reader = reader.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
            let read = match known(entry) {
                Some(read) => read,
                None => read_entry(entry, reader, &prefix, lists.get(entry.path.as_str()))?,
            };
            let bytes = read.source.as_ref().map_or(0, |source| source.text().len());
            if total.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_TOTAL_BYTES {
                bail!("the data is larger than the {} MiB that are read in all", MAX_TOTAL_BYTES >> 20);
            }
            Ok(read)
        };
        // In batches, so that the records of single files are moved and freed early: otherwise a million
        // would be in memory twice. While one batch is added, the next is read.
        let mut last = Batch { room: MAX_READING_FINDINGS, ..Batch::default() };
        for batch in wanted.chunks((wanted.len() / 16).clamp(4, 4096)) {
            let none = || Batch { room: last.room, ..Batch::default() };
            let read = batch.par_iter().map_init(|| tree.reader(), |reader, entry| one(reader, entry));
            let read = read.try_fold(none, |batch, file| Ok::<_, anyhow::Error>(batch.with(file?)));
            let read = || read.try_reduce(none, |batch, next| Ok(next.files.into_iter().fold(batch, Batch::with)));
            let files = std::mem::take(&mut last.files);
            let ((), read) = rayon::join(|| files.into_iter().for_each(|file| self.add(file)), read);
            last = read?;
        }
        last.files.into_iter().for_each(|file| self.add(file));
        self.report_left_out();
        Ok(self)
    }

    fn report_left_out(&mut self) {
        if let Some(last) = self.findings.last().filter(|_| self.findings_left_out > 0) {
            let at = Where::File(last.primary.at.file());
            let more = counted(self.findings_left_out, "more finding of reading is", "more findings of reading are");
            let message = format!("{more} not listed");
            self.findings.push(Finding::new("schema", at, message).help("fix the listed ones, then check again"));
        }
    }

    fn add(&mut self, read: FileRead) {
        let FileRead { source, records, findings, left_out, unread, in_domains, flat_nodes } = read;
        let Some(source) = source else { return };
        let file = self.sources.add(source);
        self.flat_nodes.extend(flat_nodes.map(|nodes| (file, nodes)));
        let place_file = |finding: &mut Finding| {
            for label in std::iter::once(&mut finding.primary).chain(&mut finding.related) {
                label.at = with_file(&label.at, file);
            }
        };
        self.findings_left_out += left_out;
        self.findings.extend(findings.into_iter().map(|mut finding| {
            place_file(&mut finding);
            finding
        }));
        let into = if in_domains { &mut self.unread_domains } else { &mut self.unread_plans };
        into.names.extend(unread.names);
        into.any |= unread.any;
        match records {
            Records::None => {}
            Records::Git => self.git_files += 1,
            Records::Plans(records) => add_placed(&mut self.plans, records, file),
            Records::Domains(records) => add_placed(&mut self.domains, records, file),
            Records::Subscribers(records) => add_placed(&mut self.subscribers, records, file),
            Records::Settings(settings) => {
                self.settings_file = Some(file);
                self.settings = settings.map(|settings| *settings).unwrap_or_default();
            }
            Records::Template => {
                let path = self.sources.file(file).path().to_owned();
                self.templates.insert(path, file);
            }
        }
    }
}

/// Files that were read, with no more findings than are listed in the end: thousands of files are read
/// at once, each perhaps with a thousand findings.
#[derive(Default)]
struct Batch {
    files: Vec<FileRead>,
    /// How many more findings are kept.
    room: usize,
}

impl Batch {
    fn with(mut self, mut file: FileRead) -> Self {
        file.left_out += file.findings.len().saturating_sub(self.room);
        file.findings.truncate(self.room);
        file.findings.shrink_to_fit();
        self.room -= file.findings.len();
        self.files.push(file);
        self
    }
}

fn add_placed<T>(all: &mut Vec<Record<T>>, mut records: Vec<Record<T>>, file: FileId) {
    records.iter_mut().for_each(|record| record.file = file);
    all.append(&mut records);
}

fn with_file(at: &Where, file: FileId) -> Where {
    match at {
        Where::File(_) => Where::File(file),
        Where::Span(_, span) => Where::Span(file, *span),
        Where::Place(place) => Where::Place(Place { file, ..place.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be a million, and the machine clears each page before a program may write to it.
    #[test]
    fn a_subscriber_takes_little_memory() {
        assert!(size_of::<Record<Subscriber>>() <= 112, "{} bytes", size_of::<Record<Subscriber>>());
    }
}
