//! Takes troubles and their ends, and has each state delivered once, on a thread of its own.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{Receiver as Jobs, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};

use super::deliver::Postman;
use super::memory::{KnownTrouble, KnownTroubles, Memory};
use super::notice::{Notice, NoticeKind, Subject, Trouble, shown};
use super::post::{Client, PostAnswer};
use super::receiver::Receiver;
use crate::records::holder::Operator;
use crate::text::count::counted;
use crate::text::quote::harmless;

pub(crate) use super::deliver::DeliveryPatience;

/// How many notifications wait at most. One that finds no place is sent when its trouble is found again.
const MAX_WAITING: usize = 256;

/// Notifies the receiver of the environment; does nothing without one.
pub(crate) struct Notifier(Option<Desk>);

struct Desk {
    command: &'static str,
    host: String,
    patience: DeliveryPatience,
    shared: Arc<Shared>,
    queue: SyncSender<Notice>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<NotifierState>,
    /// A notification is done with.
    done: Condvar,
}

#[derive(Default)]
struct NotifierState {
    memory: Memory,
    /// The ids of the notifications that are waiting or being sent.
    under_way: BTreeSet<String>,
}

impl Notifier {
    /// A notifier that does nothing.
    pub(crate) fn off() -> Notifier {
        Notifier(None)
    }

    /// The notifier of `command` for the data repository at `root`.
    ///
    /// # Errors
    /// If the environment names a receiver and is wrong in something.
    pub(crate) fn start(command: &'static str, root: &Path, patience: DeliveryPatience) -> Result<Notifier> {
        let Some(receiver) = Receiver::from_environment()? else { return Ok(Notifier::off()) };
        let postman = postman(receiver, patience)?;
        let state = NotifierState { memory: Memory::of(root), under_way: BTreeSet::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), done: Condvar::new() });
        let (queue, jobs) = sync_channel(MAX_WAITING);
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("notify".to_owned());
        thread.spawn(move || run(&postman, &jobs, &of_thread)).context("cannot start a thread")?;
        Ok(Notifier(Some(Desk { command, host: host(), patience, shared, queue })))
    }

    /// Notifies of a trouble, unless this state of its subject was notified already.
    pub(crate) fn trouble(&self, subject: &Subject, trouble: &Trouble) {
        self.trouble_unless(false, subject, trouble);
    }

    /// The same. `logged`: the target's log had this state before, so that an earlier run has notified of it,
    /// perhaps in another clone.
    pub(crate) fn trouble_unless(&self, logged: bool, subject: &Subject, trouble: &Trouble) {
        let Some(desk) = &self.0 else { return };
        let mut notice = Notice::of(trouble, subject, desk.command, &desk.host);
        let mut state = desk.shared.lock();
        let NotifierState { memory, under_way } = &mut *state;
        let key = memory.key(&subject.key);
        let (wanted, written) = memory.change(|known| {
            let is_new = note(known, key, trouble, &mut notice, logged);
            is_new && !under_way.contains(&notice.id)
        });
        if wanted {
            state.under_way.insert(notice.id.clone());
        }
        drop(state);
        if let Err(error) = written {
            say(&format!("what was notified is forgotten when this process ends: {error:#}"));
        }
        if wanted {
            desk.send(notice);
        }
    }

    /// Notifies that a trouble is over, if there was one.
    pub(crate) fn fine(&self, subject: &Subject, message: &str) {
        let Some(desk) = &self.0 else { return };
        let mut state = desk.shared.lock();
        let NotifierState { memory, under_way } = &mut *state;
        let key = memory.key(&subject.key);
        let (over, _) = memory.change(|known| known.remove(&key));
        // What no receiver heard of is not over for it.
        let Some(over) = over.filter(|over| over.delivered || under_way.contains(&over.id)) else { return };
        let trouble = Trouble::new(NoticeKind::Recovered, None, message);
        let notice = Notice { was: Some(over.kind), ..Notice::of(&trouble, subject, desk.command, &desk.host) };
        state.under_way.insert(notice.id.clone());
        drop(state);
        desk.send(notice);
    }

    /// Waits for what is under way, for a limited time.
    pub(crate) fn end(&self) {
        let Some(desk) = &self.0 else { return };
        let state = desk.shared.lock();
        let busy = |state: &mut NotifierState| !state.under_way.is_empty();
        let waited = desk.shared.done.wait_timeout_while(state, desk.patience.end, busy);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let left = state.under_way.len();
        drop(state);
        if left > 0 {
            say(&format!("{} not delivered: the receiver is too slow", counted(left, "notification", "notifications")));
        }
    }
}

/// Sends a test. Returns the receiver's host and its answer.
///
/// # Errors
/// If there is no receiver, or it does not accept the test.
pub(crate) fn send_test() -> Result<(String, PostAnswer)> {
    let variable = super::receiver::URL;
    let receiver = Receiver::from_environment()?;
    let receiver = receiver.with_context(|| format!("there is no receiver: {variable} is not set"))?;
    let name = receiver.host().to_owned();
    let postman = postman(receiver, DeliveryPatience::SERVICE)?;
    let trouble = Trouble::new(NoticeKind::Test, None, "this is a test: nothing has happened");
    let notice = Notice::of(&trouble, &Subject::of("test"), "test-notification", &host());
    postman.try_once(&notice).map(|answer| (name, answer)).map_err(anyhow::Error::msg)
}

fn postman(receiver: Receiver, patience: DeliveryPatience) -> Result<Postman> {
    let Receiver { endpoint, secret, format } = receiver;
    Ok(Postman { client: Client::new(endpoint, secret)?, format, patience })
}

/// Notes a trouble. Returns whether it is to be sent: under the id and the time of an earlier try, if none
/// succeeded.
fn note(known: &mut KnownTroubles, key: String, trouble: &Trouble, notice: &mut Notice, logged: bool) -> bool {
    let state = trouble.state();
    match known.get(&key) {
        Some(same) if same.state == state => {
            (notice.id, notice.time) = (same.id.clone(), same.time);
            !same.delivered
        }
        other => {
            let delivered = logged && other.is_none();
            let (id, kind, time) = (notice.id.clone(), notice.kind, notice.time);
            known.insert(key, KnownTrouble { state, id, kind, time, delivered });
            !delivered
        }
    }
}

impl Desk {
    fn send(&self, notice: Notice) {
        if let Err(refused) = self.queue.try_send(notice) {
            let (std::sync::mpsc::TrySendError::Full(notice) | std::sync::mpsc::TrySendError::Disconnected(notice)) =
                refused;
            self.shared.lock().under_way.remove(&notice.id);
            say(&format!("not delivered, because too many others are waiting: {}", shown(&notice.headline())));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, NotifierState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a delivery ended.
    fn ended(&self, id: &str, delivered: bool) {
        let mut state = self.lock();
        state.under_way.remove(id);
        if delivered {
            // That it cannot be written was said when the trouble was noted.
            let _ = state.memory.change(|known| {
                known.values_mut().filter(|one| one.id == id).for_each(|one| one.delivered = true);
            });
        }
        drop(state);
        self.done.notify_all();
    }
}

/// Delivers until the notifier is gone.
fn run(postman: &Postman, jobs: &Jobs<Notice>, shared: &Shared) {
    for notice in jobs {
        let delivered = postman.deliver(&notice);
        if let Err(why) = &delivered {
            say(&format!("not delivered: {}: {why}", shown(&notice.headline())));
        }
        shared.ended(&notice.id, delivered.is_ok());
    }
}

/// Writes a line about notifications. It fails nothing: a closed standard error is no trouble.
fn say(what: &str) {
    let _ = writeln!(crate::console::err(), "notify: {}", harmless(what, 2000));
}

fn host() -> String {
    Operator::here(String::new()).host
}
