//! One round: fetch, look at the signature, put back what somebody else changed, publish.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};
use git2::Oid;

use super::heal::heal;
use super::journal::Journal;
use super::refusal;
use super::signature::verify;
use super::signers::Signers;
use super::status::{State, TargetStatus};
use super::stop::Stop;
use super::upstream::Upstream;
use crate::finding::Finding;
use crate::git::Git;
use crate::model::{Date, Settings, Target};
use crate::publish::data::{Data, Loaded, Wanted};
use crate::publish::drift::{Drift, Kind};
use crate::publish::holder::Holder;
use crate::publish::ledger::{Held, Live};
use crate::publish::lock::Patience;
use crate::publish::rollback::find;
use crate::publish::run::{Ended, Options, Report, publish};
use crate::publish::site::Site;
use crate::publish::store::digest;
use crate::repo::Repo;
use crate::tree::SETTINGS;

/// A commit that was refused is looked at again after this, even if nothing seems to have changed:
/// the check command may have.
const AGAIN: Duration = Duration::from_secs(15 * 60);

/// What is synced, for whom.
pub struct Plan {
    /// The data repository's folder in the clone.
    pub root: PathBuf,
    /// The clone and its remote.
    pub upstream: Upstream,
    /// Only the targets with these names; without any, all.
    pub only: Vec<String>,
    /// The file of those who may sign, if a signature is required.
    pub signers: Option<PathBuf>,
    /// For whom.
    pub who: Holder,
    /// How long to wait for other publishers.
    pub patience: Patience,
}

/// What became of a round.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// The commit that the branch is at, as far as is known.
    pub commit: Option<Oid>,
    /// The end was asked for before the round was over: what is told here is not all.
    pub cut_short: bool,
    /// What is wrong with the whole: a sentence.
    pub error: Option<String>,
    /// How grave that is.
    gravity: Option<State>,
    /// The targets.
    pub targets: Vec<TargetStatus>,
}

impl Round {
    /// The gravest of all.
    pub fn state(&self) -> State {
        let targets = self.targets.iter().map(|target| target.state);
        targets.chain(self.gravity).max().unwrap_or(State::Ok)
    }

    fn of(commit: Oid) -> Round {
        Round { commit: Some(commit), ..Round::default() }
    }

    fn with(mut self, gravity: State, error: String) -> Round {
        (self.gravity, self.error) = (Some(gravity), Some(error));
        self
    }
}

/// Goes round, and remembers what it saw.
pub struct Syncer {
    plan: Plan,
    /// The commit that was found well signed, and by whose leave: the digest of the signers.
    verified: Option<(Oid, String)>,
    /// The targets as the last commit named them that could be read.
    known: Vec<Target>,
    last: Option<Last>,
    /// The commit that was refused, and why, as the logs were told.
    refused: Option<(Oid, String)>,
}

/// The last round that went through to the end.
struct Last {
    day: Date,
    when: Instant,
    round: Round,
    seen: Vec<(Target, Option<Seen>)>,
}

/// What the outcome on a target hangs on, beside the commit and the day. Nothing of this changed:
/// the outcome would be the same.
#[derive(PartialEq, Eq)]
struct Seen {
    live: Option<String>,
    published: Option<Live>,
    held: Option<Held>,
}

impl Seen {
    /// Nothing where a publish goes on or was cut off.
    fn now(target: &Target) -> Result<Option<Seen>> {
        let site = Site::open(target)?;
        let ledger = site.ledger();
        if ledger.pending()?.is_some() {
            return Ok(None);
        }
        let (published, held) = ledger.manifest()?.map(|manifest| (manifest.live, manifest.held)).unwrap_or_default();
        Ok(Some(Seen { live: site.live()?.map(|live| digest(&live.bytes)), published, held }))
    }
}

/// What one round works with.
struct Way<'w> {
    stop: &'w Stop,
    journal: &'w mut Journal,
}

impl Syncer {
    /// Nothing is known yet.
    ///
    /// # Errors
    /// If the file of signers is of no use.
    pub fn new(plan: Plan) -> Result<Syncer> {
        let syncer = Syncer { plan, verified: None, known: Vec::new(), last: None, refused: None };
        syncer.signers()?;
        Ok(syncer)
    }

    /// The clone and its remote.
    pub fn upstream(&self) -> &Upstream {
        &self.plan.upstream
    }

    /// Goes round once. Whatever goes wrong is in what it gives.
    pub fn round(&mut self, stop: &Stop, journal: &mut Journal) -> Round {
        let fetched = self.plan.upstream.fetch(stop);
        if stop.asked() {
            return Round { cut_short: true, ..Round::default() };
        }
        // Without a fetch, too: what was fetched before is to be live, today as it is for today.
        let mut way = Way { stop, journal };
        let round = match self.plan.upstream.tip() {
            Ok(Some(tip)) => self.at(tip, &mut way),
            Ok(None) => Round::default().with(State::Failing, "the branch was never fetched".to_owned()),
            Err(error) => self.only_heal(Round::default(), State::Failing, sentence(&error), &mut way),
        };
        match fetched {
            Ok(()) => round,
            // Graver than whatever is wrong with the commit that one has.
            Err(error) => round.with(State::Failing, sentence(&error)),
        }
    }

    fn at(&mut self, tip: Oid, way: &mut Way<'_>) -> Round {
        match self.unsigned(tip, way.stop) {
            Ok(None) => {}
            Ok(Some(reason)) => return self.refuse(tip, &reason, way),
            Err(error) => return self.only_heal(Round::of(tip), State::Failing, sentence(&error), way),
        }
        let today = Date::today();
        if let Some(round) = self.as_before(tip, today) {
            return round;
        }
        let round = self.anew(tip, today, way);
        if round.state() == State::Ok
            && !way.stop.asked()
            && let Err(error) = self.plan.upstream.tidy_up(way.stop)
        {
            way.journal.event("", &sentence(&error));
        }
        round
    }

    fn signers(&self) -> Result<Option<Signers>> {
        let Some(path) = &self.plan.signers else { return Ok(None) };
        Signers::read(path, &self.plan.upstream.clone_folder()?).map(Some)
    }

    /// Why the commit's signature does not do; nothing if it does, or none is required.
    fn unsigned(&mut self, tip: Oid, stop: &Stop) -> Result<Option<String>> {
        let Some(signers) = self.signers()? else { return Ok(None) };
        let verified = Some((tip, signers.digest.clone()));
        if self.verified == verified {
            return Ok(None);
        }
        Ok(match verify(&self.plan.upstream.commit_bytes(tip)?, &signers, stop)? {
            Ok(_) => {
                self.verified = verified;
                None
            }
            Err(reason) => Some(format!("the commit {} may not be published: {reason}", Git::short(tip))),
        })
    }

    /// The outcome of the last round, if nothing has changed since that matters. Cheap: no data is
    /// loaded.
    fn as_before(&self, tip: Oid, today: Date) -> Option<Round> {
        let last = self.last.as_ref().filter(|last| last.round.commit == Some(tip) && last.day == today)?;
        if last.round.state() != State::Ok && last.when.elapsed() > AGAIN {
            return None;
        }
        let same = |(target, seen): &(Target, Option<Seen>)| {
            seen.as_ref().is_some_and(|seen| Seen::now(target).is_ok_and(|now| now.as_ref() == Some(seen)))
        };
        last.seen.iter().all(same).then(|| last.round.clone())
    }

    fn anew(&mut self, tip: Oid, today: Date, way: &mut Way<'_>) -> Round {
        self.last = None;
        let wanted = Wanted { rev: Some(tip.to_string()), today, allow_dirty: false };
        let round = match Data::load(&self.plan.root, &wanted) {
            Ok(Loaded::Ready(data)) => self.publish(tip, &data, way),
            Ok(Loaded::Unsound(repo, findings)) => self.unsound(tip, &repo, findings, way),
            Ok(Loaded::Refused(reason)) => self.refuse(tip, &reason, way),
            Err(error) => self.only_heal(Round::of(tip), State::Failing, sentence(&error), way),
        };
        if !round.cut_short && round.gravity != Some(State::Failing) {
            // What failed is tried again, whatever it looks like.
            let failed = |target: &Target| {
                round.targets.iter().any(|one| one.target == target.name.as_str() && one.state == State::Failing)
            };
            let see = |target: &Target| match failed(target) {
                true => (target.clone(), None),
                false => (target.clone(), Seen::now(target).ok().flatten()),
            };
            let seen = self.known.iter().map(see).collect();
            self.last = Some(Last { day: today, when: Instant::now(), round: round.clone(), seen });
        }
        round
    }

    /// Publishes the data of `tip` to every target.
    fn publish(&mut self, tip: Oid, data: &Data, way: &mut Way<'_>) -> Round {
        let mut round = Round::of(tip);
        match self.chosen(&data.table.repo().settings) {
            Ok(targets) => self.known = targets,
            Err(error) => return self.only_heal(round, State::Failing, sentence(&error), way),
        }
        for target in &self.known {
            if way.stop.asked() {
                round.cut_short = true;
                break;
            }
            round.targets.push(self.publish_to(target, data, way));
        }
        round
    }

    fn publish_to(&self, target: &Target, data: &Data, way: &mut Way<'_>) -> TargetStatus {
        let name = target.name.as_str();
        let wanted = || {
            let site = Site::open(target).ok()?;
            let drift = Drift::look(&site, target, data).ok().filter(|drift| drift.kind() == Kind::Same)?;
            Some(digest(&drift.declared))
        };
        // Whatever came of it: the publish may mend it, and tells what it cannot.
        let not_healed = self.heal(target, &wanted, way).err();
        let options = Options {
            who: self.plan.who.clone(),
            patience: self.plan.patience,
            planned: None,
            acknowledged: None,
            dry_run: false,
            quiet: true,
        };
        let mut report = publish(target, data, &options, &mut notice(name, way.stop));
        for note in &report.notes {
            way.journal.event(name, note);
        }
        if let Some(error) = not_healed.filter(|_| report.ended != Ended::Published) {
            report.reasons.insert(0, sentence(&error));
            report.ended = Ended::Failed;
        }
        let status = status(target, state(target, &report), report.reasons.clone());
        match status.state {
            State::Ok if report.ended == Ended::Published => {
                way.journal.fine(name);
                way.journal.event(name, &published(&report));
            }
            State::Ok | State::Starting => way.journal.fine(name),
            State::Held => way.journal.trouble(name, &format!("HELD: {}", status.reasons.join("; "))),
            State::Refused => way.journal.trouble(name, &format!("REFUSED: {}", status.reasons.join("; "))),
            State::Failing => way.journal.trouble(name, &format!("FAILED: {}", status.reasons.join("; "))),
        }
        status
    }

    /// The data has errors. Its settings may have some, too: then the targets are those of before.
    fn unsound(&mut self, tip: Oid, repo: &Arc<Repo>, findings: Vec<Finding>, way: &mut Way<'_>) -> Round {
        let reason = refusal::sentence(&crate::report::Report::of(repo, findings), &Git::short(tip));
        if let Ok(targets) = self.chosen(&repo.settings) {
            self.known = targets;
        }
        self.refuse(tip, &reason, way)
    }

    /// Tells the targets that the commit is refused; what was published stays.
    fn refuse(&mut self, tip: Oid, reason: &str, way: &mut Way<'_>) -> Round {
        let refused = Some((tip, reason.to_owned()));
        if self.refused != refused && self.tell_refusal(tip, reason, way) {
            self.refused = refused;
        }
        self.only_heal(Round::of(tip), State::Refused, reason.to_owned(), way)
    }

    /// Whether every log was told.
    fn tell_refusal(&self, tip: Oid, reason: &str, way: &mut Way<'_>) -> bool {
        let (who, patience) = (&self.plan.who, self.plan.patience);
        let mut all = true;
        for target in &self.known {
            if way.stop.asked() {
                return false;
            }
            let name = target.name.as_str();
            let told = Site::open(target).and_then(|site| {
                refusal::record(&site, &tip.to_string(), reason, who, patience, &mut notice(name, way.stop))
            });
            if let Err(error) = told {
                way.journal.trouble(name, &format!("the log could not be told of a refusal: {}", sentence(&error)));
                all = false;
            }
        }
        all
    }

    /// The commit is of no use: what was published is put back where it was changed, and no more.
    fn only_heal(&self, mut round: Round, gravity: State, error: String, way: &mut Way<'_>) -> Round {
        for target in &self.known {
            if way.stop.asked() {
                round.cut_short = true;
                break;
            }
            let name = target.name.as_str();
            let healed = self.heal(target, &|| None, way);
            round.targets.push(match healed {
                Ok(()) => status(target, gravity, Vec::new()),
                Err(error) => {
                    way.journal.trouble(name, &format!("FAILED: {}", sentence(&error)));
                    status(target, State::Failing, vec![sentence(&error)])
                }
            });
        }
        round.with(gravity, error)
    }

    fn heal(&self, target: &Target, wanted: &dyn Fn() -> Option<String>, way: &mut Way<'_>) -> Result<()> {
        let name = target.name.as_str();
        let site = Site::open(target)?;
        let healed = heal(&site, wanted, &self.plan.who, self.plan.patience, &mut notice(name, way.stop))?;
        if let Some(healed) = healed {
            way.journal.event(name, &format!("{}; version {} is live again", healed.found, healed.version));
        }
        Ok(())
    }

    /// The targets that are meant, in the order of the settings.
    fn chosen(&self, settings: &Settings) -> Result<Vec<Target>> {
        let only: Vec<&Target> =
            self.plan.only.iter().map(|name| find(&settings.targets, name)).collect::<Result<_>>()?;
        if settings.targets.is_empty() {
            bail!("{SETTINGS} names no target: add `targets`, see docs/settings.md");
        }
        let meant = |target: &&Target| only.is_empty() || only.iter().any(|one| one.name == target.name);
        Ok(settings.targets.iter().filter(meant).cloned().collect())
    }
}

/// Tells for whom one waits. Whoever is asked to end does not wait on: nothing is begun yet that
/// would have to be brought to an end.
fn notice(name: &str, stop: &Stop) -> impl FnMut(&str) {
    let mut told = String::new();
    move |who| {
        if stop.asked() {
            stop.leave();
        }
        if told != who {
            Journal::default().event(name, &format!("waiting for {who}"));
            who.clone_into(&mut told);
        }
    }
}

fn sentence(error: &Error) -> String {
    crate::finding::harmless(&format!("{error:#}"), 2000)
}

fn state(target: &Target, report: &Report) -> State {
    let held = || {
        let manifest = Site::open(target).and_then(|site| site.ledger().manifest());
        manifest.is_ok_and(|manifest| manifest.is_some_and(|manifest| manifest.held.is_some()))
    };
    match report.ended {
        Ended::Published | Ended::Unchanged | Ended::Planned => State::Ok,
        Ended::Refused if held() => State::Held,
        Ended::Refused => State::Refused,
        Ended::Failed => State::Failing,
    }
}

/// What is to be said of a target now.
fn status(target: &Target, state: State, reasons: Vec<String>) -> TargetStatus {
    let manifest = Site::open(target).and_then(|site| site.ledger().manifest());
    let live = manifest.ok().flatten().and_then(|manifest| manifest.live);
    TargetStatus {
        target: target.name.to_string(),
        state,
        version: live.as_ref().map(|live| live.version.id),
        digest: live.as_ref().map(|live| live.version.digest.clone()),
        commit: live.as_ref().and_then(|live| live.version.commit.clone()),
        since: live.map(|live| live.since),
        reasons: reasons.into_iter().map(|reason| crate::finding::harmless(&reason, 2000)).collect(),
    }
}

fn published(report: &Report) -> String {
    let version = report.version.unwrap_or_default();
    let commit: String = report.commit.as_deref().unwrap_or_default().chars().take(12).collect();
    let changes = report.changes.map(|changes| changes.to_string()).unwrap_or_default();
    let log = report.log.as_deref().unwrap_or_default();
    let log: String = log.chars().take(19).collect();
    format!("version {version} is live: {changes} (commit {commit}, log {log})")
}
