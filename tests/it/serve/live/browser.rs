//! The page in Debian's Chromium.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::demo::start;
use super::{Live, data};
use crate::serve::portal::browser::{step, tools};

#[test]
fn the_page_lives_finds_and_shows_charts() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (server, link) = start(&folder);
    step(&tools, &format!("live:{link}"), &server);
}

#[test]
fn a_link_opens_the_chart_of_one_of_many() {
    let Some(tools) = tools() else { return };
    let repo = data();
    repo.write("domains/tier2.example.yaml", "name: tier2.example\nprefixes: [10.20.0.0/16]\n");
    let one = |number| {
        format!(
            "- {{ip: 10.20.{}.{}, domain: tier2.example, plan: 30_MEG_UP_30_MEG_DOWN}}\n",
            number / 200,
            number % 200 + 1
        )
    };
    repo.write("subscribers/a.yaml", (0..1100).map(one).collect::<String>());
    repo.commit("many");
    let live = Live::of(repo);
    step(&tools, "linked:10.20.5.100@tier2.example", &live.serve(&[]));
}

#[test]
fn the_page_connects_again_after_a_restart() {
    restarted("restart");
}

#[test]
fn the_page_says_that_the_session_ended_meanwhile() {
    restarted("ended");
}

/// A step that is to go on after a restart.
fn restarted(step: &str) {
    let Some(tools) = tools() else { return };
    let live = Live::new();
    let (server, _collector) = (live.serve(&[]), live.collect());
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/browser/portal.mjs"));
    let port = server.port;
    node.arg(tools).args([step, &format!("http://127.0.0.1:{port}")]);
    let mut child = node.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(server);
    let again = if line.is_empty() { None } else { Some(live.serve(&["--listen", &format!("127.0.0.1:{port}")])) };
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success() && again.is_some(), "{}", String::from_utf8_lossy(&out.stderr));
}
