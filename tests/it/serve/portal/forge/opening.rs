//! A request becomes one pull request, and its page shows what becomes of it.

use rustix::process::Signal;

use super::double::{Forge, Kind, TOKEN};
use super::{propose, serving, until};
use crate::serve::portal::drafts::branches;
use crate::serve::portal::remote::with_remote;
use crate::serve::portal::{Browser, add_user, command, state};
use crate::serve::{Server, wait};
use crate::servers::postgres::Postgres;

/// How often the server is killed.
const ROUNDS: usize = 8;

#[test]
fn each_kind_has_one_pull_request_with_what_the_person_wrote() {
    for (kind, ..) in Kind::ALL {
        let Some(forge) = Forge::start(kind) else { return };
        let (repo, _remote) = with_remote();
        let server = Server::spawn(serving(&repo, &forge));
        let request = propose(&server, "Ticket 4711");
        let desk = Browser::signed_in(&server, "desk");
        let page = desk.page(&request);
        assert!(page.contains(">open<") && page.contains("opened 2026-11-22 09:00 UTC"), "{kind:?}: {page}");
        assert!(page.contains(&format!("<a href=\"{}/", forge.url)), "{kind:?}: {page}");
        let pulls = forge.pulls();
        let [pull] = pulls.as_slice() else { panic!("{kind:?}: {pulls:?}") };
        assert_eq!((vec![pull.branch.clone()], pull.base.as_str()), (branches(&repo), "main"));
        assert!(pull.title.starts_with("Add 10.20.0.5@tier2.example"), "{pull:?}");
        assert!(pull.body.contains("\nTicket 4711\n") && pull.body.contains("by Front Desk"), "{pull:?}");
        let log = forge.log();
        let posted = log.iter().position(|line| line.starts_with("POST "));
        assert!(posted > Some(0), "looked for before it is opened: {log:?}");
    }
}

#[test]
fn what_becomes_of_it_is_shown_with_the_time() {
    for (kind, ..) in Kind::ALL {
        for (fate, tag, ended) in [
            ("merged", ">merged<", "2026-11-22 10:00 UTC, as <code>c0ffeec0ffee</code>"),
            ("closed", ">rejected<", "2026-11-22 10:00 UTC: rejected at the forge"),
        ] {
            let Some(forge) = Forge::start(kind) else { return };
            forge.fate(fate);
            let (repo, _remote) = with_remote();
            let server = Server::spawn(serving(&repo, &forge));
            let request = propose(&server, "");
            let page = until(&Browser::signed_in(&server, "desk"), &request, tag);
            assert!(page.contains(ended) && !page.contains("Take it back"), "{kind:?}: {page}");
            assert_eq!(forge.pulls().len(), 1);
        }
    }
}

#[test]
fn a_pull_request_that_is_open_is_asked_about_again() {
    let postgres = Postgres::start();
    for url in [String::new(), postgres.url()] {
        let Some(forge) = Forge::start(Kind::GitHub) else { return };
        let (repo, _remote) = with_remote();
        let mut serve = serving(&repo, &forge);
        if !url.is_empty() {
            add_user(&repo, &url, &["desk", "--domain", "tier2.example"]);
            serve.args(["--state", &url]);
        }
        let server = Server::spawn(serve);
        let request = propose(&server, "");
        let asked = || forge.log().iter().filter(|line| line.starts_with("GET ") && line.ends_with("/pulls/1")).count();
        wait(|| (asked() == 1).then_some(()), || server.journal());
        std::thread::sleep(std::time::Duration::from_secs(5));
        assert_eq!(asked(), 1, "once a minute");
        if url.is_empty() {
            // Its next turn is now.
            let state = state(&repo);
            assert!(sqlite(&state, "UPDATE requests SET due = 0"));
        } else {
            continue;
        }
        forge.retarget(1);
        forge.set(1, "merged");
        let page = until(&Browser::signed_in(&server, "desk"), &request, ">rejected<");
        assert!(page.contains("merged into another branch at the forge"), "{page}");
    }
}

#[test]
fn one_that_is_opened_again_after_a_rejection_is_followed_again() {
    for (kind, ..) in Kind::ALL {
        let Some(forge) = Forge::start(kind) else { return };
        forge.fate("closed");
        let (repo, _remote) = with_remote();
        let server = Server::spawn(serving(&repo, &forge));
        let (request, desk) = (propose(&server, ""), Browser::signed_in(&server, "desk"));
        until(&desk, &request, ">rejected<");
        forge.set(1, "open");
        let its_turn = || assert!(sqlite(&state(&repo), "UPDATE requests SET due = 0"));
        its_turn();
        let page = until(&desk, &request, ">open<");
        assert!(!page.contains("rejected at the forge") && page.contains("Take it back"), "{page}");
        forge.set(1, "merged");
        its_turn();
        let page = until(&desk, &request, ">merged<");
        assert!(page.contains("as <code>c0ffeec0ffee</code>"), "{page}");
    }
}

/// Runs a statement by Python's SQLite.
fn sqlite(path: &str, statement: &str) -> bool {
    let program = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],timeout=30)\nc.execute(sys.argv[2])\nc.commit()";
    std::process::Command::new("python3").args(["-c", program, path, statement]).status().unwrap().success()
}

#[test]
fn a_kill_between_opening_and_noting_opens_no_second_one() {
    for round in 0..ROUNDS {
        let kind = Kind::ALL[round % Kind::ALL.len()].0;
        let Some(forge) = Forge::start(kind) else { return };
        let (repo, _remote) = with_remote();
        forge.mute(true);
        let mut server = Server::spawn(serving(&repo, &forge));
        let opened = || (!forge.pulls().is_empty()).then_some(());
        std::thread::scope(|scope| {
            let (pid, journal) = (server.pid(), || server.journal());
            // It hangs until the server is killed.
            scope.spawn(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| propose(&server, ""))));
            wait(opened, journal);
            rustix::process::kill_process(pid, Signal::KILL).unwrap();
        });
        let _ = server.ended_by_signal();
        forge.mute(false);
        // A reviewer may have been quick: even then no other one is opened.
        let (state, shown) = if round < ROUNDS / 2 { ("open", ">open<") } else { ("closed", ">rejected<") };
        forge.set(1, state);
        let replicas = [Server::spawn(serving(&repo, &forge)), Server::spawn(serving(&repo, &forge))];
        let desk = Browser::signed_in(&replicas[round % 2], "desk");
        wait(|| desk.page("/requests").contains(shown).then_some(()), || desk.page("/requests"));
        assert_eq!(forge.pulls().len(), 1, "{:#?}", forge.log());
        assert_eq!(branches(&repo).len(), 1);
    }
}

#[test]
fn two_replicas_that_open_at_the_same_moment_have_one() {
    for (kind, ..) in Kind::ALL {
        let Some(forge) = Forge::start(kind) else { return };
        let (repo, _remote) = with_remote();
        // The forge is away: the request waits for it.
        forge.mood(Some(Box::new(|_| Some(crate::servers::answers::plain(503, "")))));
        let first = Server::spawn(serving(&repo, &forge));
        let request = propose(&first, "");
        assert!(Browser::signed_in(&first, "desk").page(&request).contains(">stuck<"));
        let second = Server::spawn(serving(&repo, &forge));
        let id = request.split('=').nth(1).unwrap();
        let people = [Browser::signed_in(&first, "desk"), Browser::signed_in(&second, "desk")];
        let tokens = people.each_ref().map(|desk| super::super::token(&desk.page("/requests")));
        forge.mood(None);
        std::thread::scope(|scope| {
            for ((desk, server), token) in people.into_iter().zip([&first, &second]).zip(&tokens) {
                let cookie = desk.cookie.borrow().clone();
                scope.spawn(move || {
                    let desk = Browser { server, cookie: cookie.into() };
                    assert_eq!(desk.post_with("/request/retry", token, &[("id", id)]).status, 303);
                });
            }
        });
        until(&Browser::signed_in(&second, "desk"), &request, ">open<");
        assert_eq!(forge.pulls().len(), 1, "{kind:?}: {:#?}", forge.log());
    }
}

#[test]
fn what_is_missing_is_said_at_the_start() {
    let Some(forge) = Forge::start(Kind::Gitea) else { return };
    let (repo, _remote) = with_remote();
    for (token, why) in
        [(None, "set SHAPELINE_FORGE_TOKEN"), (Some("a b c d e f"), "SHAPELINE_FORGE_TOKEN is no token")]
    {
        let mut serve = serving(&repo, &forge);
        serve.env_remove("SHAPELINE_FORGE_TOKEN").envs(token.map(|token| ("SHAPELINE_FORGE_TOKEN", token)));
        let out = serve.output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && said.contains(why) && !said.contains("a b c"), "{said}");
    }
    let out = serving(&repo, &forge).arg("--no-fetch").output().unwrap();
    assert!(String::from_utf8_lossy(&out.stderr).contains("`forge` needs a branch with a remote"), "{out:?}");
    // The lookup API alone opens none.
    let settings = repo.path().join(".git/server.yaml");
    drop(Server::spawn(command(&repo, &["--settings", settings.to_str().unwrap(), "--only", "lookup"])));
    assert_eq!(forge.log(), [""; 0]);
    assert!(!TOKEN.is_empty());
}
