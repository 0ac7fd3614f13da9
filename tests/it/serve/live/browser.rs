//! The page in Debian's Chromium.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::Live;
use super::demo::start;
use crate::serve::portal::browser::{step, tools};

#[test]
fn the_page_lives_finds_and_shows_charts() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (server, link) = start(&folder);
    step(&tools, &format!("live:{link}"), &server);
}

#[test]
fn the_page_connects_again_after_a_restart() {
    let Some(tools) = tools() else { return };
    let live = Live::new();
    let (server, _collector) = (live.serve(&[]), live.collect());
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/browser/portal.mjs"));
    let port = server.port;
    node.arg(tools).args(["restart", &format!("http://127.0.0.1:{port}")]);
    let mut child = node.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(server);
    let again = if line.is_empty() { None } else { Some(live.serve(&["--listen", &format!("127.0.0.1:{port}")])) };
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success() && again.is_some(), "{}", String::from_utf8_lossy(&out.stderr));
}
