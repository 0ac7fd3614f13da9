//! `token`: the clients of the server.

use std::io::Write as _;

use anyhow::Result;
use serde::Serialize;

use super::Outcome;
use crate::cli::{Cli, StateArgs, TokenAddArgs, TokenArgs, TokenCommand, TokenListArgs};
use crate::database::location::StateLocation;
use crate::database::store::{StateStore, block_on};
use crate::git;
use crate::query::{Refusal, domain};
use crate::repo::Repo;
use crate::text::characters::is_steering;
use crate::text::columns::columns;
use crate::text::quote::{harmless, quoted};
use crate::tree::Tree;
use crate::web::access::Scope;
use crate::web::state::tokens::StoredToken;

const JSON_VERSION: u32 = 1;

/// The longest name, in characters.
const MAX_NAME: usize = 64;

pub(super) fn run(cli: &Cli, args: &TokenArgs) -> Result<Outcome> {
    match &args.command {
        TokenCommand::Add(args) => add(cli, args),
        TokenCommand::List(args) => list(cli, args),
        TokenCommand::Revoke(args) => {
            let state = location(cli, &args.state)?;
            block_on(async { StateStore::open(&state).await?.revoke_token(&args.name).await })?;
            writeln!(crate::console::out(), "{} is revoked in {}", quoted(&args.name), state.shown())?;
            Ok(Outcome::Fine)
        }
    }
}

pub(super) fn location(cli: &Cli, args: &StateArgs) -> Result<StateLocation> {
    let settings = crate::web::serve::settings(args.settings.as_deref())?;
    let root = super::root(cli).ok();
    super::state::location(root.as_deref(), args.state.as_deref(), settings.state.as_deref())
}

fn add(cli: &Cli, args: &TokenAddArgs) -> Result<Outcome> {
    let fits = (1..=MAX_NAME).contains(&args.name.chars().count()) && !args.name.chars().any(is_steering);
    if !fits || args.name.trim() != args.name {
        let name = quoted(&args.name);
        let why = "characters that are all visible, without spaces around them";
        return Err(Refusal(format!("{name} is no name for a token: write 1 to {MAX_NAME} {why}")).into());
    }
    check_domains(cli, &args.domains)?;
    let scope = if args.all_domains || args.operator { Scope::all() } else { Scope::of(args.domains.iter().cloned()) };
    let state = location(cli, &args.state)?;
    let secret =
        block_on(async { StateStore::open(&state).await?.add_token(&args.name, &scope, args.operator).await })?;
    let mut out = crate::console::plain_out();
    writeln!(out, "{secret}")?;
    out.flush()?;
    let _ = writeln!(
        crate::console::err(),
        "this is the token of {} for {}, for servers whose state is {}; it is shown only now: send it as \
         `Authorization: Bearer TOKEN`",
        quoted(&args.name),
        shown(&scope, args.operator),
        state.shown()
    );
    Ok(Outcome::Fine)
}

/// Refuses a domain that the data does not have, if there is data here: a token for it would see nothing.
pub(super) fn check_domains(cli: &Cli, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    for name in names {
        if name.parse::<crate::model::DomainName>().is_err() {
            return Err(Refusal(format!("{} is no domain, such as ispcustomer.co.zw", quoted(name))).into());
        }
    }
    let Some(root) = super::root(cli).ok().filter(|root| !git::is_bare(root)) else { return Ok(()) };
    let repo = Repo::load(&Tree::Work { root })?;
    for name in names {
        domain(&repo, name)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Listed {
    version: u32,
    tokens: Vec<ListedToken>,
}

#[derive(Serialize)]
struct ListedToken {
    name: String,
    /// Nothing for all domains.
    domains: Option<Vec<String>>,
    /// Whether its client may read the logs and make copies.
    operator: bool,
    created: String,
    last_used: Option<String>,
    revoked: Option<String>,
}

fn list(cli: &Cli, args: &TokenListArgs) -> Result<Outcome> {
    let state = location(cli, &args.state)?;
    let tokens = block_on(async { StateStore::open(&state).await?.list_tokens().await })?;
    if args.format == crate::cli::TextOrJson::Json {
        let mut out = crate::console::plain_out();
        let tokens = tokens.into_iter().map(listed).collect();
        crate::text::json::write_json(&mut out, &Listed { version: JSON_VERSION, tokens })?;
        out.flush()?;
        return Ok(Outcome::Fine);
    }
    let row = |token: &StoredToken| {
        let revoked = token.revoked.map(|when| format!("revoked {}", moment(when)));
        let used = token.last_used.map_or_else(|| "never".to_owned(), moment);
        [
            harmless(&token.name, MAX_NAME),
            harmless(&shown(&token.scope, token.operator), 80),
            moment(token.created),
            used,
            revoked.unwrap_or_default(),
        ]
    };
    if !tokens.is_empty() {
        let heading = ["name", "domains", "created", "last used", ""].map(ToOwned::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(heading).chain(tokens.iter().map(row)).collect();
        let mut out = crate::console::out();
        out.write_all(columns(&rows).as_bytes())?;
        out.flush()?;
    }
    let count = crate::text::count::counted(tokens.len(), "token", "tokens");
    let _ = writeln!(crate::console::err(), "{count} in {}", state.shown());
    Ok(Outcome::Fine)
}

fn listed(token: StoredToken) -> ListedToken {
    ListedToken {
        domains: token.scope.domains().map(|domains| domains.iter().cloned().collect()),
        operator: token.operator,
        created: moment(token.created),
        last_used: token.last_used.map(moment),
        revoked: token.revoked.map(moment),
        name: token.name,
    }
}

pub(super) fn shown(scope: &Scope, operator: bool) -> String {
    match scope.domains() {
        None if operator => "all domains, operator".to_owned(),
        None => "all domains".to_owned(),
        Some(domains) => domains.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// Seconds since 1970 as people read them.
pub(super) fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|moment| moment.to_string()).unwrap_or_default()
}
