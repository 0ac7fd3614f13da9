//! One publisher at a time, by files alone: there is no server to ask.
//!
//! The lock is the highest-numbered file in a folder, and the process that creates the next
//! number has it: a store lets exactly one writer create a file. The holder rewrites its file every few seconds.
//! Another may take the next number once the holder has let go, or is a process of this very host
//! that has ended, or has not rewritten its file for [`LEASE`] by the clock of the process that waits;
//! no two clocks are ever compared.
//!
//! A holder may be paused, lose its lock unawares, and wake up. So it asks [`Lock::fence`] after
//! it has written a file and before it puts it in place; and a process that takes over first
//! removes what the other has written and not put in place. Either the fence or the missing file stops it.
//! (In a bucket there is nothing to remove: there, conditional writes do the same.)

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::records::holder::Operator;
use crate::store::{ContentMark, Expect, Store, writer_name};
use crate::text::quote::harmless;

/// How long a lock lasts that is not renewed.
pub const LEASE: Duration = Duration::from_secs(30);

/// Upper bound of numbers in file names and records; the bound itself is not one. A larger number is
/// damage or forgery.
pub(super) const MOST: u64 = 1_000_000_000_000;

/// Once a pause has grown to this, a file that is listed should be readable, even for a run that does
/// not wait for the lock.
const SETTLED: Duration = Duration::from_millis(100);

/// How long a process waits for the lock.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a lock lasts that is not renewed: [`LEASE`] but in tests.
    pub lease: Duration,
    /// How long to wait for the lock at most.
    pub wait: Duration,
}

impl Patience {
    /// Waits so long.
    pub fn of(wait: Duration) -> Patience {
        Patience { lease: LEASE, wait }
    }

    /// A shorter wait cannot show that a holder on another host is dead.
    fn hint(self) -> String {
        let lease = self.lease.as_secs() + 5;
        if self.wait > self.lease {
            String::new()
        } else {
            format!("; to find out whether it is still running takes {lease} s")
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct LockFile {
    holder: Operator,
    /// Unique to this lock: numbers are used again if the folder was cleared.
    name: String,
    /// What the holder does, in a word.
    doing: String,
    /// Grows while the holder lives.
    beat: u64,
    /// Whether the holder has let go.
    released: bool,
}

/// The lock of a target, held until dropped.
pub struct Lock {
    store: Arc<dyn Store>,
    folder: String,
    number: u64,
    held: LockFile,
    /// Dropped to stop the renewal.
    renewal: Option<(Sender<()>, std::thread::JoinHandle<()>)>,
}

impl Lock {
    /// Waits for the lock in `folder` of `store` and takes it. `notice` is called with the
    /// holder that is waited for.
    ///
    /// # Errors
    /// If it is not free within that time, or the store fails.
    pub fn take(
        store: &Arc<dyn Store>,
        folder: &str,
        holder: &Operator,
        doing: &str,
        patience: Patience,
        notice: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Lock> {
        let held =
            LockFile { holder: holder.clone(), name: writer_name(), doing: doing.to_owned(), beat: 0, released: false };
        let began = Instant::now();
        let mut seen: Option<(ContentMark, Instant)> = None;
        let mut pause = Duration::from_millis(20);
        // Every way through the loop ends at the deadline and the pause: what a store says may
        // never change.
        loop {
            let current = current(store.as_ref(), folder, patience, began)?;
            let mut hint = String::new();
            let blocked = if is_free(&current, patience.lease, &mut seen) {
                let number = current.map_or(1, |current| current.number + 1);
                match Lock::create(store, folder, number, &held)? {
                    Created::Ours(mut lock) => {
                        lock.renewal = Some(lock.start_renewal(patience.lease / 4));
                        lock.remove_older();
                        return Ok(*lock);
                    }
                    Created::Taken => "another run took the lock first".to_owned(),
                    Created::Unlisted => format!(
                        "a lock file was created in {}, and the folder does not list it: look at the server",
                        store.place(folder)
                    ),
                }
            } else {
                let who = current.as_ref().map(Current::who).unwrap_or_default();
                if pause >= Duration::from_millis(300) {
                    notice(&who)?;
                }
                hint = patience.hint();
                format!("{} is being worked on by {who}", store.place(""))
            };
            if began.elapsed() >= patience.wait {
                bail!("{blocked}; waited {} s{hint}", patience.wait.as_secs());
            }
            std::thread::sleep(pause.min(patience.wait.saturating_sub(began.elapsed())));
            pause = (pause * 2).min(Duration::from_secs(1)).min(patience.lease / 4);
        }
    }

    /// Tries to create the lock's file `number`.
    fn create(store: &Arc<dyn Store>, folder: &str, number: u64, held: &LockFile) -> Result<Created> {
        let name = name_of(folder, number);
        if number >= MOST {
            bail!("{} has an impossible number: remove it", store.place(&name_of(folder, number - 1)));
        }
        let created = store.put(&name, &to_bytes(held)?, Expect::Nothing, &crate::store::open_fence);
        match created {
            Ok(None) => Ok(Created::Taken),
            // The winner may have swept away what we had begun.
            Err(_) if highest(store.as_ref(), folder)? >= Some(number) => Ok(Created::Taken),
            Err(error) => Err(error),
            Ok(Some(_)) => match highest(store.as_ref(), folder)? {
                Some(highest) if highest == number => Ok(Created::Ours(Box::new(Lock {
                    store: store.clone(),
                    folder: folder.to_owned(),
                    number,
                    held: held.clone(),
                    renewal: None,
                }))),
                // Others may have gone through several numbers since we looked, and removed this one.
                highest => {
                    store.remove(&name)?;
                    Ok(if highest > Some(number) { Created::Taken } else { Created::Unlisted })
                }
            },
        }
    }

    /// Whether the lock is still ours.
    ///
    /// # Errors
    /// If another process has taken it over, or that cannot be determined.
    pub fn fence(&self) -> Result<()> {
        fence(self.store.as_ref(), &self.folder, self.number, &self.held.name)
    }

    /// Rewrites our file at intervals, so that others see that this process runs.
    fn start_renewal(&self, every: Duration) -> (Sender<()>, std::thread::JoinHandle<()>) {
        let (stop, stopped) = channel::<()>();
        let (store, folder, number, mut held) =
            (self.store.clone(), self.folder.clone(), self.number, self.held.clone());
        let beat = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                held.beat += 1;
                let fence = || fence(store.as_ref(), &folder, number, &held.name);
                // What fails here shows at the fence of whatever the lock was taken for.
                if let Ok(bytes) = to_bytes(&held) {
                    let _ = store.put(&name_of(&folder, number), &bytes, Expect::Anything, &fence);
                }
            }
        };
        (stop, std::thread::spawn(beat))
    }

    /// Older numbers mean nothing any more, and what others began to write here comes too late;
    /// what cannot be removed now is removed the next time.
    fn remove_older(&self) {
        for name in self.store.list(&self.folder).unwrap_or_default() {
            if let Some(number) = number_of(&name).filter(|number| *number < self.number) {
                let _ = self.store.remove(&name_of(&self.folder, number));
            }
        }
        // Of every number: a process may have been interrupted before there was a file of that name.
        let _ = self.store.sweep(&self.folder, None);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.renewal.take() {
            drop(stop);
            let _ = thread.join();
        }
        // If this fails, the lock ends by itself.
        let held = LockFile { released: true, ..self.held.clone() };
        if let Ok(bytes) = to_bytes(&held) {
            let fence = || self.fence();
            let _ = self.store.put(&name_of(&self.folder, self.number), &bytes, Expect::Anything, &fence);
        }
    }
}

/// What came of an attempt to create the next lock file.
enum Created {
    Ours(Box<Lock>),
    Taken,
    /// The store took the file, and does not show it.
    Unlisted,
}

/// The lock as it is now.
struct Current {
    number: u64,
    mark: ContentMark,
    /// Nothing if it cannot be understood.
    held: Option<LockFile>,
}

impl Current {
    fn who(&self) -> String {
        match &self.held {
            Some(held) => {
                let Operator { actor, host, pid, .. } = &held.holder;
                // The file is input: any process that may write to the folder may have written it.
                harmless(&format!("{actor} on {host} (process {pid}, {})", held.doing), 200)
            }
            None => "an unknown holder".to_owned(),
        }
    }
}

/// Whether the lock may be taken.
fn is_free(current: &Option<Current>, lease: Duration, seen: &mut Option<(ContentMark, Instant)>) -> bool {
    let Some(current) = current else { return true };
    if current.held.as_ref().is_some_and(|held| held.released || held.holder.is_dead()) {
        return true;
    }
    match seen {
        Some((mark, since)) if *mark == current.mark => since.elapsed() > lease,
        _ => {
            *seen = Some((current.mark.clone(), Instant::now()));
            false
        }
    }
}

fn current(store: &dyn Store, folder: &str, patience: Patience, began: Instant) -> Result<Option<Current>> {
    // Between the two calls the highest may be taken and removed: then there is a higher one.
    let mut pause = Duration::from_millis(1);
    loop {
        let Some(number) = highest(store, folder)? else { return Ok(None) };
        let name = name_of(folder, number);
        if let Some(stored) = store.read(&name)? {
            let held = serde_json::from_slice(&stored.bytes).ok();
            return Ok(Some(Current { number, mark: ContentMark(format!("{number} {}", stored.mark.0)), held }));
        }
        if began.elapsed() >= patience.wait && pause >= SETTLED {
            bail!("{} is listed and cannot be read: look at the server", store.place(&name));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

fn highest(store: &dyn Store, folder: &str) -> Result<Option<u64>> {
    Ok(store.list(folder)?.iter().filter_map(|name| number_of(name)).max())
}

fn fence(store: &dyn Store, folder: &str, number: u64, name: &str) -> Result<()> {
    let cannot = "cannot determine whether the lock is still ours";
    let highest = highest(store, folder).context(cannot)?;
    if highest.is_none() {
        bail!("{} is gone: was the folder removed, or something mounted there?", store.place(folder));
    }
    let stored = store.read(&name_of(folder, number)).context(cannot)?;
    let held = stored.and_then(|stored| serde_json::from_slice::<LockFile>(&stored.bytes).ok());
    if highest != Some(number) || held.is_none_or(|held| held.name != name) {
        bail!(
            "another publisher has taken over the lock, since this one did not answer for a while; it has finished or undone what this one began: see the log"
        );
    }
    Ok(())
}

fn name_of(folder: &str, number: u64) -> String {
    format!("{folder}/{number:08}")
}

/// Of what is not a number of ours nothing can follow.
fn number_of(name: &str) -> Option<u64> {
    name.parse().ok().filter(|number| *number < MOST)
}

fn to_bytes(held: &LockFile) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(held)?;
    bytes.push(b'\n');
    Ok(bytes)
}
