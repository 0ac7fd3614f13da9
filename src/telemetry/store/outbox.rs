//! Messages that wait for their sinks.

use anyhow::{Context as _, Result};
use sqlx::Row as _;

use super::{SampleStore, Writing};
use crate::telemetry::message::Message;

/// Messages in a row.
const MESSAGES: usize = 500;

/// A row of the outbox.
#[derive(Debug)]
pub(crate) struct OutboxRow {
    /// Rows are sent in the order of their ids.
    pub(crate) id: i64,
    /// The messages, in order.
    pub(crate) messages: Vec<Message>,
}

impl SampleStore {
    pub(in crate::telemetry) async fn put_out(&self, writing: &mut Writing<'_>, messages: &[Message]) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let rows = messages.chunks(MESSAGES);
        let first = self.take(&mut writing.tx, "outbox", rows.len() as i64).await? - rows.len() as i64 + 1;
        for (id, row) in (first..).zip(rows) {
            let insert = sqlx::query("INSERT INTO outbox (id, messages, body) VALUES ($1, $2, $3)");
            let insert = insert.bind(id).bind(row.len() as i64).bind(serde_json::to_string(row)?);
            self.db.run(insert.execute(&mut *writing.tx).await)?;
        }
        Ok(())
    }

    /// The next rows that a sink does not have, at most `limit`, up to one that is damaged.
    ///
    /// # Errors
    /// If the store cannot be used, or the first row is damaged.
    pub(crate) async fn unsent(&self, sink: &str, limit: i64) -> Result<Vec<OutboxRow>> {
        let select = "SELECT id, body FROM outbox \
                      WHERE id > COALESCE((SELECT id FROM outbox_sent WHERE sink = $1), 0) ORDER BY id LIMIT $2";
        let rows = self.db.run(sqlx::query(select).bind(sink).bind(limit).fetch_all(&self.db.pool).await)?;
        let row = |row: &sqlx::any::AnyRow| {
            let (id, body): (i64, String) =
                self.db.run(row.try_get("id").and_then(|id| Ok((id, row.try_get("body")?))))?;
            let messages = serde_json::from_str(&body).with_context(|| format!("row {id} of the outbox is damaged"))?;
            Ok(OutboxRow { id, messages })
        };
        let mut found = Vec::with_capacity(rows.len());
        for read in rows.iter().map(row) {
            match read {
                Ok(row) => found.push(row),
                Err(damaged) if found.is_empty() => return Err(damaged),
                Err(_) => break,
            }
        }
        Ok(found)
    }

    /// Keeps rows until each of these sinks has them, also where another process, whose settings do not have it,
    /// deletes what is sent. Returns the sinks for which none are kept any more.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn keep_for(&self, sinks: &[&str]) -> Result<Vec<String>> {
        let mut writing = self.begin().await?;
        let select = sqlx::query_scalar("SELECT sink FROM outbox_sent WHERE kept = 1 ORDER BY sink");
        let mut kept: Vec<String> = self.db.run(select.fetch_all(&mut *writing.tx).await)?;
        kept.retain(|sink| !sinks.contains(&sink.as_str()));
        for sink in &kept {
            let forget = sqlx::query("UPDATE outbox_sent SET kept = 0 WHERE sink = $1").bind(sink);
            self.db.run(forget.execute(&mut *writing.tx).await)?;
        }
        for sink in sinks {
            let upsert = "INSERT INTO outbox_sent (sink, id, kept) VALUES ($1, 0, 1) \
                          ON CONFLICT (sink) DO UPDATE SET kept = 1";
            self.db.run(sqlx::query(upsert).bind(*sink).execute(&mut *writing.tx).await)?;
        }
        self.delete_sent(&mut writing, sinks).await?;
        self.commit(writing).await?;
        Ok(kept)
    }

    /// Notes that a sink has all rows up to `id`, and deletes those that all `sinks` have and those of
    /// [`keep_for`](Self::keep_for).
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn sent(&self, sink: &str, id: i64, sinks: &[&str]) -> Result<()> {
        let mut writing = self.begin().await?;
        let upsert = "INSERT INTO outbox_sent (sink, id) VALUES ($1, $2) \
                      ON CONFLICT (sink) DO UPDATE SET id = excluded.id";
        self.db.run(sqlx::query(upsert).bind(sink).bind(id).execute(&mut *writing.tx).await)?;
        self.delete_sent(&mut writing, sinks).await?;
        self.commit(writing).await
    }

    /// Deletes what all `sinks` have, and those for which rows are kept.
    async fn delete_sent(&self, writing: &mut Writing<'_>, sinks: &[&str]) -> Result<()> {
        let select = sqlx::query_scalar("SELECT MIN(id) FROM outbox_sent WHERE kept = 1");
        let mut all: Option<i64> = self.db.run(select.fetch_one(&mut *writing.tx).await)?;
        for sink in sinks {
            let select = sqlx::query_scalar("SELECT id FROM outbox_sent WHERE sink = $1").bind(*sink);
            let has: i64 = self.db.run(select.fetch_optional(&mut *writing.tx).await)?.unwrap_or(0);
            all = Some(all.map_or(has, |all| all.min(has)));
        }
        let delete = sqlx::query("DELETE FROM outbox WHERE id <= $1").bind(all.unwrap_or(0));
        self.db.run(delete.execute(&mut *writing.tx).await)?;
        Ok(())
    }

    /// How many messages wait.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn outbox_depth(&self) -> Result<i64> {
        let select = "SELECT CAST(COALESCE(SUM(messages), 0) AS BIGINT) FROM outbox";
        self.db.run(sqlx::query_scalar(select).fetch_one(&self.db.pool).await)
    }
}
