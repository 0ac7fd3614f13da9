//! What a forge refuses, limits and sends elsewhere; what people write; where the token goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::double::{Forge, Kind, TOKEN};
use super::{propose, serving, until};
use crate::serve::portal::remote::with_remote;
use crate::serve::portal::{Browser, add_user, state};
use crate::serve::{Server, wait};
use crate::servers::answers::{Answer, plain, serve};

fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some((status, headers, body.to_owned()))
}

#[test]
fn a_refusal_says_what_to_do_and_is_tried_again() {
    let large = "x".repeat(2 << 20);
    let echo = format!("{{\"message\": \"no: {TOKEN} \\u001b[31m\"}}");
    for (kind, answer, why) in [
        (Kind::GitHub, plain(401, &echo), "make a new one, and set SHAPELINE_FORGE_TOKEN"),
        (Kind::Gitea, plain(403, "{}"), "the token has not the right to open pull requests in isp/subscribers"),
        (Kind::GitLab, plain(404, "{}"), "there is no isp/noc/subscribers, or the token does not see it"),
        (Kind::Forgejo, plain(404, "{}"), "there is no isp/subscribers, or the token does not see it"),
        (Kind::GitHub, plain(422, "{\"message\": \"No commits\"}"), "answered 422 (No commits)"),
        (Kind::GitHub, plain(502, "<html>"), "the fault is its own"),
        (Kind::GitHub, plain(200, "<html>"), "gave an answer that is no pull request"),
        (Kind::GitHub, plain(200, &large), "more than 1 MiB"),
    ] {
        let Some(forge) = Forge::start(kind) else { return };
        let (repo, _remote) = with_remote();
        add_user(&repo, &state(&repo), &["noc", "--role", "operator"]);
        forge.mood(Some(Box::new(move |_| Some(answer.clone()))));
        let server = Server::spawn(serving(&repo, &forge));
        let request = propose(&server, "");
        let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
        let page = noc.page(&request);
        assert!(page.contains(">stuck<") && page.contains(why), "{why}: {page}");
        assert!(!desk.page(&request).contains(why), "the reason is the operator's");
        let journal = server.journal();
        assert!(journal.contains(why) && !journal.contains('\u{1b}'), "{journal}");
        assert!(!journal.contains(TOKEN) && !page.contains(TOKEN), "{journal}");
        forge.mood(None);
        until(&desk, &request, ">open<");
        assert_eq!(forge.pulls().len(), 1);
    }
}

#[test]
fn a_limit_is_respected() {
    let reset = (jiff::Timestamp::now().as_second() + 1000).to_string();
    let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
    for (kind, answer) in [
        (Kind::GitLab, answered(429, &[("Retry-After", "3600")], "{}")),
        (Kind::GitHub, answered(403, &used_up, "{}")),
        (Kind::GitHub, plain(403, "{\"message\": \"You have exceeded a secondary rate limit.\"}")),
    ] {
        let Some(forge) = Forge::start(kind) else { return };
        let (repo, _remote) = with_remote();
        add_user(&repo, &state(&repo), &["noc", "--role", "operator"]);
        forge.mood(Some(Box::new(move |_| Some(answer.clone()))));
        let server = Server::spawn(serving(&repo, &forge));
        let request = propose(&server, "");
        let (noc, id) = (Browser::signed_in(&server, "noc"), request.split('=').nth(1).unwrap());
        for _ in 0..5 {
            assert_eq!(noc.post("/request/retry", &[("id", id)]).status, 303);
        }
        let page = noc.page(&request);
        assert!(page.contains(">stuck<") && page.contains("limits requests"), "{page}");
        assert_eq!(forge.log().len(), 1, "not asked again before the time");
    }
}

#[test]
fn a_forge_that_hangs_keeps_nobody_for_long() {
    let Some(forge) = Forge::start(Kind::GitHub) else { return };
    let (repo, _remote) = with_remote();
    forge.mood(Some(Box::new(|_| Some(None))));
    let server = Server::spawn(serving(&repo, &forge));
    let began = std::time::Instant::now();
    let request = propose(&server, "");
    assert!(began.elapsed() < std::time::Duration::from_secs(25), "{:?}", began.elapsed());
    forge.mood(None);
    until(&Browser::signed_in(&server, "desk"), &request, ">open<");
}

#[test]
fn the_token_follows_no_redirect_and_no_page_links_elsewhere() {
    let Some(forge) = Forge::start(Kind::GitHub) else { return };
    let (repo, _remote) = with_remote();
    add_user(&repo, &state(&repo), &["noc", "--role", "operator"]);
    let asked = Arc::new(AtomicUsize::new(0));
    let other = serve({
        let asked = asked.clone();
        move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            plain(200, "[]")
        }
    });
    for status in [301, 302, 307, 308] {
        let to = other.clone();
        forge.mood(Some(Box::new(move |_| Some(answered(status, &[("Location", &to)], "")))));
        let server = Server::spawn(serving(&repo, &forge));
        let noc = Browser::signed_in(&server, "noc");
        if status == 301 {
            propose(&server, "");
        }
        wait(
            || (forge.log().len() >= 4 || server.journal().contains("sent to no other address")).then_some(()),
            || server.journal(),
        );
        assert!(noc.page("/requests").contains(">stuck<"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0, "the other host was not asked");
    forge.mood(None);
    for (elsewhere, linked) in [
        ("https://127.0.0.1.ispcustomer.co.zw", false),
        ("javascript:alert(1)//127.0.0.1", false),
        ("https://noc@127.0.0.1", false),
        (forge.url.as_str(), true),
    ] {
        let Some(forge) = Forge::start(Kind::GitLab) else { return };
        forge.pages_at(elsewhere);
        let (repo, _remote) = with_remote();
        let server = Server::spawn(serving(&repo, &forge));
        let request = propose(&server, "");
        let page = Browser::signed_in(&server, "desk").page(&request);
        assert_eq!(page.contains("<dt>Pull request</dt><dd>#1"), !linked, "{page}");
        assert_eq!(page.contains("href=\"http"), linked, "{page}");
        assert!(!page.contains("javascript:") && !page.contains("noc@127"), "{page}");
    }
}

#[test]
fn what_a_person_writes_commands_nothing() {
    let Some(forge) = Forge::start(Kind::GitLab) else { return };
    let (repo, _remote) = with_remote();
    let server = Server::spawn(serving(&repo, &forge));
    let desk = Browser::signed_in(&server, "desk");
    let name = "@noc fixes #1 <img src=x>";
    let fields = [
        ("ip", "10.20.0.5"),
        ("domain", "tier2.example"),
        ("plan", "30_MEG_UP_30_MEG_DOWN"),
        ("name", name),
        ("action", "add"),
    ];
    assert_eq!(desk.post("/save", &fields).status, 303);
    desk.submit("/merge ``` @all closes isp/data#2 https://git.ispcustomer.co.zw/a/-/issues/3");
    let pulls = forge.pulls();
    let [pull] = pulls.as_slice() else { panic!("{pulls:?}") };
    // A forge reads commits, too, once they are merged.
    let commit = repo.git(&["log", "-1", "--format=%B", &crate::serve::portal::drafts::branches(&repo)[0]]);
    let written = format!("{}\n{}\n{commit}", pull.title, pull.body);
    for part in ["@noc", "@all", "#1", "#2", "<img", "\n/", "://"] {
        assert!(!written.contains(part), "{part}: {written}");
    }
    assert!(written.contains("＠all closes isp/data＃2"), "{written}");
    assert_eq!(pull.body.matches("```").count(), 2, "{written}");
}

#[test]
fn no_program_gets_the_token() {
    let Some(forge) = Forge::start(Kind::Forgejo) else { return };
    let (repo, remote) = with_remote();
    let (hook, seen) = (remote.path().join("hooks/pre-receive"), remote.path().join("seen"));
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\nenv > {}\n", seen.display())).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let server = Server::spawn(serving(&repo, &forge));
    let request = propose(&server, "");
    until(&Browser::signed_in(&server, "desk"), &request, ">open<");
    let environment = std::fs::read_to_string(seen).unwrap();
    assert!(environment.contains("PATH=") && !environment.contains(TOKEN), "{environment}");
    assert!(!server.journal().contains(TOKEN) && !server.log().contains(TOKEN));
    let text = std::fs::read(state(&repo)).unwrap();
    assert!(!text.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "it is not in the state");
}
