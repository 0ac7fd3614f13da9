//! Goes round: fetch, look at the signature, put back what somebody else changed, publish.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use git2::Oid;

use super::journal::Journal;
use super::refusal;
use super::round::Round;
use super::seen::Seen;
use super::signature::verify;
use super::signers::Signers;
use super::state::State;
use super::stop::Stop;
use super::upstream::Upstream;
use super::worker::{Worker, sentence};
use crate::finding::Finding;
use crate::git::Git;
use crate::model::{Date, Settings, Target};
use crate::publish::choice::choose_targets;
use crate::publish::data::{Data, DataRequest, LoadedData};

use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::repo::Repo;
use crate::repo::settings::{self, sound};

/// A commit that was refused is looked at again after this, even if nothing seems to have changed:
/// the check command may have.
const AGAIN: Duration = Duration::from_secs(15 * 60);

/// How many commits are looked at for targets: each may cost a look at a signature.
const RECALLED: usize = 20;

/// What is synced, for whom.
pub struct Task {
    /// The data repository's folder in the clone.
    pub root: PathBuf,
    /// The clone and its remote.
    pub upstream: Upstream,
    /// Only the targets with these names; without any, all.
    pub only: Vec<String>,
    /// The file of those who may sign, if a signature is required.
    pub signers: Option<PathBuf>,
    /// For whom.
    pub who: Operator,
    /// How long to wait for other publishers.
    pub patience: Patience,
}

/// Goes round, and remembers what it saw.
pub struct Syncer {
    task: Task,
    /// The targets as the last commit named them that could be read.
    known: Vec<Target>,
    memory: Memory,
}

#[derive(Default)]
struct Memory {
    /// The commit that was found well signed, and by whose leave: the digest of the signers.
    verified: Option<(Oid, String)>,
    /// The commit that was refused, and why, as the logs were told.
    refused: Option<(Oid, String)>,
    /// The last round that looked at everything, on which day and when. Its targets are the known.
    last: Option<(Round, Date, Instant)>,
}

impl Syncer {
    /// Nothing is known yet.
    ///
    /// # Errors
    /// If the file of signers is of no use.
    pub fn new(task: Task) -> Result<Syncer> {
        let syncer = Syncer { task, known: Vec::new(), memory: Memory::default() };
        syncer.signers()?;
        Ok(syncer)
    }

    /// The clone and its remote.
    pub fn upstream(&self) -> &Upstream {
        &self.task.upstream
    }

    /// Goes round once. Whatever goes wrong is in what it gives.
    pub fn round(&mut self, stop: &Stop, journal: &mut Journal) -> Round {
        let fetched = self.task.upstream.fetch(stop);
        if stop.asked() {
            return Round::cut_short();
        }
        let who = self.task.who.clone();
        let mut worker = Worker { who: &who, patience: self.task.patience, stop, journal };
        // Without a fetch, too: what was fetched before is to be live, today as it is for today.
        let round = match self.task.upstream.tip() {
            Ok(Some(tip)) => self.at(tip, &mut worker),
            Ok(None) => Round::default().with(State::Failing, "the branch was never fetched".to_owned()),
            Err(error) => self.keep(Round::default(), State::Failing, sentence(&error), &mut worker),
        };
        match fetched {
            Ok(()) => round,
            // Graver than whatever is wrong with the commit that one has.
            Err(error) => round.with(State::Failing, sentence(&error)),
        }
    }

    fn at(&mut self, tip: Oid, worker: &mut Worker<'_>) -> Round {
        match self.unsigned(tip, worker.stop) {
            Ok(None) => {}
            Ok(Some(reason)) => return self.refuse(tip, &reason, worker),
            Err(error) => return self.keep(Round::of(tip), State::Failing, sentence(&error), worker),
        }
        let today = Date::today();
        if let Some(round) = self.as_before(tip, today) {
            return round;
        }
        let round = self.anew(tip, today, worker);
        if round.state() == State::Ok
            && let Err(error) = self.task.upstream.tidy_up(worker.stop)
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

    /// Why the commit's signature does not do; nothing if it does, or none is required.
    fn unsigned(&mut self, tip: Oid, stop: &Stop) -> Result<Option<String>> {
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

    /// The outcome of the last round, if nothing has changed since that matters. Cheap: no data is
    /// loaded.
    fn as_before(&self, tip: Oid, today: Date) -> Option<Round> {
        let (round, day, when) = self.memory.last.as_ref()?;
        let again = round.state() != State::Ok && when.elapsed() > AGAIN;
        if round.commit != Some(tip) || *day != today || again {
            return None;
        }
        let same = |(target, seen): (&Target, &Option<Seen>)| {
            seen.is_some() && Seen::now(target).is_ok_and(|now| now == *seen)
        };
        self.known.iter().zip(&round.seen).all(same).then(|| round.clone())
    }

    fn anew(&mut self, tip: Oid, today: Date, worker: &mut Worker<'_>) -> Round {
        self.memory.last = None;
        let wanted = DataRequest { rev: Some(tip.to_string()), today, allow_dirty: false };
        let round = match Data::load(&self.task.root, &wanted) {
            Ok(LoadedData::Ready(data)) => self.publish(tip, &data, worker),
            Ok(LoadedData::Unsound(repo, findings, _)) => self.unsound(tip, &repo, findings, worker),
            Err(error) => self.keep(Round::of(tip), State::Failing, sentence(&error), worker),
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
            // That is the commit's fault; a name that was given here is not.
            Err(error) if data.table.repo().settings.targets.is_empty() => {
                return self.refuse(tip, &sentence(&error), worker);
            }
            Err(error) => return self.keep(round, State::Failing, sentence(&error), worker),
        }
        // Whoever looks at the targets in this clone, or goes back, means these.
        if let Some(Err(error)) = data.git.as_ref().map(|git| git.note_synced(tip)) {
            worker.journal.event("", &sentence(&error));
        }
        for target in &self.known {
            if worker.stop.asked() {
                round.cut_short = true;
                break;
            }
            round.add(worker.publish(target, data));
        }
        if data.frozen.is_empty() {
            return round;
        }
        round.frozen.clone_from(&data.frozen);
        round.with(State::Refused, refusal::of_frozen(&data.frozen))
    }

    /// The data has errors. Its settings may have some, too: then the targets are those of before.
    fn unsound(&mut self, tip: Oid, repo: &Arc<Repo>, findings: Vec<Finding>, worker: &mut Worker<'_>) -> Round {
        let reason = refusal::sentence(&crate::report::CheckReport::of(repo, findings), &Git::short(tip));
        if let Ok(targets) = sound(repo).and_then(|settings| self.chosen(settings)) {
            self.known = targets;
        }
        self.refuse(tip, &reason, worker)
    }

    /// Tells the targets' logs that the commit is refused; what was published stays.
    fn refuse(&mut self, tip: Oid, reason: &str, worker: &mut Worker<'_>) -> Round {
        let refused = Some((tip, reason.to_owned()));
        self.recall(tip, worker.stop);
        if self.memory.refused != refused {
            let tell = |target: &Target| !worker.stop.asked() && worker.tell_refusal(target, &tip.to_string(), reason);
            let told = self.known.iter().map(tell).filter(|told| *told).count();
            self.memory.refused = refused.filter(|_| told == self.known.len());
        }
        self.keep(Round::of(tip), State::Refused, reason.to_owned(), worker)
    }

    /// The commit is of no use: what was published is put back where it was changed, and no more.
    fn keep(&mut self, mut round: Round, gravity: State, error: String, worker: &mut Worker<'_>) -> Round {
        if let Some(tip) = round.commit {
            self.recall(tip, worker.stop);
        }
        for target in &self.known {
            if worker.stop.asked() {
                round.cut_short = true;
                break;
            }
            round.add(worker.keep(target, gravity));
        }
        round.with(gravity, error)
    }

    /// The targets of the last commit that can be read and was signed by somebody who may: one that has
    /// just been started, and finds a commit of no use, is to put back what was published, too.
    fn recall(&mut self, tip: Oid, stop: &Stop) {
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
        let found = settings::before(&git, tip).take(RECALLED).find_map(usable);
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

    /// One that has just been round, with this outcome.
    fn after(state: State, when: Instant) -> (tempfile::TempDir, Syncer, Oid, Date) {
        let folder = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(folder.path()).unwrap();
        repository.remote("origin", "https://git.ispcustomer.co.zw/data").unwrap();
        let upstream = Upstream::open(folder.path(), "origin", "main").unwrap();
        let (root, who) = (folder.path().to_path_buf(), Operator::here("noc".to_owned()));
        let patience = Patience::of(Duration::ZERO);
        let mut syncer = Syncer::new(Task { root, upstream, only: Vec::new(), signers: None, who, patience }).unwrap();
        let (tip, day) = (Oid::from_str("0123456789012345678901234567890123456789").unwrap(), "2026-11-21");
        let day: Date = day.parse().unwrap();
        syncer.memory.last = Some((Round::of(tip).with(state, String::new()), day, when));
        (folder, syncer, tip, day)
    }

    #[test]
    fn a_new_day_and_a_new_commit_are_looked_at_anew() {
        let (_folder, syncer, tip, day) = after(State::Ok, Instant::now());
        assert!(syncer.as_before(tip, day).is_some());
        assert!(syncer.as_before(tip, "2026-11-22".parse().unwrap()).is_none(), "terms begin and end at midnight");
        assert!(syncer.as_before(Oid::ZERO_SHA1, day).is_none());
    }

    #[test]
    fn a_refusal_is_looked_at_again_after_a_while() {
        let long_ago = Instant::now().checked_sub(AGAIN + Duration::from_secs(1)).unwrap();
        let known = |state, when| {
            let (_folder, syncer, tip, day) = after(state, when);
            syncer.as_before(tip, day).is_some()
        };
        assert!(known(State::Refused, Instant::now()));
        assert!(!known(State::Refused, long_ago));
        assert!(known(State::Ok, long_ago), "what is as it should be needs no second look");
    }
}
