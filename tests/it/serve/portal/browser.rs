//! The portal in Debian's Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::drafts::branches;
use super::{Browser, add_user, command, state};
use crate::serve::{Server, data, wait};
use crate::support::{Repo, left_out};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the programs are; without Chromium or npm the test says so, and on a build server it fails.
pub fn tools() -> Option<PathBuf> {
    let fetched = Command::new("sh").arg(root().join("scripts/fetch-npm")).arg("browser").status();
    if !Path::new("/usr/bin/chromium").exists() || !fetched.is_ok_and(|status| status.success()) {
        left_out("chromium or playwright-core is not there: run scripts/install-test-tools");
        return None;
    }
    Some(root().join("target/browser"))
}

/// Runs a step of tests/tools/browser/portal.mjs.
pub fn step(tools: &Path, step: &str, server: &Server) {
    step_at(tools, step, server, "127.0.0.1");
}

/// The same by another name of this host.
pub fn step_at(tools: &Path, step: &str, server: &Server, host: &str) {
    let mut node = Command::new("node");
    node.arg(root().join("tests/tools/browser/portal.mjs"));
    node.arg(tools).arg(step).arg(format!("http://{host}:{}", server.port));
    // For a look at them, and for the pictures in docs/.
    node.args(std::env::var_os("SHAPELINE_SHOTS"));
    let out = node.output().unwrap();
    assert!(out.status.success(), "{step}: {}\n{}", String::from_utf8_lossy(&out.stderr), server.journal());
}

#[test]
fn a_person_proposes_a_change_and_sees_it_live() {
    let Some(tools) = tools() else { return };
    let (repo, remote, live) = (data(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (url, target) = (remote.path().to_str().unwrap(), live.path().to_str().unwrap());
    repo.write("shapeline.yaml", format!("targets: [{{name: edge, url: 'file://{target}/shaper.txt'}}]\n"));
    repo.commit("a target");
    repo.git(&["init", "--quiet", "--bare", url]);
    repo.git(&["remote", "add", "origin", url]);
    repo.git(&["push", "--quiet", "-u", "origin", "HEAD"]);
    let published = repo.run(&["publish"]);
    assert_eq!(published.code, 0, "{published:?}");
    add_user(&repo, &state(&repo), &["desk", "--domain", "tier2.example"]);
    let server = Server::spawn(command(&repo, &[]));
    step(&tools, "propose", &server);
    let main = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    let made = branches(&repo);
    let [branch] = made.as_slice() else { panic!("{made:?}") };
    let changed = repo.git(&["--git-dir", url, "diff", "--unified=0", &format!("{main}...{branch}")]);
    let lines: Vec<&str> = changed
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect();
    assert!(lines.len() == 1 && lines[0].contains("10.20.0.5") && lines[0].contains("Hotel"), "{changed}");
    repo.git(&["merge", "--quiet", branch]);
    repo.git(&["push", "--quiet", "origin", "HEAD"]);
    let published = repo.run(&["publish"]);
    assert_eq!(published.code, 0, "{published:?}");
    let file = std::fs::read_to_string(live.path().join("shaper.txt")).unwrap();
    assert!(file.contains("10.20.0.5 "), "{file}");
    let desk = Browser::signed_in(&server, "desk");
    wait(|| desk.page("/requests").contains(">merged<").then_some(()), || server.journal());
    step(&tools, "merged", &server);
}

#[test]
fn a_hundred_thousand_are_searched_on_a_phone() {
    let Some(tools) = tools() else { return };
    let repo = Repo::new();
    repo.write("domains/large.example.yaml", "name: large.example\nprefixes: [10.20.0.0/14]\n");
    std::fs::remove_dir_all(repo.path().join("subscribers")).unwrap();
    for file in 0..100u32 {
        let line = |number: u32| {
            let address = std::net::Ipv4Addr::from(0x0a14_0001 + file * 1000 + number);
            format!("- {{ip: {address}, domain: large.example, plan: 50_MEG_UP_50_MEG_DOWN}}\n")
        };
        repo.write(&format!("subscribers/{file}.yaml"), (0..1000).map(line).collect::<String>());
    }
    repo.commit("many");
    add_user(&repo, &state(&repo), &["desk", "--domain", "large.example"]);
    let server = Server::spawn(command(&repo, &[]));
    step(&tools, "many", &server);
}
