//! The arguments of `serve`, `token` and `user`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::TextOrJson;
use crate::completion;
use crate::sync::interval::Interval;
use crate::text::quote::quoted;
use crate::web::state::users::Role;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Serve only this part: the portal, or the lookup API, which is then at `/`, too.
    #[arg(long, value_name = "PART", value_enum)]
    pub(crate) only: Option<ServeOnly>,

    /// The address to listen on; port 0 is a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", overrides_with = "listen", value_parser = listen)]
    pub(crate) listen: Option<SocketAddr>,

    /// The branch to serve [default: the one that is checked out]
    #[arg(long, value_name = "NAME", conflicts_with = "rev")]
    pub(crate) branch: Option<String>,

    /// Fetch the branch from this remote [default: the branch's upstream, if it has one]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["rev", "no_fetch"])]
    pub(crate) remote: Option<String>,

    /// Fetch nothing: serve the branch as it is in the clone.
    #[arg(long)]
    pub(crate) no_fetch: bool,

    /// Serve this git revision, and follow no branch.
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// The time from one look at the branch to the next: 60s, 5m, 1h [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub(crate) interval: Option<Interval>,

    /// The name of this replica in answers [default: the name of the host]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Show the portal and a live dashboard of made-up subscribers and a pretend network: no settings, no data
    /// repository, nothing is kept.
    #[cfg(feature = "telemetry")]
    #[arg(long, conflicts_with_all = ["only", "branch", "remote", "no_fetch", "rev", "interval", "name", "settings", "state"])]
    pub(crate) demo: bool,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// An address with a port.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{} is not an address with a port, such as 127.0.0.1:8080", quoted(text)))
}

/// Where the server keeps its own state.
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// Read the server settings from this file; see docs/serve.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,

    /// The server's own state: an SQLite file, or a PostgreSQL database as postgres://USER@HOST/NAME; with a
    /// password, put it into SHAPELINE_STATE [default: SHAPELINE_STATE, else a file in ~/.local/state/shapeline]
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) state: Option<String>,
}

/// `token` and its commands.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for a client. Its secret is printed once and kept nowhere.
    #[command(after_help = super::examples::TOKEN)]
    Add(TokenAddArgs),
    /// List the tokens.
    List(TokenListArgs),
    /// Revoke a token: within seconds it is refused.
    Revoke(TokenRevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TokenAddArgs {
    /// The name of the client.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The client sees this domain. Can be repeated.
    #[arg(long = "domain", value_name = "NAME", required_unless_present_any = ["all_domains", "operator"], add = ArgValueCompleter::new(completion::domains))]
    pub(crate) domains: Vec<String>,

    /// The client sees all domains.
    #[arg(long, conflicts_with = "domains")]
    pub(crate) all_domains: bool,

    /// The client sees all domains, reads the logs of the targets, and makes copies.
    #[arg(long, conflicts_with = "domains")]
    pub(crate) operator: bool,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TokenListArgs {
    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRevokeArgs {
    /// The name of the client.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// `user` and its commands.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add an account. Its password is asked for, or read from standard input.
    #[command(after_help = super::examples::USER)]
    Add(UserAddArgs),
    /// Give an account another password; its sessions end.
    Passwd(UserNameArgs),
    /// List the accounts.
    List(TokenListArgs),
    /// Remove an account; its sessions end. A provider's does not come back by signing in.
    Remove(UserNameArgs),
    /// Let a provider's person sign in again after their account was removed.
    Restore(UserNameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UserAddArgs {
    /// What the person signs in with: letters, digits and . _ - @
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// What the person may do.
    #[arg(long, value_name = "ROLE", value_enum, default_value = "editor")]
    pub(crate) role: Role,

    /// The person sees this domain. Can be repeated.
    #[arg(long = "domain", value_name = "NAME", add = ArgValueCompleter::new(completion::domains))]
    pub(crate) domains: Vec<String>,

    /// The person sees all domains, as operators do.
    #[arg(long, conflicts_with = "domains")]
    pub(crate) all_domains: bool,

    /// The name of the author of the person's commits.
    #[arg(long, value_name = "TEXT")]
    pub(crate) full_name: String,

    /// The address of that author.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: String,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UserNameArgs {
    /// The name of the account.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// A part of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServeOnly {
    /// The pages for people.
    Portal,
    /// The lookup API.
    Lookup,
}
