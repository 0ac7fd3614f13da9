//! A request that is withdrawn can be merged by nobody any more: its pull request is closed, its branch is gone.

use rustix::process::Signal;

use super::double::{Forge, Kind};
use super::{propose, serving, until};
use crate::serve::portal::drafts::branches;
use crate::serve::portal::remote::{at_remote, with_remote};
use crate::serve::portal::{Browser, command};
use crate::serve::{Server, wait};
use crate::support::Repo;

fn withdraw(server: &Server, request: &str) {
    let desk = Browser::signed_in(server, "desk");
    let answer = desk.post("/request/withdraw", &[("id", request.split('=').nth(1).unwrap())]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/draft")), "{answer:?}");
}

/// Waits until nothing is left of any request.
fn gone(repo: &Repo, forge: &Forge, server: &Server) {
    let gone = || {
        let closed = forge.pulls().iter().all(|pull| pull.state == "closed");
        (closed && branches(repo).is_empty() && at_remote(repo).is_empty()).then_some(())
    };
    wait(gone, || format!("{:?} {:?} {}\n{}", forge.pulls(), branches(repo), at_remote(repo), server.journal()));
}

#[test]
fn its_pull_request_is_closed_and_its_branch_deleted() {
    for (kind, ..) in Kind::ALL {
        let Some(forge) = Forge::start(kind) else { return };
        let (repo, _remote) = with_remote();
        let server = Server::spawn(serving(&repo, &forge));
        let request = propose(&server, "");
        withdraw(&server, &request);
        gone(&repo, &forge, &server);
        assert_eq!(forge.pulls().len(), 1);
        let desk = Browser::signed_in(&server, "desk");
        assert!(desk.page("/draft").contains("10.20.0.5@tier2.example with"));
        let page = desk.page(&request);
        assert!(page.contains(">withdrawn<") && !page.contains("Take it back"), "{page}");
        // It is submitted anew, under another name.
        desk.submit("");
        assert_eq!((forge.pulls().len(), branches(&repo).len()), (2, 1));
    }
}

#[test]
fn what_cannot_be_removed_is_removed_later_even_by_another_server() {
    let Some(forge) = Forge::start(Kind::GitHub) else { return };
    let (repo, remote) = with_remote();
    let mut server = Server::spawn(serving(&repo, &forge));
    let request = propose(&server, "");
    let away = remote.path().with_extension("away");
    std::fs::rename(remote.path(), &away).unwrap();
    forge.mood(Some(Box::new(|_| Some(crate::servers::answers::plain(500, "")))));
    withdraw(&server, &request);
    let page = until(&Browser::signed_in(&server, "desk"), &request, "could not be removed yet");
    assert!(page.contains(">withdrawn<"), "{page}");
    server.signal(Signal::KILL);
    let _ = server.ended_by_signal();
    forge.mood(None);
    let server = Server::spawn(serving(&repo, &forge));
    // The forge answers, the remote does not.
    wait(|| (forge.pulls()[0].state == "closed").then_some(()), || server.journal());
    assert_eq!(branches(&repo).len(), 1, "first there, then here");
    std::fs::rename(&away, remote.path()).unwrap();
    gone(&repo, &forge, &server);
}

#[test]
fn withdrawn_while_it_is_pushed_it_is_removed_by_whichever_server() {
    let Some(forge) = Forge::start(Kind::Gitea) else { return };
    for other in [false, true] {
        let (repo, remote) = with_remote();
        let (hook, begun) = (remote.path().join("hooks/pre-receive"), remote.path().join("begun"));
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\nsleep 4\n", begun.display())).unwrap();
        let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        std::fs::set_permissions(&hook, mode).unwrap();
        let server = Server::spawn(serving(&repo, &forge));
        let second = Server::spawn(serving(&repo, &forge));
        let asked = if other { &second } else { &server };
        let before = forge.pulls().len();
        std::thread::scope(|scope| {
            let pushing = scope.spawn(|| propose(&server, ""));
            wait(|| begun.exists().then_some(()), || server.journal());
            let list = Browser::signed_in(asked, "desk").page("/requests");
            let id = &list.split("/request?id=").nth(1).unwrap()[..16];
            withdraw(asked, &format!("/request?id={id}"));
            pushing.join().unwrap();
        });
        gone(&repo, &forge, &server);
        // Nothing comes back.
        std::thread::sleep(std::time::Duration::from_secs(5));
        gone(&repo, &forge, &server);
        assert!(forge.pulls().len() <= before + 1);
    }
}

#[test]
fn what_others_put_on_the_branch_stays_and_what_is_merged_is_noted() {
    let Some(forge) = Forge::start(Kind::GitLab) else { return };
    let (repo, _remote) = with_remote();
    let server = Server::spawn(serving(&repo, &forge));
    let request = propose(&server, "");
    let branch = branches(&repo).pop().unwrap();
    let tree = repo.git(&["rev-parse", &format!("{branch}^{{tree}}")]);
    let theirs = repo.git(&["commit-tree", "-p", &branch, "-m", "a correction", &tree]);
    repo.git(&["push", "--quiet", "origin", &format!("{theirs}:refs/heads/{branch}")]);
    withdraw(&server, &request);
    wait(|| (forge.pulls()[0].state == "closed").then_some(()), || server.journal());
    wait(|| branches(&repo).is_empty().then_some(()), || server.journal());
    assert!(at_remote(&repo).starts_with(&theirs), "{}", at_remote(&repo));
    let desk = Browser::signed_in(&server, "desk");
    let request = desk.submit("");
    forge.set(2, "merged");
    withdraw(&server, &request);
    until(&desk, &request, ">merged<");
}

#[test]
fn without_a_forge_the_branch_is_deleted_too() {
    let (repo, _remote) = with_remote();
    let server = Server::spawn(command(&repo, &[]));
    let request = propose(&server, "");
    assert!(!at_remote(&repo).is_empty());
    withdraw(&server, &request);
    let gone = || (branches(&repo).is_empty() && at_remote(&repo).is_empty()).then_some(());
    wait(gone, || server.journal());
}
