//! Backup folders on real servers.

use std::process::Command;

use super::tree::{look, sample};
use super::{Site, names};
use crate::servers::moto::Moto;
use crate::servers::sshd::Sshd;

/// There and back, twice, with one copy kept. `with` puts into the environment what it takes.
fn there_and_back(site: &Site, with: impl Fn(&mut Command)) {
    let path = site.path("src");
    sample(&path, 300_000);
    let before = look(&path);
    let run = |args: &[&str]| {
        let mut command = site.command(args);
        with(&mut command);
        let out = command.output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{args:?}: {text}\n{}", String::from_utf8_lossy(&out.stderr));
        text
    };
    run(&[path.to_str().unwrap()]);
    run(&[path.to_str().unwrap()]);
    let csv = run(&["--list", "--format", "csv"]);
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), 1, "{csv}");
    let id = rows[0].split_once(',').unwrap().0;
    run(&["--restore", id, "--into", site.path("to").to_str().unwrap()]);
    assert_eq!(look(&site.path("to/src")), before);
}

#[test]
fn on_an_ssh_server() {
    let sshd = Sshd::start();
    let site = Site::new();
    let (url, identity, known) = (sshd.url(site.folder()), sshd.identity(), sshd.known_hosts());
    let settings = format!(
        "backup:\n  url: '{url}'\n  keep: 1\n  identity: '{}'\n  known_hosts: '{}'\n",
        identity.display(),
        known.display()
    );
    site.repo.write("shapeline.yaml", settings);
    there_and_back(&site, |_| {});
    assert_eq!(site.tars().len(), 1);
    assert_eq!(names(&site.folder()), [".shapeline", "copies"]);
}

#[test]
fn in_a_bucket() {
    let Some(moto) = Moto::start() else { return };
    let site = Site::new();
    site.repo.write("shapeline.yaml", format!("backup: {{url: 's3://{}/kept', keep: 1}}\n", moto.bucket()));
    there_and_back(&site, |command| {
        command.envs(moto.environment());
    });
    let tars = moto.keys().iter().filter(|key| key.starts_with("kept/copies/") && key.ends_with(".tar")).count();
    assert_eq!(tars, 1, "{:?}", moto.keys());
}
