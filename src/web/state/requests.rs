//! Requests: drafts that were submitted. Each is made into a commit, pushed and proposed, stage by stage; one
//! that a crash left at an earlier stage is continued.

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::database::store::StateStore;

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
    /// It was given up; what was sent of it may not be removed yet.
    Withdrawn,
    /// It was given up or rejected.
    Closed,
}

impl Stage {
    const ALL: [Stage; 6] =
        [Stage::Accepted, Stage::Committed, Stage::Proposed, Stage::Merged, Stage::Withdrawn, Stage::Closed];

    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Stage::Accepted => "accepted",
            Stage::Committed => "committed",
            Stage::Proposed => "proposed",
            Stage::Merged => "merged",
            Stage::Withdrawn => "withdrawn",
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
    pub(crate) review: Review,
    /// How often in a row its next step failed.
    pub(crate) tries: i64,
    /// When it is its turn again, in seconds since 1970.
    pub(crate) due: i64,
}

/// What became of a request with those who review it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Review {
    /// The number of its pull request.
    pub(crate) pull: Option<i64>,
    /// When that was opened, in seconds since 1970.
    pub(crate) opened: Option<i64>,
    /// When it was merged, rejected or withdrawn.
    pub(crate) ended: Option<i64>,
    /// Why it is closed, if its author did not withdraw it.
    pub(crate) reason: Option<String>,
    /// The commit by which the forge merged it.
    pub(crate) merged_as: Option<String>,
}

impl ChangeRequest {
    /// The longest pause between two tries, in seconds.
    const LONGEST: i64 = 300;

    /// Notes that a step failed: the next try is later each time.
    pub(crate) fn postpone(&mut self, now: i64) {
        self.tries = self.tries.saturating_add(1);
        self.due = now + (1i64 << self.tries.clamp(1, 16)).min(Self::LONGEST);
    }
}

const COLUMNS: &str = "id, user_id, author, email, domains, title, message, changes, branch, stage, commit_id, link, \
                       trouble, created, pull, opened, ended, reason, merged_as, tries, due";

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
        let update = "UPDATE requests SET stage = $1, commit_id = $2, link = $3, trouble = $4, pull = $5, opened = $6, \
                      ended = $7, reason = $8, merged_as = $9, tries = $10, due = $11 WHERE id = $12 AND stage = $13";
        let (update, review) = (sqlx::query(update).bind(request.stage.as_str()), &request.review);
        let update = update.bind(&request.commit).bind(&request.link).bind(&request.trouble).bind(review.pull);
        let update = update.bind(review.opened).bind(review.ended).bind(&review.reason).bind(&review.merged_as);
        let update = update.bind(request.tries).bind(request.due).bind(&request.id).bind(from.as_str());
        Ok(self.run(update.execute(&self.pool).await)?.rows_affected() > 0)
    }

    /// Takes a request that is due, until `until`. False if another replica was faster.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn claim(&self, request: &mut ChangeRequest, until: i64) -> Result<bool> {
        let update = "UPDATE requests SET due = $1 WHERE id = $2 AND stage = $3 AND due = $4";
        let update = sqlx::query(update).bind(until).bind(&request.id).bind(request.stage.as_str()).bind(request.due);
        let taken = self.run(update.execute(&self.pool).await)?.rows_affected() > 0;
        if taken {
            request.due = until;
        }
        Ok(taken)
    }

    /// Has a request looked at once more if it was withdrawn: something of it was sent after that.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn sent_after_all(&self, id: &str) -> Result<()> {
        let update = "UPDATE requests SET stage = 'withdrawn', due = 0 \
                      WHERE id = $1 AND (stage = 'withdrawn' OR (stage = 'closed' AND reason IS NULL))";
        self.run(sqlx::query(update).bind(id).execute(&self.pool).await).map(drop)
    }

    /// The newest requests that `may_see` lets pass, at most `most` of them, and of those at most `looked` that are
    /// looked at. Without messages and changes, which may be large.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn requests(
        &self,
        most: usize,
        looked: usize,
        may_see: impl Fn(&ChangeRequest) -> bool,
    ) -> Result<Vec<ChangeRequest>> {
        let columns = COLUMNS.replace("message, changes", "'' AS message, '' AS changes");
        let select = format!(
            "SELECT {columns} FROM requests WHERE created < $1 OR (created = $1 AND id > $2) \
             ORDER BY created DESC, id LIMIT $3"
        );
        let mut found: Vec<ChangeRequest> = Vec::new();
        let mut after = (i64::MAX, String::new());
        for _ in 0..looked.div_ceil(most) {
            let page = sqlx::query(&select).bind(after.0).bind(&after.1).bind(most as i64);
            let page = self.requests_by(page).await?;
            let Some(last) = page.last() else { break };
            after = (last.created, last.id.clone());
            found.extend(page.into_iter().filter(&may_see));
            if found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// Those that were not proposed yet and are due, the oldest first: that are stuck, or were stored before `before`.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn unfinished(&self, before: i64, due: i64) -> Result<Vec<ChangeRequest>> {
        let select = format!(
            "SELECT {COLUMNS} FROM requests WHERE stage IN ('accepted', 'committed') AND (created <= $1 OR trouble IS NOT NULL) \
             AND due <= $2 ORDER BY created, id"
        );
        self.requests_by(sqlx::query(&select).bind(before).bind(due)).await
    }

    /// At most `most` requests at a stage that are due, those first that wait for the longest time.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn due(&self, stage: Stage, due: i64, most: i64) -> Result<Vec<ChangeRequest>> {
        let select = format!("SELECT {COLUMNS} FROM requests WHERE stage = $1 AND due <= $2 ORDER BY due, id LIMIT $3");
        self.requests_by(sqlx::query(&select).bind(stage.as_str()).bind(due).bind(most)).await
    }

    /// At most `most` requests that were rejected at the forge since `since` and are due, as of [`StateStore::due`].
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn rejected(&self, since: i64, due: i64, most: i64) -> Result<Vec<ChangeRequest>> {
        let select = format!(
            "SELECT {COLUMNS} FROM requests WHERE stage = 'closed' AND reason IS NOT NULL AND pull IS NOT NULL \
             AND ended >= $1 AND due <= $2 ORDER BY due, id LIMIT $3"
        );
        self.requests_by(sqlx::query(&select).bind(since).bind(due).bind(most)).await
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
        review: Review {
            pull: row.try_get("pull")?,
            opened: row.try_get("opened")?,
            ended: row.try_get("ended")?,
            reason: row.try_get("reason")?,
            merged_as: row.try_get("merged_as")?,
        },
        tries: row.try_get("tries")?,
        due: row.try_get("due")?,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::database::location::StateLocation;
    use crate::database::store::block_on;

    async fn insert(store: &StateStore, id: &str, domain: &str, created: i64) {
        let insert = "INSERT INTO requests (id, user_id, author, email, domains, title, message, changes, branch, stage, \
                      created) VALUES ($1, '', '', '', $2, '', 'm', '[1]', '', 'proposed', $3)";
        sqlx::query(insert).bind(id).bind(domain).bind(created).execute(&store.pool).await.unwrap();
    }

    #[test]
    fn the_newest_that_may_be_seen_are_found_behind_others() {
        let folder = tempfile::tempdir().unwrap();
        let work = async {
            let store = StateStore::open(&StateLocation::Sqlite(folder.path().join("state.sqlite"))).await?;
            for number in 0..7 {
                insert(&store, &format!("old{number}"), "own.example", 100 + number / 3).await;
            }
            for number in 0..40 {
                insert(&store, &format!("new{number}"), "other.example", 200 + number / 10).await;
            }
            let own = |request: &ChangeRequest| request.domains == ["own.example"];
            let ids = |found: Vec<ChangeRequest>| found.into_iter().map(|one| one.id).collect::<Vec<_>>().join(" ");
            assert_eq!(ids(store.requests(5, 100, own).await?), "old6 old3 old4 old5 old0");
            assert_eq!(ids(store.requests(9, 100, own).await?), "old6 old3 old4 old5 old0 old1 old2");
            assert_eq!(ids(store.requests(5, 40, own).await?), "", "no more are looked at");
            assert_eq!(store.requests(60, 60, |_| true).await?.len(), 47);
            let light = store.requests(1, 1, |_| true).await?;
            assert_eq!((light[0].message.as_str(), light[0].changes.as_str()), ("", ""));
            Ok(())
        };
        block_on(work).unwrap();
    }
}
