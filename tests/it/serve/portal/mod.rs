//! The portal: over HTTP as a browser without scripts uses it, and in a real browser.

pub mod browser;
mod crashes;
mod direct;
mod drafts;
#[cfg(feature = "s3")]
mod forge;
mod history;
mod live;
mod people;
mod remote;
mod safety;
mod sign_in;
mod tenancy;
mod upload;
mod vouched;

use std::cell::RefCell;
use std::process::Command;

use super::{Answer, Server, data, wait};
use crate::servers::postgres::Postgres;
use crate::support::Repo;

pub const PASSWORD: &str = "correct horse battery";

/// The command that serves the portal and the API on a free port.
pub fn command(repo: &Repo, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command
        .current_dir(repo.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(["--interval", "1s"].iter().filter(|_| !args.contains(&"--interval")))
        .args(args)
        .env("NO_COLOR", "1")
        .env("SHAPELINE_STATE", state(repo))
        .env_remove("SHAPELINE_WEBHOOK_SECRET");
    command
}

pub fn state(repo: &Repo) -> String {
    repo.path().join(".git/state.sqlite").to_str().unwrap().to_owned()
}

/// Runs a test with each kind of state.
pub fn with_each(test: impl Fn(&Repo, &str)) {
    let repo = data();
    test(&repo, &state(&repo));
    test(&data(), &Postgres::start().url());
}

/// A portal with an account `noc`, an operator, and `desk`, who edits `tier2.example`.
pub fn portal(repo: &Repo) -> Server {
    portal_at(repo, &state(repo))
}

/// The same with its state elsewhere.
pub fn portal_at(repo: &Repo, state: &str) -> Server {
    add_user(repo, state, &["noc", "--role", "operator"]);
    add_user(repo, state, &["desk", "--domain", "tier2.example"]);
    Server::spawn(command(repo, &["--state", state]))
}

pub fn add_user(repo: &Repo, state: &str, args: &[&str]) {
    let rest = ["--full-name", "Front Desk", "--email", "desk@tier2.example", "--state", state];
    let args: Vec<&str> = ["user", "add"].iter().chain(args).chain(&rest).copied().collect();
    let run = repo.run_with_input(&args, &format!("{PASSWORD}\n"));
    assert_eq!(run.code, 0, "{run:?}");
}

/// A browser: it keeps the cookie, and sends the token of the forms.
pub struct Browser<'s> {
    pub server: &'s Server,
    pub cookie: RefCell<String>,
}

impl<'s> Browser<'s> {
    pub fn new(server: &'s Server) -> Browser<'s> {
        Browser { server, cookie: RefCell::default() }
    }

    /// One that is signed in.
    pub fn signed_in(server: &'s Server, name: &str) -> Browser<'s> {
        let browser = Browser::new(server);
        let answer = browser.sign_in(name, PASSWORD);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
        browser
    }

    pub fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post_from("/sign-in", "/sign-in", &[("name", name), ("password", password)])
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    /// The page, which must be there.
    pub fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// Sends a form of the page at `from`.
    pub fn post_from(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = token(&self.get(from).body);
        self.post_with(path, &token, fields)
    }

    /// Sends a form as any page of a person who is signed in has it.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from("/requests", path, fields)
    }

    pub fn post_with(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: String = fields.iter().map(|(name, value)| format!("&{name}={}", encoded(value))).collect();
        self.send("POST", path, &format!("token={token}{fields}"))
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let cookie = format!("Cookie: {}", self.cookie.borrow());
        let form = "Content-Type: application/x-www-form-urlencoded";
        let mut answer = self.server.send(method, path, &[&cookie, form], body);
        answer.body = answer.body.replace("&#x2f;", "/");
        if let Some(set) = answer.header("set-cookie") {
            assert!(set.contains("; HttpOnly; SameSite=Lax"), "{set}");
            *self.cookie.borrow_mut() = set.split(';').next().unwrap().to_owned();
        }
        answer
    }

    /// Adds a subscriber to the draft.
    pub fn add(&self, ip: &str, domain: &str, plan: &str) {
        let fields = [("ip", ip), ("domain", domain), ("plan", plan), ("action", "add")];
        let answer = self.post("/save", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/draft")), "{answer:?}");
    }

    /// Submits the draft. Returns the path of the request.
    pub fn submit(&self, note: &str) -> String {
        let version = hidden(&self.page("/draft"), "version");
        let answer = self.post("/draft/submit", &[("version", &version), ("message", note)]);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").unwrap().to_owned()
    }
}

pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The token in the forms of a page.
pub fn token(page: &str) -> String {
    hidden(page, "token")
}

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let value = page.split(&start).nth(1).unwrap_or_else(|| panic!("no {name}: {page}"));
    value.split('"').next().unwrap().to_owned()
}

/// The link that makes the first account.
pub fn link(server: &Server) -> String {
    wait(
        || {
            let journal = server.journal();
            let link = journal.split("/setup?key=").nth(1)?.split(' ').next()?;
            Some(format!("/setup?key={link}"))
        },
        || server.journal(),
    )
}
