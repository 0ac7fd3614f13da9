//! The live dashboard: its protocol against the running program, the page in a browser, the demonstration.

mod browser;
mod crowd;
mod demo;
mod protocol;

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{HandshakeError, Message, WebSocket};

use super::portal::{Browser, add_user, command, state};
use super::{PATIENCE, Server, data, wait};
use crate::support::Repo;

/// Data, and a place for the samples of a pretend network.
struct Live {
    repo: Repo,
    folder: tempfile::TempDir,
}

/// A collector that is killed when dropped.
struct Collector(Child);

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Live {
    /// Accounts `noc`, an operator, and `desk`, who sees `tier2.example`.
    fn new() -> Live {
        Live::of(data())
    }

    fn of(repo: Repo) -> Live {
        let live = Live { folder: tempfile::tempdir().unwrap(), repo };
        std::fs::write(live.settings(), "telemetry:\n  sources: [{name: pretend, kind: simulate, interval: 1s}]\n")
            .unwrap();
        add_user(&live.repo, &state(&live.repo), &["noc", "--role", "operator"]);
        add_user(&live.repo, &state(&live.repo), &["desk", "--domain", "tier2.example"]);
        live
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("server.yaml")
    }

    fn samples(&self) -> String {
        self.folder.path().join("samples.sqlite").display().to_string()
    }

    /// Whether the store has a sample of all subscribers together.
    fn has_totals(&self) -> bool {
        use sqlx::Connection as _;
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sql = "SELECT 1 FROM samples JOIN series ON id = series WHERE form = 'total' LIMIT 1";
        runtime.block_on(async {
            // A collector may be about to make the file and its tables.
            let store = sqlx::AnyConnection::connect(&format!("sqlite://{}", self.samples())).await;
            let Ok(mut store) = store else { return false };
            sqlx::query(sql).fetch_optional(&mut store).await.is_ok_and(|row| row.is_some())
        })
    }

    fn serve(&self, args: &[&str]) -> Server {
        let mut command = command(&self.repo, args);
        Server::spawn(with(&mut command, self))
    }

    fn collect(&self) -> Collector {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        command.current_dir(self.repo.path()).arg("collect").stdout(Stdio::null()).stderr(Stdio::null());
        Collector(with(&mut command, self).spawn().unwrap())
    }
}

/// The command with the settings and the place of the samples.
fn with(command: &mut Command, live: &Live) -> Command {
    let mut whole = std::mem::replace(command, Command::new("true"));
    whole.arg("--settings").arg(live.settings()).env("SHAPELINE_SAMPLES", live.samples());
    whole
}

/// A client of the protocol.
struct Client(WebSocket<TcpStream>);

impl Client {
    /// Connects with these headers; else the status of the refusal.
    fn connect(server: &Server, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        let mut request = format!("ws://127.0.0.1:{}/live/socket", server.port).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tungstenite::client(request, server.connect()) {
            Ok((socket, _)) => Ok(Client(socket)),
            Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}: {}", server.journal()),
        }
    }

    fn of(browser: &Browser<'_>) -> Client {
        Client::connect(browser.server, &[("cookie", &browser.cookie.borrow())]).unwrap()
    }

    /// The next frame; the code if the connection is closed.
    fn next(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(close)) => return Err(close.map_or(0, |close| close.code.into())),
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The first frame for which `fits`.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let began = std::time::Instant::now();
        loop {
            let frame = self.next().unwrap();
            assert_eq!(frame["version"], 1);
            if fits(&frame) {
                return frame;
            }
            assert!(began.elapsed() < PATIENCE, "{frame}");
        }
    }

    /// Asks for a view; the snapshot of it that fits.
    fn watch(&mut self, view: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.send(view);
        self.until(|frame| frame["type"] == "snapshot" && fits(frame))
    }

    fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// Waits until the server closes, or cuts the connection.
    fn gone(&mut self) {
        let began = std::time::Instant::now();
        while !matches!(self.0.read(), Ok(Message::Close(_)) | Err(_)) {
            assert!(began.elapsed() < PATIENCE, "it stays open");
        }
    }

    /// The code with which the server closes.
    fn closed(&mut self) -> u16 {
        let began = std::time::Instant::now();
        loop {
            match self.next() {
                Err(code) => return code,
                Ok(frame) => assert!(began.elapsed() < PATIENCE, "it stays open: {frame}"),
            }
        }
    }
}

/// The values of a column of the rows.
fn column(frame: &Value, at: usize) -> Vec<&str> {
    frame["rows"].as_array().unwrap().iter().filter_map(|row| row[at].as_str()).collect()
}

fn is_seen(frame: &Value) -> bool {
    frame["store"]["fresh"] == true && frame["totals"]["seen"].as_u64() > Some(0)
}
