//! With a remote: branches are pushed there, and what cannot be pushed is tried again.

use super::drafts::branches;
use super::{Browser, add_user, command, state};
use crate::serve::{Server, data, wait};
use crate::support::Repo;

pub const P30: &str = "30_MEG_UP_30_MEG_DOWN";

/// A clone with the data, and its bare remote.
pub fn with_remote() -> (Repo, tempfile::TempDir) {
    let (repo, remote) = (data(), tempfile::tempdir().unwrap());
    let url = remote.path().to_str().unwrap();
    repo.git(&["init", "--quiet", "--bare", url]);
    repo.git(&["remote", "add", "origin", url]);
    let branch = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    repo.git(&["push", "--quiet", "-u", "origin", &branch]);
    add_user(&repo, &state(&repo), &["desk", "--domain", "tier2.example"]);
    (repo, remote)
}

pub fn at_remote(repo: &Repo) -> String {
    repo.git(&["ls-remote", "origin", "refs/heads/portal/*"])
}

#[test]
fn a_request_is_pushed_and_found_merged_after_a_squash() {
    let (repo, _remote) = with_remote();
    let server = Server::spawn(command(&repo, &[]));
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P30);
    let request = desk.submit("");
    let branch = branches(&repo).pop().unwrap();
    assert!(at_remote(&repo).contains(&format!("refs/heads/{branch}")), "{}", at_remote(&repo));
    assert!(desk.page(&request).contains(">open<"));
    repo.git(&["merge", "--quiet", "--squash", &branch]);
    repo.commit("squashed");
    repo.git(&["push", "--quiet", "origin", "HEAD"]);
    wait(|| desk.page(&request).contains(">merged<").then_some(()), || server.journal());
}

#[test]
fn a_remote_that_is_away_stops_nothing_and_loses_nothing() {
    let (repo, remote) = with_remote();
    let server = Server::spawn(command(&repo, &[]));
    let desk = Browser::signed_in(&server, "desk");
    let away = remote.path().with_extension("away");
    std::fs::rename(remote.path(), &away).unwrap();
    desk.add("10.20.0.5", "tier2.example", P30);
    let request = desk.submit("");
    let page = desk.page(&request);
    assert!(page.contains(">stuck<") && page.contains("It could not be sent") && page.contains("Try again"), "{page}");
    std::fs::rename(&away, remote.path()).unwrap();
    let id = request.split('=').nth(1).unwrap();
    assert_eq!(desk.post("/request/retry", &[("id", id)]).status, 303);
    assert!(desk.page(&request).contains(">open<"));
    assert_eq!(at_remote(&repo).lines().count(), 1);
}
