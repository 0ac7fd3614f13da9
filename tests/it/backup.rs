//! `backup`, through the binary: copies are complete or absent, and restore the original content.

mod crash;
mod hostile;
mod keep;
mod refusals;
mod servers;
mod tree;
mod trip;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Repo, Run};

/// A data repository, a backup folder, and room for what is copied, beside each other.
pub struct Site {
    repo: Repo,
    dir: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Site {
        Site::with("")
    }

    /// With `more` in the settings of the backup folder.
    pub fn with(more: &str) -> Site {
        let site = Site { repo: Repo::empty(), dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(site.folder()).unwrap();
        let url = format!("file://{}", site.folder().display());
        site.repo.write("shapeline.yaml", format!("backup: {{url: {url}{more}}}\n"));
        site
    }

    /// The backup folder.
    pub fn folder(&self) -> PathBuf {
        self.path("backups")
    }

    /// A path beside the backup folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file beside the backup folder, and the folders above it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `shapeline backup` with these arguments, not run yet.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        command.current_dir(self.repo.path()).env("NO_COLOR", "1").env("SHAPELINE_ACTOR", "alice").arg("backup");
        command.args(args);
        command
    }

    pub fn backup<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        let out = self.command(args).output().unwrap();
        Run {
            code: out.status.code().unwrap_or(-1),
            stdout: String::from_utf8(out.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(out.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Copies a path, which must succeed, and gives the copy's name.
    pub fn copy(&self, path: &Path) -> String {
        let run = self.backup(&[path]);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        self.ids().pop().unwrap()
    }

    /// Puts a copy back, which must end so.
    pub fn restore(&self, code: i32, id: &str, more: &[&str]) -> Run {
        let run = self.backup(&[&["--restore", id], more].concat());
        assert_eq!(run.code, code, "{}\n{}", run.stdout, run.stderr);
        run
    }

    /// The copies, as listed.
    pub fn list(&self) -> Vec<Value> {
        let run = self.backup(&["--list", "--format", "json"]);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["version"], 1);
        json["copies"].as_array().unwrap().clone()
    }

    pub fn ids(&self) -> Vec<String> {
        self.list().iter().map(|copy| copy["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn tar(&self, id: &str) -> PathBuf {
        self.folder().join("copies").join(format!("{id}.tar"))
    }

    /// The names of the tars that are there, and of whatever else is beside them.
    pub fn tars(&self) -> Vec<String> {
        names(&self.folder().join("copies"))
    }

    /// The log, which must be whole.
    pub fn log(&self) -> Vec<Value> {
        let run = self.repo.run(&["log", "--backup", "--format", "json"]);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["targets"][0]["target"], "backup");
        json["targets"][0]["entries"].as_array().unwrap().clone()
    }

    /// Of each entry the action, the status and the reason.
    pub fn logged(&self) -> Vec<String> {
        let words =
            |entry: &Value| ["action", "status", "reason"].map(|key| entry[key].as_str().unwrap_or("").to_owned());
        self.log().iter().map(|entry| words(entry).join(" ").trim().to_owned()).collect()
    }
}

/// The names in a folder, in order; none if there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
