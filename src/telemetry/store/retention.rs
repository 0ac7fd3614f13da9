//! What is too old is deleted, in pieces, and only after it was rolled up.

use anyhow::Result;

use super::rollup::{LEVELS, Level};
use super::{PIECE, SampleStore, Writing};
use crate::telemetry::sample::MINUTE;
use crate::telemetry::settings::Retention;

/// Milliseconds of a day.
pub(in crate::telemetry) const DAY: i64 = 86_400_000;

/// Rows of small tables that one transaction deletes.
const ROWS: i64 = 10_000;

/// Rows of small tables that are deleted: table, key, which, where `$1` is a moment.
type Rows = (&'static str, &'static str, &'static str);

/// The announcements of batches: a reader that was away for longer begins with a snapshot.
const BATCHES: Rows = ("batches", "id", "at < $1");

/// Series that are not listed any more, of which no sample is left.
const GONE: [Rows; 3] = [
    ("series_events", "series, at, what", "at < $1"),
    ("tenures", "series", "series IN (SELECT id FROM series WHERE status = 'gone' AND active_until < $1)"),
    ("series", "id", "status = 'gone' AND active_until < $1"),
];

impl SampleStore {
    /// How far what [`SampleStore::clean`] would delete at `now` goes back behind what the settings want, in
    /// milliseconds; that of a slot by its end.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn overdue(&self, now: i64, retention: &Retention) -> Result<i64> {
        let mut most = 0;
        for (level, age) in LEVELS.iter().zip([retention.raw, retention.minutes]) {
            let oldest = format!("SELECT MIN({}) FROM {}", level.slot, level.table);
            let oldest: Option<i64> = self.db.run(sqlx::query_scalar(&oldest).fetch_one(&self.db.pool).await)?;
            most = most.max(oldest.map_or(0, |slot| now - age.milliseconds() - (slot + 1) * level.length));
        }
        let oldest = self.oldest_day().await?;
        Ok(most.max(oldest.map_or(0, |day| now - retention.hours.milliseconds() - (day + 1) * DAY)))
    }

    /// Until when samples may be deleted already, in milliseconds since 1970: written again, they would count twice.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn deleted_before(&self) -> Result<i64> {
        let select = sqlx::query_scalar("SELECT slot FROM purged WHERE level = 0");
        let slot: i64 = self.db.run(select.fetch_one(&self.db.pool).await)?;
        Ok((slot + 1) * MINUTE)
    }

    /// Deletes what is older than the settings want at `now`. What is dirty stays until it was rolled up.
    ///
    /// # Errors
    /// If the store cannot be used. What was deleted until then stays deleted.
    pub(crate) async fn clean(&self, now: i64, retention: &Retention) -> Result<()> {
        let ages = [retention.raw, retention.minutes];
        for (level, age) in LEVELS.iter().zip(ages) {
            self.limit_line(level, now.div_euclid(level.length)).await?;
            let before = (now - age.milliseconds()).div_euclid(level.length);
            self.clean_level(level, before).await?;
            // A level above is cleaned only where nothing is left below: what is merged up to there counts once.
            if !self.close(level, before).await? {
                return Ok(());
            }
        }
        let day = (now - retention.hours.milliseconds()).div_euclid(DAY);
        while let Some(first) = self.oldest_day().await?.filter(|first| *first < day) {
            self.clean_day(first).await?;
        }
        self.delete_rows(BATCHES, now - retention.raw.milliseconds()).await?;
        for rows in GONE {
            self.delete_rows(rows, day * DAY).await?;
        }
        Ok(())
    }

    /// Moves the line back that a clock which was ahead has moved beyond the slot of now: samples from now on count.
    async fn limit_line(&self, level: &Level, slot: i64) -> Result<()> {
        let update = sqlx::query("UPDATE purged SET slot = $1, series = 0 WHERE level = $2 AND slot > $1");
        let update = update.bind(slot).bind(level.number);
        self.db.run(update.execute(&self.db.pool).await).map(drop)
    }

    async fn clean_level(&self, level: &Level, before: i64) -> Result<()> {
        let oldest = format!("SELECT MIN({}) FROM {} WHERE {0} > $1", level.slot, level.table);
        let mut done = i64::MIN;
        loop {
            let next: Option<i64> =
                self.db.run(sqlx::query_scalar(&oldest).bind(done).fetch_one(&self.db.pool).await)?;
            let Some(slot) = next.filter(|slot| *slot < before) else { return Ok(()) };
            // The line must not pass what is not rolled up.
            if !self.clean_slot(level, slot).await? {
                return Ok(());
            }
            done = slot;
        }
    }

    /// Notes that everything before a slot is deleted: late samples there are merged. False if something is left.
    async fn close(&self, level: &Level, before: i64) -> Result<bool> {
        let mut writing = self.begin().await?;
        let sql = format!("SELECT MIN({}) FROM {}", level.slot, level.table);
        let oldest: Option<i64> = self.db.run(sqlx::query_scalar(&sql).fetch_one(&mut *writing.tx).await)?;
        if oldest.is_some_and(|oldest| oldest < before) {
            return Ok(false);
        }
        if self.purged(&mut writing, level).await? < (before, 0) {
            self.move_line(&mut writing, level, (before, 0)).await?;
        }
        self.commit(writing).await?;
        Ok(true)
    }

    async fn move_line(&self, writing: &mut Writing<'_>, level: &Level, line: (i64, i64)) -> Result<()> {
        let update = sqlx::query("UPDATE purged SET slot = $1, series = $2 WHERE level = $3");
        let update = update.bind(line.0).bind(line.1).bind(level.number);
        self.db.run(update.execute(&mut *writing.tx).await).map(drop)
    }

    /// Deletes a slot. False if it has to be rolled up before.
    async fn clean_slot(&self, level: &Level, slot: i64) -> Result<bool> {
        let last = self.last_series(level, slot).await?.unwrap_or(0);
        for from in (0..last).step_by(PIECE as usize) {
            let mut writing = self.begin().await?;
            let line = self.purged(&mut writing, level).await?;
            let dirty = sqlx::query_scalar("SELECT slot FROM dirty WHERE level = $1 AND slot = $2");
            let dirty = dirty.bind(level.number).bind(slot).fetch_optional(&mut *writing.tx).await;
            let dirty: Option<i64> = self.db.run(dirty)?;
            if dirty.is_some() {
                return Ok(false);
            }
            let end = (slot, from + PIECE);
            if line >= end {
                continue;
            }
            self.delete_piece(&mut writing, level, slot, from).await?;
            self.move_line(&mut writing, level, end).await?;
            self.commit(writing).await?;
        }
        Ok(true)
    }

    async fn oldest_day(&self) -> Result<Option<i64>> {
        self.db.run(sqlx::query_scalar("SELECT MIN(day) FROM hours").fetch_one(&self.db.pool).await)
    }

    async fn clean_day(&self, day: i64) -> Result<()> {
        let last = sqlx::query_scalar("SELECT MAX(series) FROM hours WHERE day = $1").bind(day);
        let last: Option<i64> = self.db.run(last.fetch_one(&self.db.pool).await)?;
        for from in (0..last.unwrap_or(0)).step_by(PIECE as usize) {
            let mut writing = self.begin().await?;
            let delete = sqlx::query("DELETE FROM hours WHERE day = $1 AND series > $2 AND series <= $3");
            let delete = delete.bind(day).bind(from).bind(from + PIECE);
            self.db.run(delete.execute(&mut *writing.tx).await)?;
            self.commit(writing).await?;
        }
        Ok(())
    }

    /// Deletes rows of a small table, in pieces.
    async fn delete_rows(&self, (table, key, which): Rows, before: i64) -> Result<()> {
        let delete = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {which} ORDER BY {key} LIMIT $2) \
             AND {which}"
        );
        loop {
            let mut writing = self.begin().await?;
            let deleted = sqlx::query(&delete).bind(before).bind(ROWS).execute(&mut *writing.tx).await;
            let deleted = self.db.run(deleted)?.rows_affected();
            self.commit(writing).await?;
            if deleted < ROWS as u64 {
                return Ok(());
            }
        }
    }
}
