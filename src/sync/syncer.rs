//! One round: fetch, verify the signature, restore changed live files, publish.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use git2::Oid;

use super::journal::Journal;
use super::refusal;
use super::round::Round;
use super::signature::verify;
use super::signers::Signers;
use super::snapshot::TargetSnapshot;
use super::state::SyncState;
use super::stop::StopSignal;
use super::upstream::Upstream;
use super::worker::{Worker, sentence};
use crate::finding::Finding;
use crate::git::Git;
use crate::model::{Date, Settings, Target};
use crate::publish::choice::choose_targets;
use crate::publish::data::{Data, DataRequest, LoadedData};
use crate::publish::remedy::Words;

use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::repo::Repo;
use crate::repo::settings::{self, sound};

/// After this time a refused commit is tried again, even if nothing seems to have changed: the check
/// command may have.
const RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// How many commits are searched for targets: each may cost a signature check.
const MAX_RECALLED: usize = 20;

/// What to sync, and how.
pub(crate) struct Task {
    /// The folder of the data repository in the clone.
    pub(crate) root: PathBuf,
    /// The clone and its remote.
    pub upstream: Upstream,
    /// Only the targets with these names; without any, all.
    pub only: Vec<String>,
    /// The file of those who may sign, if a signature is required.
    pub signers: Option<PathBuf>,
    /// For whom.
    pub who: Operator,
    /// How long to wait for other publishers.
    pub(crate) patience: Patience,
    /// How to word what can be done about a refusal.
    pub(crate) words: Words,
}

/// Runs rounds, and remembers the last one.
pub(crate) struct Syncer {
    task: Task,
    /// The targets of the last commit that could be read.
    known: Vec<Target>,
    memory: Memory,
}

#[derive(Default)]
struct Memory {
    /// The commit whose signature was verified, and the digest of the signers file that verified it.
    verified: Option<(Oid, String)>,
    /// The refused commit and the reason, as logged at the targets.
    refused: Option<(Oid, String)>,
    /// The last complete round, its day and when it ended. Its targets are the known ones.
    last: Option<(Round, Date, Instant)>,
}

impl Syncer {
    /// # Errors
    /// If the allowed signers cannot be read.
    pub(crate) fn new(task: Task) -> Result<Syncer> {
        let syncer = Syncer { task, known: Vec::new(), memory: Memory::default() };
        syncer.signers()?;
        Ok(syncer)
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.task.upstream
    }

    /// Runs one round. Errors are in its result.
    pub(crate) fn round(&mut self, stop: &StopSignal, journal: &mut Journal) -> Round {
        let fetched = self.task.upstream.fetch(stop);
        if stop.asked() {
            return Round::cut_short();
        }
        let who = self.task.who.clone();
        let mut worker = Worker {
            who: &who,
            patience: self.task.patience,
            words: self.task.words,
            stop,
            journal,
            restored: Vec::new(),
        };
        // Also after a failed fetch: what was fetched before must be live, rendered for today.
        let mut round = match self.task.upstream.tip() {
            Ok(Some(tip)) => self.at(tip, &mut worker),
            Ok(None) => Round::default().with(SyncState::Failing, "the branch was never fetched".to_owned()),
            Err(error) => self.keep(Round::default(), SyncState::Failing, sentence(&error), &mut worker),
        };
        round.restored = worker.restored;
        match fetched {
            Ok(()) => round,
            // Graver than any error of the commit.
            Err(error) => round.with(SyncState::Failing, sentence(&error)),
        }
    }

    fn at(&mut self, tip: Oid, worker: &mut Worker<'_>) -> Round {
        match self.unsigned(tip, worker.stop) {
            Ok(None) => {}
            Ok(Some(reason)) => return self.refuse(tip, &reason, worker),
            Err(error) => return self.keep(Round::of(tip), SyncState::Failing, sentence(&error), worker),
        }
        let today = Date::today();
        if let Some(round) = self.as_before(tip, today) {
            return round;
        }
        let round = self.anew(tip, today, worker);
        if round.state() == SyncState::Ok
            && let Err(error) = self.task.upstream.maintain(worker.stop)
            && !worker.stop.asked()
        {
            worker.journal.event("", &sentence(&error));
        }
        round
    }

    fn signers(&self) -> Result<Option<Signers>> {
        let Some(path) = &self.task.signers else { return Ok(None) };
        Signers::read(path, &self.task.upstream.clone_folder()?).map(Some)
    }

    /// Why the signature of the commit is rejected; `None` if it is accepted, or none is required.
    fn unsigned(&mut self, tip: Oid, stop: &StopSignal) -> Result<Option<String>> {
        let Some(signers) = self.signers()? else { return Ok(None) };
        let verified = Some((tip, signers.digest.clone()));
        if self.memory.verified == verified {
            return Ok(None);
        }
        Ok(match verify(&self.task.upstream.commit_bytes(tip)?, &signers, stop)? {
            Ok(_) => {
                self.memory.verified = verified;
                None
            }
            Err(reason) => Some(format!("the commit {} may not be published: {reason}", Git::short(tip))),
        })
    }

    /// The result of the last round, if nothing that matters has changed since. Cheap: no data is loaded.
    fn as_before(&self, tip: Oid, today: Date) -> Option<Round> {
        let (round, day, when) = self.memory.last.as_ref()?;
        let again = round.state() != SyncState::Ok && when.elapsed() > RETRY_AFTER;
        if round.commit != Some(tip) || *day != today || again {
            return None;
        }
        let same = |(target, seen): (&Target, &Option<TargetSnapshot>)| {
            seen.is_some() && TargetSnapshot::now(target).is_ok_and(|now| now == *seen)
        };
        self.known.iter().zip(&round.seen).all(same).then(|| round.clone())
    }

    fn anew(&mut self, tip: Oid, today: Date, worker: &mut Worker<'_>) -> Round {
        self.memory.last = None;
        let wanted = DataRequest { rev: Some(tip.to_string()), today, allow_dirty: false };
        let round = match Data::load(&self.task.root, &wanted) {
            Ok(LoadedData::Ready(data)) => self.publish(tip, &data, worker),
            Ok(LoadedData::Unsound(repo, findings, _)) => self.unsound(tip, &repo, findings, worker),
            Err(error) => self.keep(Round::of(tip), SyncState::Failing, sentence(&error), worker),
        };
        if !round.cut_short && !round.failed() {
            self.memory.last = Some((round.clone(), today, Instant::now()));
        }
        round
    }

    /// Publishes the data of `tip` to every target.
    fn publish(&mut self, tip: Oid, data: &Data, worker: &mut Worker<'_>) -> Round {
        let mut round = Round::of(tip);
        match self.chosen(&data.table.repo().settings) {
            Ok(targets) => self.known = targets,
            // An error of the commit, unlike a name on the command line.
            Err(error) if data.table.repo().settings.targets.is_empty() => {
                return self.refuse(tip, &sentence(&error), worker);
            }
            Err(error) => return self.keep(round, SyncState::Failing, sentence(&error), worker),
        }
        // Commands that read the targets in this clone, such as rollback, then use this commit.
        if let Some(Err(error)) = data.git.as_ref().map(|git| git.note_synced(tip)) {
            worker.journal.event("", &sentence(&error));
        }
        for target in &self.known {
            if worker.stop.asked() {
                round.cut_short = true;
                break;
            }
            let Some(done) = worker.publish(target, data) else {
                round.cut_short = true;
                break;
            };
            round.add(done);
        }
        if data.frozen.is_empty() {
            return round;
        }
        round.frozen.clone_from(&data.frozen);
        round.with(SyncState::Refused, refusal::of_frozen(&data.frozen))
    }

    /// The data has errors. If its settings have errors too, the targets stay those known before.
    fn unsound(&mut self, tip: Oid, repo: &Arc<Repo>, findings: Vec<Finding>, worker: &mut Worker<'_>) -> Round {
        let reason = refusal::sentence(&crate::report::CheckReport::of(repo, findings), &Git::short(tip));
        if let Ok(targets) = sound(repo).and_then(|settings| self.chosen(settings)) {
            self.known = targets;
        }
        self.refuse(tip, &reason, worker)
    }

    /// Logs at the targets that the commit is refused; the published version stays.
    fn refuse(&mut self, tip: Oid, reason: &str, worker: &mut Worker<'_>) -> Round {
        let refused = Some((tip, reason.to_owned()));
        self.recall(tip, worker.stop);
        if self.memory.refused != refused {
            let log = |target: &Target| !worker.stop.asked() && worker.log_refusal(target, &tip.to_string(), reason);
            let logged = self.known.iter().map(log).filter(|logged| *logged).count();
            self.memory.refused = refused.filter(|_| logged == self.known.len());
        }
        self.keep(Round::of(tip), SyncState::Refused, reason.to_owned(), worker)
    }

    /// The commit cannot be used: only restores published versions where the live file was changed.
    fn keep(&mut self, mut round: Round, gravity: SyncState, error: String, worker: &mut Worker<'_>) -> Round {
        if let Some(tip) = round.commit {
            self.recall(tip, worker.stop);
        }
        for target in &self.known {
            if worker.stop.asked() {
                round.cut_short = true;
                break;
            }
            let Some(done) = worker.keep(target, gravity) else {
                round.cut_short = true;
                break;
            };
            round.add(done);
        }
        round.with(gravity, error)
    }

    /// Finds the targets of the last commit that can be read and has an accepted signature: a service that
    /// was just started and finds an unusable commit must restore published versions, too.
    fn recall(&mut self, tip: Oid, stop: &StopSignal) {
        if !self.known.is_empty() {
            return;
        }
        let (Ok(git), Ok(signers)) = (Git::discover(&self.task.root), self.signers()) else { return };
        let signed = |commit: Oid| match &signers {
            None => true,
            Some(signers) => {
                let bytes = self.task.upstream.commit_bytes(commit);
                bytes.and_then(|bytes| verify(&bytes, signers, stop)).is_ok_and(|signed| signed.is_ok())
            }
        };
        let usable = |(commit, settings): (Oid, Settings)| {
            let targets = self.chosen(&settings).ok()?;
            (!stop.asked() && signed(commit)).then_some(targets)
        };
        let found = settings::before(&git, tip).take(MAX_RECALLED).find_map(usable);
        self.known = found.unwrap_or_default();
    }

    fn chosen(&self, settings: &Settings) -> Result<Vec<Target>> {
        Ok(choose_targets(settings, &self.task.only)?.into_iter().cloned().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A syncer after a round with this state.
    fn after(state: SyncState, when: Instant) -> (tempfile::TempDir, Syncer, Oid, Date) {
        let folder = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(folder.path()).unwrap();
        repository.remote("origin", "https://git.ispcustomer.co.zw/data").unwrap();
        let upstream = Upstream::open(folder.path(), "origin", "main").unwrap();
        let (root, who) = (folder.path().to_path_buf(), Operator::here("noc".to_owned()));
        let patience = Patience::of(Duration::ZERO);
        let mut syncer = Syncer::new(Task {
            root,
            upstream,
            only: Vec::new(),
            signers: None,
            who,
            patience,
            words: |_| String::new(),
        })
        .unwrap();
        let (tip, day) = (Oid::from_str("0123456789012345678901234567890123456789").unwrap(), "2026-11-21");
        let day: Date = day.parse().unwrap();
        syncer.memory.last = Some((Round::of(tip).with(state, String::new()), day, when));
        (folder, syncer, tip, day)
    }

    #[test]
    fn a_new_day_and_a_new_commit_are_looked_at_anew() {
        let (_folder, syncer, tip, day) = after(SyncState::Ok, Instant::now());
        assert!(syncer.as_before(tip, day).is_some());
        assert!(syncer.as_before(tip, "2026-11-22".parse().unwrap()).is_none(), "terms begin and end at midnight");
        assert!(syncer.as_before(Oid::ZERO_SHA1, day).is_none());
    }

    #[test]
    fn a_refusal_is_looked_at_again_after_a_while() {
        let long_ago = Instant::now().checked_sub(RETRY_AFTER + Duration::from_secs(1)).unwrap();
        let known = |state, when| {
            let (_folder, syncer, tip, day) = after(state, when);
            syncer.as_before(tip, day).is_some()
        };
        assert!(known(SyncState::Refused, Instant::now()));
        assert!(!known(SyncState::Refused, long_ago));
        assert!(known(SyncState::Ok, long_ago), "what is as it should be needs no second look");
    }
}
