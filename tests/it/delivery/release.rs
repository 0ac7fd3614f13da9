//! What holds before a release is made.

use std::os::unix::fs::PermissionsExt as _;

use super::{all, command, have, root, run};
use crate::support::Repo;

/// A repository with the script, and this version of the program.
fn tagged(version: &str, heading: &str) -> Repo {
    let repo = Repo::empty();
    for script in ["release-tag", "lib.sh"] {
        let path = repo.write(&format!("scripts/{script}"), "");
        std::fs::copy(root().join("scripts").join(script), path).unwrap();
    }
    repo.write(
        "Cargo.toml",
        format!(
            "[package]\nname = \"shapeline\"\nversion = \"{version}\"\n\n[dependencies]\nx = {{version = \"9.9.9\"}}\n"
        ),
    );
    repo.write("CHANGELOG.md", format!("# Changelog\n\n{heading}\n"));
    repo.commit("Start");
    repo
}

fn code(repo: &Repo, tag: &str) -> (Option<i32>, String) {
    let output =
        std::process::Command::new(repo.path().join("scripts/release-tag")).args([tag, "main"]).output().unwrap();
    (output.status.code(), all(&output))
}

#[test]
fn a_tag_is_the_version_in_the_changelog_on_the_main_branch() {
    let good = tagged("1.2.3", "## [1.2.3] - 2026-12-01");
    assert_eq!(code(&good, "v1.2.3").0, Some(0));
    for tag in ["v1.2.4", "1.2.3", "v1.2.3.1", "v9.9.9"] {
        let (code, message) = code(&good, tag);
        assert!(code == Some(1) && message.contains("1.2.3"), "{tag}: {message}");
    }
    let silent = tagged("1.2.3", "## [Unreleased]");
    let (refused, message) = code(&silent, "v1.2.3");
    assert!(refused == Some(1) && message.contains("CHANGELOG.md"), "{message}");
    good.git(&["checkout", "-q", "-b", "aside"]);
    good.commit("Not merged");
    let (refused, message) = code(&good, "v1.2.3");
    assert!(refused == Some(1) && message.contains("merge it first"), "{message}");
}

#[test]
fn the_scripts_are_without_the_usual_mistakes() {
    if !have(&["shellcheck"]) {
        return;
    }
    let mut check = command("shellcheck");
    check.args(["--severity=warning", "--external-sources", ".ci/run"]);
    for folder in ["scripts", "packaging/debian"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        // One is in Python.
        let is_shell =
            |file: &std::path::PathBuf| std::fs::read_to_string(file).unwrap().lines().next().unwrap().ends_with("sh");
        let runs = |file: &std::path::PathBuf| file.metadata().unwrap().permissions().mode() & 0o111 != 0;
        check.args(files.filter(|file| runs(file) && is_shell(file)));
    }
    check.args(["postinst", "prerm", "postrm"].map(|script| format!("packaging/debian/{script}")));
    run(&mut check);
}

/// Those that a workflow or Jenkins calls.
#[test]
fn the_scripts_that_are_called_are_there() {
    let mut called = 0;
    for file in [".github/workflows/release.yml", "Jenkinsfile"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        for (at, _) in text.match_indices("scripts/") {
            let name: String = text[at..].chars().take_while(|c| !" '\"\n".contains(*c)).collect();
            assert!(root().join(&name).is_file(), "{file} calls {name}");
            called += 1;
        }
    }
    assert!(called > 5, "{called} calls were found");
}

/// The password reaches buildah through a pipe, and no line prints or passes it on.
#[test]
fn the_password_is_in_no_command_line() {
    let script = std::fs::read_to_string(root().join("scripts/image")).unwrap();
    let lines: Vec<&str> =
        script.lines().filter(|line| line.contains("$REGISTRY_PASSWORD") || line.contains("set -x")).collect();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.trim().starts_with("printf '%s' \"$REGISTRY_PASSWORD\" | buildah login "), "{line}");
    let jenkins = std::fs::read_to_string(root().join("Jenkinsfile")).unwrap();
    assert!(!jenkins.contains("${") && !jenkins.contains("sh \""), "Groovy would write the value into the log");
    for stage in ["Build", "Push", "Deploy"] {
        assert!(jenkins.contains(&format!("stage('{stage}')")), "{stage}");
    }
}
