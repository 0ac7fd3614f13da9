//! The collector: a task for each source, one that rolls up and deletes, one that sends.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::listen::accept;
use super::metrics::Counters;
use super::sample::{MINUTE, now};
use super::sender::{Sender, Sent, Sink, keep_for, send_once};
use super::settings::{Marks, Retention, SourceSettings, TelemetrySettings, secret};
use super::sources::{Desk, Round, Source};
use super::store::SampleStore;
use super::store::lease::Turn;
use super::store::retention::DAY;
use super::subscribers::Declared;
use crate::database::location::StateLocation;
use crate::sync::interval::Interval;
use crate::sync::journal::Journal;
use crate::sync::systemd::notify;
use crate::text::count::counted;

/// From one look at what is dirty or unsent to the next.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
const SENDING: Duration = Duration::from_millis(500);

/// How often the pause after a failure doubles: up to 32 seconds.
const MAX_DOUBLINGS: u32 = 6;

/// How long one round may send to each sink.
const ONCE: Duration = Duration::from_secs(60);

/// How long the end may take.
const ENDING: Duration = Duration::from_secs(2);

/// Rounds of housekeeping from one deletion to the next.
const CLEANING: u32 = 12;

/// How long the clock must have been steady before more than a day's samples are deleted, and what is a jump of it.
const STEADY: Duration = Duration::from_secs(3600);
const JUMP: i64 = MINUTE;

/// What to collect, and where to.
pub(crate) struct CollectRequest {
    pub(crate) store: StateLocation,
    pub(crate) settings: TelemetrySettings,
    /// The subscribers of a pretend network.
    pub(crate) declared: Vec<Declared>,
    pub(crate) sinks: Vec<Sink>,
}

/// What all tasks share.
#[derive(Clone)]
struct Shared {
    desk: Desk,
    journal: Arc<Mutex<Journal>>,
    /// Too many messages wait: no source is asked.
    paused: Arc<AtomicBool>,
}

impl Shared {
    fn journal(&self, write: impl FnOnce(&mut Journal)) {
        // After a panic in another thread the journal is still a journal.
        write(&mut self.journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// A source with its name and interval.
struct Task {
    name: String,
    interval: Interval,
    source: Source,
}

/// Collects until a signal ends it.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn collect(request: &CollectRequest) -> Result<()> {
    block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
        let (shared, mut running) = start(request).await?;
        for sink in keep_for(&shared.desk.store, &request.sinks).await? {
            let what = format!("{sink} is not in these settings: messages do not wait for it any more");
            shared.journal(|journal| journal.event("outbox", &what));
        }
        let turn = Turn::new(&shared.desk.store)?;
        if !request.sinks.is_empty() {
            running.spawn(keeping(shared.clone(), turn.clone()));
            running.spawn(watching(shared.clone(), request.settings.outbox));
        }
        let names: Vec<&'static str> = request.sinks.iter().map(Sink::name).collect();
        let (stop, stopped) = watch::channel(false);
        let mut senders = JoinSet::new();
        for sink in &request.sinks {
            let sender = Sender::new(sink.clone());
            senders.spawn(sending(shared.clone(), sender, names.clone(), turn.clone(), stopped.clone()));
        }
        notify("READY=1");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = running.join_next() => bail!("a part of the collector ended"),
            Some(_) = senders.join_next() => bail!("a part of the collector ended"),
        }
        notify("STOPPING=1");
        // A transaction that is cut off is rolled back, with the checkpoints in it.
        running.shutdown().await;
        let _ = stop.send(true);
        let _ = timeout(ENDING, senders.join_all()).await;
        // Otherwise it expires.
        let _ = timeout(ENDING, turn.give_back()).await;
        Ok(())
    })
}

/// Collects within a server, without sinks, until that ends.
///
/// # Errors
/// If it cannot be started, or a part of it ends.
pub(crate) async fn collect_here(request: &CollectRequest) -> Result<()> {
    let (_, mut running) = start(request).await?;
    running.join_next().await;
    bail!("a part of the collector ended")
}

/// Starts all but the sinks.
async fn start(request: &CollectRequest) -> Result<(Shared, JoinSet<()>)> {
    let metrics = match request.settings.metrics {
        Some(address) => {
            Some(TcpListener::bind(address).await.with_context(|| format!("`metrics`: cannot listen on {address}"))?)
        }
        None => None,
    };
    let (shared, tasks) = prepare(request).await?;
    shared.journal(|journal| {
        let sources = counted(tasks.len(), "source", "sources");
        journal.event("collect", &format!("{sources}, samples in {}", request.store.shown()));
    });
    let mut running = JoinSet::new();
    for task in tasks {
        running.spawn(poll(shared.clone(), task));
    }
    running.spawn(housekeeping(shared.clone(), request.settings.retention));
    if let Some(listener) = metrics {
        running.spawn(accept(listener, shared.desk.counters.router()));
    }
    Ok((shared, running))
}

/// One round of each source, rolled up and sent. Returns whether all of it was done.
///
/// # Errors
/// If it cannot be started, or the store cannot be used.
pub(crate) fn collect_once(request: &CollectRequest) -> Result<bool> {
    block_on(async {
        let (shared, tasks) = prepare(request).await?;
        let mut fine = true;
        for mut task in tasks {
            let ended = task.source.round(&shared.desk).await;
            fine &= report(&shared, &task.name, &ended);
        }
        shared.desk.store.roll_up(now(), false).await?;
        for (name, ended) in send_once(&shared.desk.store, &request.sinks, ONCE, true).await? {
            fine &= report_sent(&shared, &name, ended);
        }
        let samples = counted(shared.desk.counters.all_samples() as usize, "sample", "samples");
        shared.journal(|journal| journal.event("collect", &format!("{samples} in {}", request.store.shown())));
        Ok(fine)
    })
}

/// Rolls up and deletes what is too old.
///
/// # Errors
/// If the store cannot be used.
pub(crate) fn clean(location: &StateLocation, retention: &Retention) -> Result<()> {
    block_on(async {
        let store = SampleStore::open(location).await?;
        store.roll_up(now(), false).await?;
        store.clean(now(), retention).await
    })
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start threads")?;
    let ended = runtime.block_on(work);
    // A thread that looks up a name or writes into a full pipe ends when it wants.
    runtime.shutdown_timeout(ENDING);
    ended
}

async fn prepare(request: &CollectRequest) -> Result<(Shared, Vec<Task>)> {
    check_variables(&request.settings.sources)?;
    let task = |settings: &SourceSettings| {
        let source = Source::new(settings, &request.declared);
        let source = source.with_context(|| format!("cannot prepare the source {}", settings.name))?;
        Ok(Task { name: settings.name.clone(), interval: settings.interval, source })
    };
    let tasks = request.settings.sources.iter().map(task).collect::<Result<Vec<Task>>>()?;
    let store = SampleStore::open(&request.store).await?;
    let desk = Desk { store, messages: !request.sinks.is_empty(), counters: Counters::default() };
    Ok((Shared { desk, journal: Arc::default(), paused: Arc::default() }, tasks))
}

/// All that are missing at once.
fn check_variables(sources: &[SourceSettings]) -> Result<()> {
    let missing: BTreeSet<&str> =
        sources.iter().flat_map(SourceSettings::variables).filter(|variable| secret(variable).is_err()).collect();
    match Vec::from_iter(missing).as_slice() {
        [] => Ok(()),
        [variable] => bail!("the environment variable {variable} is not set"),
        variables => bail!("the environment variables {} are not set", variables.join(", ")),
    }
}

/// Asks a source again and again.
async fn poll(shared: Shared, mut task: Task) {
    let mut failures = 0;
    loop {
        while shared.paused.load(Ordering::Relaxed) {
            tokio::time::sleep(SENDING).await;
        }
        let began = Instant::now();
        let ended = task.source.round(&shared.desk).await;
        let fine = report(&shared, &task.name, &ended);
        let refused = ended.as_ref().map_or(0, |round| round.refused);
        shared.desk.counters.round(&task.name, fine, refused, began.elapsed());
        // A part that fails does not slow down the rest.
        failures = if ended.is_ok() { 0 } else { failures + 1 };
        let next = ended.ok().and_then(|round| round.next).filter(|_| fine);
        tokio::time::sleep(next.map_or_else(|| pause(task.interval, failures), until)).await;
    }
}

/// The time until a moment.
fn until(moment: i64) -> Duration {
    Duration::from_millis(u64::try_from(moment - now()).unwrap_or(0))
}

/// The time until the interval is over, by the clock; after failures, longer.
fn pause(interval: Interval, failures: u64) -> Duration {
    if failures > 0 {
        return interval.after(failures - 1);
    }
    let length = interval.seconds() as i64 * 1000;
    let now = now();
    until((now.div_euclid(length) + 1) * length).max(Duration::from_millis(1))
}

/// Writes what became of a round to the journal, each reason once. Returns whether it was fine.
fn report(shared: &Shared, name: &str, ended: &Result<Round>) -> bool {
    let why = match ended {
        Ok(Round { trouble: Some(why), .. }) => Some(why.clone()),
        Ok(_) => None,
        Err(error) => Some(format!("{error:#}")),
    };
    if let Ok(round) = ended {
        // A line for each power of two, not for each number.
        let refused = round.refused.checked_ilog2().map(|power| format!("{} or more are refused", 1_u64 << power));
        trouble(shared, &format!("{name}, values"), refused);
    }
    trouble(shared, name, why)
}

fn trouble(shared: &Shared, name: &str, why: Option<String>) -> bool {
    shared.journal(|journal| match &why {
        Some(why) => journal.trouble(name, why),
        None => journal.fine(name),
    });
    why.is_none()
}

/// Rolls up and deletes, until the store is not the one any more that was opened.
async fn housekeeping(shared: Shared, retention: Retention) {
    let store = &shared.desk.store;
    let report = |about, ended: Result<()>| trouble(&shared, about, ended.err().map(|error| format!("{error:#}")));
    let mut clock = SteadyClock::at(now());
    for round in 0_u32.. {
        if !report("store", store.check_file()) {
            return;
        }
        if report("roll-up", store.roll_up(now(), false).await) && round % CLEANING == 0 {
            report("retention", delete(store, &retention, &mut clock).await);
        }
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

/// Deletes what is too old. A clock that is ahead makes all of it too old: more than usual waits.
async fn delete(store: &SampleStore, retention: &Retention, clock: &mut SteadyClock) -> Result<()> {
    let now = now();
    let steady = clock.time(now) >= STEADY;
    if !steady && store.overdue(now, retention).await? > DAY {
        bail!(
            "samples of more than a day are to be deleted: that waits until the clock has been steady for an hour; \
             if it is right, `shapeline collect --clean` with these settings deletes them now"
        );
    }
    store.clean(now, retention).await
}

/// Since when the clock has not jumped.
struct SteadyClock {
    /// The same moment by two clocks; the first in milliseconds since 1970.
    since: (i64, Instant),
}

impl SteadyClock {
    fn at(now: i64) -> SteadyClock {
        SteadyClock { since: (now, Instant::now()) }
    }

    /// How long it has been steady.
    fn time(&mut self, now: i64) -> Duration {
        let passed = self.since.1.elapsed();
        if (now - self.since.0 - passed.as_millis() as i64).abs() > JUMP {
            *self = SteadyClock::at(now);
            return Duration::ZERO;
        }
        passed
    }
}

/// Keeps the turn to send, and reports if another process has it.
async fn keeping(shared: Shared, turn: Turn) {
    let note = |ended: Result<bool>| {
        let why = match ended {
            Ok(true) => None,
            Ok(false) => Some("another process sends the messages of this store, or was killed".to_owned()),
            Err(error) => Some(format!("{error:#}")),
        };
        trouble(&shared, "outbox", why);
    };
    turn.keep(note).await;
}

/// Sends to one sink, until `stop` ends it. One that fails is tried again after a pause that doubles.
async fn sending(
    shared: Shared,
    mut sender: Sender,
    names: Vec<&'static str>,
    turn: Turn,
    mut stop: watch::Receiver<bool>,
) {
    let name = sender.sink().name();
    let mut failures = 0;
    loop {
        let before = sender.delivered();
        let ended = tokio::select! {
            ended = sender.send(&shared.desk.store, &names, &turn) => ended,
            _ = stop.changed() => break,
        };
        let fine = report_sent(&shared, name, ended);
        if !fine && *sender.sink() == Sink::Stdout {
            // Its reader is gone, and does not come back.
            return;
        }
        // A full queue takes a part each time.
        failures = if fine || sender.delivered() > before { 0 } else { failures + 1 };
        tokio::select! {
            () = tokio::time::sleep(SENDING * (1 << failures.min(MAX_DOUBLINGS))) => {}
            _ = stop.changed() => break,
        }
    }
    sender.close().await;
}

/// Writes what became of sending to the journal. Returns whether it was fine.
fn report_sent(shared: &Shared, name: &str, ended: Result<Sent>) -> bool {
    if let Ok(Sent { any: true, unroutable }) = &ended {
        trouble(shared, &format!("{name}, routing"), unroutable.as_deref().map(dropped));
    }
    trouble(shared, name, ended.err().map(|error| format!("{error:#}")))
}

fn dropped(key: &str) -> String {
    format!("no queue is bound to the routing key {key}: the broker drops what is sent to it")
}

/// Pauses collecting while too many messages wait.
async fn watching(shared: Shared, marks: Marks) {
    loop {
        if let Ok(depth) = shared.desk.store.outbox_depth().await {
            pause_or_resume(&shared, depth.unsigned_abs(), marks);
        }
        tokio::time::sleep(SENDING).await;
    }
}

fn pause_or_resume(shared: &Shared, depth: u64, marks: Marks) {
    let paused = shared.paused.load(Ordering::Relaxed);
    let now_paused = if paused { depth > marks.low } else { depth > marks.high };
    if paused != now_paused {
        let what = if now_paused { "collecting pauses" } else { "collecting goes on" };
        shared.journal(|journal| {
            journal.event("outbox", &format!("{} waiting: {what}", counted(depth as usize, "message", "messages")));
        });
        shared.paused.store(now_paused, Ordering::Relaxed);
    }
    shared.desk.counters.outbox(depth, now_paused);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::str::FromStr as _;

    use super::*;
    use crate::telemetry::sample::{Kind, Sample};
    use crate::telemetry::settings::Age;
    use crate::telemetry::store::batch::Batch;

    #[test]
    fn a_clock_that_jumps_is_not_steady() {
        let mut clock = SteadyClock { since: (0, Instant::now().checked_sub(STEADY).unwrap()) };
        let hour = STEADY.as_millis() as i64;
        assert!(clock.time(hour) >= STEADY && clock.time(hour + JUMP / 2) >= STEADY);
        assert_eq!(clock.time(hour + 2 * JUMP), Duration::ZERO);
        assert!(clock.time(hour + 2 * JUMP) < STEADY, "from here on it has to be steady again");
    }

    #[test]
    fn what_a_clock_ahead_would_delete_waits() {
        let folder = tempfile::tempdir().unwrap();
        let place = StateLocation::Sqlite(folder.path().join("samples.sqlite"));
        let age = |text| Age::from_str(text).unwrap();
        let retention = Retention { raw: age("10m"), minutes: age("2h"), hours: age("400d") };
        block_on(async {
            let store = SampleStore::open(&place).await?;
            let at = now() - 2 * DAY;
            let old = Sample { series: 1, kind: Kind::Traffic, at, up: 1.0, down: 1.0, active: None };
            store.write(Batch { samples: vec![old], ..Batch::default() }).await?;
            store.roll_up(now(), true).await?;
            let mut clock = SteadyClock::at(now());
            let refused = delete(&store, &retention, &mut clock).await.unwrap_err().to_string();
            assert!(refused.contains("collect --clean"), "{refused}");
            assert!(store.overdue(now(), &retention).await? > DAY);
            clock.since = (now() - STEADY.as_millis() as i64, Instant::now().checked_sub(STEADY).unwrap());
            delete(&store, &retention, &mut clock).await?;
            assert_eq!(store.overdue(now(), &retention).await?, 0);
            // The oldest day of hours ends each midnight: that is usual.
            let end = (old.at.div_euclid(DAY) + 1) * DAY + 400 * DAY;
            assert_eq!((store.overdue(end, &retention).await?, store.overdue(end + 1, &retention).await?), (0, 1));
            Ok(())
        })
        .unwrap();
    }
}
