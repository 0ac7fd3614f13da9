//! The branch moves: what is served follows it, and stays where it cannot.

use rustix::process::Signal;

use super::{Server, command, data, wait};
use crate::support::Repo;

/// Waits until `/readyz` is so.
fn until(server: &Server, what: &str, so: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let ready = || Some(server.get("/readyz").json()).filter(&so);
    wait(ready, || format!("{what}: {}\n{}", server.get("/readyz").body, server.journal()))
}

#[test]
fn a_new_commit_is_served_and_one_with_errors_is_not() {
    let repo = data();
    let first = repo.git(&["rev-parse", "HEAD"]);
    let server = Server::start(&repo, &["--interval", "1s"]);
    repo.write("subscribers/bad.yaml", "- {ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}\n");
    let bad = repo.commit("bad");
    let ready = until(&server, "a refusal", |ready| ready["state"] == "stale");
    assert_eq!((&ready["commit"], &ready["refused"]["commit"]), (&first.into(), &bad.clone().into()));
    assert_eq!(ready["refused"]["errors"], 1);
    assert_eq!(server.get("/lookup?user_id=acme-hq").status, 200);
    let metrics = server.get("/metrics").body;
    assert!(
        metrics.contains("shapeline_data_refused 1\n") && metrics.contains("reload_refusals_total 1\n"),
        "{metrics}"
    );
    let said = format!("data: commit {} has 1 error and is not served", &bad[..12]);
    wait(|| server.journal().contains(&said).then_some(()), || server.journal());
    repo.write(
        "subscribers/bad.yaml",
        "- {ip: 10.10.10.26, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN, id: new}\n",
    );
    let good = repo.commit("good");
    let ready = until(&server, "the fix", |ready| ready["state"] == "ready");
    assert_eq!((&ready["commit"], &ready["refused"]), (&good.into(), &serde_json::Value::Null));
    assert_eq!(server.get("/lookup?user_id=new").status, 200);
    assert_eq!(server.journal().matches("is not served").count(), 1, "{}", server.journal());
}

#[test]
fn a_hangup_reads_the_branch_now() {
    let repo = data();
    let server = Server::start(&repo, &["--interval", "24h"]);
    let second = repo.commit("second");
    server.signal(Signal::HUP);
    until(&server, "the second commit", |ready| ready["commit"] == second);
}

#[test]
fn data_with_errors_is_no_start() {
    let repo = data();
    repo.write("subscribers/bad.yaml", "- {ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}\n");
    let bad = repo.commit("bad");
    let out = command(&repo, &[]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    let short = &bad[..12];
    let wanted = format!(
        "shapeline: commit {short} has 1 error and is not served: `shapeline check --rev {short}` shows them\n"
    );
    assert!(said.ends_with(&wanted), "{said}");
    // A commit that is named is served, whatever the branch has.
    let server = Server::start(&repo, &["--rev", "HEAD~1"]);
    assert_eq!(server.get("/lookup?user_id=acme-hq").status, 200);
    assert!(server.journal().contains(", commit "), "{}", server.journal());
}

#[test]
fn files_that_are_not_committed_are_not_served() {
    let repo = data();
    repo.write("subscribers/bad.yaml", "ip: x\n");
    let server = Server::start(&repo, &[]);
    assert_eq!(server.get("/v1/subscribers").json()["total"], 3);
}

/// A bare clone and a clone with an upstream, of a repository that someone else pushes to.
#[test]
fn the_upstream_is_fetched() {
    let author = data();
    for bare in [true, false] {
        let host = Repo::empty();
        let mut clone = vec!["clone", "--quiet"];
        clone.extend(bare.then_some("--bare"));
        clone.extend([author.path().to_str().unwrap(), "clone"]);
        host.git(&clone);
        let mut serve = command(&author, &["--interval", "1s"]);
        serve.current_dir(host.path().join("clone")).env("SHAPELINE_STATE", host.path().join("state.sqlite"));
        let server = Server::spawn(serve);
        assert!(server.journal().contains("branch main of origin"), "{}", server.journal());
        let next = author.commit("next");
        until(&server, "what was pushed", |ready| ready["commit"] == next && ready["state"] == "ready");
        std::fs::rename(author.path().join(".git"), author.path().join("gone")).unwrap();
        let ready = until(&server, "a failure", |ready| ready["state"] == "stale");
        assert_eq!((&ready["unreachable"], &ready["commit"]), (&true.into(), &next.into()));
        std::fs::rename(author.path().join("gone"), author.path().join(".git")).unwrap();
        until(&server, "recovery", |ready| ready["state"] == "ready");
        let journal = server.journal();
        assert!(
            journal.matches("cannot be followed").count() == 1 && journal.contains("branch: back to normal"),
            "{journal}"
        );
    }
}

#[test]
fn a_branch_is_named_or_found() {
    let repo = data();
    let refused = |args: &[&str], why: &str| {
        let out = command(&repo, args).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && said.contains(why), "{said}");
    };
    refused(&["--branch", "gone"], "there is no branch `gone`");
    refused(&["--remote", "gone"], "has no remote `gone`");
    refused(&["--rev", "gone"], "there is no commit `gone`");
    refused(&["--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1");
    repo.git(&["checkout", "--quiet", "--detach"]);
    refused(&[], "no branch is checked out: name one with --branch");
    assert_eq!(Server::start(&repo, &["--branch", "main"]).get("/healthz").status, 200);
}

#[test]
fn a_commit_without_subscribers_does_not_replace_those_there_are() {
    let repo = data();
    let first = repo.git(&["rev-parse", "HEAD"]);
    let server = Server::start(&repo, &["--interval", "1s"]);
    repo.git(&["rm", "-rq", "subscribers"]);
    let empty = repo.commit("empty");
    let ready = until(&server, "a refusal", |ready| ready["state"] == "stale");
    assert_eq!((&ready["commit"], &ready["refused"]["commit"]), (&first.into(), &empty.into()));
    assert_eq!(server.get("/lookup?user_id=acme-hq").status, 200);
    let said = || server.journal().contains("has no subscriber and is not served").then_some(());
    wait(said, || server.journal());
    drop(server);
    assert_eq!(Server::start(&repo, &[]).get("/v1/subscribers").json()["total"], 0, "the operator chose the commit");
}

#[test]
fn a_branch_that_is_gone_for_a_moment_is_followed_at_once_when_it_is_back() {
    let repo = data();
    repo.git(&["checkout", "-q", "-b", "other"]);
    let server = Server::start(&repo, &["--branch", "main", "--interval", "24h"]);
    repo.git(&["branch", "-q", "-D", "main"]);
    let ready = until(&server, "that the branch is gone", |ready| ready["state"] == "stale");
    assert_eq!(ready["unreachable"], true);
    repo.git(&["branch", "-q", "main"]);
    until(&server, "the branch again", |ready| ready["state"] == "ready" && ready["unreachable"] == false);
    let said = || server.journal().contains("there is no branch 'main' any more").then_some(());
    wait(said, || server.journal());
}
