//! One domain's fault does not stop the others: a domain with errors is frozen as it last was without.
//!
//! From the newest published commit whose data is sound, the published commits after it are gone through
//! one by one. Of each, the domains that are at fault stay as they were in the step before, and all
//! others are taken. What comes out of the last step is checked whole, and is what is published.
//!
//! Only commits that the targets' records name as published count, never others in between: a proposal
//! is checked by its outcome, and may have had anything in the commits that led there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use git2::Oid;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};
use crate::git::Git;
use crate::model::{Date, Faults, Target};
use crate::publish::blame::Blame;
use crate::publish::site::{Site, TargetSession};
use crate::records::frozen::FrozenAt;
use crate::records::log::{LogAction, LogStatus};
use crate::render::Table;
use crate::repo::Repo;
use crate::report::{CheckReport, LocatedFinding};
use crate::rules::sound_table;
use crate::text::count::counted;
use crate::text::quote::harmless;
use crate::text::quote::short_id;

/// How many commits back published ones are looked for, along the first parents.
const SEARCHED: usize = 10_000;

/// How long the search may take.
pub const TIME: Duration = Duration::from_secs(300);

/// How often one commit's data is checked anew with more domains frozen.
const ROUNDS: usize = 20;

/// How many errors of a frozen domain are given as sentences.
const SHOWN: usize = 3;

/// A domain that stays as it was, because later data of it has errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The domain's name.
    pub domain: String,
    /// The commit whose records of the domain are published.
    pub at: String,
    /// The first commit whose records of the domain are not.
    pub since: String,
    /// How many errors the domain's records have.
    pub errors: usize,
    /// The first of them: sentences, each with its place.
    pub reasons: Vec<String>,
}

impl Frozen {
    /// In a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "{} is frozen as of commit {}: since {} its records have {}; correct or revert them to end that: {}",
            harmless(&self.domain, 253),
            short_id(&self.at),
            short_id(&self.since),
            counted(self.errors, "error", "errors"),
            self.reasons.join("; ")
        )
    }
}

/// How many frozen domains the records name for each version and each entry of the log.
const NOTED: usize = 100;

/// Which domains are frozen, in a sentence for the log.
fn summary(frozen: &[Frozen]) -> String {
    const NAMED: usize = 5;
    let domains = counted(frozen.len(), "domain is", "domains are");
    let named: Vec<&str> = frozen.iter().take(NAMED).map(|one| one.domain.as_str()).collect();
    let more = frozen.len().checked_sub(NAMED + 1).map(|more| format!(" and {} more", more + 1)).unwrap_or_default();
    format!("{domains} frozen because of errors: {}{more}", named.join(", "))
}

/// What the log says of a publish besides: that there are frozen domains, and that the bytes were
/// `taken` over.
pub(super) fn reason(frozen: &[Frozen], taken: bool) -> Option<String> {
    let taken = taken.then(|| "the live file had these bytes already, put there outside shapeline".to_owned());
    let frozen = (!frozen.is_empty()).then(|| summary(frozen));
    let all: Vec<String> = taken.into_iter().chain(frozen).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Logs that a part of the data was refused and the rest is live already, once for each commit.
pub(super) fn record(session: &mut TargetSession<'_>, commit: Option<&String>, frozen: &[Frozen]) -> Result<()> {
    if frozen.is_empty() {
        return Ok(());
    }
    let mut entry = session.entry(LogAction::Publish, "data".to_owned());
    (entry.frozen, entry.commit) = (noted(frozen), commit.cloned());
    entry.status = LogStatus::Error;
    entry.reason = Some(format!("refused in part: {}", summary(frozen)));
    // A publish with the same frozen domains names them already, whatever its status.
    let key = |entry: &crate::records::log::LogEntry| {
        (entry.action == LogAction::Publish).then(|| (entry.frozen.clone(), entry.commit.clone()))
    };
    session.record_once(entry, key).map(drop)
}

/// The first of the frozen domains, for the records.
pub(super) fn noted(frozen: &[Frozen]) -> Vec<FrozenAt> {
    let note = |one: &Frozen| FrozenAt { domain: one.domain.clone(), at: one.at.clone() };
    frozen.iter().take(NOTED).map(note).collect()
}

/// The first errors of a report, each with its place.
pub fn sentences(report: &CheckReport<'_>, most: usize) -> Vec<String> {
    let entries = report.entries();
    let errors = entries.iter().filter(|entry| entry.finding.severity == Severity::Error).take(most);
    let sentence = |entry: &LocatedFinding<'_>| {
        let at = &entry.primary;
        let path = harmless(at.path(), 200);
        let place = match at.whole_file {
            true => path,
            false => format!("{path}:{}:{}", at.start.line, at.start.column),
        };
        format!("{place}: {}", entry.finding.message)
    };
    errors.map(sentence).collect()
}

/// What came of data with errors.
pub enum FreezeOutcome {
    /// Sound data, with these domains as they were.
    Frozen(Arc<Table>, Vec<Frozen>),
    /// The errors are not some domains' alone: the data is refused, and why. A sentence.
    Refused(Arc<Repo>, String),
}

/// The data of `commit`, which has `errors`, with the domains that are at fault as they were.
///
/// # Errors
/// If an earlier commit cannot be read.
pub fn freeze(git: &Git, commit: Oid, repo: Arc<Repo>, errors: &[Finding], today: Date) -> Result<FreezeOutcome> {
    if repo.settings.faults == Faults::Refuse {
        return Ok(FreezeOutcome::Refused(repo, "the settings have `faults: refuse`".to_owned()));
    }
    let began = Instant::now();
    let late = || (began.elapsed() > TIME).then(|| format!("no sound data was found within {} s", TIME.as_secs()));
    let published = published(&repo.settings.targets);
    let mut commits = vec![commit];
    commits.extend(git.first_parents(commit, SEARCHED).skip(1).filter(|older| published.contains(older)));
    let load = |commit: Oid| Repo::load(&git.tree_of(commit)).map(Arc::new);
    let (mut state, mut next) = (None, commits.len());
    for (number, older) in commits.iter().enumerate().skip(1) {
        if let Some(late) = late() {
            return Ok(FreezeOutcome::Refused(repo, late));
        }
        let older_repo = load(*older)?;
        if sound_table(&older_repo, today).is_ok() {
            state = Some(SoundData { commit: *older, repo: older_repo, frozen: BTreeMap::new() });
            next = number;
            break;
        }
    }
    let Some(mut state) = state else {
        let searched = counted(commits.len() - 1, "commit that was", "commits that were");
        return Ok(FreezeOutcome::Refused(repo, format!("no sound data was found in the {searched} published before")));
    };
    for later in commits.get(1..next).unwrap_or_default().iter().rev() {
        if let Some(late) = late() {
            return Ok(FreezeOutcome::Refused(repo, late));
        }
        // What is at fault for all is passed over: the next commit may have corrected it.
        if let Ok((after, _)) = state.advance(*later, load(*later)?, None, today) {
            state = after;
        }
    }
    Ok(match state.advance(commit, repo, Some(errors), today) {
        Ok((after, table)) => FreezeOutcome::Frozen(table, after.frozen.into_values().collect()),
        Err((repo, why)) => FreezeOutcome::Refused(repo, why),
    })
}

/// The commits that the records of the targets name as published, and those at which domains are frozen.
/// A target that cannot be read now names none; to publish to it fails by itself.
fn published(targets: &[Target]) -> BTreeSet<Oid> {
    let manifests = targets.iter().filter_map(|target| {
        let site = Site::open(target).ok()?;
        site.ledger().manifest_or_new(&site.name).ok()
    });
    let mut commits = BTreeSet::new();
    for manifest in manifests {
        commits.extend(manifest.newest.as_ref().and_then(|id| Oid::from_str(id).ok()));
        let live = manifest.live.as_ref().map(|live| &live.version);
        for version in manifest.versions.iter().chain(live).filter(|version| !version.dirty) {
            let frozen_at = version.frozen.iter().map(|one| &one.at);
            commits.extend(version.commit.iter().chain(frozen_at).filter_map(|id| Oid::from_str(id).ok()));
        }
    }
    commits
}

/// Data without errors as of a commit, and the domains that are frozen in it.
struct SoundData {
    commit: Oid,
    repo: Arc<Repo>,
    frozen: BTreeMap<String, Frozen>,
}

impl SoundData {
    /// Takes from `repo`, the data of `commit`, whatever is sound. Gives the data back if its errors
    /// cannot be blamed on some domains, with a sentence.
    fn advance(
        &self,
        commit: Oid,
        mut repo: Arc<Repo>,
        known: Option<&[Finding]>,
        today: Date,
    ) -> Result<(SoundData, Arc<Table>), (Arc<Repo>, String)> {
        let mut frozen: BTreeMap<String, Frozen> = BTreeMap::new();
        let mut known = known.map(<[Finding]>::to_vec);
        for _ in 0..ROUNDS {
            let errors = match known.take() {
                Some(errors) => errors,
                None => match sound_table(&repo, today) {
                    Ok(table) => return Ok((SoundData { commit, repo, frozen }, table)),
                    Err(errors) => errors,
                },
            };
            if !repo.names_all_unread() {
                return Err((repo, "too much of it cannot be read".to_owned()));
            }
            let blame = Blame::new(&repo, &self.repo, &errors);
            let at_fault = self.at_fault(&blame, &errors, &frozen);
            if at_fault.is_empty() {
                return Err((repo, "an error is not of single domains' records".to_owned()));
            }
            for (domain, errors) in at_fault {
                frozen.insert(domain.clone(), self.frozen(domain, commit, &repo, errors));
            }
            let domains: BTreeSet<String> = frozen.keys().cloned().collect();
            let covered = blame.covered(&domains);
            let mut data = Arc::unwrap_or_clone(repo);
            data.put_back(&self.repo, &domains, &covered);
            repo = Arc::new(data);
        }
        Err((repo, format!("after {ROUNDS} checks with ever more domains frozen there were still errors")))
    }

    fn frozen(&self, domain: String, commit: Oid, repo: &Repo, errors: Vec<Finding>) -> Frozen {
        let before = self.frozen.get(&domain);
        let count = errors.len();
        let report = CheckReport::of(repo, errors);
        Frozen {
            at: before.map_or_else(|| self.commit.to_string(), |before| before.at.clone()),
            since: before.map_or_else(|| commit.to_string(), |before| before.since.clone()),
            domain,
            errors: count,
            reasons: sentences(&report, SHOWN),
        }
    }

    /// The errors of each domain that is at fault and not yet frozen, of as few domains as will do: those
    /// that are at fault alone; or else, of several, those that were frozen before. So no domain's claim
    /// on what another adds later can freeze the other.
    fn at_fault(
        &self,
        blame: &Blame<'_>,
        errors: &[Finding],
        frozen: &BTreeMap<String, Frozen>,
    ) -> BTreeMap<String, Vec<Finding>> {
        let mut blamed: Vec<(BTreeSet<String>, &Finding)> =
            errors.iter().map(|error| (blame.domains(error), error)).collect();
        for (domains, _) in &mut blamed {
            domains.retain(|domain| !frozen.contains_key(domain));
            if domains.iter().any(|domain| self.frozen.contains_key(domain)) {
                domains.retain(|domain| self.frozen.contains_key(domain));
            }
        }
        let alone = blamed.iter().any(|(domains, _)| domains.len() == 1);
        let mut at_fault: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for (domains, error) in blamed.into_iter().filter(|(domains, _)| !alone || domains.len() == 1) {
            for domain in domains {
                at_fault.entry(domain).or_default().push(error.clone());
            }
        }
        at_fault
    }
}
