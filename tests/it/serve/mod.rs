//! `serve`: the running program, over HTTP.

mod answers;
mod connections;
mod follow;
mod hooks;
#[cfg(feature = "telemetry")]
mod live;
mod operators;
pub mod portal;
mod replicas;
mod settings;
mod state;
mod tenancy;
pub mod tls;
mod tokens;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::Repo;
pub use crate::support::{PATIENCE, wait};

/// A running server. It is killed when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    journal: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    /// The detail of a problem, after a look at the rest of it.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!((self.status, self.header("content-type")), (status, Some("application/problem+json")), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["type"] == "about:blank" && problem["title"].is_string(), "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// The command that serves a data repository on a free port.
pub fn command(repo: &Repo, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command
        .current_dir(repo.path())
        .args(["serve", "--only", "lookup", "--listen", "127.0.0.1:0", "--name", "lookup-1"])
        .args(args)
        .env("NO_COLOR", "1")
        .env("SHAPELINE_STATE", repo.path().join(".git/state.sqlite"))
        .env_remove("SHAPELINE_WEBHOOK_SECRET");
    command
}

impl Server {
    pub fn start(repo: &Repo, args: &[&str]) -> Server {
        Server::spawn(command(repo, args))
    }

    pub fn spawn(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let journal = gather(child.stderr.take().unwrap());
        let log = gather(child.stdout.take().unwrap());
        let mut server = Server { child, port: 0, journal, log };
        server.port = wait(
            || {
                let journal = server.journal();
                let ended = server.child.try_wait().unwrap();
                assert!(ended.is_none(), "{ended:?}: {journal}");
                journal.split("://").nth(1)?.split(',').next()?.rsplit(':').next()?.parse().ok()
            },
            || "it does not listen".to_owned(),
        );
        server
    }

    pub fn journal(&self) -> String {
        self.journal.lock().unwrap().clone()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// The exit code once it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        wait(|| self.child.try_wait().unwrap(), || "it does not end".to_owned()).code()
    }

    /// Waits for its end, by a signal or not.
    pub fn ended_by_signal(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt as _;
        wait(|| self.child.try_wait().unwrap(), || "it does not end".to_owned()).signal()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[&str]) -> Answer {
        self.send("GET", path, headers, "")
    }

    pub fn send(&self, method: &str, path: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|header| header.to_lowercase().starts_with("host:")) {
            head += &format!("Host: 127.0.0.1:{}\r\n", self.port);
        }
        headers.iter().for_each(|header| head += &format!("{header}\r\n"));
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    /// Sends these bytes, and reads until the server closes.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // It may answer and close before it has read all.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answered(&answer)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

pub fn answered(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a pipe gives, as it comes.
fn gather(pipe: impl std::io::Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let into = text.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
    text
}

/// Two domains with three subscribers, committed.
pub fn data() -> Repo {
    let repo = Repo::new();
    repo.write("domains/tier2.example.yaml", "name: tier2.example\nprefixes: [10.20.0.0/28, '2001:db8::/64']\n");
    repo.write(
        "subscribers/a.yaml",
        "- {ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN, id: acme-hq, name: ACME head office}\n\
         - {ip: 10.10.10.64/29, domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN, id: 'fibre/7', status: suspended}\n\
         - {ip: [10.20.0.2, '2001:db8::2'], domain: tier2.example, plan: 50_MEG_UP_50_MEG_DOWN, labels: {ticket: '4711'}}\n",
    );
    repo.commit("first");
    repo
}
