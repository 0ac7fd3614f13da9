//! Console examples: `$ COMMAND`, and what it prints.
//!
//! A document is one session, in a fresh copy of this repository's data: its commands run one after
//! another, in bash. `cd` lasts. `<!-- fresh copy -->` starts anew. A line that starts with `> `
//! continues the command above.
//!
//! The output of a command, on standard output and standard error, is below it. `[..]`
//! matches anything on a line, a line `...` any lines. A command that fails is followed by
//! `$ echo $?`, so that the document shows it.
//!
//! `cargo run --release --` is replaced by the binary under test.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

use super::{Doc, copy_of_the_data, written_docs};
use crate::support::Repo;

/// A command, its expected output, and its line.
struct Step {
    command: String,
    expected: String,
    line: usize,
    /// Nothing of the steps before counts.
    fresh: bool,
}

fn steps(doc: &Doc) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut fresh_from =
        doc.prose().filter(|(_, line)| *line == "<!-- fresh copy -->").map(|(line, _)| line).peekable();
    for block in doc.blocks().into_iter().filter(|block| block.language == "console") {
        let mut fresh = fresh_from.next_if(|mark| *mark < block.line).is_some();
        for (index, line) in block.text.lines().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.to_owned();
                steps.push(Step { command, expected: String::new(), line: block.line + index, fresh });
                fresh = false;
                continue;
            }
            let step = steps.last_mut().unwrap_or_else(|| panic!("{}: output without a command", doc.path));
            match line.strip_prefix("> ").filter(|_| step.expected.is_empty()) {
                Some(more) => step.command += &format!("\n{more}"),
                None => step.expected += &format!("{line}\n"),
            }
        }
    }
    steps
}

struct Session {
    repo: Repo,
    home: Repo,
    folder: PathBuf,
    code: i32,
}

impl Session {
    fn new() -> Self {
        let repo = copy_of_the_data();
        let folder = repo.path().to_owned();
        Self { repo, home: Repo::empty(), folder, code: 0 }
    }

    /// Runs the command; what it printed, in the order in which it did.
    fn run(&mut self, command: &str) -> String {
        // Of the last command `$?` is known, and where it went.
        const SCRIPT: &str = "(exit \"$2\"); eval \"$1\"; code=$?; pwd > \"$3\"; exit $code";
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_shapeline"));
        let path = std::env::join_paths(
            std::iter::once(binary.parent().unwrap().to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let went = self.repo.path().join(".git/went");
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-c", SCRIPT, "bash"])
            .arg(command.replace("cargo run --release --", "shapeline"))
            .arg(self.code.to_string())
            .arg(&went)
            .current_dir(&self.folder)
            .env("PATH", path.unwrap())
            .env("HOME", self.home.path())
            .env("LC_ALL", "C")
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Alice")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "alice@ispcustomer.co.zw")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_DATE"), "2026-11-01T00:00:00Z")))
            .env_remove("GITHUB_ACTIONS")
            .stdin(std::process::Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        let mut child = bash.spawn().expect("bash is needed to run the documents' examples");
        // It holds the writing ends, which would keep the reading end waiting.
        drop(bash);
        let mut printed = String::new();
        reader.read_to_string(&mut printed).unwrap();
        self.code = child.wait().unwrap().code().unwrap_or(-1);
        self.folder = std::fs::read_to_string(&went).unwrap_or_default().trim_end().into();
        printed
    }
}

/// Everything in which a document's examples differ from what happens.
fn differences(doc: &Doc) -> Vec<String> {
    let assert = snapbox::Assert::new();
    let mut differences = Vec::new();
    let mut session = Session::new();
    let steps = steps(doc);
    for (index, step) in steps.iter().enumerate() {
        if step.fresh {
            session = Session::new();
        }
        let at = format!("{}:{}: {}", doc.path, step.line, step.command);
        let printed = session.run(&step.command);
        if let Err(difference) = assert.try_eq(Some(&at), printed.into(), step.expected.clone().into()) {
            differences.push(difference.to_string());
        }
        let shown = steps.get(index + 1).is_some_and(|next| next.command == "echo $?");
        if session.code != 0 && !shown {
            differences.push(format!("{at}\nfails with {}; show that by `echo $?`\n", session.code));
        }
    }
    differences
}

#[test]
fn console_examples_print_what_they_say() {
    let docs = written_docs();
    let differences: Vec<String> = docs.iter().flat_map(differences).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for path in ["README.md", "docs/commands.md"] {
        let doc = docs.iter().find(|doc| doc.path == path).unwrap();
        assert!(steps(doc).len() > 5, "{path} has examples");
    }
}

#[test]
fn a_wrong_example_is_reported() {
    let wrong = |text: &str| differences(&Doc { path: "x.md".into(), text: format!("```console\n{text}```\n") }).len();
    assert_eq!(wrong("$ echo one; echo two >&2\none\ntwo\n$ cd plans\n$ basename $PWD\nplans\n"), 0);
    assert_eq!(wrong("$ cat <<END\n> one\n> END\none\n$ echo two three\ntwo [..]\n"), 0);
    assert_eq!(wrong("$ false\n$ echo $?\n1\n"), 0);
    assert_eq!(wrong("$ echo one\ntwo\n"), 1);
    assert_eq!(wrong("$ echo one\n"), 1);
    assert_eq!(wrong("$ false\n$ true\n"), 1);
    assert_eq!(wrong("$ shapeline render\n[..] 30_MEG_UP_30_MEG_DOWN\n"), 1);
}
