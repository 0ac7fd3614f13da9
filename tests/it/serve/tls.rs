//! TLS with a certificate of one's own.

use std::path::Path;
use std::process::Command;

use super::{Server, command, data};

fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"])
        .args(["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("certificate.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn a_client_that_trusts_the_certificate_is_served() {
    let repo = data();
    let git = repo.path().join(".git");
    certificate(&git);
    let settings = repo.write(".git/server.yaml", "tls: {certificate: certificate.pem, key: key.pem}\n");
    let server = Server::spawn(command(&repo, &["--settings", settings.to_str().unwrap()]));
    let url = format!("https://127.0.0.1:{}/lookup?user_id=acme-hq", server.port);
    assert!(server.journal().contains(" at https://127.0.0.1:"), "{}", server.journal());
    let curl = |more: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*"]).args(more).arg(&url).output().unwrap()
    };
    let trusted = curl(&["--cacert", git.join("certificate.pem").to_str().unwrap(), "--tlsv1.3"]);
    assert!(String::from_utf8_lossy(&trusted.stdout).contains("10.10.10.25@ispcustomer.co.zw"), "{trusted:?}");
    assert!(!curl(&[]).status.success(), "nobody else trusts it");
    assert!(!curl(&["--insecure", "--tls-max", "1.1"]).status.success());
    // Plain HTTP gets no answer, and takes nothing down.
    let mut stream = server.connect();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut all = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut all);
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
