//! The program on a terminal, by `script` of util-linux, which gives it one.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use crate::support::Repo;

/// Starts the program on a terminal of this width.
pub fn start(repo: &Repo, columns: u32, args: &str) -> Child {
    let program = env!("CARGO_BIN_EXE_shapeline");
    let command = format!("stty rows 50 cols {columns} -echo; {program} {args}");
    Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(repo.path())
        .env("NO_COLOR", "1")
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` of util-linux is needed for the tests")
}

/// Runs the program on a terminal of this width, and types `answers`. What it says, on both outputs.
pub fn on_terminal(repo: &Repo, columns: u32, args: &str, answers: &str) -> (Option<i32>, String) {
    let mut child = start(repo, columns, args);
    // The terminal keeps what is typed ahead. At the end of its input, `script` would type Ctrl-D.
    let mut input = child.stdin.take().unwrap();
    input.write_all(answers.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    drop(input);
    (out.status.code(), String::from_utf8_lossy(&out.stdout).replace("\r\n", "\n"))
}

/// Reads what is on the screen until `text` is there.
pub fn until(out: &mut impl Read, text: &str) -> String {
    let mut said = String::new();
    while !said.contains(text) {
        let mut bytes = [0; 1024];
        let read = out.read(&mut bytes).unwrap();
        assert_ne!(read, 0, "{said}");
        said += &String::from_utf8_lossy(&bytes[..read]);
    }
    said
}
