//! A throw-away PostgreSQL on a free port of this host. Unit tests of the crate include this file.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server of Debian's `postgresql`. It is stopped by its process id when dropped.
pub struct Postgres {
    dir: tempfile::TempDir,
    process: Option<Child>,
    port: u16,
}

/// The folder of the programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    found.pop().expect("initdb is not there: run scripts/install-test-tools")
}

/// A command that does not run as root, which PostgreSQL refuses.
fn unprivileged(program: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

impl Postgres {
    pub fn start() -> Postgres {
        let bin = programs();
        let dir = tempfile::tempdir().unwrap();
        if rustix::process::getuid().is_root() {
            assert!(Command::new("chown").arg("postgres").arg(dir.path()).status().unwrap().success());
        }
        let data = dir.path().join("data");
        let made = unprivileged(&bin.join("initdb"))
            .args(["--auth=trust", "--username=shapeline", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut server = Postgres { dir, process: None, port };
        server.open();
        server
    }

    /// Starts the server again, with what it stored.
    pub fn open(&mut self) {
        let (bin, port) = (programs(), self.port);
        let mut start = unprivileged(&bin.join("postgres"));
        start.arg("-D").arg(self.dir.path().join("data"));
        start.args(["-F", "-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
        self.process = Some(start.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let patience = Instant::now() + Duration::from_secs(60);
        let ready =
            || Command::new(bin.join("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status();
        while !ready().unwrap().success() {
            assert!(Instant::now() < patience, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills it with SIGKILL. Its children end by themselves.
    #[allow(dead_code)] // unit tests of the crate do not
    pub fn kill(&mut self) {
        self.end(rustix::process::Signal::KILL);
    }

    pub fn url(&self) -> String {
        format!("postgres://shapeline@127.0.0.1:{}/postgres", self.port)
    }
}

impl Postgres {
    fn end(&mut self, signal: rustix::process::Signal) {
        // `runuser` is between: the first line of this file is the process of the server itself.
        let file = std::fs::read_to_string(self.dir.path().join("data/postmaster.pid")).unwrap_or_default();
        let pid = file.lines().next().and_then(|pid| rustix::process::Pid::from_raw(pid.parse().ok()?));
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, signal);
        }
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end(rustix::process::Signal::INT);
    }
}
