//! The state after a round, for the notifications.

use super::state::{SyncState, TargetStatus};
use super::status::SyncStatus;
use crate::notification::ended::{data_is_sound_but, of_data, of_drift, of_target};
use crate::notification::notice::{NoticeKind, Subject, Trouble};
use crate::notification::notifier::Notifier;

/// Notifies of what the round found; `restored`: targets whose live file was restored, each with a sentence.
pub(super) fn notify_of(notifier: &Notifier, status: &SyncStatus, restored: &[(String, String)]) {
    of_round(notifier, status);
    let commit = status.remote_commit.as_deref();
    for target in &status.targets {
        of_target_status(notifier, target, commit);
        let again = Subject::of_target("restored", &target.target);
        match restored.iter().find(|(name, _)| *name == target.target) {
            Some((_, found)) => {
                // A program that changes the file again and again is one trouble.
                let trouble = Trouble::new(NoticeKind::Drift, target.commit.as_deref(), found.as_str());
                notifier.trouble(&again, &Trouble { mark: Some("restored".to_owned()), ..trouble });
            }
            None if target.state == SyncState::Failing => {}
            None => notifier.fine(&again, "the live file stayed as it was published"),
        }
    }
}

fn of_round(notifier: &Notifier, status: &SyncStatus) {
    let (commit, sync) = (status.remote_commit.as_deref(), Subject::of("sync"));
    match &status.error {
        Some(error) if status.state == SyncState::Failing => {
            // Not of the commit: that the server does not answer is the same trouble with the next one.
            return notifier.trouble(&sync, &Trouble::new(NoticeKind::SyncFailed, None, error.as_str()));
        }
        Some(error) if status.frozen.is_empty() => {
            notifier.trouble(&of_data(), &Trouble::new(NoticeKind::PublishRefused, commit, error.as_str()));
        }
        _ => data_is_sound_but(notifier, &status.frozen, commit),
    }
    notifier.fine(&sync, "a round was complete");
}

fn of_target_status(notifier: &Notifier, status: &TargetStatus, tip: Option<&str>) {
    let subject = of_target(&status.target);
    let trouble = |kind, commit| Trouble::new(kind, commit, status.reasons.join("; "));
    match status.state {
        SyncState::Ok | SyncState::Starting => {
            notifier.fine(&subject, "the data is live");
            notifier.fine(&of_drift(&status.target), "what is live is what the data says");
        }
        // The round as a whole has the reason.
        _ if status.reasons.is_empty() => {}
        // What is live stays, whatever is committed.
        SyncState::Held => notifier.trouble(&subject, &trouble(NoticeKind::Held, status.commit.as_deref())),
        SyncState::Refused => notifier.trouble(&subject, &trouble(NoticeKind::PublishRefused, tip)),
        SyncState::Failing => notifier.trouble(&subject, &trouble(NoticeKind::PublishFailed, tip)),
    }
}
