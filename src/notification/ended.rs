//! What publishing and rolling back report, as notifications.

use super::notice::{NoticeKind, Subject, Trouble};
use super::notifier::Notifier;
use crate::publish::freeze::Frozen;
use crate::publish::run::{PublishOutcome, TargetReport};
use crate::text::count::counted;

/// The data of the repository: refused as a whole or in part.
pub(crate) fn of_data() -> Subject {
    Subject::of("data")
}

/// What is live on a target, and whether the data can be published there.
pub(crate) fn of_target(target: &str) -> Subject {
    Subject::of_target("publish", target)
}

/// The difference between what is live on a target and the data.
pub(crate) fn of_drift(target: &str) -> Subject {
    Subject::of_target("drift", target)
}

/// Notifies of how a publish ended on each target.
pub(crate) fn published(notifier: &Notifier, reports: &[TargetReport]) {
    // The same for all targets.
    if let Some(report) = reports.first() {
        data_is_sound_but(notifier, &report.frozen, report.commit.as_deref());
    }
    for report in reports {
        let subject = of_target(&report.target);
        let trouble = |kind| Trouble::new(kind, report.commit.as_deref(), report.reasons.join("; "));
        match report.ended {
            PublishOutcome::Refused => notifier.trouble(&subject, &trouble(NoticeKind::PublishRefused)),
            PublishOutcome::Failed => notifier.trouble(&subject, &trouble(NoticeKind::PublishFailed)),
            PublishOutcome::Published | PublishOutcome::Unchanged => {
                notifier.fine(&subject, "the data is live");
                notifier.fine(&of_drift(&report.target), "what is live is what the data says");
            }
            PublishOutcome::Planned => {}
        }
    }
}

/// Notifies that the data is published, without what is frozen.
pub(crate) fn data_is_sound_but(notifier: &Notifier, frozen: &[Frozen], commit: Option<&str>) {
    if frozen.is_empty() {
        return notifier.fine(&of_data(), "the data is published again");
    }
    let domains = counted(frozen.len(), "domain is", "domains are");
    let named: Vec<String> = frozen.iter().map(Frozen::sentence).collect();
    let message = format!("{domains} frozen, all others are published: {}", named.join("; "));
    // Other domains' commits change nothing about it.
    let mark = frozen.iter().map(|one| format!("{} {}", one.domain, one.since)).collect::<Vec<_>>().join("\n");
    let trouble = Trouble::new(NoticeKind::DomainsFrozen, commit, message);
    notifier.trouble(&of_data(), &Trouble { mark: Some(mark), ..trouble });
}

/// Notifies of how a rollback ended.
pub(crate) fn rolled_back(notifier: &Notifier, report: &TargetReport) {
    let subject = Subject::of_target("rollback", &report.target);
    let trouble = |kind| Trouble::new(kind, report.commit.as_deref(), report.reasons.join("; "));
    match report.ended {
        PublishOutcome::Refused => notifier.trouble(&subject, &trouble(NoticeKind::RollbackRefused)),
        PublishOutcome::Failed => notifier.trouble(&subject, &trouble(NoticeKind::RollbackFailed)),
        PublishOutcome::Published | PublishOutcome::Unchanged => notifier.fine(&subject, "the rollback succeeded"),
        PublishOutcome::Planned => {}
    }
    if report.held && report.ended == PublishOutcome::Published {
        let version = report.version.map(|id| format!(" to version {id}")).unwrap_or_default();
        let message = format!("rolled back{version}: nothing is published there until the data gives the same");
        let held = Trouble::new(NoticeKind::Held, report.commit.as_deref(), message);
        notifier.trouble(&of_target(&report.target), &held);
    }
}
