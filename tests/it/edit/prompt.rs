//! Questions on a terminal, by `script` of util-linux, which gives the program one.

use std::io::Write;
use std::process::{Command, Stdio};

use super::command::{PATH, run, with_list};
use crate::support::Repo;

/// Runs the program on a terminal of this width, and types `answers`. What it says, on both outputs.
fn on_terminal(repo: &Repo, columns: u32, args: &str, answers: &str) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_shapeline");
    let command = format!("stty cols {columns} -echo; {program} subscriber {args}");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(repo.path())
        .env("NO_COLOR", "1")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` of util-linux is needed for the tests");
    // The terminal keeps what is typed ahead.
    child.stdin.as_mut().unwrap().write_all(answers.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    (out.status.code(), String::from_utf8_lossy(&out.stdout).replace("\r\n", "\n"))
}

#[test]
fn what_is_missing_is_asked_for() {
    let repo = with_list();
    let (code, said) = on_terminal(&repo, 200, "add", "\n2\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("address [10.10.10.1]: "), "{said}");
    assert!(said.contains("  1  30_MEG_UP_30_MEG_DOWN\n  2  50_MEG_UP_50_MEG_DOWN\nplan: "), "{said}");
    assert!(said.contains("Added 10.10.10.1 to ispcustomer.co.zw with 50_MEG_UP_50_MEG_DOWN\n"), "{said}");
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.50", "30_MEG_UP_30_MEG_DOWN\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(repo.read(PATH).contains("10.10.10.50"), "{said}");
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.51", "\n");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no answer: nothing was changed"), "{said}");
}

#[test]
fn without_a_terminal_there_is_no_prompt() {
    let repo = with_list();
    let run = run(&repo, &["add", "10.10.10.50"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.stderr, "shapeline: name the plan: --plan PLAN\n");
}

#[test]
fn a_table_fits_the_terminal() {
    let repo = with_list();
    let (_, wide) = on_terminal(&repo, 200, "list", "");
    assert!(wide.contains("ACME, head office"), "{wide}");
    let (_, narrow) = on_terminal(&repo, 72, "list", "");
    let narrow = &narrow[narrow.find("address").unwrap()..];
    assert!(narrow.lines().all(|line| line.chars().count() <= 72), "{narrow}");
    assert!(narrow.contains('…') && narrow.contains("active"), "{narrow}");
}
