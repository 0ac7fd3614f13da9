//! The samples in the database. Every transaction that writes begins by taking a number from a counter: writers
//! come one after the other, and readers see the numbers grow in the order of commits.

pub(crate) mod batch;
pub(crate) mod lease;
pub(crate) mod outbox;
pub(crate) mod read;
pub(crate) mod retention;
pub(crate) mod rollup;
pub(crate) mod series;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Result;
use futures_util::TryStreamExt as _;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Row as _, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use crate::database::location::StateLocation;
use crate::database::store::StateStore;

/// Series in one piece of a roll-up or a deletion: a transaction that others wait for ends within a second. Tests have
/// few series, and several pieces.
const PIECE: i64 = if cfg!(test) { 4 } else { 10_000 };

/// The store of the samples.
#[derive(Clone)]
pub(crate) struct SampleStore {
    pub(super) db: StateStore,
    /// SQLite has one writer: within the process the others wait here, not in the database.
    writing: Arc<Mutex<()>>,
}

/// A transaction that writes.
pub(super) struct Writing<'s> {
    pub(super) tx: Transaction<'static, Any>,
    /// Its number: larger than that of all transactions before it.
    number: i64,
    _turn: MutexGuard<'s, ()>,
}

impl SampleStore {
    /// Opens the store, and makes its tables if it is new.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a later version.
    pub(crate) async fn open(location: &StateLocation) -> Result<SampleStore> {
        Ok(SampleStore { db: StateStore::open(location).await?, writing: Arc::default() })
    }

    /// # Errors
    /// If the file of the store was replaced or removed while it was open.
    pub(crate) fn check_file(&self) -> Result<()> {
        self.db.check_file()
    }

    pub(super) async fn begin(&self) -> Result<Writing<'_>> {
        let turn = self.writing.lock().await;
        let mut tx = self.db.run(self.db.pool.begin().await)?;
        let number = self.take(&mut tx, "batches", 1).await?;
        Ok(Writing { tx, number, _turn: turn })
    }

    /// The last of `count` new numbers.
    async fn take(&self, tx: &mut Transaction<'static, Any>, counter: &str, count: i64) -> Result<i64> {
        let update = "UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value";
        let row = sqlx::query(update).bind(count).bind(counter).fetch_one(&mut **tx).await;
        self.db.run(row.and_then(|row| row.try_get(0)))
    }

    /// The rows of a query, each read as it comes: many of them would be large as a list of rows.
    async fn gather<'q, T>(
        &'q self,
        query: sqlx::query::Query<'q, Any, AnyArguments<'q>>,
        read: impl Fn(&AnyRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>> {
        let mut rows = query.fetch(&self.db.pool);
        let mut values = Vec::new();
        while let Some(row) = self.db.run(rows.try_next().await)? {
            values.push(self.db.run(read(&row))?);
        }
        Ok(values)
    }

    pub(super) async fn commit(&self, writing: Writing<'_>) -> Result<()> {
        self.db.run(writing.tx.commit().await)
    }
}

/// Sizes of statements with many rows: few different ones, so that the database has them all prepared.
fn chunks(rows: usize) -> impl Iterator<Item = usize> {
    let mut left = rows;
    std::iter::from_fn(move || {
        let size = [512, 64, 8, 1].into_iter().find(|size| *size <= left)?;
        left -= size;
        Some(size)
    })
}
