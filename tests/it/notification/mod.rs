//! Notifications, from the real commands to a real server on this host.
#![cfg(all(unix, feature = "s3", feature = "serve"))]

mod chats;
mod commands;
mod delivery;
mod serve;
mod sync;

use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::servers::answers::{Answer, Request, plain, serve};
use crate::support::Run;

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What is secret in the receiver's URL.
pub const TOKEN: &str = "T0PSECRETT0KEN";

/// A receiver, and what it got.
pub struct Receiver {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub fn start() -> Receiver {
        Receiver::answering(|_, _| plain(200, "ok"))
    }

    /// Answers by the number of the request, from 0, and the request.
    pub fn answering(answer: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Receiver {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let got = requests.clone();
        let url = serve(move |request| {
            let number = {
                let mut got = got.lock().unwrap();
                got.push(request.clone());
                got.len() - 1
            };
            answer(number, request)
        });
        Receiver { url: format!("{url}/hooks/{TOKEN}"), requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies, after a look at what every request must have.
    pub fn bodies(&self) -> Vec<Value> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
        let body = |request: &Request| {
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", &*format!("/hooks/{TOKEN}")));
            assert_eq!(request.header("content-type"), Some("application/json"));
            let sent = request.header("x-shapeline-signature-256").unwrap().strip_prefix("sha256=").unwrap();
            let digits: Vec<u8> =
                (0..sent.len()).step_by(2).map(|at| u8::from_str_radix(&sent[at..at + 2], 16).unwrap()).collect();
            ring::hmac::verify(&key, &request.body, &digits).unwrap();
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["version"], 1);
            assert_eq!(request.header("x-shapeline-delivery"), body["id"].as_str());
            assert!(body["time"].as_str().unwrap().ends_with('Z') && body["host"].is_string(), "{body}");
            body
        };
        self.requests().iter().map(body).collect()
    }

    /// Kind and target of each notification.
    pub fn kinds(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        self.bodies().iter().map(|body| format!("{} {}", text(&body["kind"]), text(&body["target"]))).collect()
    }

    /// The environment of a command that notifies this receiver.
    pub fn environment(&self, command: &mut Command) {
        command.env("SHAPELINE_NOTIFY_URL", &self.url).env("SHAPELINE_NOTIFY_SECRET", SECRET);
    }
}

/// Runs a command in a folder, and looks for secrets in what it prints.
pub fn run_in(folder: &std::path::Path, args: &[&str], prepare: impl FnOnce(&mut Command)) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command.current_dir(folder).args(args).env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS");
    prepare(&mut command);
    let run = crate::sync::run(command);
    no_secrets(&run);
    run
}

pub fn no_secrets(run: &Run) {
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert!(!printed.contains(TOKEN) && !printed.contains(SECRET), "{printed}");
}
