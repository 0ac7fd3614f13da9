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
        let mut server = Server::spawn(command(&repo, &[]));
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
        let killer = std::thread::spawn({
            let pid = server.pid();
            move || {
                std::thread::sleep(delay(round));
                rustix::process::kill_process(pid, Signal::KILL).unwrap();
            }
        });
        let request = format!(
            "POST /draft/submit HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            server.port,
            body.len()
        );
        let answered = exchange(&server, &request);
        killer.join().unwrap();
        let _ = server.ended_by_signal();
        drop(server);
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

/// The answer, if it came before the kill.
fn exchange(server: &Server, request: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = server.connect();
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.starts_with("HTTP/1.1 303").then_some(answer)
}

/// How many requests are being sent, as the page says.
fn unfinished(server: &Server, cookie: &str) -> Option<usize> {
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
