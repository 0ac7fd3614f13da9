//! The deliverables: units, the Debian package, the image, the action, the release.
//!
//! They are tested with the real programs: systemd-analyze, lintian, buildah, skopeo and a registry.
//! `scripts/install-test-tools` installs those.
#![cfg(unix)]

mod action;
mod image;
mod package;
pub(crate) mod registry;
mod release;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether all these programs are there. Where one is not, says so, and on a build server fails.
pub(crate) fn have(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    // Some are where only root looks.
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]).collect();
    let there = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !there(program)).collect();
    if missing.is_empty() {
        return true;
    }
    crate::support::left_out(&format!("not installed: {}; run scripts/install-test-tools", missing.join(", ")));
    false
}

/// A command in this repository, with the folders in which only root looks.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap();
    command.current_dir(root()).env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// Runs it; it must succeed. What it printed to standard output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", all(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that was printed.
pub(crate) fn all(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
