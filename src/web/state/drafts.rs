//! Drafts: the changes that a person has gathered and not submitted yet.

use anyhow::Result;
use sqlx::Row as _;

use crate::database::store::StateStore;

/// A draft as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredDraft {
    /// Goes up with each save; 0 before the first.
    pub(crate) version: i64,
    /// The changes as JSON.
    pub(crate) changes: String,
}

impl StateStore {
    /// The draft of a person.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn draft(&self, user: &str) -> Result<StoredDraft> {
        let select = sqlx::query("SELECT version, changes FROM drafts WHERE user_id = $1");
        let Some(row) = self.run(select.bind(user).fetch_optional(&self.pool).await)? else {
            return Ok(StoredDraft { version: 0, changes: "[]".to_owned() });
        };
        self.run(
            row.try_get("version").and_then(|version| Ok(StoredDraft { version, changes: row.try_get("changes")? })),
        )
    }

    /// Saves a draft over the version that it was made from. False if another window of the same person was
    /// faster.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn save_draft(&self, user: &str, draft: &StoredDraft) -> Result<bool> {
        let next = draft.version + 1;
        let done = if draft.version == 0 {
            let insert = "INSERT INTO drafts (user_id, version, changes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
            sqlx::query(insert).bind(user).bind(next).bind(&draft.changes).execute(&self.pool).await
        } else {
            let update = "UPDATE drafts SET version = $1, changes = $2 WHERE user_id = $3 AND version = $4";
            let update = sqlx::query(update).bind(next).bind(&draft.changes).bind(user).bind(draft.version);
            update.execute(&self.pool).await
        };
        Ok(self.run(done)?.rows_affected() > 0)
    }
}
