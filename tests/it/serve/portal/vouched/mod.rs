//! Signing in with OpenID Connect and with GitHub, at providers of tests/tools/oidc.

mod accounts;
mod certified;
mod crashes;
mod forged;
mod github;
mod start;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Browser, command};
use crate::serve::{Answer, Server, answered};
use crate::support::{PATIENCE, Repo, left_out};

/// The portal as the providers know it; requests go to the port that it listens on.
const SITE: &str = "http://127.0.0.1:9";

/// A provider. It is ended when dropped.
struct TestProvider {
    node: Child,
    port: u16,
    kind: &'static str,
}

impl TestProvider {
    /// `None` without node or npm; on a build server that fails.
    fn start(kind: &'static str) -> Option<TestProvider> {
        TestProvider::start_at(kind, 0, SITE)
    }

    /// One that sends people back to this site.
    fn start_at(kind: &'static str, port: u16, site: &str) -> Option<TestProvider> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fetched = Command::new("sh").arg(root.join("scripts/fetch-npm")).arg("oidc").status();
        if !fetched.is_ok_and(|status| status.success()) {
            left_out("oidc-provider is not there: run scripts/install-test-tools");
            return None;
        }
        let path = if kind == "github" { "github" } else { "openid" };
        let mut node = Command::new("node");
        node.arg(root.join("tests/tools/oidc/providers.mjs")).arg(kind).arg(format!("{site}/sign-in/{path}"));
        node.arg(root.join("target/oidc")).env("PORT", port.to_string());
        let mut node = node.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(TestProvider { port: line.trim().parse().unwrap(), node, kind: path })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The server settings for it, with these keys more.
    fn settings(&self, more: &str) -> String {
        let url = self.url();
        let (roles, client) = match self.kind {
            "github" => (
                "{team: ispcustomer/noc, role: operator}, {organization: ispcustomer, role: editor, domains: \
                 [tier2.example]}, {login: octo, role: viewer, all_domains: true}",
                format!("url: '{url}', client_id: app"),
            ),
            _ => (
                "{claim: groups, value: noc, role: operator}, {claim: groups, value: desk-a, role: editor, domains: \
                 [tier2.example]}, {claim: email, value: desk@tier2.example, role: operator}",
                format!("issuer: '{url}', client_id: portal, scopes: [profile, email, groups]"),
            ),
        };
        let kind = self.kind;
        format!("url: {SITE}\nsign_in:\n  {kind}: {{{client}, label: Staff, roles: [{roles}]}}\n{more}")
    }
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// The command of a portal with these settings.
fn portal_command(repo: &Repo, state: &str, settings: &str) -> Command {
    let path = repo.write(".git/server.yaml", settings);
    let mut command = command(repo, &["--state", state, "--settings", path.to_str().unwrap()]);
    command.env("SHAPELINE_OPENID_SECRET", "a secret: of & the + portal");
    command.env("SHAPELINE_GITHUB_SECRET", "the secret of the app");
    command
}

fn serve(repo: &Repo, state: &str, settings: &str) -> Server {
    Server::spawn(portal_command(repo, state, settings))
}

/// Presses the button. Returns the address at the provider.
fn begin(browser: &Browser<'_>, kind: &str, next: &str) -> String {
    let answer = browser.post_from("/sign-in", &format!("/sign-in/{kind}"), &[("next", next)]);
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

/// The value of a parameter in an address.
fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
    found.map_or_else(|| panic!("no {name}: {url}"), |(_, value)| value.into_owned())
}

/// Comes back with this code, as if the provider had sent it.
fn come_back(browser: &Browser<'_>, kind: &str, code: impl Fn(&str) -> String) -> Answer {
    let url = begin(browser, kind, "/subscribers?q=a");
    let (state, code) = (parameter(&url, "state"), code(&url));
    browser.get(&format!("/sign-in/{kind}?code={code}&state={state}"))
}

/// Who is signed in, as the page of their account says.
fn account(browser: &Browser<'_>) -> String {
    browser.page("/account")
}

/// A browser at a provider.
struct Visitor {
    port: u16,
    cookies: Vec<(String, String)>,
}

impl Visitor {
    fn new(provider: &TestProvider) -> Visitor {
        Visitor { port: provider.port, cookies: Vec::new() }
    }

    fn send(&mut self, method: &str, url: &str, body: &str) -> Answer {
        let path = url.strip_prefix(&format!("http://127.0.0.1:{}", self.port)).unwrap_or(url);
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            cookies.join("; "),
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = answered(&bytes);
        for line in answer.head.lines().filter(|line| line.to_lowercase().starts_with("set-cookie:")) {
            let pair = line.split_once(':').unwrap().1.split(';').next().unwrap().trim();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// Goes through the provider's forms as `login`. Returns the path at the portal that it leads back to.
    fn sign_in(&mut self, url: &str, login: &str) -> String {
        let mut answer = self.send("GET", url, "");
        for _ in 0..20 {
            if let Some(to) = answer.header("location").map(ToOwned::to_owned) {
                if let Some(back) = to.strip_prefix(SITE) {
                    return back.to_owned();
                }
                answer = self.send("GET", &to, "");
                continue;
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            let action = answer.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            let fields = match answer.body.contains("value=\"login\"") {
                true => format!("prompt=login&login={login}&password=x"),
                false => "prompt=consent".to_owned(),
            };
            answer = self.send("POST", &action, &fields);
        }
        panic!("{answer:?}")
    }
}
