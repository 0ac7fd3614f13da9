//! One notification, before it is written for a receiver.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::records::moment::Moment;
use crate::store::writer_name;
use crate::text::hex::hex;
use crate::text::quote::harmless;
use crate::text::redact::{redact, without_logins};

/// The longest message, in characters.
const MAX_MESSAGE: usize = 1500;

/// The longest name of a target, host or commit, in characters.
const MAX_NAME: usize = 100;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoticeKind {
    /// A publish was refused: nothing was changed.
    PublishRefused,
    /// A publish failed, or the reload after it.
    PublishFailed,
    /// Domains stay as they were, because their data has errors; all others are published.
    DomainsFrozen,
    /// A rollback was refused.
    RollbackRefused,
    /// A rollback failed.
    RollbackFailed,
    /// After a rollback, the target is not published to.
    Held,
    /// What is live is not what was published, or not what the data says.
    Drift,
    /// What is live could not be compared with the data.
    DriftFailed,
    /// A round of `sync` failed as a whole.
    SyncFailed,
    /// `serve` does not serve a commit.
    ServeRefused,
    /// `serve` cannot follow the branch.
    ServeFailed,
    /// `serve` cannot use the files of its certificate.
    CertificateFailed,
    /// What was reported before is over.
    Recovered,
    /// Only a test.
    Test,
}

impl NoticeKind {
    /// In words, for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            NoticeKind::PublishRefused => "publish refused",
            NoticeKind::PublishFailed => "publish failed",
            NoticeKind::DomainsFrozen => "domains frozen",
            NoticeKind::RollbackRefused => "rollback refused",
            NoticeKind::RollbackFailed => "rollback failed",
            NoticeKind::Held => "held after a rollback",
            NoticeKind::Drift => "drift",
            NoticeKind::DriftFailed => "drift not known",
            NoticeKind::SyncFailed => "sync failed",
            NoticeKind::ServeRefused => "commit not served",
            NoticeKind::ServeFailed => "serve cannot follow the branch",
            NoticeKind::CertificateFailed => "certificate not read again",
            NoticeKind::Recovered => "back to normal",
            NoticeKind::Test => "test",
        }
    }
}

/// What is in trouble: of each there is one trouble at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(super) key: String,
    /// The target, if it is one's.
    pub(super) target: Option<String>,
}

impl Subject {
    /// Not of one target: the data, a command, a replica.
    pub(crate) fn of(key: &str) -> Subject {
        Subject { key: key.to_owned(), target: None }
    }

    /// A target, in one respect: `publish`, `drift`.
    pub(crate) fn of_target(respect: &str, target: &str) -> Subject {
        Subject { key: format!("{respect}/{target}"), target: Some(target.to_owned()) }
    }
}

/// A trouble as it is found.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: NoticeKind,
    /// The commit of the data.
    pub(crate) commit: Option<String>,
    /// A sentence.
    pub(crate) message: String,
    /// What makes it another trouble than the last of its kind, such as the digest of a file: without it, the
    /// commit.
    pub(crate) mark: Option<String>,
}

impl Trouble {
    pub(crate) fn new(kind: NoticeKind, commit: Option<&str>, message: impl Into<String>) -> Trouble {
        Trouble { kind, commit: commit.map(ToOwned::to_owned), message: message.into(), mark: None }
    }

    /// The same for the same state. The message is left out: it may have times in it.
    pub(super) fn state(&self) -> String {
        let mark = self.mark.as_deref().or(self.commit.as_deref()).unwrap_or_default();
        digits(&Sha256::digest(format!("{}\n{mark}", self.kind.title())))
    }
}

/// What is sent. Its texts have no secrets, no line breaks, and limited lengths.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// The same for each delivery of one notification.
    pub(super) id: String,
    pub(super) kind: NoticeKind,
    /// What is over.
    pub(super) was: Option<NoticeKind>,
    pub(super) target: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) time: Moment,
    pub(super) message: String,
    /// The command.
    pub(super) command: &'static str,
    /// The host on which it ran.
    pub(super) host: String,
}

impl Notice {
    /// A trouble.
    pub(super) fn of(trouble: &Trouble, subject: &Subject, command: &'static str, host: &str) -> Notice {
        Notice {
            id: new_id(),
            kind: trouble.kind,
            was: None,
            target: subject.target.as_deref().map(name),
            commit: trouble.commit.as_deref().map(name),
            time: Moment::now(),
            message: shown(&trouble.message),
            command,
            host: name(host),
        }
    }

    /// The first line, for people.
    pub(super) fn headline(&self) -> String {
        let mut line = format!("Shapeline: {}", self.kind.title());
        if let Some(was) = self.was {
            line += &format!(" ({} before)", was.title());
        }
        if let Some(target) = &self.target {
            line += &format!(", target {target}");
        }
        if let Some(commit) = &self.commit {
            line += &format!(", commit {}", crate::text::quote::short_id(commit));
        }
        line
    }

    /// Where it comes from, for people.
    pub(super) fn origin(&self) -> String {
        format!("{} on {}, {}", self.command, self.host, self.time)
    }
}

/// An id that no other notification has.
pub(super) fn new_id() -> String {
    let unique = format!("{}\n{}\n{:?}", writer_name(), std::process::id(), jiff::Timestamp::now());
    digits(&Sha256::digest(unique))
}

fn digits(digest: &[u8]) -> String {
    hex(digest.get(..16).unwrap_or_default())
}

fn name(text: &str) -> String {
    harmless(&redact(text), MAX_NAME)
}

/// A message as it may leave the host. Secrets first: a part of one is not recognised.
pub(super) fn shown(message: &str) -> String {
    harmless(&without_logins(&redact(message)), MAX_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_the_kind_and_the_mark_or_the_commit_and_not_the_message() {
        let one = Trouble::new(NoticeKind::Drift, Some("abc"), "after 3 s");
        assert_eq!(one.state(), Trouble { message: "after 4 s".into(), ..one.clone() }.state());
        assert_ne!(one.state(), Trouble { kind: NoticeKind::Held, ..one.clone() }.state());
        assert_ne!(one.state(), Trouble { commit: None, ..one.clone() }.state());
        let marked = Trouble { mark: Some("x".into()), ..one.clone() };
        assert_ne!(one.state(), marked.state());
        assert_eq!(marked.state(), Trouble { commit: None, ..marked.clone() }.state());
    }

    #[test]
    fn texts_are_one_line_without_logins_and_not_too_long() {
        assert_eq!(
            shown("a\nb https://alice:secret@git.ispcustomer.co.zw/x"),
            "a\\nb https://***@git.ispcustomer.co.zw/x"
        );
        assert_eq!(shown(&"x".repeat(9999)).chars().count(), MAX_MESSAGE + 1);
        let other = Subject::of_target("publish", &"t".repeat(9999));
        let notice = Notice::of(&Trouble::new(NoticeKind::Held, None, ""), &other, "sync", "host");
        assert!(notice.headline().chars().count() < 200, "{}", notice.headline());
        assert_ne!(new_id(), new_id());
    }
}
