//! A throw-away data repository, and the binary run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Says that a test cannot run here and is left out. On a build server none is: there it fails.
pub fn left_out(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "on a build server no test is left out: {why}");
    eprintln!("SKIPPED: {why}");
}

/// Long enough for any machine; nothing waits so long that goes well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `what` has a value, and fails with what `otherwise` says if it never has.
pub fn wait<T>(mut what: impl FnMut() -> Option<T>, otherwise: impl Fn() -> String) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Copies a file, or a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy(&from.join(&name), &to.join(&name));
    }
}

/// Runs the binary in `folder` under strace with `options`: what it printed, and the trace.
pub fn strace(folder: &Path, options: &[&str], args: &[&str]) -> Option<(Output, String)> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let ran = Command::new("strace")
        .args(["-f", "-y"])
        .args(options)
        .arg("-o")
        .arg(trace.path())
        .arg(env!("CARGO_BIN_EXE_shapeline"))
        .args(args)
        .current_dir(folder)
        .output();
    let out = match ran {
        Ok(out) => out,
        Err(error) => {
            left_out(&format!("strace cannot be run: {error}"));
            return None;
        }
    };
    Some((out, std::fs::read_to_string(trace.path()).unwrap()))
}

/// A data repository in a temporary folder.
pub struct Repo {
    dir: tempfile::TempDir,
}

/// What a run of the binary gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Repo {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Two plans, one domain, no subscribers.
    pub fn new() -> Self {
        let repo = Self::empty();
        for rate in ["30", "50"] {
            let name = format!("{rate}_MEG_UP_{rate}_MEG_DOWN");
            repo.write(&format!("plans/{name}.yaml"), format!("name: {name}\nup: {rate} Mbps\ndown: {rate} Mbps\n"));
        }
        repo.write(
            "domains/ispcustomer.co.zw.yaml",
            "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 11.11.11.0/24, 192.168.1.0/24]\n",
        );
        std::fs::create_dir_all(repo.path().join("subscribers")).unwrap();
        repo
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Writes one subscriber's file.
    pub fn subscriber(&self, ip: &str, rate: u32) {
        let text = format!("ip: {ip}\ndomain: ispcustomer.co.zw\nplan: {rate}_MEG_UP_{rate}_MEG_DOWN\n");
        self.write(&format!("subscribers/ispcustomer.co.zw/{ip}.yaml"), text);
    }

    /// Runs git in the folder, as a fixed author at a fixed time.
    pub fn git(&self, args: &[&str]) -> String {
        let out = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "user.name=Alice", "-c", "user.email=alice@ispcustomer.co.zw", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_DATE", "2026-11-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-11-01T00:00:00Z")
            .output()
            .expect("git is needed for the tests");
        assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Makes the folder a git repository with everything committed on `main`.
    pub fn commit(&self, message: &str) -> String {
        if !self.path().join(".git").exists() {
            self.git(&["init", "-q", "-b", "main"]);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the binary in the folder.
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_with_input(args, "")
    }

    /// Runs the binary in the folder with something on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shapeline"))
            .current_dir(self.path())
            .args(args)
            .env_remove("GITHUB_ACTIONS")
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, input.as_bytes()));
        let out = child.wait_with_output().unwrap();
        let _ = writer.join();
        Run {
            code: out.status.code().unwrap_or(-1),
            stdout: String::from_utf8(out.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(out.stderr).expect("standard error is UTF-8"),
        }
    }
}
