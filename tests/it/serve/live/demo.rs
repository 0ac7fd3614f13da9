//! `serve --demo`.

use std::process::Command;

use rustix::process::Signal;

use super::{Browser, Client, is_seen, wait};
use crate::serve::Server;

/// A demonstration whose temporary files are in `folder`, and the link that it prints.
pub fn start(folder: &tempfile::TempDir) -> (Server, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command.args(["serve", "--demo", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    command.env("TMPDIR", folder.path()).env("NO_COLOR", "1").env_remove("SHAPELINE_WEBHOOK_SECRET");
    let server = Server::spawn(command);
    let link = wait(
        || server.journal().split(&format!(":{}/demo?key=", server.port)).nth(1).map(|rest| rest[..64].to_owned()),
        || server.journal(),
    );
    (server, format!("/demo?key={link}"))
}

#[test]
fn a_demonstration_lives_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, link) = start(&folder);
    let browser = Browser::new(&server);
    assert_eq!(browser.get("/live").status, 303, "not without the link");
    assert_eq!(browser.get(&format!("/demo?key={}", "0".repeat(64))).status, 404);
    assert_eq!(browser.get("/demo").status, 404);
    assert_eq!(browser.get(&link).header("location"), Some("/live"));
    let mut client = Client::of(&browser);
    let first = client.until(is_seen);
    let changed = client.until(|frame| frame["totals"]["down"] != first["totals"]["down"]);
    assert_eq!(changed["totals"]["subscribers"], 320);
    let snapshot = client.watch(r#"{"version":1,"type":"watch"}"#, is_seen);
    assert_eq!(snapshot["total"], 320);
    for count in ["saturated", "exceeding", "never", "unknown"] {
        assert!(snapshot["totals"][count].as_u64() > Some(0), "{count}: {}", snapshot["totals"]);
    }
    for (path, least) in [("span=3h", 100), ("span=3h&domain=tier2.example", 100), ("span=7d", 2)] {
        let past = browser.get(&format!("/live/history?{path}")).json();
        assert!(past["at"].as_array().unwrap().len() > least, "the past is there: {path}");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().count() > 0);
    drop(client);
    server.signal(Signal::TERM);
    assert_eq!(server.ended(), Some(0), "{}", server.journal());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the folder is removed");
}

#[test]
fn a_demonstration_is_for_this_host_alone() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    let out = command.args(["serve", "--demo", "--listen", "0.0.0.0:0"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(2) && text.contains("for this host alone"), "{text}");
}
