//! A commit that is refused before any target is reached is logged once at each target.

use anyhow::Result;

use crate::publish::freeze::{Frozen, sentences};
use crate::publish::site::{Session, Site};
use crate::records::holder::Holder;
use crate::records::lock::Patience;
use crate::records::log::{Action, Log, Status};
use crate::report::CheckReport;
use crate::text::count::counted;
use crate::text::quote::harmless;

/// How many problems are named; `check` lists them all.
const NAMED: usize = 3;

/// Logs at `site` that `commit` was refused, unless that is the last attempt in the log.
///
/// # Errors
/// If the log cannot be read or written.
pub(crate) fn record(
    site: &Site,
    commit: &str,
    reason: &str,
    who: &Holder,
    patience: Patience,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    let reason = format!("refused: {reason}");
    let is_logged = |log: &Log| {
        let last = log.entries.iter().rev().find(|entry| entry.action == Action::Publish);
        last.is_some_and(|last| last.reason.as_ref() == Some(&reason) && last.commit.as_deref() == Some(commit))
    };
    if is_logged(&site.ledger().log()?) {
        return Ok(());
    }
    let mut session = Session::begin(site, who, "sync", patience, notice)?;
    let mut entry = session.entry(Action::Publish, "data".to_owned());
    entry.status = Status::Error;
    entry.reason = Some(reason);
    entry.commit = Some(commit.to_owned());
    session.record(entry)
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
