//! TLS with a certificate of one's own.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use rustix::process::Signal;

use super::{Server, command, data, wait};
use crate::servers::https::certificate;
use crate::support::Repo;

/// The command that serves with the files of `.git`.
pub fn serving(repo: &Repo) -> Command {
    let settings = repo.write(".git/server.yaml", "tls: {certificate: certificate.pem, key: key.pem}\n");
    command(repo, &["--settings", settings.to_str().unwrap()])
}

fn curl(server: &Server, more: &[&str]) -> Output {
    let url = format!("https://127.0.0.1:{}/lookup?user_id=acme-hq", server.port);
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*"]).args(more).arg(url).output().unwrap()
}

#[test]
fn a_client_that_trusts_the_certificate_is_served() {
    let repo = data();
    let git = repo.path().join(".git");
    certificate(&git);
    let server = Server::spawn(serving(&repo));
    assert!(server.journal().contains(" at https://127.0.0.1:"), "{}", server.journal());
    let curl = |more: &[&str]| curl(&server, more);
    let trusted = curl(&["--cacert", git.join("certificate.pem").to_str().unwrap(), "--tlsv1.3"]);
    assert!(String::from_utf8_lossy(&trusted.stdout).contains("10.10.10.25@ispcustomer.co.zw"), "{trusted:?}");
    assert!(!curl(&[]).status.success(), "nobody else trusts it");
    assert!(!curl(&["--insecure", "--tls-max", "1.1"]).status.success());
    // Plain HTTP gets no answer, and takes nothing down.
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert!(!all.starts_with(b"HTTP"));
    assert!(curl(&["--insecure"]).status.success());
}

#[test]
fn files_that_are_none_are_refused_at_the_start() {
    let repo = data();
    let git = repo.path().join(".git");
    certificate(&git);
    repo.write(".git/empty.pem", "");
    for (tls, why) in [
        ("certificate: gone.pem, key: key.pem", "gone.pem: there is no such file"),
        ("certificate: empty.pem, key: key.pem", "empty.pem has no certificate"),
        ("certificate: certificate.pem, key: empty.pem", "empty.pem has no private key"),
        ("certificate: certificate.pem", "key is missing"),
    ] {
        let settings = repo.write(".git/server.yaml", format!("tls: {{{tls}}}\n"));
        let out = command(&repo, &["--settings", settings.to_str().unwrap()]).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && said.contains(why), "{said}");
    }
}

/// A TLS connection that stays open.
struct Held {
    client: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Held {
    fn open(server: &Server) -> Held {
        let mut client = Command::new("openssl")
            .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", server.port)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
        Held { client, input, output }
    }

    /// Asks over it, and waits for the answer.
    fn ask(&mut self) {
        self.input.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        while !answer.contains("\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(self.output.read(&mut byte).unwrap(), 1, "the connection was closed after {answer:?}");
            answer.push(char::from(byte[0]));
        }
        let length = answer.to_lowercase().split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse();
        self.output.read_exact(&mut vec![0; length.unwrap()]).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

/// Waits until the journal has so many lines of the certificate; gives the last one.
fn said(server: &Server, count: usize) -> String {
    let lines = || server.journal().lines().filter(|line| line.starts_with("tls: ")).map(str::to_owned).collect();
    wait(|| Some(lines()).filter(|lines: &Vec<String>| lines.len() >= count), || server.journal()).pop().unwrap()
}

#[test]
fn a_renewed_certificate_is_served_after_a_hangup_and_open_connections_go_on() {
    let repo = data();
    let git = repo.path().join(".git");
    certificate(&git);
    let server = Server::spawn(serving(&repo));
    let mut held = Held::open(&server);
    held.ask();
    let (old, now) = (git.join("old.pem"), git.join("certificate.pem"));
    std::fs::copy(&now, &old).unwrap();
    certificate(&git);
    let trusts = |certificate: &Path| curl(&server, &["--cacert", certificate.to_str().unwrap()]).status.success();
    assert!(trusts(&old) && !trusts(&now), "files are read when the operator says so");
    server.signal(Signal::HUP);
    assert!(said(&server, 1).starts_with("tls: new connections get the certificate now in "));
    assert!(trusts(&now) && !trusts(&old));
    held.ask();
}

#[test]
fn files_that_do_not_fit_leave_the_certificate_in_use() {
    let repo = data();
    let git = repo.path().join(".git");
    let other = tempfile::tempdir().unwrap();
    certificate(&git);
    certificate(other.path());
    let server = Server::spawn(serving(&repo));
    let (certificate, key) = (git.join("certificate.pem"), git.join("key.pem"));
    let old = git.join("old.pem");
    std::fs::copy(&certificate, &old).unwrap();
    let damaged = std::fs::read_to_string(&certificate).unwrap().replacen("MII", "AAA", 1);
    std::fs::write(other.path().join("damaged.pem"), damaged).unwrap();
    std::fs::write(other.path().join("empty.pem"), "").unwrap();
    // Each leaves the file as the next one expects it.
    let faults = [
        ("damaged.pem", &certificate, "cannot be used with the certificate"),
        ("empty.pem", &certificate, "certificate.pem has no certificate"),
        ("certificate.pem", &certificate, "cannot be used with the certificate"),
        ("empty.pem", &key, "key.pem has no private key in PEM"),
    ];
    for (at, (file, path, why)) in faults.into_iter().enumerate() {
        std::fs::copy(other.path().join(file), path).unwrap();
        server.signal(Signal::HUP);
        let said = said(&server, at + 1);
        assert!(
            said.starts_with("tls: the certificate that was read before stays in use: ") && said.contains(why),
            "{said}"
        );
        assert!(curl(&server, &["--cacert", old.to_str().unwrap()]).status.success());
    }
    std::fs::remove_file(&key).unwrap();
    server.signal(Signal::HUP);
    assert!(said(&server, 5).contains("key.pem: there is no such file"));
    std::fs::copy(other.path().join("key.pem"), &key).unwrap();
    server.signal(Signal::HUP);
    assert!(said(&server, 6).starts_with("tls: new connections get "));
    assert!(curl(&server, &["--cacert", certificate.to_str().unwrap()]).status.success());
}
