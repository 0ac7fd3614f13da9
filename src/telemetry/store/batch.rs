//! What one transaction of the collector writes.

use anyhow::Result;

use super::{SampleStore, Writing, chunks};
use crate::telemetry::message::Message;
use crate::telemetry::sample::{Kind, Sample, now};

/// Samples of one source, and what follows from them: all of it is written, or nothing.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The source.
    pub(crate) source: String,
    /// In any order.
    pub(crate) samples: Vec<Sample>,
    /// Up to which moment the source has been collected.
    pub(crate) until: Option<i64>,
    /// Up to which moment a series has been collected.
    pub(crate) series_until: Vec<(i64, Kind, i64)>,
    /// Messages about the samples; none if there is no sink.
    pub(crate) messages: Vec<Message>,
}

impl SampleStore {
    /// Writes a batch. A sample that is there already stays as it is.
    ///
    /// # Errors
    /// If the store cannot be used. Then nothing is written.
    pub(crate) async fn write(&self, mut batch: Batch) -> Result<()> {
        batch.samples.sort_unstable_by_key(|sample| (sample.slot(), sample.series, sample.kind, sample.at));
        let mut writing = self.begin().await?;
        self.insert_samples(&mut writing, &batch.samples).await?;
        self.mark_dirty(&mut writing, &batch.samples).await?;
        self.move_checkpoints(&mut writing, &batch).await?;
        self.put_out(&mut writing, &batch.messages).await?;
        self.announce(&mut writing, &batch).await?;
        self.commit(writing).await
    }

    async fn insert_samples(&self, writing: &mut Writing<'_>, mut samples: &[Sample]) -> Result<()> {
        for size in chunks(samples.len()) {
            let (rows, rest) = samples.split_at(size);
            samples = rest;
            let sql = format!(
                "INSERT INTO samples (slot, series, kind, at, up, down, active) VALUES {} ON CONFLICT DO NOTHING",
                self.db.placeholders(size, 7)
            );
            let mut insert = sqlx::query(&sql);
            for row in rows {
                insert = insert.bind(row.slot()).bind(row.series).bind(row.kind.number()).bind(row.at);
                insert = insert.bind(stored(row.up)).bind(stored(row.down)).bind(row.active.map(i64::from));
            }
            self.db.run(insert.execute(&mut *writing.tx).await)?;
        }
        Ok(())
    }

    async fn mark_dirty(&self, writing: &mut Writing<'_>, samples: &[Sample]) -> Result<()> {
        let mut slots: Vec<i64> = samples.iter().map(Sample::slot).collect();
        slots.dedup();
        for slot in slots {
            self.mark(writing, 0, slot).await?;
        }
        Ok(())
    }

    /// Notes that something of a level has to be rolled up.
    pub(super) async fn mark(&self, writing: &mut Writing<'_>, level: i64, slot: i64) -> Result<()> {
        let upsert = "INSERT INTO dirty (level, slot, stamp) VALUES ($1, $2, $3) \
                      ON CONFLICT (level, slot) DO UPDATE SET stamp = excluded.stamp";
        let upsert = sqlx::query(upsert).bind(level).bind(slot).bind(writing.number);
        self.db.run(upsert.execute(&mut *writing.tx).await).map(drop)
    }

    async fn move_checkpoints(&self, writing: &mut Writing<'_>, batch: &Batch) -> Result<()> {
        if let Some(until) = batch.until {
            let upsert = "INSERT INTO checkpoints (source, until) VALUES ($1, $2) \
                          ON CONFLICT (source) DO UPDATE SET until = excluded.until";
            let upsert = sqlx::query(upsert).bind(batch.source.as_str()).bind(until);
            self.db.run(upsert.execute(&mut *writing.tx).await)?;
        }
        for (series, kind, until) in &batch.series_until {
            let update = match kind {
                Kind::Traffic => "UPDATE series SET traffic_until = $1 WHERE id = $2",
                Kind::Errors => "UPDATE series SET errors_until = $1 WHERE id = $2",
                Kind::Discards => "UPDATE series SET discards_until = $1 WHERE id = $2",
            };
            let update = sqlx::query(update).bind(until).bind(series);
            self.db.run(update.execute(&mut *writing.tx).await)?;
        }
        Ok(())
    }

    /// The row by which readers find what is new.
    async fn announce(&self, writing: &mut Writing<'_>, batch: &Batch) -> Result<()> {
        let (Some(first), Some(last)) = (batch.samples.first(), batch.samples.last()) else { return Ok(()) };
        let series = batch.samples.iter().map(|sample| sample.series);
        let insert = "INSERT INTO batches (id, at, source, samples, first_slot, last_slot, first_series, last_series) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = sqlx::query(insert)
            .bind(writing.number)
            .bind(now())
            .bind(batch.source.as_str())
            .bind(batch.samples.len() as i64)
            .bind(first.slot())
            .bind(last.slot())
            .bind(series.clone().min())
            .bind(series.max());
        self.db.run(insert.execute(&mut *writing.tx).await).map(drop)
    }

    /// Up to which moment a source has been collected.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn checkpoint(&self, source: &str) -> Result<Option<i64>> {
        let select = sqlx::query_scalar("SELECT until FROM checkpoints WHERE source = $1").bind(source);
        self.db.run(select.fetch_optional(&self.db.pool).await)
    }
}

/// A rate as it is stored. What is next to nothing is nothing: PostgreSQL refuses to compute with numbers that become too
/// small, and would roll up no more.
fn stored(rate: f64) -> f64 {
    if rate.abs() < 1e-6 { 0.0 } else { rate }
}
