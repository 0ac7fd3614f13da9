//! A commit that is refused before it comes to a target: logged there once.

use anyhow::Result;

use crate::publish::freeze::{Frozen, sentences};
use crate::publish::site::{Site, TargetSession};
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::records::log::{LogAction, LogEntry, LogStatus};
use crate::report::CheckReport;
use crate::text::count::counted;
use crate::text::quote::harmless;

/// How many problems are named; `check` lists them all.
const NAMED: usize = 3;

/// Logs on `site` that `commit` was refused, unless the last publish in the log is this refusal.
///
/// # Errors
/// If the log cannot be read or written.
pub(crate) fn record(
    site: &Site,
    commit: &str,
    reason: &str,
    who: &Operator,
    patience: Patience,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    let reason = format!("refused: {reason}");
    let key =
        |entry: &LogEntry| (entry.action == LogAction::Publish).then(|| (entry.reason.clone(), entry.commit.clone()));
    let refused = |mut entry: LogEntry| {
        entry.status = LogStatus::Error;
        (entry.reason, entry.commit) = (Some(reason.clone()), Some(commit.to_owned()));
        entry
    };
    // Without the lock at first: nearly always the log has it.
    if site.ledger().log()?.says(&refused(LogEntry::new(LogAction::Publish, "data".to_owned(), who, "")), key) {
        return Ok(());
    }
    let mut session = TargetSession::begin(site, who, "sync", patience, notice)?;
    let entry = refused(session.entry(LogAction::Publish, "data".to_owned()));
    session.record_once(entry, key).map(drop)
}

/// A sentence about frozen domains; all others are published.
pub(crate) fn of_frozen(frozen: &[Frozen]) -> String {
    let domains = counted(frozen.len(), "domain is", "domains are");
    let named: Vec<String> = frozen.iter().take(NAMED).map(Frozen::sentence).collect();
    harmless(&format!("{domains} frozen, all others are published: {}", named.join("; ")), 2000)
}

/// A sentence about the errors of the data.
pub(crate) fn sentence(report: &CheckReport<'_>, commit: &str) -> String {
    let named = sentences(report, NAMED);
    let count = counted(report.counts.errors, "error", "errors");
    format!("the data has {count}: {}; `shapeline check --rev {commit}` shows them", named.join("; "))
}
