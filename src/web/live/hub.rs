//! Frames for clients. A thread takes the picture once a second and makes, for all clients that see the same domains
//! and ask for the same view, one text, which each of them sends. What a client has not taken yet is a bounded queue
//! of texts that are shared: a slow one misses some, and gets a new snapshot.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, broadcast, oneshot};

use super::frame;
use super::picture::Picture;
use super::seats::{CLIENTS, Seat, Seats};
use super::view::{Sight, View};
use crate::telemetry::sample::now;
use crate::telemetry::settings::TelemetrySettings;
use crate::telemetry::store::SampleStore;

/// From one tick to the next.
const TICK: Duration = Duration::from_secs(1);

/// Frames that a client may be behind.
const QUEUE: usize = 8;

/// Requests to join that wait.
const WAITING: usize = 2 * CLIENTS;

/// How long the rows of a view stay the same ones at least, and how much of a tick is spent on choosing them anew.
const CHOICE: Duration = Duration::from_secs(5);
const BUDGET: Duration = Duration::from_millis(300);

/// How much longer they stay than it takes to choose them.
const PATIENCE: u32 = 20;

/// What clients, pages and the follower share.
pub(crate) struct Hub {
    pub(crate) settings: TelemetrySettings,
    /// The address of the portal, if the settings name it: where its pages come from.
    pub(crate) site: Option<String>,
    /// The store, once it could be opened.
    pub(crate) store: Mutex<Option<SampleStore>>,
    /// Has the store read anew.
    pub(crate) refresh: Notify,
    pub(super) picture: Mutex<Picture>,
    pub(crate) seats: Seats,
    joins: SyncSender<Join>,
}

/// Who wants to see what.
struct Join {
    sight: Sight,
    view: View,
    /// Takes that, and how long it took.
    reply: oneshot::Sender<(Joined, Duration)>,
}

/// A snapshot, and the frames after it.
pub(crate) struct Joined {
    pub(crate) snapshot: Utf8Bytes,
    pub(crate) frames: broadcast::Receiver<Utf8Bytes>,
}

impl Hub {
    /// Starts the thread that makes the frames. It ends with the hub.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(settings: TelemetrySettings, site: Option<String>) -> Result<Arc<Hub>> {
        let (joins, joining) = sync_channel(WAITING);
        let hub = Arc::new(Hub {
            settings,
            site,
            store: Mutex::default(),
            refresh: Notify::new(),
            picture: Mutex::default(),
            seats: Seats::default(),
            joins,
        });
        let weak = Arc::downgrade(&hub);
        let run = move || {
            let mut groups = Groups::default();
            let mut next = Instant::now() + TICK;
            while let Some(hub) = weak.upgrade() {
                groups.wait(&hub, &joining, next);
                if Instant::now() >= next {
                    groups.tick(&mut hub.picture());
                    next = Instant::now() + TICK;
                }
            }
        };
        std::thread::Builder::new().name("live".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(hub)
    }

    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        // After a panic elsewhere it is still a picture, and the next samples make it whole.
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, if it could be opened.
    pub(crate) fn store(&self) -> Option<SampleStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A snapshot, and what follows it; nothing while too many ask.
    pub(crate) async fn join(&self, seat: &Seat, sight: Sight, view: View) -> Option<Joined> {
        let join = async {
            let (reply, joined) = oneshot::channel();
            match self.joins.try_send(Join { sight, view, reply }) {
                Ok(()) => joined.await.ok(),
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => None,
            }
        };
        seat.view(join).await
    }
}

/// The clients that see the same and ask for the same.
struct Group {
    sender: broadcast::Sender<Utf8Bytes>,
    generation: u64,
    /// The tick up to which its clients have everything.
    tick: u64,
    shown: Vec<u32>,
    total: usize,
    /// When the rows were chosen, and how long that took.
    chosen: (Instant, Duration),
    /// The snapshot of this tick, once one was wanted.
    snapshot: Option<Utf8Bytes>,
}

#[derive(Default)]
struct Groups {
    groups: BTreeMap<u64, ((Sight, View), Group)>,
    numbers: HashMap<(Sight, View), u64>,
    /// The number of the next group, and the one whose turn it is to choose.
    next: u64,
    turn: u64,
}

impl Groups {
    /// Answers those who join until it is time for the next tick.
    fn wait(&mut self, hub: &Hub, joining: &Receiver<Join>, until: Instant) {
        // Not for longer: the hub may end.
        match joining.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(join) => {
                let began = Instant::now();
                let joined = self.join(&hub.picture(), join.sight, join.view);
                // It may have left.
                let _ = join.reply.send((joined, began.elapsed()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK),
        }
    }

    fn join(&mut self, picture: &Picture, sight: Sight, view: View) -> Joined {
        let key = (sight, view);
        let number = *self.numbers.entry(key.clone()).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        let (_, group) = self.groups.entry(number).or_insert_with(|| {
            let mut group = Group::new(picture);
            group.choose(picture, &key);
            (key.clone(), group)
        });
        if group.generation != picture.generation {
            // Those who are in it have the numbers of rows that were.
            group.choose(picture, &key);
            let snapshot: Utf8Bytes = frame::snapshot(picture, &key.0, &key.1, &group.shown, group.total).into();
            let _ = group.sender.send(snapshot.clone());
            group.snapshot = Some(snapshot);
        }
        // The changes since the last tick are in it, and come again with the next one.
        let snapshot = group
            .snapshot
            .get_or_insert_with(|| frame::snapshot(picture, &key.0, &key.1, &group.shown, group.total).into());
        Joined { snapshot: snapshot.clone(), frames: group.sender.subscribe() }
    }

    fn tick(&mut self, picture: &mut Picture) {
        picture.settle(now());
        self.groups.retain(|_, (key, group)| {
            let used = group.sender.receiver_count() > 0;
            if !used {
                self.numbers.remove(key);
            }
            used
        });
        let began = Instant::now();
        // From where the last tick ran out of time.
        let numbers: Vec<u64> =
            self.groups.range(self.turn..).chain(self.groups.range(..self.turn)).map(|(number, _)| *number).collect();
        let mut out_of_time = None;
        for number in numbers {
            let Some((key, group)) = self.groups.get_mut(&number) else { continue };
            let may_choose = out_of_time.is_none();
            group.advance(picture, key, may_choose);
            if may_choose && began.elapsed() > BUDGET {
                out_of_time = Some(number + 1);
            }
        }
        self.turn = out_of_time.unwrap_or(0);
    }
}

impl Group {
    fn new(picture: &Picture) -> Group {
        Group {
            sender: broadcast::Sender::new(QUEUE),
            generation: picture.generation,
            tick: picture.tick,
            shown: Vec::new(),
            total: 0,
            chosen: (Instant::now(), Duration::ZERO),
            snapshot: None,
        }
    }

    fn choose(&mut self, picture: &Picture, (sight, view): &(Sight, View)) {
        let began = Instant::now();
        (self.shown, self.total) = view.select(picture, sight);
        self.chosen = (Instant::now(), began.elapsed());
        self.generation = picture.generation;
    }

    /// Sends what changed. Where the numbers are other ones, that waits until the rows may be chosen.
    fn advance(&mut self, picture: &Picture, key: &(Sight, View), may_choose: bool) {
        self.snapshot = None;
        let (sight, view) = key;
        let same = self.generation == picture.generation;
        if !same && !may_choose {
            return;
        }
        let text = if same {
            let before = self.shown.clone();
            let (since, cost) = self.chosen;
            if may_choose && since.elapsed() >= CHOICE.max(cost * PATIENCE) {
                self.choose(picture, key);
            }
            frame::changes(picture, sight, view, (&before, &self.shown), self.total, self.tick)
        } else {
            self.choose(picture, key);
            frame::snapshot(picture, sight, view, &self.shown, self.total)
        };
        self.tick = picture.tick;
        // All may have left since.
        let _ = self.sender.send(text.into());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::super::places::{DomainPlace, Places};
    use super::*;
    use crate::web::access::Scope;

    fn read(text: &Utf8Bytes) -> serde_json::Value {
        serde_json::from_str(text.as_str()).unwrap()
    }

    #[test]
    fn a_slow_client_misses_frames_and_keeps_a_bounded_number() {
        let (mut groups, mut picture) = (Groups::default(), Picture::default());
        let sight = Sight::of(&Scope::all(), true);
        let mut slow = groups.join(&picture, sight.clone(), View::default());
        assert_eq!(read(&slow.snapshot)["type"], "snapshot");
        for _ in 0..3 {
            groups.tick(&mut picture);
        }
        assert_eq!(read(&slow.frames.try_recv().unwrap())["type"], "changes");
        for _ in 0..100 {
            groups.tick(&mut picture);
        }
        assert_eq!(slow.frames.try_recv().unwrap_err(), TryRecvError::Lagged(102 - QUEUE as u64));
        assert_eq!(slow.frames.len(), QUEUE);
        let again = groups.join(&picture, sight, View::default());
        assert_eq!((read(&again.snapshot)["type"].as_str(), groups.groups.len()), (Some("snapshot"), 1));
        drop((slow, again));
        groups.tick(&mut picture);
        assert_eq!((groups.groups.len(), groups.numbers.len()), (0, 0), "nobody is left");
    }

    #[test]
    fn who_is_there_gets_the_new_numbers_when_another_one_joins() {
        let (mut groups, mut picture) = (Groups::default(), Picture::default());
        let sight = Sight::of(&Scope::all(), true);
        let mut first = groups.join(&picture, sight.clone(), View::default());
        let mut places = Places::default();
        places.domains.push(DomainPlace { name: "a.example".into(), contract: None });
        picture.adopt(places, now());
        for (key, group) in groups.groups.values_mut() {
            group.advance(&picture, key, false);
        }
        assert_eq!(first.frames.try_recv().unwrap_err(), TryRecvError::Empty, "not before there is time to choose");
        let second = groups.join(&picture, sight, View::default());
        groups.tick(&mut picture);
        let types =
            [first.frames.try_recv(), first.frames.try_recv()].map(|frame| read(&frame.unwrap())["type"].clone());
        assert_eq!(
            (types, read(&second.snapshot)["type"].as_str()),
            (["snapshot", "changes"].map(Into::into), Some("snapshot"))
        );
    }

    #[test]
    fn clients_of_one_view_share_one_text() {
        let (mut groups, mut picture) = (Groups::default(), Picture::default());
        let sight = Sight::of(&Scope::of(["a.example"]), false);
        let mut joined = [0, 1].map(|_| groups.join(&picture, sight.clone(), View::default()));
        assert_eq!(joined[0].snapshot.as_ptr(), joined[1].snapshot.as_ptr());
        groups.tick(&mut picture);
        let frames = joined.each_mut().map(|one| one.frames.try_recv().unwrap());
        assert_eq!(frames[0].as_ptr(), frames[1].as_ptr());
    }
}
