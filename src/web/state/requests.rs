//! Requests: drafts that were submitted. Each is made into a commit, pushed and proposed, stage by stage; one
//! that a crash left at an earlier stage is continued.

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::store::StateStore;

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It is stored.
    Accepted,
    /// It is a commit on its branch.
    Committed,
    /// The branch is where reviewers find it.
    Proposed,
    /// It is part of the data.
    Merged,
    /// It was given up.
    Closed,
}

impl Stage {
    const ALL: [Stage; 5] = [Stage::Accepted, Stage::Committed, Stage::Proposed, Stage::Merged, Stage::Closed];

    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Stage::Accepted => "accepted",
            Stage::Committed => "committed",
            Stage::Proposed => "proposed",
            Stage::Merged => "merged",
            Stage::Closed => "closed",
        }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangeRequest {
    pub(crate) id: String,
    pub(crate) user_id: String,
    /// The author of the commit.
    pub(crate) author: String,
    pub(crate) email: String,
    /// The domains whose subscribers it changes.
    pub(crate) domains: Vec<String>,
    /// What it does, in a line.
    pub(crate) title: String,
    /// The message of the commit.
    pub(crate) message: String,
    /// The changes as JSON.
    pub(crate) changes: String,
    pub(crate) branch: String,
    pub(crate) stage: Stage,
    pub(crate) commit: Option<String>,
    /// Its address at the forge.
    pub(crate) link: Option<String>,
    /// Why it did not get further.
    pub(crate) trouble: Option<String>,
    /// In seconds since 1970.
    pub(crate) created: i64,
}

const COLUMNS: &str =
    "id, user_id, author, email, domains, title, message, changes, branch, stage, commit_id, link, trouble, created";

impl StateStore {
    /// Makes a draft into a request, in one step. False if the draft has another version: it was changed or
    /// submitted in the meantime.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn submit(&self, request: &ChangeRequest, version: i64) -> Result<bool> {
        let mut transaction = self.run(self.pool.begin().await)?;
        // Emptied, not deleted: the number of a version never comes back.
        let empty = "UPDATE drafts SET changes = '[]', version = version + 1 WHERE user_id = $1 AND version = $2";
        let empty = sqlx::query(empty).bind(&request.user_id).bind(version);
        if self.run(empty.execute(&mut *transaction).await)?.rows_affected() == 0 {
            return Ok(false);
        }
        let insert = "INSERT INTO requests (id, user_id, author, email, domains, title, message, changes, branch, \
                      stage, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let insert = sqlx::query(insert).bind(&request.id).bind(&request.user_id).bind(&request.author);
        let insert = insert.bind(&request.email).bind(request.domains.join(" ")).bind(&request.title);
        let insert = insert.bind(&request.message).bind(&request.changes).bind(&request.branch);
        let insert = insert.bind(request.stage.as_str()).bind(request.created);
        self.run(insert.execute(&mut *transaction).await)?;
        self.run(transaction.commit().await)?;
        Ok(true)
    }

    /// Records how far a request has come that was at the stage `from`. False if it was not: another replica was
    /// faster, or it was taken back.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn note_stage(&self, request: &ChangeRequest, from: Stage) -> Result<bool> {
        let update =
            "UPDATE requests SET stage = $1, commit_id = $2, link = $3, trouble = $4 WHERE id = $5 AND stage = $6";
        let update = sqlx::query(update).bind(request.stage.as_str()).bind(&request.commit).bind(&request.link);
        let update = update.bind(&request.trouble).bind(&request.id).bind(from.as_str());
        Ok(self.run(update.execute(&self.pool).await)?.rows_affected() > 0)
    }

    /// The newest requests, at most `most` of them.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn requests(&self, most: i64) -> Result<Vec<ChangeRequest>> {
        let select = format!("SELECT {COLUMNS} FROM requests ORDER BY created DESC, id LIMIT $1");
        self.requests_by(sqlx::query(&select).bind(most)).await
    }

    /// Those that were not proposed yet, the oldest first: that are stuck, or were stored before `before`.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn unfinished(&self, before: i64) -> Result<Vec<ChangeRequest>> {
        let select = format!(
            "SELECT {COLUMNS} FROM requests WHERE stage IN ('accepted', 'committed') AND (created <= $1 OR trouble IS NOT NULL) \
             ORDER BY created, id"
        );
        self.requests_by(sqlx::query(&select).bind(before)).await
    }

    /// Those that are proposed and not known to be merged.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn proposed(&self) -> Result<Vec<ChangeRequest>> {
        let select = format!("SELECT {COLUMNS} FROM requests WHERE stage = 'proposed' ORDER BY created, id");
        self.requests_by(sqlx::query(&select)).await
    }

    /// The request with this id.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn request(&self, id: &str) -> Result<Option<ChangeRequest>> {
        let select = format!("SELECT {COLUMNS} FROM requests WHERE id = $1");
        Ok(self.requests_by(sqlx::query(&select).bind(id)).await?.pop())
    }

    async fn requests_by<'q>(
        &self,
        select: sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments<'q>>,
    ) -> Result<Vec<ChangeRequest>> {
        let rows = self.run(select.fetch_all(&self.pool).await)?;
        rows.iter().map(|row| self.run(stored(row))?.context("the state is damaged: a request has no stage")).collect()
    }
}

fn stored(row: &AnyRow) -> Result<Option<ChangeRequest>, sqlx::Error> {
    let (stage, domains): (String, String) = (row.try_get("stage")?, row.try_get("domains")?);
    let Some(stage) = Stage::ALL.into_iter().find(|known| known.as_str() == stage) else { return Ok(None) };
    Ok(Some(ChangeRequest {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        author: row.try_get("author")?,
        email: row.try_get("email")?,
        domains: domains.split_whitespace().map(ToOwned::to_owned).collect(),
        title: row.try_get("title")?,
        message: row.try_get("message")?,
        changes: row.try_get("changes")?,
        branch: row.try_get("branch")?,
        stage,
        commit: row.try_get("commit_id")?,
        link: row.try_get("link")?,
        trouble: row.try_get("trouble")?,
        created: row.try_get("created")?,
    }))
}
