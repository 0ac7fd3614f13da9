//! Events of subscribers: what a publish changed, once for each change.
//!
//! The store remembers for each target up to which version there are events. That version and the messages about
//! the way to it are written in one transaction, so a run that was killed in between is caught up by the next.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use sqlx::Row as _;
use tokio::runtime::Runtime;

use super::message::Message;
use super::sender::{Sent, Sink, send_once};
use super::store::SampleStore;
use crate::database::location::StateLocation;

/// How long the store may take for one piece of work. A publish waits for it.
const STORING: Duration = Duration::from_secs(5);

/// How much longer it may take for each message that it writes.
const WRITING: Duration = Duration::from_micros(100);

/// How long a command waits for its threads at the end.
const ENDING: Duration = Duration::from_secs(1);

/// How long a run sends. What is left is sent by the next run, or by a collector.
const SENDING: Duration = Duration::from_secs(10);

/// Up to which version of a target there are events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// Grows with each step, also where a version comes back.
    pub(crate) step: i64,
    /// The version's number; 0 before the first.
    pub(crate) version: u64,
}

/// The store, for commands that are not asynchronous.
pub(crate) struct EventStore {
    threads: Threads,
    store: SampleStore,
}

/// Threads for what is asynchronous; there until they are dropped.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Threads> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Threads(Some(runtime.context("cannot start a thread")?)))
    }

    fn within<T>(&self, limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
        let late = || anyhow!("the store of the samples does not answer within {} s", limit.as_secs());
        let runtime = self.0.as_ref().context("the threads have ended")?;
        runtime.block_on(async { tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late())) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // What still looks up a name would hold up the command.
            runtime.shutdown_timeout(ENDING);
        }
    }
}

impl EventStore {
    /// Opens the store.
    ///
    /// # Errors
    /// If it cannot be opened, or does not answer in time.
    pub(crate) fn open(location: &StateLocation) -> Result<EventStore> {
        let threads = Threads::start()?;
        let store = threads.within(STORING, SampleStore::open(location))?;
        Ok(EventStore { threads, store })
    }

    /// Up to which version of a target there are events.
    ///
    /// # Errors
    /// If the store cannot be used, or does not answer in time.
    pub(crate) fn coverage(&self, target: &str) -> Result<Option<Coverage>> {
        self.threads.within(STORING, self.store.coverage(target))
    }

    /// Writes the messages about the way from `from` to `version`. Returns false if another run was faster; then
    /// nothing is written.
    ///
    /// # Errors
    /// If the store cannot be used, or does not answer in time. Then nothing is written, or all.
    pub(crate) fn cover(
        &self,
        target: &str,
        from: Option<&Coverage>,
        version: u64,
        messages: &[Message],
    ) -> Result<bool> {
        // A publish may change a million subscribers: a limit that is always exceeded would lose them for good.
        let limit = STORING + WRITING * u32::try_from(messages.len()).unwrap_or(u32::MAX);
        self.threads.within(limit, self.store.cover(target, from, version, messages))
    }

    /// Sends what waits, for a bounded time. What became of each sink.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) fn send(&self, sinks: &[Sink]) -> Result<Vec<(String, Result<Sent>)>> {
        self.threads.within(SENDING * (1 + sinks.len() as u32) + STORING, send_once(&self.store, sinks, SENDING, false))
    }
}

impl SampleStore {
    async fn coverage(&self, target: &str) -> Result<Option<Coverage>> {
        let select = sqlx::query("SELECT step, version FROM covered WHERE target = $1").bind(target);
        let row = self.db.run(select.fetch_optional(&self.db.pool).await)?;
        let read = |row: sqlx::any::AnyRow| {
            let (step, version): (i64, i64) = (row.try_get("step")?, row.try_get("version")?);
            Ok(Coverage { step, version: version.unsigned_abs() })
        };
        self.db.run(row.map(read).transpose())
    }

    async fn cover(&self, target: &str, from: Option<&Coverage>, version: u64, messages: &[Message]) -> Result<bool> {
        let mut writing = self.begin().await?;
        let version = i64::try_from(version)?;
        let written = match from {
            Some(from) => {
                let update = "UPDATE covered SET step = step + 1, version = $1 WHERE target = $2 AND step = $3";
                let update = sqlx::query(update).bind(version).bind(target).bind(from.step);
                update.execute(&mut *writing.tx).await
            }
            None => {
                let insert = "INSERT INTO covered (target, step, version) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
                sqlx::query(insert).bind(target).bind(version).execute(&mut *writing.tx).await
            }
        };
        if self.db.run(written)?.rows_affected() == 0 {
            return Ok(false);
        }
        self.put_out(&mut writing, messages).await?;
        self.commit(writing).await?;
        Ok(true)
    }
}
