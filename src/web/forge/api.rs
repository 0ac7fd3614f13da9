//! What is sent for each kind of forge, and what its answers say.
//!
//! GitHub: <https://docs.github.com/en/rest/pulls/pulls>; Gitea and Forgejo: `/api/swagger` of each server; GitLab:
//! <https://docs.gitlab.com/api/merge_requests/>.

use serde_json::{Value, json};

use super::pull::{Pull, PullState};
use super::text::PullText;
use crate::web::settings::forge::{ForgeKind, ForgeSettings};

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) method: &'static str,
    /// The parts of the path behind the base of the API, not encoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

/// One repository, and the branch into which requests go.
pub(super) struct Api {
    kind: ForgeKind,
    repository: String,
    base: String,
}

impl Api {
    pub(super) fn new(settings: &ForgeSettings, base: &str) -> Api {
        Api { kind: settings.kind, repository: settings.repository.clone(), base: base.to_owned() }
    }

    pub(super) fn kind(&self) -> ForgeKind {
        self.kind
    }

    fn call(&self, method: &'static str, parts: &[&str], body: Option<Value>) -> Call {
        let mut path: Vec<String> = match self.kind {
            // The path of a project is one part.
            ForgeKind::GitLab => vec!["projects".to_owned(), self.repository.clone()],
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Forgejo => {
                let parts = self.repository.split('/').map(ToOwned::to_owned);
                std::iter::once("repos".to_owned()).chain(parts).collect()
            }
        };
        path.extend(parts.iter().map(|part| (*part).to_owned()));
        Call { method, path, query: Vec::new(), body }
    }

    fn pulls(&self) -> &'static str {
        if self.kind == ForgeKind::GitLab { "merge_requests" } else { "pulls" }
    }

    /// Asks for the repository: whether the token sees it.
    pub(super) fn repository_itself(&self) -> Call {
        self.call("GET", &[], None)
    }

    /// Whether a branch without a pull request is answered like a repository that the token does not see.
    pub(super) fn absent_is_404(&self) -> bool {
        matches!(self.kind, ForgeKind::Gitea | ForgeKind::Forgejo)
    }

    /// Asks for the pull requests of a branch of the repository, whatever became of them.
    pub(super) fn find(&self, branch: &str) -> Call {
        let all = ("state", "all".to_owned());
        match self.kind {
            ForgeKind::GitHub => {
                let owner = self.repository.split('/').next().unwrap_or_default();
                Call { query: vec![("head", format!("{owner}:{branch}")), all], ..self.call("GET", &["pulls"], None) }
            }
            ForgeKind::Gitea | ForgeKind::Forgejo => self.call("GET", &["pulls", &self.base, branch], None),
            ForgeKind::GitLab => {
                let query = vec![("source_branch", branch.to_owned()), all, ("scope", "all".to_owned())];
                Call { query, ..self.call("GET", &["merge_requests"], None) }
            }
        }
    }

    pub(super) fn open(&self, branch: &str, text: &PullText) -> Call {
        let PullText { title, body } = text;
        let content = match self.kind {
            ForgeKind::GitLab => {
                json!({"source_branch": branch, "target_branch": self.base, "title": title, "description": body})
            }
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Forgejo => {
                json!({"head": branch, "base": self.base, "title": title, "body": body})
            }
        };
        self.call("POST", &[self.pulls()], Some(content))
    }

    pub(super) fn look(&self, number: u64) -> Call {
        self.call("GET", &[self.pulls(), &number.to_string()], None)
    }

    pub(super) fn close(&self, number: u64) -> Call {
        let (method, content) = match self.kind {
            ForgeKind::GitLab => ("PUT", json!({"state_event": "close"})),
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Forgejo => ("PATCH", json!({"state": "closed"})),
        };
        self.call(method, &[self.pulls(), &number.to_string()], Some(content))
    }

    /// The pull request that an answer to [`Api::find`] has: an open one before a merged one before a closed one. One
    /// from a fork is none of ours, even from a branch of the same name.
    pub(super) fn found(&self, answer: &Value, branch: &str) -> Option<Pull> {
        let one = std::slice::from_ref(answer);
        let all = answer.as_array().map_or(one, Vec::as_slice);
        let own = all.iter().filter(|pull| self.is_of(pull, branch));
        own.filter_map(|pull| self.pull(pull)).min_by_key(|pull| {
            let rank = match pull.state {
                PullState::Open => 0,
                PullState::Merged => 1,
                PullState::Rejected => 2,
            };
            (rank, std::cmp::Reverse(pull.number))
        })
    }

    /// Whether a pull request is of this branch of the repository itself.
    fn is_of(&self, pull: &Value, branch: &str) -> bool {
        let text = |path: &str| pull.pointer(path).and_then(Value::as_str);
        let number = |path: &str| pull.pointer(path).and_then(Value::as_u64);
        let same = |one: Option<u64>, other: Option<u64>| one.is_some() && one == other;
        match self.kind {
            ForgeKind::GitLab => {
                text("/source_branch") == Some(branch)
                    && same(number("/source_project_id"), number("/target_project_id"))
            }
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Forgejo => {
                // Gitea says `refs/pull/N/head` for a branch that is gone; it was asked for this branch alone.
                let named = text("/head/ref") == Some(branch) || self.kind != ForgeKind::GitHub;
                named && (same(number("/head/repo/id"), number("/base/repo/id")) || self.kind != ForgeKind::GitHub)
            }
        }
    }

    /// A pull request from an answer.
    pub(super) fn pull(&self, answer: &Value) -> Option<Pull> {
        let text = |path: &str| answer.pointer(path).and_then(Value::as_str);
        let lab = self.kind == ForgeKind::GitLab;
        let number = answer.get(if lab { "iid" } else { "number" })?.as_u64()?;
        let merged = text("/merged_at").is_some() || answer.get("merged").and_then(Value::as_bool) == Some(true);
        let state = match text("/state")? {
            "merged" => PullState::Merged,
            _ if merged => PullState::Merged,
            "open" | "opened" | "locked" => PullState::Open,
            "closed" => PullState::Rejected,
            _ => return None,
        };
        let base = text(if lab { "/target_branch" } else { "/base/ref" })?;
        let merged_as = text("/merge_commit_sha").or_else(|| text("/squash_commit_sha"));
        let is_id = |id: &&str| matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ended = text("/merged_at").or_else(|| text("/closed_at"));
        Some(Pull {
            number,
            link: text(if lab { "/web_url" } else { "/html_url" }).map(ToOwned::to_owned),
            state,
            into_base: base == self.base,
            opened: text("/created_at").and_then(seconds),
            ended: ended.and_then(seconds).filter(|_| state != PullState::Open),
            // GitHub has one for open requests, too: of a trial.
            merged_as: merged_as.filter(is_id).filter(|_| state == PullState::Merged).map(ToOwned::to_owned),
        })
    }
}

/// The time of a forge in seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn api(kind: ForgeKind, repository: &str) -> Api {
        Api::new(&ForgeSettings { kind, repository: repository.to_owned(), url: String::new() }, "main")
    }

    #[test]
    fn a_request_from_a_fork_is_none_of_ours() {
        let hub = api(ForgeKind::GitHub, "isp/data");
        let pull = |number: u64, from: u64, state: &str| {
            json!({"number": number, "state": state, "html_url": "https://github.com/isp/data/pull/1", "merged_at": null,
                   "head": {"ref": "portal/a", "repo": {"id": from}}, "base": {"ref": "main", "repo": {"id": 1}}})
        };
        let found = |all: Value| hub.found(&all, "portal/a").map(|pull| pull.number);
        assert_eq!(found(json!([pull(7, 2, "open"), pull(3, 1, "closed")])), Some(3));
        assert_eq!(found(json!([pull(3, 1, "closed"), pull(5, 1, "open"), pull(6, 1, "closed")])), Some(5));
        assert_eq!(found(json!([])), None);
        let mut gone = pull(7, 2, "open");
        gone["head"]["repo"] = Value::Null;
        assert_eq!(found(json!([gone])), None, "the fork was deleted");
        let lab = api(ForgeKind::GitLab, "isp/noc/data");
        let request = |from: u64| {
            json!([{"iid": 4, "state": "opened", "source_branch": "portal/a", "target_branch": "main",
                    "source_project_id": from, "target_project_id": 1}])
        };
        assert!(lab.found(&request(2), "portal/a").is_none() && lab.found(&request(1), "portal/a").is_some());
    }

    #[test]
    fn states_are_read() {
        let lab = api(ForgeKind::GitLab, "isp/data");
        let id = "a".repeat(40);
        let mut one = json!({"iid": 4, "state": "merged", "target_branch": "other", "merge_commit_sha": null,
                             "squash_commit_sha": id, "merged_at": "2026-11-22T10:00:00.520+02:00"});
        let pull = lab.pull(&one).unwrap();
        assert_eq!((pull.state, pull.into_base, pull.merged_as), (PullState::Merged, false, Some(id)));
        assert_eq!(pull.ended, Some(1_795_334_400));
        one["squash_commit_sha"] = json!("<b>");
        assert_eq!(lab.pull(&one).unwrap().merged_as, None);
        for (state, wanted) in
            [("opened", PullState::Open), ("locked", PullState::Open), ("closed", PullState::Rejected)]
        {
            let one = json!({"iid": 4, "state": state, "target_branch": "main"});
            assert_eq!(lab.pull(&one).unwrap().state, wanted);
        }
        for odd in
            [json!({}), json!([]), json!("x"), json!({"iid": -1, "state": "merged"}), json!({"iid": 1, "state": 2})]
        {
            assert_eq!(lab.pull(&odd), None, "{odd}");
        }
        let tea = api(ForgeKind::Gitea, "isp/data");
        let one = json!({"number": 2, "state": "closed", "merged": true, "base": {"ref": "main"}});
        assert_eq!(tea.pull(&one).unwrap().state, PullState::Merged);
    }
}
