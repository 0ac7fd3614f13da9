//! Who sends: of all processes with this store only one at a time, or messages would leave out of order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::SampleStore;
use crate::database::random::random;
use crate::telemetry::sample::now;

/// How long the turn of a process lasts that does not renew it, because it was killed.
const LEASE: Duration = Duration::from_secs(15);

/// From one renewal to the next.
const RENEWAL: Duration = Duration::from_secs(3);

/// From one attempt of a process that waits to the next.
const WAITING: Duration = Duration::from_millis(500);

/// What is left of a turn in which nothing new is begun.
const MARGIN: Duration = Duration::from_secs(5);

/// A process that sends, or waits until it may.
#[derive(Clone)]
pub(crate) struct Turn {
    store: SampleStore,
    holder: Arc<str>,
    /// Until when it may begin to send something.
    until: Arc<Mutex<Option<Instant>>>,
}

impl Turn {
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn new(store: &SampleStore) -> Result<Turn> {
        Ok(Turn { store: store.clone(), holder: random::<16>()?.into(), until: Arc::default() })
    }

    /// Whether it may send now.
    pub(crate) fn is_mine(&self) -> bool {
        let until = self.until.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes or renews the turn, unless it is another's. Returns whether it may send.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn renew(&self) -> Result<bool> {
        // Before the statement: it may take long.
        let until = Instant::now() + (LEASE - MARGIN);
        let mine = self.store.lease(&self.holder).await?;
        *self.until.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = mine.then_some(until);
        Ok(mine)
    }

    /// Takes the turn within `patience`. Returns false at once when another process is seen to renew its own.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn take(&self, patience: Duration) -> Result<bool> {
        let end = Instant::now() + patience;
        let mut seen = None;
        loop {
            if self.renew().await? {
                return Ok(true);
            }
            let other = self.store.leased().await?;
            if seen.is_some_and(|seen| seen != other) || Instant::now() + WAITING > end {
                return Ok(false);
            }
            seen = Some(other);
            sleep(WAITING).await;
        }
    }

    /// Renews the turn again and again; passes on what became of each attempt.
    pub(crate) async fn keep(&self, mut note: impl FnMut(Result<bool>)) {
        loop {
            let ended = self.renew().await;
            let mine = matches!(ended, Ok(true));
            note(ended);
            sleep(if mine { RENEWAL } else { WAITING }).await;
        }
    }

    /// Does `work`, and keeps the turn meanwhile.
    pub(crate) async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.keep(|_| {}) => {}
            }
        }
    }

    /// Gives the turn back for good: this process does not take it again.
    ///
    /// # Errors
    /// If the store cannot be used. Then it expires.
    pub(crate) async fn give_back(&self) -> Result<()> {
        self.store.release(&self.holder).await
    }
}

impl SampleStore {
    async fn lease(&self, holder: &str) -> Result<bool> {
        let _turn = self.writing.lock().await;
        let now = now();
        let until = now + LEASE.as_millis() as i64;
        // One that lasts too long was written by a clock that was wrong. One that was given back is not renewed: a
        // renewal that was cut off may still be on its way.
        let upsert = "INSERT INTO leases (name, holder, until) VALUES ('outbox', $1, $2) \
                      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
                      WHERE (leases.holder = excluded.holder AND leases.until > 0) \
                      OR (leases.holder <> excluded.holder AND leases.until <= $3) OR leases.until > $4";
        let upsert = sqlx::query(upsert).bind(holder).bind(until).bind(now).bind(until + LEASE.as_millis() as i64);
        Ok(self.db.run(upsert.execute(&self.db.pool).await)?.rows_affected() == 1)
    }

    /// Until when the turn lasts that someone has.
    async fn leased(&self) -> Result<Option<i64>> {
        let select = sqlx::query_scalar("SELECT until FROM leases WHERE name = 'outbox'");
        self.db.run(select.fetch_optional(&self.db.pool).await)
    }

    async fn release(&self, holder: &str) -> Result<()> {
        let _turn = self.writing.lock().await;
        let update = sqlx::query("UPDATE leases SET until = 0 WHERE name = 'outbox' AND holder = $1").bind(holder);
        self.db.run(update.execute(&self.db.pool).await).map(drop)
    }
}
