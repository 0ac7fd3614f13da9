//! SIGKILL in the middle: no draft is lost, no request is half made, none is made twice.

use std::time::Duration;

use rustix::process::Signal;

use super::drafts::branches;
use super::{Browser, add_user, command, hidden, state};
use crate::serve::{Server, data, wait};

/// How often the server is killed.
const ROUNDS: u32 = 200;

#[test]
fn a_kill_loses_nothing_and_doubles_nothing() {
    let repo = data();
    add_user(&repo, &state(&repo), &["desk", "--domain", "tier2.example"]);
    let mut cookie = String::new();
    let (mut interrupted, mut done) = (0, 0);
    for round in 0..ROUNDS {
        let before = branches(&repo).len();
        let server = Server::spawn(command(&repo, &[]));
        // Requests that the last kill interrupted are continued first.
        wait(
            || (unfinished(&server, &cookie) == Some(0) || cookie.is_empty()).then_some(()),
            || stuck(&server, &cookie),
        );
        let browser = Browser { server: &server, cookie: cookie.clone().into() };
        if cookie.is_empty() {
            assert_eq!(browser.sign_in("desk", super::PASSWORD).status, 303);
            cookie = browser.cookie.borrow().clone();
        }
        let finished = branches(&repo).len();
        assert!(finished >= before, "no branch disappears");
        if browser.page("/draft").contains("It is empty.") {
            // The same again and again: nothing is merged.
            browser.add("10.20.0.5", "tier2.example", "30_MEG_UP_30_MEG_DOWN");
        }
        let page = browser.page("/draft");
        assert!(page.contains("10.20.0.5@tier2.example with"), "round {round}: the draft is lost: {page}");
        let body = format!("token={}&version={}", super::token(&page), hidden(&page, "version"));
        let answered = killed_after(delay(round), server, "/draft/submit", &cookie, &body);
        // Looked at by a server that lives: the draft is there or the request is, never both, never neither.
        let server = Server::spawn(command(&repo, &[]));
        wait(|| (unfinished(&server, &cookie) == Some(0)).then_some(()), || stuck(&server, &cookie));
        let browser = Browser { server: &server, cookie: cookie.clone().into() };
        let drafted = !browser.page("/draft").contains("It is empty.");
        let made = branches(&repo).len() - finished;
        assert_eq!(usize::from(drafted) + made, 1, "round {round}: {made} requests, draft {drafted}: {answered:?}");
        assert!(answered.is_none() || made == 1, "round {round}: what was answered is there");
        if answered.is_some() { done += 1 } else { interrupted += 1 }
    }
    assert!(interrupted > 0 && done > 0, "{interrupted} were interrupted, {done} were not: choose other delays");
    assert_eq!(repo.git(&["fsck", "--no-dangling", "--no-progress"]), "");
}

/// When the server is killed: while it is at it on most machines, and towards the end also later, so that a slow one
/// gets it done.
fn delay(round: u32) -> Duration {
    let late = round.saturating_sub(ROUNDS - 20);
    Duration::from_millis(u64::from(round * 7 % 120 + late * 100))
}

/// Sends a form to a server that is killed a while later. The answer, if it came before that.
pub fn killed_after(delay: Duration, mut server: Server, path: &str, cookie: &str, body: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let pid = server.pid();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(delay);
        rustix::process::kill_process(pid, Signal::KILL).unwrap();
    });
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        server.port,
        body.len()
    );
    let mut answer = String::new();
    let mut stream = server.connect();
    if stream.write_all(request.as_bytes()).is_ok() {
        let _ = stream.read_to_string(&mut answer);
    }
    killer.join().unwrap();
    let _ = server.ended_by_signal();
    answer.starts_with("HTTP/1.1 303").then_some(answer)
}

/// In the middle of a sign-in, and of what goes into a draft.
#[test]
fn a_kill_leaves_no_half_session_and_no_half_draft() {
    let repo = data();
    add_user(&repo, &state(&repo), &["desk", "--domain", "tier2.example"]);
    let mut changes = 0;
    let (mut interrupted, mut done) = ([0; 2], [0; 2]);
    for round in 0..ROUNDS / 2 {
        let server = Server::spawn(command(&repo, &[]));
        // An attempt that a kill interrupts counts as a wrong one: more of them, and the address has to wait.
        let saves = usize::from(!round.is_multiple_of(4));
        let browser = if saves == 1 { Browser::signed_in(&server, "desk") } else { Browser::new(&server) };
        let page = browser.page(if saves == 1 { "/draft" } else { "/sign-in" });
        let cookie = browser.cookie.borrow().clone();
        let token = super::token(&page);
        let (path, body) = match saves {
            1 => {
                let fields = format!("domain=tier2.example&plan=30_MEG_UP_30_MEG_DOWN&action=add&ip=2001:db8::{round}");
                ("/save", format!("token={token}&{fields}"))
            }
            _ => ("/sign-in", format!("token={token}&name=desk&password={}", super::encoded(super::PASSWORD))),
        };
        let delay = Duration::from_millis(u64::from(round * 2 + round.saturating_sub(ROUNDS / 2 - 20) * 60));
        let answered = killed_after(delay, server, path, &cookie, &body);
        if answered.is_some() {
            done[saves] += 1
        } else {
            interrupted[saves] += 1
        }
        let server = Server::spawn(command(&repo, &[]));
        let set = answered.as_ref().and_then(|answer| answer.split("set-cookie: ").nth(1)?.split(';').next());
        if let Some(cookie) = set.filter(|_| saves == 0) {
            let browser = Browser { server: &server, cookie: cookie.to_owned().into() };
            browser.page("/draft");
        }
        let draft = Browser::signed_in(&server, "desk").page("/draft");
        let now = draft.matches("<span class=\"tag add\">").count();
        let own = draft.contains(&format!("2001:db8::{round}@"));
        assert_eq!(now, changes + usize::from(own), "round {round}: what was drafted before stays");
        assert!(answered.is_none() || saves == 0 || own, "round {round}: what was answered is there");
        changes = now;
    }
    assert!(interrupted.iter().chain(&done).all(|count| *count > 0), "{interrupted:?} {done:?}: choose other delays");
}

/// How many requests are being sent, as the page says.
pub fn unfinished(server: &Server, cookie: &str) -> Option<usize> {
    let answer = server.get_with("/requests", &[&format!("Cookie: {cookie}")]);
    (answer.status == 200).then(|| answer.body.matches(">being sent<").count() + answer.body.matches(">stuck<").count())
}

/// What the pages say of the requests that are not sent.
fn stuck(server: &Server, cookie: &str) -> String {
    let get = |path: &str| server.get_with(path, &[&format!("Cookie: {cookie}")]);
    let list = get("/requests");
    let ids =
        list.body.split("/request?id=").skip(1).filter(|row| row.contains(">stuck<") || row.contains(">being sent<"));
    let pages: String = ids.map(|row| get(&format!("/request?id={}", &row[..16])).body).collect();
    format!("{} {pages}\n{}", list.status, server.journal())
}
