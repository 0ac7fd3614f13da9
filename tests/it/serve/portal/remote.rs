//! With a remote: branches are pushed there, and what cannot be pushed is tried again.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::drafts::branches;
use super::{Browser, add_user, command, state};
use crate::serve::{Server, data, wait};
use crate::servers::https::Https;
use crate::servers::nginx::GitSite;
use crate::servers::sshd::Sshd;
use crate::support::Repo;

pub const P30: &str = "30_MEG_UP_30_MEG_DOWN";

/// A clone with the data, and its bare remote.
pub fn with_remote() -> (Repo, tempfile::TempDir) {
    let remote = tempfile::tempdir().unwrap();
    (with_remote_in(remote.path()), remote)
}

/// The same with the remote in a folder.
fn with_remote_in(folder: &Path) -> Repo {
    let (repo, url) = (data(), folder.to_str().unwrap());
    repo.git(&["init", "--quiet", "--bare", url]);
    repo.git(&["remote", "add", "origin", url]);
    let branch = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    repo.git(&["push", "--quiet", "-u", "origin", &branch]);
    add_user(&repo, &state(&repo), &["desk", "--domain", "tier2.example"]);
    repo
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

/// A request is pushed, and its branch deleted when it is withdrawn.
fn is_pushed_and_taken_back(repo: &Repo, there: &Path, serve: Command) {
    let there = || {
        let branches = ["--git-dir", there.to_str().unwrap(), "for-each-ref", "refs/heads/portal"];
        repo.git(&branches).lines().count()
    };
    let server = Server::spawn(serve);
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P30);
    let request = desk.submit("");
    assert!(desk.page(&request).contains(">open<"), "{}", server.journal());
    assert_eq!(there(), 1);
    let id = request.split('=').nth(1).unwrap();
    assert_eq!(desk.post("/request/withdraw", &[("id", id)]).status, 303);
    wait(|| (there() == 0).then_some(()), || server.journal());
}

const LOGIN: &str = "portal:s3cr3t-of-git";

/// Over https with the password of the credential helper; with a wrong one the page says why nothing is sent.
fn is_pushed_with_the_right_password(repo: &Repo, there: &Path, url: &str, certificate: &Path) {
    repo.git(&["remote", "set-url", "origin", url]);
    add_user(repo, &state(repo), &["noc", "--role", "operator"]);
    let serve = || {
        let mut serve = command(repo, &[]);
        serve.env("GIT_SSL_CAINFO", certificate);
        serve
    };
    let helper = |password: &str| {
        let helper = format!("!f() {{ echo username=portal; echo password={password}; }}; f");
        repo.git(&["config", "credential.helper", &helper]);
    };
    helper("s3cr3t-of-git");
    is_pushed_and_taken_back(repo, there, serve());
    let server = Server::spawn(serve());
    helper("wrong-password");
    let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
    let request = desk.submit("");
    assert!(desk.page(&request).contains(">stuck<"), "{}", server.journal());
    let (journal, page) = (server.journal(), noc.page(&request));
    for shown in [&journal, &page] {
        assert!(shown.contains("cannot push portal/desk-") && shown.contains("Authentication failed"), "{shown}");
        assert!(!shown.contains("wrong-password"), "{shown}");
    }
    helper("s3cr3t-of-git");
    wait(|| desk.page(&request).contains(">open<").then_some(()), || server.journal());
}

#[test]
fn over_https_the_password_is_that_of_the_credential_helper() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("git/data.git");
    std::fs::create_dir_all(&there).unwrap();
    let repo = with_remote_in(&there);
    let https = Https::start(folder.path());
    std::fs::write(folder.path().join("login"), LOGIN).unwrap();
    is_pushed_with_the_right_password(&repo, &there, &format!("{}/git/data.git", https.url), &https.certificate);
}

/// As many providers serve git: nginx asks for the password, and fcgiwrap runs `git http-backend`.
#[test]
fn over_smart_http_behind_nginx_a_request_arrives_and_a_refusal_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("git/data.git");
    std::fs::create_dir_all(&there).unwrap();
    let repo = with_remote_in(&there);
    let Some(site) = GitSite::start(folder.path(), LOGIN) else { return };
    is_pushed_with_the_right_password(&repo, &there, &format!("{}/data.git", site.url), &site.certificate);
    // A hook of the remote refuses, in words of its own.
    let hook = there.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho 'maintenance until noon' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut serve = command(&repo, &[]);
    serve.env("GIT_SSL_CAINFO", &site.certificate);
    let server = Server::spawn(serve);
    let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
    desk.add("10.20.0.6", "tier2.example", P30);
    let request = desk.submit("");
    let page = noc.page(&request);
    assert!(page.contains(">stuck<") && page.contains("maintenance until noon"), "{page}");
    std::fs::remove_file(&hook).unwrap();
    wait(|| desk.page(&request).contains(">open<").then_some(()), || server.journal());
}

#[test]
fn over_ssh_the_key_is_that_of_the_clone() {
    let sshd = Sshd::start();
    let there = sshd.data().join("data.git");
    std::fs::create_dir_all(&there).unwrap();
    let repo = with_remote_in(&there);
    let url = sshd.url(&there).replacen("sftp:", "ssh:", 1);
    repo.git(&["remote", "set-url", "origin", &url]);
    let (key, known) = (sshd.identity(), sshd.known_hosts());
    let ssh = format!(
        "ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -i {} -o UserKnownHostsFile={}",
        key.display(),
        known.display()
    );
    repo.git(&["config", "core.sshCommand", &ssh]);
    is_pushed_and_taken_back(&repo, &there, command(&repo, &[]));
}
