//! A forge says that the branch moved.

use std::process::Command;

use super::{Server, command, data, wait};

const SECRET: &str = "It's a Secret to Everybody";

fn signature(body: &str) -> String {
    let out = Command::new("sh")
        .args(["-c", "printf %s \"$1\" | openssl dgst -sha256 -hmac \"$2\" -r", "sh", body, SECRET])
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn a_signed_hook_has_the_branch_read() {
    let repo = data();
    let mut serve = command(&repo, &["--interval", "24h"]);
    serve.env("SHAPELINE_WEBHOOK_SECRET", SECRET);
    let server = Server::spawn(serve);
    let body = r#"{"ref": "refs/heads/main"}"#;
    let good = signature(body);
    let headers = [
        format!("X-Hub-Signature-256: sha256={good}"),
        format!("X-Gitea-Signature: {good}"),
        format!("X-Gitlab-Token: {SECRET}"),
    ];
    for header in &headers {
        let next = repo.commit("next");
        assert_eq!(server.send("POST", "/hooks/git", &[header], body).status, 202, "{header}");
        wait(|| (server.get("/readyz").json()["commit"] == next).then_some(()), || server.journal());
    }
    let before = repo.git(&["rev-parse", "HEAD"]);
    repo.commit("later");
    let bad = good.replace(|c: char| c.is_ascii_digit(), "0");
    for headers in [vec![], vec![format!("X-Hub-Signature-256: sha256={bad}")], vec!["X-Gitlab-Token: x".to_owned()]] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        server.send("POST", "/hooks/git", &headers, body).problem(401);
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(server.get("/readyz").json()["commit"], before);
    assert!(!server.journal().contains("Secret") && !server.log().contains("Secret"));
}

#[test]
fn without_a_secret_there_is_no_hook() {
    let repo = data();
    let server = Server::start(&repo, &[]);
    assert!(server.send("POST", "/hooks/git", &[], "{}").problem(404).contains("SHAPELINE_WEBHOOK_SECRET"));
    let out = command(&repo, &[]).env("SHAPELINE_WEBHOOK_SECRET", "short").output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("SHAPELINE_WEBHOOK_SECRET is shorter than 16 bytes"));
}
