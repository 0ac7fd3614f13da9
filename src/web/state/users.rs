//! Accounts of people.

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::database::random::{now, random};
use crate::database::store::StateStore;
use crate::query::Refusal;
use crate::text::quote::quoted;
use crate::web::access::Scope;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Role {
    /// Sees the subscribers of their domains.
    Viewer,
    /// Proposes changes to them.
    Editor,
    /// Sees and changes all domains.
    Operator,
}

impl Role {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Operator => "operator",
        }
    }

    pub(super) fn of(word: &str) -> Option<Role> {
        [Role::Viewer, Role::Editor, Role::Operator].into_iter().find(|role| role.as_str() == word)
    }
}

impl std::str::FromStr for Role {
    type Err = ();

    fn from_str(word: &str) -> Result<Role, ()> {
        Role::of(word).ok_or(())
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: String,
    /// What they sign in with.
    pub(crate) name: String,
    /// The author of their commits.
    pub(crate) full_name: String,
    /// The address in their commits.
    pub(crate) email: String,
    pub(crate) role: Role,
    /// The domains that they see.
    pub(crate) scope: Scope,
    /// In seconds since 1970.
    pub(crate) last_sign_in: Option<i64>,
    /// Who says who they are, such as `openid https://id.ispcustomer.co.zw`; `None` for the portal's own accounts.
    pub(crate) provider: Option<String>,
}

/// A person to be added.
#[derive(Clone, Debug)]
pub(crate) struct NewUser {
    pub(crate) name: String,
    pub(crate) full_name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
}

pub(super) const COLUMNS: &str = "id, name, full_name, email, role, domains, password, last_sign_in, provider";

impl StateStore {
    /// Adds an account. `password` is the hash.
    ///
    /// # Errors
    /// A [`Refusal`] if there is one of that name; or if the state cannot be written.
    pub(crate) async fn add_user(&self, user: &NewUser, password: &str) -> Result<()> {
        let domains = user.scope.domains().map(|domains| domains.iter().cloned().collect::<Vec<_>>().join(" "));
        let insert = "INSERT INTO users (id, name, full_name, email, role, domains, password, created) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = sqlx::query(insert).bind(random::<16>()?).bind(&user.name).bind(&user.full_name);
        let insert = insert.bind(&user.email).bind(user.role.as_str()).bind(domains).bind(password).bind(now());
        match insert.execute(&self.pool).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(Refusal(format!("there is an account {} already: choose another name", quoted(&user.name))).into())
            }
            result => self.run(result).map(drop),
        }
    }

    /// Gives an account another password, and ends its sessions.
    ///
    /// # Errors
    /// A [`Refusal`] if there is none of that name, or if it is a provider's; or if the state cannot be written.
    pub(crate) async fn set_password(&self, name: &str, password: &str) -> Result<()> {
        if let Some((User { provider: Some(provider), .. }, _)) = self.user_named(name).await? {
            let (name, provider) = (quoted(name), quoted(&provider));
            return Err(Refusal(format!("{name} has no password here: {provider} says who they are")).into());
        }
        let update = "UPDATE users SET password = $1 WHERE name = $2 AND removed IS NULL AND provider IS NULL";
        let update = sqlx::query(update);
        let done = self.run(update.bind(password).bind(name).execute(&self.pool).await)?;
        known(name, done.rows_affected())?;
        self.end_sessions_of(name).await
    }

    /// Removes an account, and ends its sessions. What it did stays recorded.
    ///
    /// # Errors
    /// A [`Refusal`] if there is none of that name; or if the state cannot be written.
    pub(crate) async fn remove_user(&self, name: &str) -> Result<()> {
        self.end_sessions_of(name).await?;
        let update = sqlx::query("UPDATE users SET removed = $1 WHERE name = $2 AND removed IS NULL");
        let done = self.run(update.bind(now()).bind(name).execute(&self.pool).await)?;
        known(name, done.rows_affected())
    }

    /// All accounts by name.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn list_users(&self) -> Result<Vec<User>> {
        let select = format!("SELECT {COLUMNS} FROM users WHERE removed IS NULL ORDER BY name");
        let rows = self.run(sqlx::query(&select).fetch_all(&self.pool).await)?;
        rows.iter().map(|row| Ok(self.user_of(row)?.0)).collect()
    }

    /// The account of this name, and the hash of its password.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn user_named(&self, name: &str) -> Result<Option<(User, String)>> {
        let select = format!("SELECT {COLUMNS} FROM users WHERE name = $1 AND removed IS NULL");
        let row = self.run(sqlx::query(&select).bind(name).fetch_optional(&self.pool).await)?;
        row.as_ref().map(|row| self.user_of(row)).transpose()
    }

    /// The account with this id.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn user_with_id(&self, id: &str) -> Result<Option<User>> {
        let select = format!("SELECT {COLUMNS} FROM users WHERE id = $1 AND removed IS NULL");
        let row = self.run(sqlx::query(&select).bind(id).fetch_optional(&self.pool).await)?;
        row.as_ref().map(|row| Ok(self.user_of(row)?.0)).transpose()
    }

    /// Whether there ever was an account of the portal's own: a provider's may have few rights.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn has_users(&self) -> Result<bool> {
        let row = self
            .run(sqlx::query("SELECT id FROM users WHERE provider IS NULL LIMIT 1").fetch_optional(&self.pool).await)?;
        Ok(row.is_some())
    }

    /// Makes a secret with which the first account can be made, in the place of earlier ones.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn invite(&self) -> Result<String> {
        let secret = random::<24>()?;
        self.run(sqlx::query("DELETE FROM invitations").execute(&self.pool).await)?;
        let insert = sqlx::query("INSERT INTO invitations (digest, created) VALUES ($1, $2)");
        self.run(insert.bind(super::table::secret_digest(&secret)).bind(now()).execute(&self.pool).await)?;
        Ok(secret)
    }

    /// Whether an invitation is valid.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn is_invited(&self, secret: &str) -> Result<bool> {
        let select = sqlx::query("SELECT digest FROM invitations WHERE digest = $1");
        let row = self.run(select.bind(super::table::secret_digest(secret)).fetch_optional(&self.pool).await)?;
        Ok(row.is_some() && !self.has_users().await?)
    }

    /// Uses an invitation up. Only one of several requests at a time is answered with true.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn accept_invitation(&self, secret: &str) -> Result<bool> {
        let delete = sqlx::query("DELETE FROM invitations WHERE digest = $1");
        let done = self.run(delete.bind(super::table::secret_digest(secret)).execute(&self.pool).await)?;
        Ok(done.rows_affected() > 0 && !self.has_users().await?)
    }

    pub(super) fn user_of(&self, row: &AnyRow) -> Result<(User, String)> {
        let (role, user, password) = self.run(columns(row))?;
        let role = Role::of(&role).context("the state is damaged: an account has no role")?;
        Ok((User { role, ..user }, password))
    }
}

fn columns(row: &AnyRow) -> Result<(String, User, String), sqlx::Error> {
    let domains: Option<String> = row.try_get("domains")?;
    let user = User {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        full_name: row.try_get("full_name")?,
        email: row.try_get("email")?,
        role: Role::Viewer,
        scope: domains.map_or_else(Scope::all, |domains| Scope::of(domains.split_whitespace())),
        last_sign_in: row.try_get("last_sign_in")?,
        provider: row.try_get("provider")?,
    };
    Ok((row.try_get("role")?, user, row.try_get("password")?))
}

fn known(name: &str, rows: u64) -> Result<()> {
    match rows {
        0 => {
            let name = quoted(name);
            Err(Refusal(format!("there is no account {name}: `shapeline user list` lists them")).into())
        }
        _ => Ok(()),
    }
}
