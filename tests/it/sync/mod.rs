//! Pull mode, through the binary, with real git remotes.
#![cfg(unix)]

mod rounds;
mod service;
mod signatures;
mod upstream;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Repo, Run};

/// A work tree that pushes, the server, and a host beside a shaper that pulls.
pub struct Host {
    /// The work tree that pushes.
    pub author: Repo,
    /// The bare repository on the server, the clone on the host, the shaper's folder.
    folder: tempfile::TempDir,
}

impl Host {
    /// Three subscribers on `main`, pushed and cloned. `more` belongs to the target `hre-1`.
    pub fn new(more: &str) -> Host {
        let host = Host { author: Repo::new(), folder: tempfile::tempdir().unwrap() };
        for name in ["srv", "home"] {
            std::fs::create_dir(host.path(name)).unwrap();
        }
        host.settings(more);
        for number in 1..=3 {
            host.author.subscriber(&format!("10.10.10.{number}"), 30);
        }
        host.author.commit("first");
        host.git(&["init", "--quiet", "--bare", "--initial-branch=main", "server"]);
        host.author.git(&["remote", "add", "origin", host.path("server").to_str().unwrap()]);
        host.author.git(&["push", "--quiet", "origin", "main"]);
        host.git(&["clone", "--quiet", "server", "clone"]);
        host
    }

    /// Writes the settings.
    pub fn settings(&self, more: &str) {
        let more: String = more.lines().map(|line| format!("    {line}\n")).collect();
        let url = self.path("srv/shaper.txt");
        let text = format!("targets:\n  - name: hre-1\n    url: file://{}\n{more}", url.display());
        self.author.write("shapeline.yaml", text);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A program of its own, in the host's folder.
    pub fn script(&self, name: &str, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Runs git in the host's folder.
    pub fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        let out = isolated(&mut git, self.folder.path()).args(args).current_dir(self.folder.path()).output().unwrap();
        assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Commits what the author has, and pushes it.
    pub fn push(&self, message: &str) -> String {
        let commit = self.author.commit(message);
        self.author.git(&["push", "--quiet", "--force", "origin", "main"]);
        commit
    }

    /// `shapeline sync`, with the status file, in the clone.
    pub fn sync(&self, more: &[&str]) -> Command {
        self.sync_in("clone", more)
    }

    pub fn sync_in(&self, clone: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        isolated(&mut command, self.folder.path())
            .arg("-C")
            .arg(self.path(clone))
            .args(["sync", "--status-file"])
            .arg(self.path("status.json"))
            .args(more)
            .current_dir("/");
        command
    }

    /// Another command in a clone.
    pub fn shapeline(&self, clone: &str, args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        isolated(&mut command, self.folder.path()).arg("-C").arg(self.path(clone)).args(args).current_dir("/");
        run(command)
    }

    /// One round, which must end so.
    pub fn once(&self, code: i32, more: &[&str]) -> Run {
        let run = run(self.sync(&[&["--once"], more].concat()));
        assert_eq!(run.code, code, "{}\n{}", run.stdout, run.stderr);
        run
    }

    pub fn live(&self) -> String {
        self.read("srv/shaper.txt")
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.read("status.json")).unwrap()
    }

    pub fn manifest(&self) -> Value {
        serde_json::from_str(&self.read("srv/.shaper.txt.shapeline/manifest.json")).unwrap()
    }

    /// The log: action, status, parameter and reason of each entry.
    pub fn log(&self) -> Vec<String> {
        let text = self.read("srv/.shaper.txt.shapeline/log/00000001");
        let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        text.lines()
            .map(|line| {
                let entry: Value = serde_json::from_str(line).unwrap();
                ["action", "status", "parameter", "reason"].map(|key| word(&entry, key)).join(" ").trim().to_owned()
            })
            .collect()
    }
}

/// Without the settings of the user who runs the tests.
fn isolated<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    for name in ["GITHUB_ACTIONS", "GITHUB_ACTOR", "SHAPELINE_ACTOR", "NOTIFY_SOCKET", "GIT_DIR", "SSH_AUTH_SOCK"] {
        command.env_remove(name);
    }
    command
        .env("HOME", folder.join("home"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
}

pub fn run(mut command: Command) -> Run {
    let out = command.output().unwrap();
    Run {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
    }
}

pub fn line(number: u32, rate: u32) -> String {
    let ip = format!("10.10.10.{number}");
    format!("{ip} {ip}@ispcustomer.co.zw :=set_attribute {rate}_MEG_UP_{rate}_MEG_DOWN\n")
}

pub fn three() -> String {
    line(1, 30) + &line(2, 30) + &line(3, 30)
}
