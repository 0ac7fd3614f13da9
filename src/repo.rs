//! Files → typed records, with everything that was wrong on the way.
//!
//! A record that cannot be read is left out and reported; the rules then look at the intact ones.

mod file;
mod put_back;
mod role;
pub mod settings;

pub use role::{data_kind, stem};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use rayon::prelude::*;

use crate::finding::{Finding, Place, Where};
use crate::model::{Domain, Plan, Settings, Subscriber};
use crate::source::{FileId, Sources};
use crate::tree::{Entry, EntryKind, Tree};
use file::{FileRead, Records, Validators, read_entry};
use role::is_yaml_name;

/// The rule for files that git does not check out as they are committed.
pub const ALTERED_BY_GIT: &str = "git-attributes";

/// How many findings about single records one file gives before the rest is only counted.
pub const MAX_FINDINGS_A_FILE: usize = 1000;

/// How many findings reading gives in all: nobody reads more, and a small repository may check out
/// the same broken file a thousand times.
const MAX_READING_FINDINGS: usize = 20_000;

/// How many bytes of text are read in all: some ten million subscribers. In git, one large file under a
/// thousand names takes the room of one.
pub const MAX_TOTAL_BYTES: usize = 1 << 30;

/// A record and where it is.
#[derive(Clone, Debug)]
pub struct Record<T> {
    /// The record.
    pub value: T,
    /// Its file.
    pub file: FileId,
    /// Which entry of a list file; `None` where the file is one record.
    pub index: Option<u32>,
}

impl<T> Record<T> {
    /// The record's place.
    pub fn place(&self) -> Place {
        Place::record(self.file, self.index)
    }

    /// A field's place, ready for a label.
    pub fn at(&self, field: &str) -> Where {
        Where::Place(self.place().field(field))
    }
}

/// Names of one kind that exist but could not be read: nothing that refers to them is at fault.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    names: BTreeSet<String>,
    /// A whole list could not be read: any name might have been in it.
    any: bool,
}

impl Unread {
    /// Whether anything could not be read.
    pub fn any(&self) -> bool {
        self.any || !self.names.is_empty()
    }

    /// Whether `name` may be one that could not be read.
    pub fn may_hold(&self, name: &str) -> bool {
        self.any || self.names.contains(name)
    }
}

/// A data repository, read.
#[derive(Clone, Debug, Default)]
pub struct Repo {
    /// All texts.
    pub sources: Sources,
    /// The settings, or the defaults.
    pub settings: Settings,
    /// The settings' file, if there is one.
    pub settings_file: Option<FileId>,
    /// What can be sold, in path order.
    pub plans: Vec<Record<Plan>>,
    /// The tier-2 customers, in path order.
    pub domains: Vec<Record<Domain>>,
    /// Who has what, in path order.
    pub subscribers: Vec<Record<Subscriber>>,
    /// The repository's own templates: path and text.
    pub templates: BTreeMap<String, FileId>,
    /// How many of the texts steer git and hold no data.
    pub git_files: usize,
    /// Plans that exist but could not be read.
    pub unread_plans: Unread,
    /// Domains that exist but could not be read.
    pub unread_domains: Unread,
    /// What was wrong while reading: the first of it.
    pub findings: Vec<Finding>,
    findings_left_out: usize,
}

impl Repo {
    /// Reads everything in `tree`, on all cores.
    ///
    /// # Errors
    /// If something could not be read at all. What is wrong in the data is in `findings`.
    pub fn load(tree: &Tree) -> Result<Repo> {
        let entries = tree.list()?;
        let validators = Validators::new()?;
        let prefix = tree.prefix();
        let wanted: Vec<&Entry> =
            entries.iter().filter(|entry| entry.kind != EntryKind::Folder || is_yaml_name(&entry.path)).collect();
        let mut repo = Repo::default();
        let total = AtomicUsize::new(0);
        // In batches, so that what single files gave is moved and freed before the next are read:
        // otherwise a million records would be in memory twice.
        for batch in wanted.chunks((wanted.len() / 16).clamp(16, 4096)) {
            let none = || Batch { room: MAX_READING_FINDINGS.saturating_sub(repo.findings.len()), ..Batch::default() };
            let read = batch.par_iter().map_init(
                || tree.reader(),
                |reader, entry| {
                    let reader = reader.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
                    let read = read_entry(entry, reader, &validators, &prefix)?;
                    let bytes = read.source.as_ref().map_or(0, |source| source.text().len());
                    if total.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_TOTAL_BYTES {
                        bail!("the data is larger than the {} MiB that are read in all", MAX_TOTAL_BYTES >> 20);
                    }
                    Ok(read)
                },
            );
            let read = read.try_fold(none, |batch, file| Ok::<_, anyhow::Error>(batch.with(file?)));
            let read = read.try_reduce(none, |batch, next| Ok(next.files.into_iter().fold(batch, Batch::with)))?;
            read.files.into_iter().for_each(|file| repo.add(file));
        }
        repo.tell_left_out();
        Ok(repo)
    }

    fn tell_left_out(&mut self) {
        if let Some(last) = self.findings.last().filter(|_| self.findings_left_out > 0) {
            let at = Where::File(last.primary.at.file());
            let message = format!("{} more findings of reading are not listed", self.findings_left_out);
            self.findings
                .push(Finding::new("schema", at, message).help("mend those that are listed, then check again"));
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

/// Files that were read one after the other, with no more findings than are listed in the end:
/// thousands of files are read at once, each perhaps with a thousand findings.
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
