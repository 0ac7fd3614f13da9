//! Follows the branch on a thread of its own: fetch, check, index, replace. No request waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use git2::Oid;

use super::current::{Current, RefusedCommit};
use super::notify::FollowNotifier;
use super::source::{Loaded, Source};
use crate::git::Git;
use crate::model::Date;
use crate::query::Refusal;
use crate::records::moment::Moment;
use crate::sync::interval::Interval;
use crate::sync::journal::Journal;
use crate::sync::stop::StopSignal;
use crate::text::count::counted;
use crate::text::quote::harmless;

/// How much lower the priority of a reload is than that of requests; see nice(2).
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How often the branch is looked at in the clone. Something else may fetch: another replica in the same clone,
/// say, which got the webhook.
const LOOK: Duration = Duration::from_secs(2);

/// Wakes the follower.
#[derive(Clone)]
pub(crate) struct Wake(Sender<()>);

impl Wake {
    /// Has the branch read now. Several at once are one.
    pub(crate) fn now(&self) {
        // It is gone only while the process ends.
        let _ = self.0.send(());
    }
}

/// Follows one source.
pub(crate) struct Follower {
    source: Source,
    interval: Interval,
    pool: rayon::ThreadPool,
    journal: Journal,
    notifier: FollowNotifier,
    /// The commit that was refused, and on which day.
    refused: Option<(Oid, Date)>,
    /// How many fetches failed, one after the other.
    failures: u64,
    /// The clone could not be read the last time.
    blind: bool,
}

impl Follower {
    /// # Errors
    /// If the system gives no threads.
    pub(crate) fn new(source: Source, interval: Interval, notifier: FollowNotifier) -> Result<Follower> {
        Ok(Follower {
            source,
            interval,
            pool: pool()?,
            journal: Journal::default(),
            notifier,
            refused: None,
            failures: 0,
            blind: false,
        })
    }

    /// What is followed, for people.
    pub(crate) fn name(&self) -> String {
        self.source.name()
    }

    /// Loads the first snapshot.
    ///
    /// # Errors
    /// A [`Refusal`] if its data has errors; or if it cannot be read.
    pub(crate) fn begin(&mut self, stop: &StopSignal) -> Result<Current> {
        if let Err(error) = self.source.fetch(stop) {
            // What was fetched before is better than nothing.
            self.journal.trouble("branch", &format!("{error:#}"));
        }
        let commit = self.source.tip()?;
        match self.pool.install(|| self.source.load(commit, Date::today()))? {
            Loaded::Ready(snapshot) => {
                self.notifier.served();
                Ok(Current::new(*snapshot))
            }
            Loaded::Refused(errors) => {
                let short = Git::short(commit);
                Err(Refusal(format!(
                    "commit {short} has {} and is not served: `shapeline check --rev {short}` shows them",
                    counted(errors, "error", "errors")
                ))
                .into())
            }
        }
    }

    /// Follows until `stop` is set, or every [`Wake`] is gone.
    pub(crate) fn run(mut self, current: &Current, wakes: &Receiver<()>, stop: &StopSignal) {
        self.follow(current, wakes, stop);
        self.notifier.end();
    }

    fn follow(&mut self, current: &Current, wakes: &Receiver<()>, stop: &StopSignal) {
        let mut fetched = Instant::now();
        while !stop.asked() {
            let left = self.pause().saturating_sub(fetched.elapsed());
            let woken = match wakes.recv_timeout(left.min(LOOK)) {
                Ok(()) => {
                    while wakes.try_recv().is_ok() {}
                    true
                }
                Err(RecvTimeoutError::Timeout) => fetched.elapsed() >= self.pause(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if stop.asked() {
                return;
            }
            let ended = if woken { self.round(current, stop) } else { self.look(current) };
            match ended {
                Err(_) if stop.asked() => return,
                ended if woken => self.note(current, ended),
                ended => self.note_look(current, ended),
            }
            if woken {
                fetched = Instant::now();
            }
        }
    }

    /// A failed fetch stays a failure until the next one, and a failed look until the next look: it does not
    /// put off the next fetch.
    fn note_look(&mut self, current: &Current, ended: Result<()>) {
        let (failures, was_blind) = (self.failures, self.blind);
        match ended {
            Ok(()) if failures == 0 && (was_blind || self.source.is_here()) => self.note(current, Ok(())),
            Ok(()) => self.blind = false,
            Err(_) if was_blind => {}
            Err(error) => {
                self.note(current, Err(error));
                (self.failures, self.blind) = (failures, true);
            }
        }
    }

    fn note(&mut self, current: &Current, ended: Result<()>) {
        match ended {
            Ok(()) => {
                (self.failures, self.blind) = (0, false);
                self.journal.fine("branch");
                self.notifier.sees();
                current.note(|status| (status.failure, status.followed) = (None, Some(Moment::now())));
            }
            Err(error) => {
                let why = harmless(&format!("{error:#}"), 2000);
                self.failures = self.failures.saturating_add(1);
                let trouble = format!("cannot be followed, what is served stays: {why}");
                self.journal.trouble("branch", &trouble);
                self.notifier.blind(&format!("the branch {trouble}"));
                current.note(|status| {
                    status.failures += 1;
                    status.failure = Some(why);
                });
            }
        }
    }

    /// From one fetch to the next.
    fn pause(&self) -> Duration {
        self.interval.after(self.failures)
    }

    fn round(&mut self, current: &Current, stop: &StopSignal) -> Result<()> {
        let fetched = self.fetch(stop);
        self.look(current)?;
        fetched
    }

    /// Fetches, twice if need be: another program that fetches into the same clone is in the way only for a moment.
    fn fetch(&self, stop: &StopSignal) -> Result<()> {
        self.source.fetch(stop).or_else(|_| {
            stop.sleep(Duration::from_secs(1));
            self.source.fetch(stop)
        })
    }

    /// Serves the tip of the branch as it is in the clone.
    fn look(&mut self, current: &Current) -> Result<()> {
        let (commit, today) = (self.source.tip()?, Date::today());
        let served = current.snapshot();
        let is_served = served.commit == commit.to_string() && served.today == today;
        drop(served);
        if !is_served && self.refused != Some((commit, today)) {
            self.reload(current, commit, today)?;
        } else if is_served && self.refused.take().is_some() {
            current.note(|status| status.refused = None);
            self.journal.fine("data");
            self.notifier.served();
        }
        Ok(())
    }

    fn reload(&mut self, current: &Current, commit: Oid, today: Date) -> Result<()> {
        let began = Instant::now();
        let short = Git::short(commit);
        match self.pool.install(|| self.source.load(commit, today))? {
            // The one commit that nobody means, and that every lookup would fail for.
            Loaded::Ready(snapshot) if snapshot.subscribers() == 0 && current.snapshot().subscribers() > 0 => {
                let meant = "if that is meant, start the server again";
                self.refuse(current, (commit, today), 0, "no subscriber", meant);
            }
            Loaded::Ready(snapshot) => {
                let count = counted(snapshot.subscribers(), "subscriber", "subscribers");
                current.replace(*snapshot);
                self.refused = None;
                current.note(|status| {
                    status.refused = None;
                    status.reloads += 1;
                });
                self.journal.fine("data");
                self.notifier.served();
                let took = began.elapsed().as_secs_f64();
                self.journal.event("data", &format!("commit {short} is served: {count}, loaded in {took:.2} s"));
            }
            Loaded::Refused(errors) => {
                let count = counted(errors, "error", "errors");
                let shown = format!("`shapeline check --rev {short}` shows them");
                self.refuse(current, (commit, today), errors, &count, &shown);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, current: &Current, refused: (Oid, Date), errors: usize, has: &str, help: &str) {
        self.refused = Some(refused);
        let (commit, short) = (refused.0.to_string(), Git::short(refused.0));
        current.note(|status| {
            status.refused = Some(RefusedCommit { commit, errors });
            status.refusals += 1;
        });
        let why = format!("commit {short} has {has} and is not served, what is served stays: {help}");
        self.journal.trouble("data", &why);
        self.notifier.refused(refused.0, &why);
    }
}

/// Wakes and their receiver.
pub(crate) fn wakes() -> (Wake, Receiver<()>) {
    let (sender, receiver) = channel();
    (Wake(sender), receiver)
}

/// Runs `follower` on a thread.
///
/// # Errors
/// If the system gives none.
pub(crate) fn spawn(
    follower: Follower,
    current: Arc<Current>,
    wakes: Receiver<()>,
    stop: Arc<StopSignal>,
) -> Result<std::thread::JoinHandle<()>> {
    let thread = std::thread::Builder::new().name("follow".to_owned());
    thread.spawn(move || follower.run(&current, &wakes, &stop)).context("cannot start a thread")
}

/// The threads that read and check, with a lower priority than those that answer, and half as many as there
/// are cores.
fn pool() -> Result<rayon::ThreadPool> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let builder = rayon::ThreadPoolBuilder::new().num_threads(cores.div_ceil(2));
    let builder = builder.thread_name(|number| format!("load-{number}")).start_handler(|_| {
        // Linux sets it for the calling thread alone. A refusal costs only latency.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICE);
    });
    builder.build().context("cannot start a thread")
}
