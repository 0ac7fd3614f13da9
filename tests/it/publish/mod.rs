//! Publishing, through the binary: what goes live, what does not, and what is recorded.

mod commands;
mod commits;
mod crash;
mod damage;
mod diff;
mod disk;
mod flushed;
mod frozen;
mod frozen_properties;
mod ground;
mod guards;
mod instants;
mod lock;
mod memory;
mod misbehaved;
mod outage;
mod paused;
mod race;
mod records;
mod recovery;
mod unheard;

use std::path::PathBuf;

use crate::support::{Repo, Run};

/// A data repository with targets in folders of its own, outside of it.
pub struct Site {
    pub repo: Repo,
    srv: tempfile::TempDir,
}

impl Site {
    /// One target `hre-1` with `more` in its entry, and `count` subscribers, committed.
    pub fn new(count: u32, more: &str) -> Site {
        let site = Site { repo: Repo::new(), srv: tempfile::tempdir().unwrap() };
        site.settings(more, "");
        for number in 1..=count {
            site.repo.subscriber(&format!("10.10.10.{number}"), 30);
        }
        site.repo.commit("first");
        site
    }

    /// Writes the settings: `more` belongs to the target, `rest` is at the top level.
    pub fn settings(&self, more: &str, rest: &str) {
        let url = format!("file://{}", self.live_path().display());
        let more: String = more.lines().map(|line| format!("    {line}\n")).collect();
        self.repo.write("shapeline.yaml", format!("targets:\n  - name: hre-1\n    url: {url}\n{more}{rest}"));
    }

    pub fn live_path(&self) -> PathBuf {
        self.srv.path().join("shaper.txt")
    }

    pub fn live(&self) -> String {
        std::fs::read_to_string(self.live_path()).unwrap()
    }

    /// A file of the records beside the live one.
    pub fn record_path(&self, name: &str) -> PathBuf {
        self.srv.path().join(".shaper.txt.shapeline").join(name)
    }

    pub fn manifest(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.record_path("manifest.json")).unwrap()).unwrap()
    }

    /// Whether something was begun and not finished.
    pub fn is_pending(&self) -> bool {
        let bytes = std::fs::read(self.record_path("pending.json")).unwrap();
        let slot: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        !slot["pending"].is_null()
    }

    pub fn run(&self, args: &[&str]) -> Run {
        self.repo.run(args)
    }

    /// Publishes, which must end so.
    pub fn publish(&self, code: i32, more: &[&str]) -> Run {
        let args: Vec<&str> = ["publish", "--actor", "alice"].iter().chain(more).copied().collect();
        let run = self.run(&args);
        assert_eq!(run.code, code, "{}\n{}", run.stdout, run.stderr);
        run
    }

    /// The log's entries: action, status, parameter and reason.
    pub fn log(&self) -> Vec<String> {
        let run = self.run(&["log", "--format", "json"]);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let entries = json["targets"][0]["entries"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        entries
            .iter()
            .map(|entry| {
                let words = ["action", "status", "parameter", "reason"].map(|key| text(&entry[key]));
                words.join(" ").trim().to_owned()
            })
            .collect()
    }

    /// Everything beside the live file, but for the lock: names and contents.
    pub fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all: Vec<_> = walkdir::WalkDir::new(self.srv.path())
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .filter(|path| path.is_file() && !path.to_string_lossy().contains("/lock/"))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        all.sort();
        all
    }
}

fn line(number: u32, rate: u32) -> String {
    let ip = format!("10.10.10.{number}");
    format!("{ip} {ip}@ispcustomer.co.zw :=set_attribute {rate}_MEG_UP_{rate}_MEG_DOWN\n")
}
