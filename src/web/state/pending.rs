//! Sign-ins that wait for a provider: in the database, because another replica may get the answer.

use anyhow::Result;
use sqlx::Row as _;

use super::table::secret_digest;
use crate::database::random::{now, random};
use crate::database::store::StateStore;

/// How long a provider may take, in seconds.
const LONGEST: i64 = 600;

/// How many of one client may wait.
const MOST: i64 = 50;

/// What only the server and the provider know of a sign-in that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingSignIn {
    /// What the provider sends back.
    pub(crate) state: String,
    /// What is in the ID token.
    pub(crate) nonce: String,
    /// What proves that the code is redeemed by who asked for it (PKCE).
    pub(crate) verifier: String,
    /// The page to go to afterwards.
    pub(crate) next: String,
}

impl StateStore {
    /// Begins a sign-in of the browser with this secret. `None` if too many of this client are waiting.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn begin_pending(
        &self,
        provider: &str,
        browser: &str,
        client: &str,
        next: &str,
    ) -> Result<Option<PendingSignIn>> {
        let next = next.to_owned();
        let pending = PendingSignIn { state: random::<32>()?, nonce: random::<32>()?, verifier: random::<32>()?, next };
        let now = now();
        let old = sqlx::query("DELETE FROM pending_sign_ins WHERE began < $1").bind(now - LONGEST);
        self.run(old.execute(&self.pool).await)?;
        let count = "SELECT COUNT(*) AS number FROM pending_sign_ins WHERE address = $1";
        let row = self.run(sqlx::query(count).bind(client).fetch_one(&self.pool).await)?;
        let waiting: i64 = self.run(row.try_get("number"))?;
        if waiting >= MOST {
            return Ok(None);
        }
        let insert = "INSERT INTO pending_sign_ins (digest, provider, browser, nonce, verifier, next, address, began) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = sqlx::query(insert).bind(secret_digest(&pending.state)).bind(provider);
        let insert = insert.bind(secret_digest(browser)).bind(&pending.nonce).bind(&pending.verifier);
        let insert = insert.bind(&pending.next).bind(client).bind(now);
        self.run(insert.execute(&self.pool).await)?;
        Ok(Some(pending))
    }

    /// Takes the sign-in that this browser began with this provider. Only one of several requests gets it.
    ///
    /// # Errors
    /// If the state cannot be used.
    pub(crate) async fn take_pending(
        &self,
        provider: &str,
        browser: &str,
        state: &str,
    ) -> Result<Option<PendingSignIn>> {
        let (digest, browser) = (secret_digest(state), secret_digest(browser));
        let select = "SELECT nonce, verifier, next FROM pending_sign_ins \
                      WHERE digest = $1 AND provider = $2 AND browser = $3 AND began >= $4";
        let select = sqlx::query(select).bind(&digest).bind(provider).bind(&browser).bind(now() - LONGEST);
        let Some(row) = self.run(select.fetch_optional(&self.pool).await)? else { return Ok(None) };
        let delete = sqlx::query("DELETE FROM pending_sign_ins WHERE digest = $1").bind(&digest);
        if self.run(delete.execute(&self.pool).await)?.rows_affected() == 0 {
            return Ok(None);
        }
        let text = |name: &str| self.run(row.try_get::<String, _>(name));
        let (nonce, verifier, next) = (text("nonce")?, text("verifier")?, text("next")?);
        Ok(Some(PendingSignIn { state: state.to_owned(), nonce, verifier, next }))
    }
}
