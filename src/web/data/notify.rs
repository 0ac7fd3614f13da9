//! What following the branch comes to, for the notifications.

use std::sync::Arc;

use git2::Oid;

use crate::notification::notice::{NoticeKind, Subject, Trouble};
use crate::notification::notifier::Notifier;

/// Notifies for one replica.
pub(crate) struct FollowNotifier {
    notifier: Arc<Notifier>,
    /// Of this replica alone: others may reach the branch.
    branch: Subject,
}

impl FollowNotifier {
    /// For the replica of this name.
    pub(crate) fn new(notifier: Arc<Notifier>, replica: &str) -> FollowNotifier {
        FollowNotifier { notifier, branch: Subject::of(&format!("serve/{replica}")) }
    }

    /// A commit is not served. Replicas that share a clone say it once.
    pub(super) fn refused(&self, commit: Oid, why: &str) {
        let trouble = Trouble::new(NoticeKind::ServeRefused, Some(&commit.to_string()), why);
        self.notifier.trouble(&Subject::of("serve"), &trouble);
    }

    /// The tip of the branch is served.
    pub(super) fn served(&self) {
        self.notifier.fine(&Subject::of("serve"), "the tip of the branch is served");
    }

    /// The branch cannot be followed.
    pub(super) fn blind(&self, why: &str) {
        self.notifier.trouble(&self.branch, &Trouble::new(NoticeKind::ServeFailed, None, why));
    }

    /// The branch is followed.
    pub(super) fn sees(&self) {
        self.notifier.fine(&self.branch, "the branch is followed again");
    }

    /// Waits for what is under way.
    pub(super) fn end(self) {
        self.notifier.end();
    }
}
