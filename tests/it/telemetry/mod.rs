//! `collect`, `simulate` and `conform`: the running program.

mod bus;
mod conform;
mod crash;
mod events;
mod hostile;
mod snmp;
mod sources;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::any::AnyRow;

use crate::support::{Repo, wait};

/// A data repository with eight subscribers, and a place for samples.
pub struct Place {
    pub repo: Repo,
    pub folder: tempfile::TempDir,
    /// What `SHAPELINE_SAMPLES` is.
    pub store: String,
    /// What tests read it by.
    pub url: String,
}

impl Place {
    pub fn sqlite() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("samples.sqlite").display().to_string();
        Place { repo: data(), url: format!("sqlite://{store}"), store, folder }
    }

    pub fn postgres(url: String) -> Place {
        Place { repo: data(), folder: tempfile::tempdir().unwrap(), store: url.clone(), url }
    }

    /// The file with these settings of `telemetry`.
    pub fn settings(&self, telemetry: &str) -> PathBuf {
        let path = self.folder.path().join("server.yaml");
        std::fs::write(&path, format!("telemetry:\n{telemetry}")).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        command.current_dir(self.repo.path()).args(args).env("NO_COLOR", "1").env("SHAPELINE_SAMPLES", &self.store);
        command
    }

    /// `collect` with these settings: exit code, standard output and standard error.
    pub fn collect(&self, telemetry: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let settings = self.settings(telemetry);
        ran(self.command(&["collect", "--settings", settings.to_str().unwrap()]).args(args))
    }

    pub fn rows(&self, sql: &str) -> Vec<AnyRow> {
        use sqlx::Connection as _;
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = sqlx::AnyConnection::connect(&self.url).await.unwrap();
            sqlx::query(sql).fetch_all(&mut connection).await.unwrap()
        })
    }

    /// A number in the store; `None` as long as there is none.
    pub fn number(&self, sql: &str) -> Option<i64> {
        use sqlx::Row as _;
        self.rows(sql).first().and_then(|row| row.get(0))
    }
}

pub fn ran(command: &mut Command) -> (Option<i32>, String, String) {
    let out = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

fn data() -> Repo {
    let repo = Repo::new();
    let one =
        |host: u32| format!("- {{ip: 10.10.10.{host}, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}}\n");
    repo.write("subscribers/all.yaml", (25..33).map(one).collect::<String>());
    repo.commit("first");
    repo
}

/// A process that is killed when dropped.
pub struct Running(pub Child);

impl Running {
    pub fn start(command: &mut Command) -> Running {
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Ends it by SIGTERM; its exit code.
    pub fn end(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        wait(|| self.0.try_wait().unwrap(), || "it does not end".to_owned()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pretend network, and its URL.
pub fn simulate(place: &Place) -> (Running, String) {
    let mut command = place.command(&["simulate", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.split("http://").nth(1).and_then(|rest| rest.split(": ").next());
    let url = format!("http://{}", url.unwrap_or_else(|| panic!("it does not listen: {line}")));
    (Running(child), url)
}
