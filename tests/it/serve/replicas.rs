//! Three replicas behind a real nginx, with the configuration that is delivered, under load: one is killed,
//! another drained, and no request is lost.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::tokens::add;
use super::{Server, command, data, wait};
use crate::servers::nginx::{Nginx, free_port};
use crate::support::Repo;

/// The configuration that is delivered, for these replicas.
fn site(port: u16, replicas: &[u16]) -> String {
    let delivered = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nginx/shapeline-lookup.conf");
    let mut site = std::fs::read_to_string(delivered).unwrap();
    for (at, replica) in replicas.iter().enumerate() {
        let named = format!("127.0.0.1:{}", 8081 + at);
        assert!(site.contains(&named));
        site = site.replace(&named, &format!("127.0.0.1:{replica}"));
    }
    site.replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
}

/// Sends requests over one connection until `done` is set; each must be answered.
fn ask(port: u16, token: &str, done: &AtomicBool, answered: &AtomicUsize) -> Result<(), String> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    stream.get_ref().set_read_timeout(Some(super::PATIENCE)).unwrap();
    let request = format!("GET /lookup?user_id=acme-hq HTTP/1.1\r\nHost: lookup.ispcustomer.co.zw\r\n{token}\r\n\r\n");
    while !done.load(Ordering::Relaxed) {
        stream.get_mut().write_all(request.as_bytes()).map_err(|error| format!("write: {error}"))?;
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let before = head.len();
            if stream.read_line(&mut head).map_err(|error| format!("read: {error}"))? == 0 {
                return Err(format!("closed after {head:?}"));
            }
            let line = head[before..].to_lowercase();
            length = line.strip_prefix("content-length: ").map_or(length, |value| value.trim().parse().unwrap());
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).map_err(|error| format!("read: {error}"))?;
        let body = String::from_utf8_lossy(&body);
        if !head.starts_with("HTTP/1.1 200 ") || !body.contains("10.10.10.25@ispcustomer.co.zw") {
            return Err(format!("{head}{body}"));
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn replica(repo: &Repo, settings: &Path, port: u16) -> Server {
    let mut serve = command(repo, &["--settings", settings.to_str().unwrap()]);
    serve.args(["--listen", &format!("127.0.0.1:{port}")]);
    Server::spawn(serve)
}

#[test]
fn no_request_is_lost_while_replicas_come_and_go() {
    let repo = data();
    // All clients of the test have the proxy's own address, which is limited as one.
    let settings = "trusted_proxies: [127.0.0.1]\naccess_log: false\nlimits: {rate: 0}\n";
    let settings: PathBuf = repo.write(".git/server.yaml", settings);
    let token = add(&repo, repo.path().join(".git/state.sqlite").to_str().unwrap(), "desk", &["--all-domains"]);
    let ports = [free_port(), free_port(), free_port()];
    let mut replicas: Vec<Server> = ports.iter().map(|port| replica(&repo, &settings, *port)).collect();
    let folder = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::start(folder.path(), |port| site(port, &ports)) else { return };
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let progress = |least: usize| {
        let wanted = answered.load(Ordering::Relaxed) + least;
        let log = || std::fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
        wait(|| (answered.load(Ordering::Relaxed) >= wanted).then_some(()), log);
    };
    std::thread::scope(|scope| {
        let ask = || ask(nginx.port, &token, &done, &answered);
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        progress(200);
        for _ in 0..3 {
            replicas[0].signal(Signal::KILL);
            replicas[0].ended();
            progress(200);
            replicas[0] = replica(&repo, &settings, ports[0]);
            // Longer than it is left out for: it is asked again.
            std::thread::sleep(Duration::from_millis(2500));
            progress(200);
            replicas[1].signal(Signal::TERM);
            assert_eq!(replicas[1].ended(), Some(0), "{}", replicas[1].journal());
            progress(200);
            replicas[1] = replica(&repo, &settings, ports[1]);
            std::thread::sleep(Duration::from_millis(2500));
            progress(200);
        }
        // Each of them answers again, however long nginx leaves it out.
        for replica in &replicas {
            let metrics = || replica.get_with("/metrics", &[&token]).body;
            let answers = || metrics().contains("route=\"/lookup\",status=\"200\"").then_some(());
            wait(answers, metrics);
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            assert_eq!(client.join().unwrap(), Ok(()));
        }
    });
    let mut through = TcpStream::connect(("127.0.0.1", nginx.port)).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{token}\r\n\r\n");
    through.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    through.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
