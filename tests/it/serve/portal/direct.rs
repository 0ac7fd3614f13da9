//! Changes that need no review are merged at once, or not at all.

use std::process::Command;
use std::time::Duration;

use super::crashes::{killed_after, unfinished};
use super::drafts::branches;
use super::remote::{P30, at_remote, with_remote};
use super::{Browser, PASSWORD, add_user, command, hidden, state, token};
use crate::serve::{Server, data, wait};
use crate::support::Repo;

/// The command that serves the portal with `direct: ROLE`.
fn direct(repo: &Repo, role: &str, args: &[&str]) -> Command {
    let settings = repo.path().join(".git/server.yaml");
    std::fs::write(&settings, format!("direct: {role}\n")).unwrap();
    let settings = ["--settings", settings.to_str().unwrap()];
    command(repo, &settings.iter().chain(args).copied().collect::<Vec<_>>())
}

fn accounts(repo: &Repo) {
    add_user(repo, &state(repo), &["noc", "--role", "operator"]);
    add_user(repo, &state(repo), &["desk", "--domain", "tier2.example"]);
}

#[test]
fn an_operators_change_is_merged_and_checked_out_at_once() {
    let repo = data();
    accounts(&repo);
    let head = repo.git(&["rev-parse", "HEAD"]);
    repo.write("notes.txt", "not committed\n");
    let server = Server::spawn(direct(&repo, "operator", &[]));
    let noc = Browser::signed_in(&server, "noc");
    noc.add("10.20.0.5", "tier2.example", P30);
    let draft = noc.page("/draft");
    assert!(draft.contains("Submit and merge") && draft.contains("on the branch "), "{draft}");
    let request = noc.submit("Ticket 4711");
    let page = noc.page(&request);
    assert!(page.contains(">merged<") && !page.contains("<dt>Branch</dt>"), "{page}");
    let shown = repo.git(&["log", "-1", "--format=%an|%P|%B"]);
    assert!(shown.starts_with(&format!("Front Desk|{head}|Add 10.20.0.5@tier2.example")), "{shown}");
    assert!(shown.contains("Ticket 4711"), "{shown}");
    let files = std::fs::read_dir(repo.path().join("subscribers")).unwrap();
    let files: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(files.contains("10.20.0.5"), "{files}");
    assert_eq!(repo.git(&["status", "--porcelain"]), "?? notes.txt");
    assert_eq!(branches(&repo), [""; 0]);
    // Before the next look at the branch, which is a second away.
    wait(|| noc.page("/subscribers").contains("10.20.0.5").then_some(()), || server.journal());
    // An editor needs a review.
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.6", "tier2.example", P30);
    assert!(desk.page("/draft").contains("Submit for review"));
    assert!(desk.page(&desk.submit("")).contains(">open<"));
    assert_eq!((branches(&repo).len(), repo.git(&["rev-list", "--count", "HEAD"])), (1, "2".to_owned()));
}

#[test]
fn what_exceeds_the_limits_is_reviewed() {
    let repo = data();
    repo.write("shapeline.yaml", "safety: {max_removed: 0}\n");
    repo.commit("limits");
    accounts(&repo);
    let server = Server::spawn(direct(&repo, "editor", &[]));
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P30);
    assert!(desk.page(&desk.submit("")).contains(">merged<"));
    wait(|| desk.page("/subscribers").contains("10.20.0.5").then_some(()), || server.journal());
    let remove = [("key", "10.20.0.5@tier2.example"), ("action", "remove")];
    assert_eq!(desk.post("/act", &remove).status, 303);
    let draft = desk.page("/draft");
    assert!(draft.contains("Submit for review") && draft.contains("and so it needs a review"), "{draft}");
    assert!(desk.page(&desk.submit("")).contains(">open<"));
    assert_eq!((branches(&repo).len(), repo.git(&["rev-list", "--count", "HEAD"])), (1, "3".to_owned()));
}

#[test]
fn files_with_changes_stay_as_they_are() {
    let repo = data();
    accounts(&repo);
    let server = Server::spawn(direct(&repo, "operator", &[]));
    let noc = Browser::signed_in(&server, "noc");
    let (path, head) = (repo.path().join("subscribers/a.yaml"), repo.git(&["rev-parse", "HEAD"]));
    let edited = std::fs::read_to_string(&path).unwrap() + "# being edited\n";
    std::fs::write(&path, &edited).unwrap();
    assert_eq!(noc.post("/act", &[("key", "acme-hq"), ("action", "suspend")]).status, 303);
    let request = noc.submit("");
    let page = noc.page(&request);
    assert!(page.contains(">stuck<") && page.contains("subscribers/a.yaml"), "{page}");
    assert_eq!((std::fs::read_to_string(&path).unwrap(), repo.git(&["rev-parse", "HEAD"])), (edited, head));
    repo.git(&["checkout", "--quiet", "subscribers/a.yaml"]);
    let id = request.split('=').nth(1).unwrap();
    assert_eq!(noc.post("/request/retry", &[("id", id)]).status, 303);
    assert!(noc.page(&request).contains(">merged<"), "{}", server.journal());
    assert!(std::fs::read_to_string(&path).unwrap().contains("acme-hq, name: ACME head office, status: suspended"));
}

#[test]
fn a_branch_that_is_not_checked_out_is_moved() {
    let repo = data();
    accounts(&repo);
    let branch = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    let server = Server::spawn(direct(&repo, "operator", &["--branch", &branch]));
    let noc = Browser::signed_in(&server, "noc");
    noc.add("10.20.0.5", "tier2.example", P30);
    assert!(noc.page(&noc.submit("")).contains(">merged<"), "{}", server.journal());
    assert_eq!(repo.git(&["rev-list", "--count", &format!("other..{branch}")]), "1");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    // In another work tree, its files would no longer be those of the branch.
    let linked = repo.path().join(".git/linked");
    repo.git(&["worktree", "add", "--quiet", linked.to_str().unwrap(), &branch]);
    wait(|| noc.page("/subscribers").contains("10.20.0.5").then_some(()), || server.journal());
    noc.add("10.20.0.6", "tier2.example", P30);
    let page = noc.page(&noc.submit(""));
    assert!(page.contains(">stuck<") && page.contains("checked out"), "{page}");
    assert_eq!(repo.git(&["rev-list", "--count", &format!("other..{branch}")]), "1");
}

#[test]
fn on_a_remote_that_moved_the_change_is_made_on_what_it_has() {
    let (repo, remote) = with_remote();
    add_user(&repo, &state(&repo), &["noc", "--role", "operator"]);
    let branch = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    let server = Server::spawn(direct(&repo, "operator", &["--interval", "24h"]));
    let noc = Browser::signed_in(&server, "noc");
    noc.add("10.20.0.5", "tier2.example", P30);
    // The next look at the remote is a day away.
    let other = tempfile::tempdir().unwrap();
    let elsewhere = |args: &[&str]| {
        let folder = ["-C", other.path().to_str().unwrap()];
        repo.git(&folder.iter().chain(args).copied().collect::<Vec<_>>())
    };
    let paths = [remote.path().to_str().unwrap(), other.path().to_str().unwrap()];
    repo.git(&["clone", "--quiet", "--branch", &branch, paths[0], paths[1]]);
    let add = |ip: &str, plan: &str| {
        let path = other.path().join(format!("subscribers/{ip}.yaml"));
        std::fs::write(path, format!("ip: {ip}\ndomain: tier2.example\nplan: {plan}\n")).unwrap();
        elsewhere(&["add", "--all"]);
        elsewhere(&["-c", "user.name=A", "-c", "user.email=a@tier2.example", "commit", "--quiet", "-m", "elsewhere"]);
        elsewhere(&["push", "--quiet", "origin", "HEAD"]);
    };
    add("10.20.0.7", P30);
    let request = noc.submit("");
    assert!(noc.page(&request).contains(">merged<"), "{}", server.journal());
    assert_eq!(at_remote(&repo), "");
    elsewhere(&["pull", "--quiet", "--ff-only"]);
    assert_eq!(elsewhere(&["rev-list", "--count", "HEAD"]), "3");
    let rendered = repo.run(&["-C", other.path().to_str().unwrap(), "render"]).stdout;
    assert!(rendered.contains("10.20.0.5 ") && rendered.contains("10.20.0.7 "), "{rendered}");
    // The same as the other one's is there already; a second one is refused.
    noc.add("10.20.0.8", "tier2.example", P30);
    add("10.20.0.8", P30);
    assert!(noc.page(&noc.submit("")).contains(">merged<"), "{}", server.journal());
    noc.add("10.20.0.9", "tier2.example", P30);
    add("10.20.0.9", "50_MEG_UP_50_MEG_DOWN");
    let page = noc.page(&noc.submit(""));
    assert!(page.contains(">stuck<") && page.contains("now the rules refuse this"), "{page}");
    elsewhere(&["fetch", "--quiet"]);
    assert_eq!(elsewhere(&["rev-list", "--count", &format!("origin/{branch}")]), "5", "nothing was made twice");
    assert_eq!(repo.git(&["rev-list", "--count", "--merges", &format!("origin/{branch}")]), "0");
}

/// The branch has a commit that cannot be served: nothing is merged onto it, and nothing in its place.
#[test]
fn on_a_branch_that_is_refused_nothing_is_merged() {
    let (repo, _remote) = with_remote();
    let branch = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    let server = Server::spawn(direct(&repo, "editor", &["--interval", "24h"]));
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P30);
    repo.write("subscribers/wrong.yaml", "{ip: 10.20.0.9, domain: gone.example, plan: NONE}\n");
    repo.commit("wrong");
    repo.git(&["push", "--quiet", "origin", &branch]);
    let page = desk.page(&desk.submit(""));
    assert!(page.contains(">stuck<") && server.journal().contains("does not serve yet"), "{page}");
    repo.git(&["fetch", "--quiet"]);
    assert_eq!(repo.git(&["log", "-1", "--format=%s", "@{upstream}"]), "wrong");
    repo.git(&["revert", "--no-edit", "HEAD"]);
    repo.git(&["push", "--quiet", "origin", &branch]);
    // It is tried again by itself.
    let first = || repo.git(&["ls-remote", "origin", &branch]);
    let reverted = first();
    wait(|| (first() != reverted).then_some(()), || server.journal());
    repo.git(&["pull", "--quiet", "--ff-only"]);
    assert!(repo.git(&["log", "-1", "--format=%s"]).starts_with("Add 10.20.0.5@tier2.example"));
}

#[test]
fn a_role_that_was_lost_needs_a_review() {
    let repo = data();
    accounts(&repo);
    // So that it cannot be merged yet.
    let lock = repo.path().join(".git/index.lock");
    let server = Server::spawn(direct(&repo, "operator", &[]));
    let noc = Browser::signed_in(&server, "noc");
    noc.add("10.20.0.5", "tier2.example", P30);
    std::fs::write(&lock, "").unwrap();
    let request = noc.submit("");
    assert!(noc.page(&request).contains(">stuck<"));
    assert_eq!(repo.run(&["user", "remove", "noc", "--state", &state(&repo)]).code, 0);
    std::fs::remove_file(&lock).unwrap();
    wait(|| (!branches(&repo).is_empty()).then_some(()), || server.journal());
    assert_eq!(repo.git(&["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn viewers_have_nothing_to_merge() {
    let run = direct(&data(), "viewer", &[]).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.code() == Some(2) && said.contains("viewers change nothing"), "{said}");
}

/// What is taken back while the remote takes it is merged, and called so.
#[test]
fn what_is_taken_back_too_late_is_merged() {
    use std::os::unix::fs::PermissionsExt as _;
    let (repo, remote) = with_remote();
    let hook = remote.path().join("hooks/pre-receive");
    std::fs::create_dir_all(remote.path().join("hooks")).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ntouch begun\nuntil [ -e go ]; do sleep 0.05; done\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::spawn(direct(&repo, "editor", &[]));
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P30);
    let request = std::thread::scope(|scope| {
        let cookie = desk.cookie.borrow().clone();
        let submitting = scope.spawn(|| Browser { server: &server, cookie: cookie.into() }.submit(""));
        wait(|| remote.path().join("begun").exists().then_some(()), || server.journal());
        let page = desk.page("/requests");
        let id = page.split("/request?id=").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let answer = desk.post("/request/withdraw", &[("id", &id)]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/draft")), "{answer:?}");
        assert!(desk.page(&format!("/request?id={id}")).contains(">withdrawn<"));
        std::fs::write(remote.path().join("go"), "").unwrap();
        submitting.join().unwrap()
    });
    assert!(desk.page(&request).contains(">merged<"), "{}", server.journal());
    wait(|| desk.page("/subscribers").contains("10.20.0.5").then_some(()), || server.journal());
    // The draft has it again, and it changes nothing any more.
    let version = hidden(&desk.page("/draft"), "version");
    assert_eq!(desk.post("/draft/submit", &[("version", &version), ("message", "")]).status, 422);
    repo.git(&["fetch", "--quiet"]);
    assert_eq!(
        (repo.git(&["rev-list", "--count", "HEAD..@{upstream}"]), at_remote(&repo)),
        ("1".to_owned(), String::new())
    );
}

/// SIGKILL while requests are merged: each is merged once, or its draft is still there.
#[test]
fn a_kill_merges_nothing_twice() {
    let (repo, _remote) = with_remote();
    let (mut cookie, mut drafted) = (String::new(), None);
    let (mut interrupted, mut done) = (0, 0);
    for round in 0..60u64 {
        let server = Server::spawn(direct(&repo, "editor", &[]));
        let browser = Browser { server: &server, cookie: cookie.clone().into() };
        if cookie.is_empty() {
            assert_eq!(browser.sign_in("desk", PASSWORD).status, 303);
            cookie = browser.cookie.borrow().clone();
        }
        let ip = drafted.take().unwrap_or_else(|| {
            let ip = format!("2001:db8::1:{round}");
            browser.add(&ip, "tier2.example", P30);
            ip
        });
        let page = browser.page("/draft");
        let body = format!("token={}&version={}", token(&page), hidden(&page, "version"));
        let delay = round * 11 % 240 + round.saturating_sub(50) * 100;
        let answered = killed_after(Duration::from_millis(delay), server, "/draft/submit", &cookie, &body);
        if answered.is_some() {
            done += 1
        } else {
            interrupted += 1
        }
        let server = Server::spawn(direct(&repo, "editor", &[]));
        wait(|| (unfinished(&server, &cookie) == Some(0)).then_some(()), || server.journal());
        let browser = Browser { server: &server, cookie: cookie.clone().into() };
        let is_drafted = browser.page("/draft").contains(&ip);
        repo.git(&["fetch", "--quiet"]);
        let merged = repo.git(&["log", "--format=%s", &format!("--grep=^Add {ip}@"), "@{upstream}"]).lines().count();
        assert_eq!(merged + usize::from(is_drafted), 1, "round {round}: drafted {is_drafted}, merged {merged} times");
        drafted = is_drafted.then_some(ip);
    }
    assert!(interrupted > 0 && done > 0, "{interrupted} were interrupted, {done} were not: choose other delays");
    assert_eq!((at_remote(&repo), repo.git(&["log", "--merges", "--format=%h", "@{upstream}"])), <_>::default());
}
