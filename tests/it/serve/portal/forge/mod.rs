//! Pull requests: opened once whatever happens, followed, and closed when a request is withdrawn.

mod document;
mod double;
mod faults;
mod opening;
mod withdrawal;

use std::process::Command;

use self::double::{Forge, TOKEN};
use super::remote::P30;
use super::{Browser, command};
use crate::serve::{Server, wait};
use crate::support::Repo;

/// The command that serves the portal with this forge.
fn serving(repo: &Repo, forge: &Forge) -> Command {
    let path = repo.write(".git/server.yaml", forge.settings());
    let mut command = command(repo, &["--settings", path.to_str().unwrap()]);
    command.env("SHAPELINE_FORGE_TOKEN", TOKEN);
    command
}

/// Waits until the page of a request has a text.
fn until(desk: &Browser<'_>, request: &str, text: &str) -> String {
    let has = || Some(desk.page(request)).filter(|page| page.contains(text));
    wait(has, || format!("{}\n{}", desk.page(request), desk.server.journal()))
}

/// Proposes to add an address; gives the page of the request.
fn propose(server: &Server, note: &str) -> String {
    let desk = Browser::signed_in(server, "desk");
    desk.add("10.20.0.5", "tier2.example", P30);
    desk.submit(note)
}
