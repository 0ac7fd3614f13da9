//! Tokens in the state: made, listed, revoked.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::table::{KnownToken, SecretDigest, TokenTable, secret_digest};
use crate::database::random::{now, random};
use crate::database::store::StateStore;
use crate::query::Refusal;
use crate::text::quote::quoted;
use crate::web::access::Scope;

/// The start of every secret: scanners for leaked secrets find it by that.
const PREFIX: &str = "slt_";

/// A token as it is listed. Its secret is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredToken {
    pub(crate) name: String,
    pub(crate) scope: Scope,
    /// Whether its client may read the logs and make copies.
    pub(crate) operator: bool,
    /// In seconds since 1970.
    pub(crate) created: i64,
    pub(crate) last_used: Option<i64>,
    pub(crate) revoked: Option<i64>,
}

impl StateStore {
    /// Makes a token. Returns its secret, which only its client knows afterwards.
    ///
    /// # Errors
    /// A [`Refusal`] if there is one of that name; or if the state cannot be written.
    pub(crate) async fn add_token(&self, name: &str, scope: &Scope, operator: bool) -> Result<String> {
        let (id, secret) = (random::<16>()?, format!("{PREFIX}{}", random::<32>()?));
        let domains = scope.domains().map(|domains| domains.iter().cloned().collect::<Vec<_>>().join(" "));
        let insert =
            "INSERT INTO tokens (id, name, digest, domains, created, operator) VALUES ($1, $2, $3, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(id).bind(name).bind(secret_digest(&secret)).bind(domains).bind(now());
        let insert = insert.bind(i64::from(operator));
        match insert.execute(&self.pool).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                let name = quoted(name);
                Err(Refusal(format!("there is a token {name} already: revoke it first, or choose another name")).into())
            }
            result => self.run(result).map(|_| secret),
        }
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// A [`Refusal`] if there is none of that name; or if the state cannot be written.
    pub(crate) async fn revoke_token(&self, name: &str) -> Result<()> {
        let update = sqlx::query("UPDATE tokens SET revoked = $1 WHERE name = $2 AND revoked IS NULL");
        let done = self.run(update.bind(now()).bind(name).execute(&self.pool).await)?;
        if done.rows_affected() == 0 {
            let name = quoted(name);
            return Err(Refusal(format!("there is no token {name}: `shapeline token list` lists them")).into());
        }
        Ok(())
    }

    /// All tokens, the oldest first.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn list_tokens(&self) -> Result<Vec<StoredToken>> {
        Ok(self.rows().await?.into_iter().map(|(_, _, token)| token).collect())
    }

    /// The tokens that are valid, for looking them up.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn token_table(&self) -> Result<TokenTable> {
        let rows = self.rows().await?;
        let any = !rows.is_empty();
        let valid = rows.into_iter().filter(|(.., token)| token.revoked.is_none());
        let tokens: HashMap<SecretDigest, KnownToken> = valid
            .map(|(id, digest, token)| (digest, KnownToken::new(id, &token.name, token.scope, token.operator)))
            .collect();
        Ok(TokenTable::new(any, tokens))
    }

    /// Records when tokens were last used, in seconds since 1970, by their ids.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn note_use(&self, used: &[(String, i64)]) -> Result<()> {
        for (id, when) in used {
            // Another replica may have seen it later.
            let update = "UPDATE tokens SET last_used = $1 WHERE id = $2 AND (last_used IS NULL OR last_used < $3)";
            self.run(sqlx::query(update).bind(*when).bind(id).bind(*when).execute(&self.pool).await)?;
        }
        Ok(())
    }

    async fn rows(&self) -> Result<Vec<(String, SecretDigest, StoredToken)>> {
        let select = "SELECT id, digest, name, domains, operator, created, last_used, revoked FROM tokens ORDER BY created, name, id";
        let rows = self.run(sqlx::query(select).fetch_all(&self.pool).await)?;
        rows.iter().map(|row| self.run(stored(row))?.context("the state is damaged: a token has no digest")).collect()
    }
}

fn stored(row: &AnyRow) -> Result<Option<(String, SecretDigest, StoredToken)>, sqlx::Error> {
    let domains: Option<String> = row.try_get("domains")?;
    let token = StoredToken {
        name: row.try_get("name")?,
        scope: domains.map_or_else(Scope::all, |domains| Scope::of(domains.split_whitespace())),
        operator: row.try_get::<i64, _>("operator")? != 0,
        created: row.try_get("created")?,
        last_used: row.try_get("last_used")?,
        revoked: row.try_get("revoked")?,
    };
    let digest: String = row.try_get("digest")?;
    let digest = crate::text::hex::unhex(&digest).and_then(|bytes| SecretDigest::try_from(bytes).ok());
    let id: String = row.try_get("id")?;
    Ok(digest.map(|digest| (id, digest, token)))
}
