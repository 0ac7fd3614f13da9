//! SIGKILL during a sign-in: nothing is half made, and they can sign in again.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::{TestProvider, account, begin, come_back, parameter, serve};
use crate::serve::portal::{Browser, state};
use crate::serve::{Server, data};

/// How often the server is killed.
const ROUNDS: u32 = 40;

#[test]
fn after_a_kill_the_next_sign_in_works() {
    let Some(provider) = TestProvider::start("forged") else { return };
    let repo = data();
    let settings = provider.settings("");
    let (mut cut, mut done) = (0, 0);
    for round in 0..ROUNDS {
        let mut server = serve(&repo, &state(&repo), &settings);
        let browser = Browser::new(&server);
        let url = begin(&browser, "openid", "");
        let path = format!("/sign-in/openid?code=good.{}&state={}", parameter(&url, "nonce"), parameter(&url, "state"));
        let pid = server.pid();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(u64::from(round * 5)));
            kill_process(pid, Signal::KILL).unwrap();
        });
        let cookie = browser.cookie.borrow().clone();
        let set = exchange(&server, &path, &cookie);
        killer.join().unwrap();
        let _ = server.ended_by_signal();
        drop(server);
        let server = serve(&repo, &state(&repo), &settings);
        match set {
            Some(secret) => {
                done += 1;
                let browser = Browser { server: &server, cookie: secret.into() };
                assert!(account(&browser).contains("openid:person"), "what was answered counts");
            }
            None => cut += 1,
        }
        let browser = Browser::new(&server);
        let again = come_back(&browser, "openid", |url| format!("good.{}", parameter(url, "nonce")));
        assert_eq!(again.status, 303, "round {round}: {again:?}");
        assert!(account(&browser).contains("operator"));
    }
    let list = repo.run(&["user", "list", "--state", &state(&repo)]);
    assert_eq!(list.stdout.matches("openid:person").count(), 1, "{list:?}");
    assert!(cut > 0 && done > 0, "{cut} were cut, {done} were not: choose other delays");
}

/// The cookie in the answer, if it came before the kill.
fn exchange(server: &Server, path: &str, cookie: &str) -> Option<String> {
    let mut stream = server.connect();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let set =
        answer.lines().find_map(|line| line.to_lowercase().strip_prefix("set-cookie: ").map(ToOwned::to_owned))?;
    answer.starts_with("HTTP/1.1 303").then(|| set.split(';').next().unwrap().to_owned())
}
