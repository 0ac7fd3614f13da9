//! Accounts of people whom a provider vouches for. Their rights are set anew at each sign-in.

use anyhow::{Context as _, Result};
use sqlx::Row as _;

use super::users::{COLUMNS, NewUser, User};
use crate::database::random::{now, random};
use crate::database::store::StateStore;
use crate::query::Refusal;
use crate::text::quote::quoted;

/// How many names are tried for a new account.
const NAMES: usize = 8;

/// A person, as a provider describes them.
#[derive(Clone, Debug)]
pub(crate) struct Vouched {
    /// Such as `openid https://id.ispcustomer.co.zw`.
    pub(crate) provider: String,
    /// What the provider never gives to another person.
    pub(crate) subject: String,
    /// The name of a new account, which has a `:`: the portal's own accounts cannot have it.
    pub(crate) user: NewUser,
}

impl StateStore {
    /// The account of a person, new or with these rights from now on. `None` if it was removed.
    ///
    /// # Errors
    /// If the state cannot be used.
    pub(crate) async fn vouched_user(&self, vouched: &Vouched) -> Result<Option<User>> {
        for at in 0..NAMES {
            let user = &vouched.user;
            let update = "UPDATE users SET full_name = $1, email = $2, role = $3, domains = $4 \
                          WHERE provider = $5 AND subject = $6 AND removed IS NULL";
            let update = sqlx::query(update).bind(&user.full_name).bind(&user.email).bind(user.role.as_str());
            let update = update.bind(domains(user)).bind(&vouched.provider).bind(&vouched.subject);
            self.run(update.execute(&self.pool).await)?;
            if let Some((user, removed)) = self.user_of_subject(vouched).await? {
                return Ok((!removed).then_some(user));
            }
            // The next name if another person has this one; another replica may also have been first.
            let name = if at == 0 { user.name.clone() } else { format!("{}-{}", user.name, random::<4>()?) };
            self.add_vouched(vouched, &name).await?;
        }
        Err(Refusal("there is no free name for this account: sign in again".to_owned()).into())
    }

    async fn add_vouched(&self, vouched: &Vouched, name: &str) -> Result<()> {
        let user = &vouched.user;
        let insert = "INSERT INTO users (id, name, full_name, email, role, domains, password, created, provider, \
                      subject) VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9) ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(random::<16>()?).bind(name).bind(&user.full_name).bind(&user.email);
        let insert = insert.bind(user.role.as_str()).bind(domains(user)).bind(now());
        self.run(insert.bind(&vouched.provider).bind(&vouched.subject).execute(&self.pool).await).map(drop)
    }

    async fn user_of_subject(&self, vouched: &Vouched) -> Result<Option<(User, bool)>> {
        let select = format!("SELECT {COLUMNS}, removed FROM users WHERE provider = $1 AND subject = $2");
        let select = sqlx::query(&select).bind(&vouched.provider).bind(&vouched.subject);
        let Some(row) = self.run(select.fetch_optional(&self.pool).await)? else { return Ok(None) };
        let removed: Option<i64> = self.run(row.try_get("removed"))?;
        Ok(Some((self.user_of(&row)?.0, removed.is_some())))
    }

    /// Ends the sessions of a person who has no rights any more.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn end_sessions_of_subject(&self, provider: &str, subject: &str) -> Result<()> {
        let delete =
            "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE provider = $1 AND subject = $2)";
        self.run(sqlx::query(delete).bind(provider).bind(subject).execute(&self.pool).await).map(drop)
    }

    /// Lets a person in again whose account was removed, once the provider vouches for them.
    ///
    /// # Errors
    /// A [`Refusal`] if there is no such account; or if the state cannot be written.
    pub(crate) async fn restore_user(&self, name: &str) -> Result<()> {
        let update = "UPDATE users SET removed = NULL WHERE name = $1 AND provider IS NOT NULL AND removed IS NOT NULL";
        let done = sqlx::query(update).bind(name).execute(&self.pool).await;
        match self.run(done).context("cannot restore the account")?.rows_affected() {
            0 => {
                let name = quoted(name);
                Err(Refusal(format!(
                    "no account {name} of a provider was removed: add the portal's own with `shapeline user add`"
                ))
                .into())
            }
            _ => Ok(()),
        }
    }
}

fn domains(user: &NewUser) -> Option<String> {
    user.scope.domains().map(|domains| domains.iter().cloned().collect::<Vec<_>>().join(" "))
}
