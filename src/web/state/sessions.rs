//! Sessions: who is signed in.

use anyhow::Result;
use sqlx::Row as _;

use super::table::secret_digest;
use super::users::User;
use crate::database::random::{now, random};
use crate::database::store::StateStore;

/// How long a session lasts without use, in seconds.
const IDLE: i64 = 12 * 3600;

/// How long it lasts at most.
const LONGEST: i64 = 7 * 24 * 3600;

/// The same for who has their rights from a provider, which are looked at only when they sign in.
const LONGEST_VOUCHED: i64 = 12 * 3600;

/// How exactly its use is recorded: a write for each request would be one too many.
const EXACTNESS: i64 = 60;

impl StateStore {
    /// Begins a session. Returns its secret, which only the browser keeps.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn begin_session(&self, user: &User) -> Result<String> {
        let (secret, now) = (random::<32>()?, now());
        let old = sqlx::query("DELETE FROM sessions WHERE seen < $1 OR began < $2");
        self.run(old.bind(now - IDLE).bind(now - LONGEST).execute(&self.pool).await)?;
        let insert = sqlx::query("INSERT INTO sessions (digest, user_id, began, seen) VALUES ($1, $2, $3, $4)");
        let insert = insert.bind(secret_digest(&secret)).bind(&user.id).bind(now).bind(now);
        self.run(insert.execute(&self.pool).await)?;
        let update = sqlx::query("UPDATE users SET last_sign_in = $1 WHERE id = $2");
        self.run(update.bind(now).bind(&user.id).execute(&self.pool).await)?;
        Ok(secret)
    }

    /// Whose session it is, if it is valid.
    ///
    /// # Errors
    /// If the state cannot be used.
    pub(crate) async fn session(&self, secret: &str) -> Result<Option<User>> {
        let (digest, now) = (secret_digest(secret), now());
        let select = "SELECT user_id, seen, began FROM sessions WHERE digest = $1 AND seen >= $2 AND began >= $3";
        let select = sqlx::query(select).bind(&digest).bind(now - IDLE).bind(now - LONGEST);
        let Some(row) = self.run(select.fetch_optional(&self.pool).await)? else { return Ok(None) };
        let (user, seen, began): (String, i64, i64) =
            self.run(row.try_get("user_id").and_then(|id| Ok((id, row.try_get("seen")?, row.try_get("began")?))))?;
        if seen + EXACTNESS < now {
            let update = sqlx::query("UPDATE sessions SET seen = $1 WHERE digest = $2");
            self.run(update.bind(now).bind(&digest).execute(&self.pool).await)?;
        }
        let user = self.user_with_id(&user).await?;
        Ok(user.filter(|user| user.provider.is_none() || began + LONGEST_VOUCHED >= now))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn end_session(&self, secret: &str) -> Result<()> {
        let delete = sqlx::query("DELETE FROM sessions WHERE digest = $1");
        self.run(delete.bind(secret_digest(secret)).execute(&self.pool).await).map(drop)
    }

    /// Ends all sessions of an account.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(super) async fn end_sessions_of(&self, name: &str) -> Result<()> {
        let delete = "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE name = $1)";
        self.run(sqlx::query(delete).bind(name).execute(&self.pool).await).map(drop)
    }
}
