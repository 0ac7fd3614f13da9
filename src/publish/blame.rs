//! Which domain is at fault where data has errors: the one whose records are new.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::finding::{Finding, PathStep, Where};
use crate::model::{Address, Domain, Subscriber};
use crate::repo::{Repo, stem};
use crate::source::FileId;

/// A record's file, and its place in a list.
type At = (FileId, Option<u32>);

/// What is compared: data with errors, and the sound data before it.
pub(super) struct Blame<'r> {
    /// The records that the errors are about.
    owners: HashMap<At, Owner<'r>>,
    /// Domains that differ in any way from the sound data.
    changed: HashSet<&'r str>,
    /// Addresses and ids that the sound data has, each with its domain.
    addresses: HashSet<(&'r str, &'r Address)>,
    prefixes: HashSet<(&'r str, &'r Address)>,
    ids: HashSet<(&'r str, &'r str)>,
    /// Files of which something could not be read, with the domains whose records may be in them.
    files: HashMap<FileId, BTreeSet<String>>,
}

/// A record that an error is about.
struct Owner<'r> {
    domain: &'r str,
    /// The sound data does not have it.
    new: bool,
    record: Either<'r>,
}

enum Either<'r> {
    Subscriber(&'r Subscriber),
    Domain(&'r Domain),
}

impl<'r> Blame<'r> {
    /// Compares `repo`, which has `errors`, with `last`, which has none.
    pub(super) fn new(repo: &'r Repo, last: &'r Repo, errors: &[Finding]) -> Blame<'r> {
        let labels = errors.iter().flat_map(Finding::labels);
        let wanted: HashSet<At> = labels.filter_map(|label| place(&label.at)).collect();
        let mut owners = HashMap::new();
        let mut changed = HashSet::new();
        let before: HashSet<&Subscriber> = last.subscribers.iter().map(|record| &record.value).collect();
        for record in &repo.subscribers {
            let (subscriber, domain) = (&record.value, record.value.domain.as_str());
            let new = !before.contains(subscriber);
            changed.extend(new.then_some(domain));
            if wanted.contains(&(record.file, record.index())) {
                let owner = Owner { domain, new, record: Either::Subscriber(subscriber) };
                owners.insert((record.file, record.index()), owner);
            }
        }
        let before: HashSet<&Domain> = last.domains.iter().map(|record| &record.value).collect();
        for record in &repo.domains {
            let (domain, new) = (record.value.name.as_str(), !before.contains(&record.value));
            changed.extend(new.then_some(domain));
            if wanted.contains(&(record.file, record.index())) {
                owners.insert(
                    (record.file, record.index()),
                    Owner { domain, new, record: Either::Domain(&record.value) },
                );
            }
        }
        changed.extend(gone(repo, last));
        let of_last = || last.subscribers.iter().map(|record| (record.value.domain.as_str(), &record.value));
        let prefixes = last.domains.iter().map(|record| &record.value);
        Blame {
            owners,
            changed,
            addresses: of_last().flat_map(|(name, one)| one.ip.as_slice().iter().map(move |ip| (name, ip))).collect(),
            prefixes: prefixes.flat_map(|one| one.prefixes.iter().map(|ip| (one.name.as_str(), ip))).collect(),
            ids: of_last().filter_map(|(name, one)| Some((name, one.id.as_ref()?.as_str()))).collect(),
            files: of_files(repo, last),
        }
    }

    /// The domains at fault for an error; none if that is unknown, or the fault is in what is
    /// common to all.
    pub(super) fn domains(&self, error: &Finding) -> BTreeSet<String> {
        let labels = error.labels();
        let owners: Vec<(&Owner<'_>, &Where)> =
            labels.filter_map(|label| Some((self.owners.get(&place(&label.at)?)?, &label.at))).collect();
        let named = |is: &dyn Fn(&Owner<'_>, &Where) -> bool| -> BTreeSet<String> {
            owners.iter().filter(|(owner, at)| is(owner, at)).map(|(owner, _)| owner.domain.to_owned()).collect()
        };
        if owners.is_empty() {
            let of_file = error.labels().find_map(|label| self.files.get(&label.at.file()));
            return of_file.cloned().unwrap_or_default();
        }
        // Of two that cannot both be, the one that came later.
        let takes = named(&|owner, at| self.takes(owner, at));
        let new = named(&|owner, _| owner.new);
        match (takes.is_empty(), new.is_empty()) {
            (false, _) => takes,
            (true, false) => new,
            (true, true) => named(&|owner, _| self.changed.contains(owner.domain)),
        }
    }

    /// Files of which something could not be read, and that hold nothing but records of `domains`.
    pub(super) fn covered(&self, domains: &BTreeSet<String>) -> HashSet<FileId> {
        let within = |of_file: &BTreeSet<String>| !of_file.is_empty() && of_file.is_subset(domains);
        self.files.iter().filter(|(_, of_file)| within(of_file)).map(|(file, _)| *file).collect()
    }

    /// Whether what the error points at is new in the record: a new name for a subscriber takes no
    /// address.
    fn takes(&self, owner: &Owner<'_>, at: &Where) -> bool {
        let Where::Place(place) = at else { return owner.new };
        let (field, number) = match place.path.as_slice() {
            [PathStep::Field(field)] => (field.as_str(), 0),
            [PathStep::Field(field), PathStep::Index(number)] => (field.as_str(), *number),
            _ => return owner.new,
        };
        let is_new = |known: &HashSet<(&str, &Address)>, address: Option<&Address>| {
            address.is_some_and(|address| !known.contains(&(owner.domain, address)))
        };
        match (&owner.record, field) {
            (Either::Subscriber(one), "ip") => is_new(&self.addresses, one.ip.as_slice().get(number)),
            (Either::Subscriber(one), "id") => {
                one.id.as_ref().is_some_and(|id| !self.ids.contains(&(owner.domain, id.as_str())))
            }
            (Either::Domain(one), "prefixes") => is_new(&self.prefixes, one.prefixes.get(number)),
            _ => owner.new,
        }
    }
}

fn place(at: &Where) -> Option<At> {
    match at {
        Where::Place(place) => Some((place.file, place.record)),
        _ => None,
    }
}

/// The domains that `last` has a record of which `repo` lacks.
fn gone<'r>(repo: &'r Repo, last: &'r Repo) -> impl Iterator<Item = &'r str> {
    let subscribers: HashSet<&Subscriber> = repo.subscribers.iter().map(|record| &record.value).collect();
    let domains: HashSet<&Domain> = repo.domains.iter().map(|record| &record.value).collect();
    let gone = last.subscribers.iter().filter(move |record| !subscribers.contains(&record.value));
    let gone_domains = last.domains.iter().filter(move |record| !domains.contains(&record.value));
    gone.map(|record| record.value.domain.as_str()).chain(gone_domains.map(|record| record.value.name.as_str()))
}

/// The files below `subscribers/` and `domains/` of which something could not be read, each with the
/// domains whose records it held in `last`, or holds, and those that its path names.
fn of_files(repo: &Repo, last: &Repo) -> HashMap<FileId, BTreeSet<String>> {
    let path = |file: FileId| repo.sources.file(file).path();
    let of_domains = |path: &str| path.starts_with("subscribers/") || path.starts_with("domains/");
    let unread = repo.findings.iter().map(|finding| finding.primary.at.file()).filter(|file| of_domains(path(*file)));
    let unread: HashMap<&str, FileId> = unread.map(|file| (path(file), file)).collect();
    let mut domains: HashMap<FileId, BTreeSet<String>> = HashMap::new();
    for data in [last, repo] {
        // A folder may have become something else: then it is what is below it that cannot be read.
        let files = data
            .sources
            .iter()
            .filter_map(|(id, file)| Some((id, *around(file.path()).find_map(|path| unread.get(path))?)));
        let files: HashMap<FileId, FileId> = files.collect();
        let mut note = |file: FileId, domain: &str| {
            if let Some(unread) = files.get(&file) {
                domains.entry(*unread).or_default().insert(domain.to_owned());
            }
        };
        data.subscribers.iter().for_each(|record| note(record.file, record.value.domain.as_str()));
        data.domains.iter().for_each(|record| note(record.file, record.value.name.as_str()));
    }
    let known: HashSet<&str> =
        repo.domains.iter().chain(&last.domains).map(|record| record.value.name.as_str()).collect();
    for (path, file) in unread {
        let of_file = domains.entry(file).or_default();
        match path.strip_prefix("subscribers/") {
            Some(below) => {
                let parts = below.split('/').chain([stem(path)]);
                of_file.extend(parts.filter(|part| known.contains(part)).map(ToOwned::to_owned));
            }
            None if of_file.is_empty() => {
                of_file.insert(stem(path).to_owned());
            }
            None => {}
        }
    }
    domains
}

/// A path, and the folders around it.
fn around(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder))
}
