//! A forge on this host that behaves as the documents of each kind say.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::document::{Document, decoded};
use crate::servers::answers::{Answer, Request, serve};

pub const TOKEN: &str = "glpat-0123456789-s3cr3t";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    GitHub,
    Gitea,
    Forgejo,
    GitLab,
}

impl Kind {
    pub const ALL: [(Kind, &str, &str, &str); 4] = [
        (Kind::GitHub, "github", "isp/subscribers", ""),
        (Kind::Gitea, "gitea", "isp/subscribers", "/api/v1"),
        (Kind::Forgejo, "forgejo", "isp/subscribers", "/api/v1"),
        (Kind::GitLab, "gitlab", "isp/noc/subscribers", "/api/v4"),
    ];

    fn row(self) -> (&'static str, &'static str, &'static str) {
        Kind::ALL
            .iter()
            .find(|row| row.0 == self)
            .map(|(_, name, repository, base)| (*name, *repository, *base))
            .unwrap()
    }
}

/// A pull request.
#[derive(Clone, Debug)]
pub struct Pull {
    pub branch: String,
    pub base: String,
    pub title: String,
    pub body: String,
    /// `open`, `closed` or `merged`.
    pub state: &'static str,
}

/// What the forge does with a request instead of answering as usual.
pub type Mood = Box<dyn Fn(&Request) -> Option<Answer> + Send>;

#[derive(Default)]
struct Inside {
    pulls: Vec<Pull>,
    log: Vec<String>,
    mistakes: Vec<String>,
    mood: Option<Mood>,
    /// What becomes of each new pull request at once.
    fate: Option<&'static str>,
    /// Takes a new pull request, and does not answer.
    mute: bool,
    /// The start of the addresses of its pages.
    site: String,
}

/// The forge.
#[derive(Clone)]
pub struct Forge {
    pub kind: Kind,
    pub url: String,
    inside: Arc<Mutex<Inside>>,
}

impl Forge {
    /// `None` if the document of this kind cannot be fetched.
    pub fn start(kind: Kind) -> Option<Forge> {
        let document = Document::of(kind)?;
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let mut forge = Forge { kind, url: String::new(), inside };
        let double = forge.clone();
        forge.url = serve(move |request| double.answer(&document, request)) + kind.row().2;
        forge.pages_at(&forge.url);
        Some(forge)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The section of the settings.
    pub fn settings(&self) -> String {
        let (name, repository, _) = self.kind.row();
        format!("forge: {{kind: {name}, repository: {repository}, url: '{}'}}\n", self.url)
    }

    pub fn pulls(&self) -> Vec<Pull> {
        let inside = self.inside();
        assert_eq!(inside.mistakes, [""; 0], "requests and answers as documented: {:#?}", inside.log);
        inside.pulls.clone()
    }

    /// Each request: method and path.
    pub fn log(&self) -> Vec<String> {
        self.inside().log.clone()
    }

    pub fn mood(&self, mood: Option<Mood>) {
        self.inside().mood = mood;
    }

    pub fn mute(&self, mute: bool) {
        self.inside().mute = mute;
    }

    pub fn fate(&self, fate: &'static str) {
        self.inside().fate = Some(fate);
    }

    /// Has all pages at this address.
    pub fn pages_at(&self, url: &str) {
        url.clone_into(&mut self.inside().site);
    }

    pub fn set(&self, number: usize, state: &'static str) {
        self.inside().pulls[number - 1].state = state;
    }

    /// Has the pull request go into another branch.
    pub fn retarget(&self, number: usize) {
        self.inside().pulls[number - 1].base = "other".to_owned();
    }

    fn answer(&self, document: &Document, request: &Request) -> Answer {
        let (_, repository, base) = self.kind.row();
        let target = request.path.strip_prefix(base).unwrap_or_else(|| panic!("{}", request.path));
        self.inside().log.push(format!("{} {target}", request.method));
        if let Some(answer) = self.inside().mood.as_ref().and_then(|mood| mood(request)) {
            return answer;
        }
        let sent = match self.kind {
            Kind::GitHub => request.header("authorization") == Some(&format!("Bearer {TOKEN}")),
            Kind::Gitea | Kind::Forgejo => request.header("authorization") == Some(&format!("token {TOKEN}")),
            Kind::GitLab => request.header("private-token") == Some(TOKEN),
        };
        if !sent || request.header("user-agent").is_none() {
            return said(401, &json!({"message": "Bad credentials"}));
        }
        let mistakes = document.mistakes(&request.method, target, &request.body);
        let mistakes = mistakes.into_iter().map(|one| format!("{} {target}: {one}", request.method));
        self.inside().mistakes.extend(mistakes);
        let path = target.split('?').next().unwrap();
        let own = match self.kind {
            Kind::GitLab => format!("/projects/{}", repository.replace('/', "%2F")),
            _ => format!("/repos/{repository}"),
        };
        let Some(rest) = path.strip_prefix(&own) else { return said(404, &json!({"message": "Not Found"})) };
        let parts: Vec<String> = rest.split('/').skip(2).map(decoded).collect();
        let (status, answer) = match (request.method.as_str(), rest, parts.as_slice()) {
            (_, "", _) => return said(200, &json!({"id": 1})),
            ("GET", _, []) => (200, Some(self.list(target))),
            ("GET", _, [base, head]) => {
                let found = self.inside().pulls.iter().rposition(|pull| pull.base == *base && pull.branch == *head);
                (200, found.map(|at| self.shown(at)))
            }
            ("POST", _, []) => match self.create(&serde_json::from_slice(&request.body).unwrap()) {
                Some(at) if self.inside().mute => {
                    assert!(at < 1000);
                    return None;
                }
                Some(at) => (201, Some(self.shown(at))),
                None => {
                    let status = if self.kind == Kind::GitHub { 422 } else { 409 };
                    return said(status, &json!({"message": "Validation Failed: it exists already"}));
                }
            },
            ("GET", _, [number]) => (200, self.at(number).map(|at| self.shown(at))),
            ("PATCH" | "PUT", _, [number]) => {
                let at = self.at(number).unwrap();
                let wanted =
                    if self.kind == Kind::GitLab { r#"{"state_event":"close"}"# } else { r#"{"state":"closed"}"# };
                assert_eq!(String::from_utf8_lossy(&request.body), wanted);
                self.inside().pulls[at].state = "closed";
                let status = if matches!(self.kind, Kind::Gitea | Kind::Forgejo) { 201 } else { 200 };
                (status, Some(self.shown(at)))
            }
            other => panic!("{other:?}"),
        };
        let Some(answer) = answer else { return said(404, &json!({"message": "Not Found"})) };
        let invented = document.invented(&request.method, target, status, &answer);
        self.inside().mistakes.extend(invented.into_iter().map(|field| format!("the tests' forge invents {field}")));
        said(status, &answer)
    }

    fn at(&self, number: &str) -> Option<usize> {
        let number: usize = number.parse().unwrap();
        (number <= self.inside().pulls.len()).then(|| number - 1)
    }

    fn list(&self, target: &str) -> Value {
        let query = |name: &str| {
            let pairs = target.split('?').nth(1).unwrap().split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| decoded(value)).next()
        };
        let branch = query("source_branch").or_else(|| query("head")?.strip_prefix("isp:").map(ToOwned::to_owned));
        assert_eq!(query("state").as_deref(), Some("all"));
        let count = self.inside().pulls.len();
        let of = |at: &usize| Some(&self.inside().pulls[*at].branch) == branch.as_ref();
        (0..count).filter(of).map(|at| self.shown(at)).collect()
    }

    /// Its place, or nothing if there is an open one of this branch.
    fn create(&self, body: &Value) -> Option<usize> {
        let text = |github: &str, gitlab: &str| {
            let key = if self.kind == Kind::GitLab { gitlab } else { github };
            body[key].as_str().unwrap().to_owned()
        };
        let mut inside = self.inside();
        let state = inside.fate.unwrap_or("open");
        let (branch, base) = (text("head", "source_branch"), text("base", "target_branch"));
        let (title, body) = (text("title", "title"), text("body", "description"));
        if inside.pulls.iter().any(|pull| pull.branch == branch && pull.state == "open") {
            return None;
        }
        inside.pulls.push(Pull { branch, base, title, body, state });
        Some(inside.pulls.len() - 1)
    }

    /// A pull request as this kind of forge shows it.
    fn shown(&self, at: usize) -> Value {
        let inside = self.inside();
        let (pull, number) = (&inside.pulls[at], at + 1);
        let site = &inside.site;
        let merged = (pull.state == "merged").then_some("2026-11-22T10:00:00Z");
        let closed = (pull.state != "open").then_some("2026-11-22T10:00:00Z");
        let commit = merged.map(|_| "c0ffee".repeat(6) + "c0ff");
        let state = |open: &'static str| if pull.state == "open" { open } else { pull.state };
        let plain = if pull.state == "open" { "open" } else { "closed" };
        let (branch, base, made) = (&pull.branch, &pull.base, "2026-11-22T09:00:00Z");
        match self.kind {
            Kind::GitLab => json!({
                "iid": number, "id": 1000 + number, "state": state("opened"), "source_branch": branch, "target_branch": base,
                "source_project_id": 1, "target_project_id": 1, "web_url": format!("{site}/-/merge_requests/{number}"),
                "created_at": made, "merged_at": merged, "closed_at": closed, "squash_commit_sha": commit,
                "merge_commit_sha": null,
            }),
            kind => {
                let mut shown = json!({
                    "number": number, "id": 1000 + number, "state": plain, "html_url": format!("{site}/pull/{number}"),
                    "head": {"ref": branch, "repo": {"id": 1}}, "base": {"ref": base, "repo": {"id": 1}},
                    "created_at": made, "merged_at": merged, "closed_at": closed, "merge_commit_sha": commit,
                });
                if kind != Kind::GitHub {
                    shown["merged"] = json!(merged.is_some());
                }
                shown
            }
        }
    }
}

fn said(status: u16, answer: &Value) -> Answer {
    Some((status, vec![("Content-Type".to_owned(), "application/json".to_owned())], answer.to_string()))
}
