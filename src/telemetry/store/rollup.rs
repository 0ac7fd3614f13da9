//! Roll-ups: minutes from samples, hours from minutes.
//!
//! What is dirty is computed anew from all rows below it, so an interrupted roll-up leaves nothing wrong. Where
//! retention has deleted those rows, the late ones are merged into what was computed before, and deleted in the same
//! transaction: each counts once.

use anyhow::Result;
use sqlx::Row as _;

use super::{PIECE, SampleStore, Writing};

/// One step of a roll-up.
pub(super) struct Level {
    /// The number in `dirty` and `purged`.
    pub(super) number: i64,
    /// How long after its end a slot is rolled up, in milliseconds: what comes later is rolled up again.
    grace: i64,
    /// The length of a slot, in milliseconds.
    pub(super) length: i64,
    /// The table that is rolled up, and its first column.
    pub(super) table: &'static str,
    pub(super) slot: &'static str,
    /// The table that it becomes, its two columns of time, and how many slots the first has.
    into: &'static str,
    group: &'static str,
    unit: &'static str,
    units: i64,
    /// Number of samples, means and maxima of a slot.
    sums: &'static str,
}

pub(super) const LEVELS: [Level; 2] = [
    Level {
        number: 0,
        grace: 5_000,
        length: 60_000,
        table: "samples",
        slot: "slot",
        into: "minutes",
        group: "hour",
        unit: "minute",
        units: 60,
        sums: "COUNT(*), AVG(up), AVG(down), MAX(up), MAX(down)",
    },
    Level {
        number: 1,
        grace: 60_000,
        length: 3_600_000,
        table: "minutes",
        slot: "hour",
        into: "hours",
        group: "day",
        unit: "hour",
        units: 24,
        sums: "CAST(SUM(samples) AS BIGINT), SUM(up * samples) / CAST(SUM(samples) AS DOUBLE PRECISION), \
               SUM(down * samples) / CAST(SUM(samples) AS DOUBLE PRECISION), MAX(up_max), MAX(down_max)",
    },
];

impl Level {
    fn sql(&self, merge: bool) -> String {
        let Level { table, slot, into, group, unit, sums, .. } = self;
        let set = if merge {
            let mean = |column: &str| {
                format!(
                    "{column} = ({into}.{column} * {into}.samples + excluded.{column} * excluded.samples) / \
                     CAST({into}.samples + excluded.samples AS DOUBLE PRECISION)"
                )
            };
            let most = |column: &str| {
                format!(
                    "{column} = CASE WHEN excluded.{column} > {into}.{column} THEN excluded.{column} \
                     ELSE {into}.{column} END"
                )
            };
            [
                format!("samples = {into}.samples + excluded.samples"),
                mean("up"),
                mean("down"),
                most("up_max"),
                most("down_max"),
            ]
            .join(", ")
        } else {
            ["samples", "up", "down", "up_max", "down_max"].map(|one| format!("{one} = excluded.{one}")).join(", ")
        };
        format!(
            "INSERT INTO {into} ({group}, series, kind, {unit}, samples, up, down, up_max, down_max) \
             SELECT $1, series, kind, $2, {sums} FROM {table} \
             WHERE {slot} = $2 AND series > $3 AND series <= $4 GROUP BY series, kind \
             ON CONFLICT ({group}, series, kind, {unit}) DO UPDATE SET {set}"
        )
    }
}

/// A slot to roll up, and the transaction that made it dirty.
struct Dirty {
    slot: i64,
    stamp: i64,
}

impl SampleStore {
    /// Rolls up what is dirty and complete at `now`; with `all`, also what is not complete.
    ///
    /// # Errors
    /// If the store cannot be used. What is left is rolled up next time.
    pub(crate) async fn roll_up(&self, now: i64, all: bool) -> Result<()> {
        for level in &LEVELS {
            let before = if all { i64::MAX } else { (now - level.grace).div_euclid(level.length) };
            for dirty in self.dirty(level, before).await? {
                self.roll_up_slot(level, &dirty).await?;
            }
        }
        Ok(())
    }

    async fn dirty(&self, level: &Level, before: i64) -> Result<Vec<Dirty>> {
        let select = "SELECT slot, stamp FROM dirty WHERE level = $1 AND slot < $2 ORDER BY slot";
        let select = sqlx::query(select).bind(level.number).bind(before);
        let rows = self.db.run(select.fetch_all(&self.db.pool).await)?;
        let read = |row: &sqlx::any::AnyRow| Ok(Dirty { slot: row.try_get("slot")?, stamp: row.try_get("stamp")? });
        self.db.run(rows.iter().map(read).collect())
    }

    async fn roll_up_slot(&self, level: &Level, dirty: &Dirty) -> Result<()> {
        let last = self.last_series(level, dirty.slot).await?.unwrap_or(0);
        for from in (0..last).step_by(PIECE as usize) {
            let mut writing = self.begin().await?;
            self.roll_up_piece(&mut writing, level, dirty.slot, from).await?;
            self.commit(writing).await?;
        }
        let mut writing = self.begin().await?;
        // A stamp that is newer stays: there are samples that were not seen.
        let delete = sqlx::query("DELETE FROM dirty WHERE level = $1 AND slot = $2 AND stamp = $3");
        let delete = delete.bind(level.number).bind(dirty.slot).bind(dirty.stamp);
        self.db.run(delete.execute(&mut *writing.tx).await)?;
        self.commit(writing).await
    }

    async fn roll_up_piece(&self, writing: &mut Writing<'_>, level: &Level, slot: i64, from: i64) -> Result<()> {
        let to = from + PIECE;
        let merge = self.purged(writing, level).await? >= (slot, to);
        let sql = level.sql(merge);
        let insert = sqlx::query(&sql).bind(slot.div_euclid(level.units)).bind(slot).bind(from).bind(to);
        self.db.run(insert.execute(&mut *writing.tx).await)?;
        if merge {
            self.delete_piece(writing, level, slot, from).await?;
        }
        if level.number == 0 {
            self.mark(writing, 1, slot.div_euclid(level.units)).await?;
        }
        Ok(())
    }

    /// The largest number of a series in a slot.
    pub(super) async fn last_series(&self, level: &Level, slot: i64) -> Result<Option<i64>> {
        let sql = format!("SELECT MAX(series) FROM {} WHERE {} = $1", level.table, level.slot);
        self.db.run(sqlx::query_scalar(&sql).bind(slot).fetch_one(&self.db.pool).await)
    }

    /// Up to where retention has deleted: slot and series.
    pub(super) async fn purged(&self, writing: &mut Writing<'_>, level: &Level) -> Result<(i64, i64)> {
        let select = sqlx::query("SELECT slot, series FROM purged WHERE level = $1").bind(level.number);
        let row = self.db.run(select.fetch_one(&mut *writing.tx).await)?;
        self.db.run(row.try_get("slot").and_then(|slot| Ok((slot, row.try_get("series")?))))
    }

    /// Deletes the rows of the next series of a slot, behind `from`.
    pub(super) async fn delete_piece(
        &self,
        writing: &mut Writing<'_>,
        level: &Level,
        slot: i64,
        from: i64,
    ) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE {} = $1 AND series > $2 AND series <= $3", level.table, level.slot);
        let delete = sqlx::query(&sql).bind(slot).bind(from).bind(from + PIECE);
        self.db.run(delete.execute(&mut *writing.tx).await).map(drop)
    }
}
