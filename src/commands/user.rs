//! `user`: the accounts of the portal.

use std::io::{BufRead as _, Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::token::{check_domains, location, moment, shown};
use super::{Outcome, prompt};
use crate::cli::{Cli, TextOrJson, TokenListArgs, UserAddArgs, UserArgs, UserCommand};
use crate::database::store::{StateStore, block_on};
use crate::query::Refusal;
use crate::text::columns::columns;
use crate::text::count::counted;
use crate::text::quote::{harmless, quoted};
use crate::web::access::Scope;
use crate::web::portal::password::hash;
use crate::web::state::users::{NewUser, Role, User};

const JSON_VERSION: u32 = 1;

/// How much of standard input is read for a password.
const MAX_INPUT: u64 = 4096;

pub(super) fn run(cli: &Cli, args: &UserArgs) -> Result<Outcome> {
    match &args.command {
        UserCommand::Add(args) => add(cli, args),
        UserCommand::List(args) => list(cli, args),
        UserCommand::Passwd(args) => {
            let (state, hash) = (location(cli, &args.state)?, hash(&password(&args.name)?)?);
            block_on(async { StateStore::open(&state).await?.set_password(&args.name, &hash).await })?;
            done(&format!("{} has another password", quoted(&args.name)))
        }
        UserCommand::Restore(args) => {
            let state = location(cli, &args.state)?;
            block_on(async { StateStore::open(&state).await?.restore_user(&args.name).await })?;
            done(&format!("{} may sign in again, with the role that the provider's claims give", quoted(&args.name)))
        }
        UserCommand::Remove(args) => {
            let state = location(cli, &args.state)?;
            block_on(async { StateStore::open(&state).await?.remove_user(&args.name).await })?;
            done(&format!("{} is removed from {}", quoted(&args.name), state.shown()))
        }
    }
}

fn done(what: &str) -> Result<Outcome> {
    writeln!(crate::console::out(), "{what}")?;
    Ok(Outcome::Fine)
}

fn add(cli: &Cli, args: &UserAddArgs) -> Result<Outcome> {
    let operator = args.role == Role::Operator;
    if operator && !args.domains.is_empty() {
        return Err(
            Refusal("an operator has all domains: leave out --domain, or choose --role editor".to_owned()).into()
        );
    }
    if !operator && !args.all_domains && args.domains.is_empty() {
        bail!("name the domains of the account with --domain, or give it --all-domains");
    }
    check_domains(cli, &args.domains)?;
    let all = operator || args.all_domains;
    let new = NewUser {
        name: args.name.clone(),
        full_name: args.full_name.clone(),
        email: args.email.clone(),
        role: args.role,
        scope: if all { Scope::all() } else { Scope::of(args.domains.iter().cloned()) },
    };
    new.checked()?;
    let state = location(cli, &args.state)?;
    let hash = hash(&password(&args.name)?)?;
    block_on(async { StateStore::open(&state).await?.add_user(&new, &hash).await })?;
    let (name, role) = (quoted(&args.name), args.role.as_str());
    done(&format!("{name} is an account: {role} of {}, in {}", shown(&new.scope, false), state.shown()))
}

/// The password: asked for on a terminal, else the first line of standard input.
fn password(name: &str) -> Result<String> {
    if prompt::can_ask() {
        return prompt::secret(&format!("Password of {}", harmless(name, 64)));
    }
    let mut line = String::new();
    let mut input = std::io::BufReader::new(std::io::stdin().take(MAX_INPUT));
    input.read_line(&mut line).context("cannot read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("standard input has no password in its first line");
    }
    Ok(password.to_owned())
}

#[derive(Serialize)]
struct Listed {
    version: u32,
    users: Vec<ListedUser>,
}

#[derive(Serialize)]
struct ListedUser {
    name: String,
    full_name: String,
    email: String,
    role: &'static str,
    /// Nothing for all domains.
    domains: Option<Vec<String>>,
    last_sign_in: Option<String>,
    /// Nothing for the portal's own accounts.
    provider: Option<String>,
}

fn list(cli: &Cli, args: &TokenListArgs) -> Result<Outcome> {
    let state = location(cli, &args.state)?;
    let users = block_on(async { StateStore::open(&state).await?.list_users().await })?;
    if args.format == TextOrJson::Json {
        let mut out = crate::console::plain_out();
        let users = users.into_iter().map(listed).collect();
        crate::text::json::write_json(&mut out, &Listed { version: JSON_VERSION, users })?;
        out.flush()?;
        return Ok(Outcome::Fine);
    }
    let row = |user: &User| {
        [
            harmless(&user.name, 64),
            user.role.as_str().to_owned(),
            harmless(&shown(&user.scope, false), 80),
            user.last_sign_in.map_or_else(|| "never".to_owned(), moment),
            harmless(user.provider.as_deref().unwrap_or("local"), 80),
            harmless(&user.full_name, 60),
        ]
    };
    if !users.is_empty() {
        let heading = ["name", "role", "domains", "last sign-in", "provider", "full name"].map(ToOwned::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(heading).chain(users.iter().map(row)).collect();
        let mut out = crate::console::out();
        out.write_all(columns(&rows).as_bytes())?;
        out.flush()?;
    }
    let _ = writeln!(crate::console::err(), "{} in {}", counted(users.len(), "account", "accounts"), state.shown());
    Ok(Outcome::Fine)
}

fn listed(user: User) -> ListedUser {
    ListedUser {
        domains: user.scope.domains().map(|domains| domains.iter().cloned().collect()),
        last_sign_in: user.last_sign_in.map(moment),
        role: user.role.as_str(),
        provider: user.provider,
        name: user.name,
        full_name: user.full_name,
        email: user.email,
    }
}
