//! Files → typed records and findings.
//!
//! A record that cannot be read is skipped and reported; the rules check the others.

mod file;
mod put_back;
mod role;
pub(crate) mod settings;

pub use role::data_kind;
pub(crate) use role::stem;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use rayon::prelude::*;

use crate::finding::{Finding, Place, Where};
use crate::model::{Domain, Plan, Settings, Subscriber};
use crate::source::{FileId, Sources};
use crate::text::count::counted;
use crate::tree::{EntryKind, Tree, TreeEntry};
use file::{FileRead, Records, read_entry};
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
    /// Position in a list file; `None` if the file is one record.
    pub(crate) index: Option<u32>,
}

impl<T> Record<T> {
    pub(crate) fn place(&self) -> Place {
        Place::record(self.file, self.index)
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
    /// If this is the base of other data: the files of subscribers that are the same there, by their ids
    /// there. They are not read again, and `subscribers` lacks theirs.
    pub(crate) shared: HashSet<FileId>,
}

impl Repo {
    /// Reads everything in `tree`, on all cores.
    ///
    /// # Errors
    /// If a file could not be read at all. Errors in the data are in `findings`.
    pub fn load(tree: &Tree) -> Result<Repo> {
        let mut repo = Repo::default();
        repo.read(tree, &tree.list()?)?;
        Ok(repo)
    }

    /// Reads `tree` as the base of a change that `head` is the result of, but for the subscribers in files
    /// that are the same in both: see [`Repo::shared`].
    ///
    /// # Errors
    /// As [`Repo::load`].
    pub fn load_base(tree: &Tree, head: &Repo) -> Result<Repo> {
        let mut entries = tree.list()?;
        // Those in which a subscriber was read: the content of a link, say, is no file's.
        let mut files: Vec<FileId> = head.subscribers.iter().map(|record| record.file).collect();
        files.dedup();
        let content = |id: FileId| {
            let file = head.sources.file(id);
            Some((file.path(), (id, file.blob()?)))
        };
        let known: HashMap<&str, (FileId, git2::Oid)> = files.into_par_iter().filter_map(content).collect();
        let mut repo = Repo::default();
        entries.retain(|entry| match known.get(entry.path.as_str()) {
            Some((file, blob)) if entry.kind == EntryKind::File && entry.blob == Some(*blob) => {
                repo.shared.insert(*file);
                false
            }
            _ => true,
        });
        repo.read(tree, &entries)?;
        Ok(repo)
    }

    fn read(&mut self, tree: &Tree, entries: &[TreeEntry]) -> Result<()> {
        let prefix = tree.prefix();
        let wanted: Vec<&TreeEntry> =
            entries.iter().filter(|entry| entry.kind != EntryKind::Folder || is_yaml_name(&entry.path)).collect();
        let total = AtomicUsize::new(0);
        // In batches, so that the records of single files are moved and freed before the next are read:
        // otherwise a million records would be in memory twice.
        for batch in wanted.chunks((wanted.len() / 16).clamp(16, 4096)) {
            let none = || Batch { room: MAX_READING_FINDINGS.saturating_sub(self.findings.len()), ..Batch::default() };
            let read = batch.par_iter().map_init(
                || tree.reader(),
                |reader, entry| {
                    let reader = reader.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
                    let mut read = read_entry(entry, reader, &prefix)?;
                    read.source = read.source.map(|source| source.with_blob(entry.blob));
                    let bytes = read.source.as_ref().map_or(0, |source| source.text().len());
                    if total.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_TOTAL_BYTES {
                        bail!("the data is larger than the {} MiB that are read in all", MAX_TOTAL_BYTES >> 20);
                    }
                    Ok(read)
                },
            );
            let read = read.try_fold(none, |batch, file| Ok::<_, anyhow::Error>(batch.with(file?)));
            let read = read.try_reduce(none, |batch, next| Ok(next.files.into_iter().fold(batch, Batch::with)))?;
            read.files.into_iter().for_each(|file| self.add(file));
        }
        self.report_left_out();
        Ok(())
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
        let FileRead { source, records, findings, left_out, unread, in_domains } = read;
        let Some(source) = source else { return };
        let file = self.sources.add(source);
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
            Records::Plans(records) => self.plans.extend(placed(records, file)),
            Records::Domains(records) => self.domains.extend(placed(records, file)),
            Records::Subscribers(records) => self.subscribers.extend(placed(records, file)),
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

fn placed<T>(records: Vec<(Option<u32>, T)>, file: FileId) -> impl Iterator<Item = Record<T>> {
    records.into_iter().map(move |(index, value)| Record { value, file, index })
}

fn with_file(at: &Where, file: FileId) -> Where {
    match at {
        Where::File(_) => Where::File(file),
        Where::Span(_, span) => Where::Span(file, *span),
        Where::Place(place) => Where::Place(Place { file, ..place.clone() }),
    }
}
