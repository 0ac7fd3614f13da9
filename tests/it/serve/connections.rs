//! Slow, large, many and malformed requests; the end of the server.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{PATIENCE, Server, answered, data, wait};
use crate::support::Repo;

fn with_limits(limits: &str, proxies: &str) -> (Repo, Server) {
    let repo = data();
    let settings = repo.write(".git/server.yaml", format!("limits: {{{limits}}}\ntrusted_proxies: [{proxies}]\n"));
    let server = Server::start(&repo, &["--settings", settings.to_str().unwrap()]);
    (repo, server)
}

#[test]
fn a_client_that_sends_nothing_is_closed() {
    let (_repo, server) = with_limits("head_time: 1s", "");
    // None of a head, half a head, and none of the next head.
    for sent in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let began = Instant::now();
        let mut stream = server.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!((1..10).contains(&began.elapsed().as_secs()), "{sent:?}: {:?}", began.elapsed());
    }
    wait(
        || server.get("/metrics").body.contains("shapeline_connections 1\n").then_some(()),
        || server.get("/metrics").body,
    );
}

#[test]
fn a_slow_body_and_a_large_one_are_refused() {
    let repo = data();
    let settings = repo.write(".git/server.yaml", "limits: {request_time: 1s, body: 1024}\n");
    let mut command = super::command(&repo, &["--settings", settings.to_str().unwrap()]);
    command.env("SHAPELINE_WEBHOOK_SECRET", "0123456789abcdef");
    let server = Server::spawn(command);
    let unproven = format!("X-Hub-Signature-256: sha256={}", "0".repeat(64));
    let mut stream = server.connect();
    let head = format!("POST /hooks/git HTTP/1.1\r\nHost: x\r\n{unproven}\r\nContent-Length: 100\r\n\r\n{{");
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    answered(&all).problem(408);
    server.send("POST", "/hooks/git", &[&unproven], "x".repeat(1025)).problem(413);
    let endless = format!(
        "POST /hooks/git HTTP/1.1\r\nHost: x\r\n{unproven}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunks = format!("{endless}{}", "400\r\n".to_owned() + &"x".repeat(1024) + "\r\n400\r\n" + &"x".repeat(1024));
    server.raw(chunks.as_bytes()).problem(413);
}

/// Nobody makes the server read or keep a body without a signature, and few at a time with one.
#[test]
fn a_body_is_not_waited_for_before_its_signature() {
    let repo = data();
    let mut command = super::command(&repo, &[]);
    command.env("SHAPELINE_WEBHOOK_SECRET", "0123456789abcdef");
    let server = Server::spawn(command);
    let unproven = format!("X-Hub-Signature-256: sha256={}\r\n", "0".repeat(64));
    let head = |signature: &str| {
        format!("POST /hooks/git HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{signature}Content-Length: 100\r\n\r\n{{")
    };
    let began = Instant::now();
    for signature in ["", "X-Gitlab-Token: 0123456789abcdeg\r\n"] {
        server.raw(head(signature).as_bytes()).problem(401);
    }
    let mut slow: Vec<_> = (0..4).map(|_| server.connect()).collect();
    slow.iter_mut().for_each(|stream| stream.write_all(head(&unproven).as_bytes()).unwrap());
    wait(|| server.get("/metrics").body.contains("shapeline_connections 5\n").then_some(()), || server.journal());
    std::thread::sleep(Duration::from_millis(200));
    let refused = server.raw(head(&unproven).as_bytes());
    assert!(refused.problem(429).contains("webhooks") && refused.header("retry-after") == Some("1"), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "no body was waited for");
    assert_eq!(server.send("POST", "/hooks/git", &["X-Gitlab-Token: 0123456789abcdef"], "{}").status, 202);
}

#[test]
fn malformed_requests_end_no_more_than_themselves() {
    let (_repo, server) = with_limits("", "");
    let long = format!("GET /lookup?user_id={} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000));
    for (bytes, statuses) in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".as_slice(), [400, 400]),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [400, 404]),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n", [400, 400]),
        (b"GET / HTTP/9.9\r\n\r\n", [400, 505]),
        (long.as_bytes(), [414, 431]),
    ] {
        let answer = server.raw(bytes);
        assert!(statuses.contains(&answer.status), "{answer:?}");
    }
    server.get(&format!("/lookup?user_id={}", "x".repeat(300))).problem(400);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn an_address_that_asks_too_often_waits() {
    let (_repo, server) = with_limits("rate: 1, burst: 3", "127.0.0.1");
    let ask = |path: &str, client: &str| server.get_with(path, &[&format!("X-Forwarded-For: 203.0.113.7, {client}")]);
    let from = |client: &str| ask("/v1/openapi.json", client);
    let statuses: Vec<u16> = (0..5).map(|_| from("198.51.100.1").status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let refused = from("198.51.100.1");
    assert!(refused.problem(429).contains("wait 1 s") && refused.header("retry-after") == Some("1"), "{refused:?}");
    let open = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n";
    assert_eq!(server.raw(open).header("connection"), Some("close"));
    assert_eq!(from("198.51.100.2").status, 200);
    assert_eq!(from("198.51.100.1:4711").status, 429, "with the port that some proxies add");
    assert_eq!(ask("/healthz", "198.51.100.1").status, 200, "what load balancers ask has no limit");
    assert_eq!(ask("/readyz", "198.51.100.1").status, 200);
    // Those whose address the proxy does not say are the proxy.
    let statuses: Vec<u16> = (0..4).map(|number| from(&format!("nonsense{number}")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(server.get("/v1/openapi.json").status, 429);
}

#[test]
fn more_connections_than_allowed_wait() {
    let (_repo, server) = with_limits("connections: 2, head_time: 2s", "");
    let idle = [server.connect(), server.connect()];
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    assert_eq!(server.get("/healthz").status, 200);
    assert!(began.elapsed() > Duration::from_millis(500), "until the idle ones are closed");
    drop(idle);
    let full = "2 connections are open, which is the limit";
    wait(|| server.journal().contains(full).then_some(()), || server.journal());
    assert_eq!(server.journal().matches(full).count(), 1, "once a minute: {}", server.journal());
}

#[test]
fn a_signal_lets_requests_come_to_their_end() {
    let repo = data();
    let mut command = super::command(&repo, &[]);
    command.env("SHAPELINE_WEBHOOK_SECRET", "0123456789abcdef");
    let mut server = Server::spawn(command);
    let mut idle = server.connect();
    idle.write_all(format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", server.port).as_bytes()).unwrap();
    let mut slow = server.connect();
    let head = "POST /hooks/git HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: 0123456789abcdef\r\nContent-Length: 2\r\n\r\n{";
    slow.write_all(head.as_bytes()).unwrap();
    wait(|| server.get("/metrics").body.contains("shapeline_connections 3\n").then_some(()), || server.journal());
    server.signal(Signal::TERM);
    // No new connections, and the idle one is closed.
    let mut all = Vec::new();
    let _ = idle.read_to_end(&mut all);
    let gone = || std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err().then_some(());
    wait(gone, || "it still listens".to_owned());
    slow.write_all(b"}").unwrap();
    let mut all = Vec::new();
    slow.read_to_end(&mut all).unwrap();
    assert_eq!(answered(&all).status, 202);
    assert_eq!(server.ended(), Some(0), "{}", server.journal());
    assert!(server.log().contains("POST /hooks/git 202"), "the log is written to its end: {}", server.log());
}

#[test]
fn a_second_signal_waits_for_nothing() {
    let repo = data();
    let mut command = super::command(&repo, &[]);
    command.env("SHAPELINE_WEBHOOK_SECRET", "0123456789abcdef");
    let mut server = Server::spawn(command);
    let mut slow = server.connect();
    let head = "POST /hooks/git HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: 0123456789abcdef\r\nContent-Length: 2\r\n\r\n{";
    slow.write_all(head.as_bytes()).unwrap();
    wait(|| server.get("/metrics").body.contains("shapeline_connections 2\n").then_some(()), || server.journal());
    server.signal(Signal::INT);
    wait(
        || std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err().then_some(()),
        || "it still listens".to_owned(),
    );
    let began = Instant::now();
    server.signal(Signal::INT);
    assert_eq!(server.ended(), Some(0), "{}", server.journal());
    assert!(began.elapsed() < PATIENCE / 4);
    wait(|| server.journal().contains("1 connection cut").then_some(()), || server.journal());
}

#[test]
fn the_log_has_a_line_for_each_request_and_no_secrets() {
    let repo = data();
    let server = Server::start(&repo, &[]);
    server.get_with("/lookup?user_id=secret-value", &["Authorization: Bearer secret-token", "Cookie: secret-cookie"]);
    server.get("/%1b%5b2J%0ax");
    let lines = wait(|| Some(server.log()).filter(|log| log.lines().count() == 2), || server.log());
    let shape = regex::Regex::new(
        r"^\S+Z 127\.0\.0\.1 - GET /lookup 400 \d+\.\dms\n\S+Z 127\.0\.0\.1 - GET /%1b%5b2J%0ax 404 \d+\.\dms\n$",
    );
    assert!(shape.unwrap().is_match(&lines), "{lines}");
    assert!(!format!("{lines}{}", server.journal()).contains("secret"));
}
