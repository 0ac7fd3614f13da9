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
        let digest = secret_digest(&pending.state);
        let insert = "INSERT INTO pending_sign_ins (digest, provider, browser, nonce, verifier, next, address, began) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = sqlx::query(insert).bind(&digest).bind(provider);
        let insert = insert.bind(secret_digest(browser)).bind(&pending.nonce).bind(&pending.verifier);
        let insert = insert.bind(&pending.next).bind(client).bind(now);
        self.run(insert.execute(&self.pool).await)?;
        // Counted with its own: of several at once, the last to count sees those of all others. More may be refused then
        // than need be, but never fewer.
        let count = "SELECT COUNT(*) AS number FROM pending_sign_ins WHERE address = $1";
        let row = self.run(sqlx::query(count).bind(client).fetch_one(&self.pool).await)?;
        let waiting: i64 = self.run(row.try_get("number"))?;
        if waiting > MOST {
            let delete = sqlx::query("DELETE FROM pending_sign_ins WHERE digest = $1").bind(&digest);
            self.run(delete.execute(&self.pool).await)?;
            return Ok(None);
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::database::location::StateLocation;

    #[test]
    fn of_many_that_begin_at_once_no_more_than_the_limit_wait() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(async {
            let location = StateLocation::Sqlite(folder.path().join("state.sqlite"));
            let store = StateStore::open(&location).await.unwrap();
            let begin = |client: &'static str| {
                let store = store.clone();
                tokio::spawn(async move { store.begin_pending("p", "b", client, "/").await.unwrap().is_some() })
            };
            let all: Vec<_> = (0..3 * MOST).map(|_| begin("192.0.2.1")).collect();
            let mut begun = 0;
            for one in all {
                begun += i64::from(one.await.unwrap());
            }
            assert!(begun <= MOST, "{begun}");
            // Those that were refused take no place.
            while begin("192.0.2.1").await.unwrap() {
                begun += 1;
            }
            assert_eq!(begun, MOST);
            assert!(begin("192.0.2.2").await.unwrap(), "another client has a limit of its own");
        });
    }
}
