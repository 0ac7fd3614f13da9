//! Restores the published version if the live file was changed on the host.

use anyhow::{Result, anyhow, bail};

use crate::publish::replace::Replacement;
use crate::publish::site::{Site, TargetSession};
use crate::records::failure::Failure;
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::records::log::{LogAction, LogEntry, LogStatus};
use crate::records::manifest::Live;
use crate::store::Stored;
use crate::text::count::counted;
use crate::text::lines::surplus;

/// A live file that was restored.
pub(crate) struct Healed {
    /// What had changed: a sentence.
    pub(crate) found: String,
    /// The version that is live again.
    pub(crate) version: u64,
}

/// Restores the version that was published last, if the live file differs, and logs both. It needs no
/// data: the shaper keeps the published version also while the data is refused or no server answers. A
/// live file with the digest `wanted` stays: it already is what is about to be published.
///
/// # Errors
/// If the target cannot be reached, or the version cannot be put in place.
pub(crate) fn heal(
    site: &Site,
    wanted: &dyn Fn() -> Option<String>,
    who: &Operator,
    patience: Patience,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Option<Healed>> {
    // First without the lock, since there is rarely anything to do. A publish that is under way or was
    // interrupted is judged only with the lock.
    let ledger = site.ledger();
    let published = ledger.manifest()?.and_then(|manifest| manifest.live);
    if ledger.pending()?.is_none() && changed(published.as_ref(), site.live()?.as_ref()).is_none() {
        return Ok(None);
    }
    let mut session = TargetSession::begin(site, who, "sync", patience, notice)?;
    let live = site.live()?;
    let published = session.manifest.live.clone();
    let Some(published) = changed(published.as_ref(), live.as_ref()) else { return Ok(None) };
    if live.as_ref().is_some_and(|live| wanted().is_some_and(|wanted| live.digest() == wanted)) {
        return Ok(None);
    }
    let version = published.version.clone();
    let bytes = ledger.read_logged_version(&version)?;
    let found = sentence(live.as_ref(), &bytes);
    record(&mut session, live.as_ref(), &found)?;
    let change = Replacement {
        action: LogAction::Publish,
        live: live.as_ref(),
        bytes: &bytes,
        digest: &version.digest.clone(),
        subscribers: version.subscribers,
        commit: version.commit.clone(),
        dirty: version.dirty,
        frozen: version.frozen.clone(),
        held: session.manifest.held.clone(),
        limits: session.manifest.limits.clone(),
        reason: Some("the published version was restored after the live file was changed outside shapeline".to_owned()),
        kept: Some(version),
        newest: None,
        check: true,
    };
    match session.replace(change) {
        Ok(version) => Ok(Some(Healed { found, version: version.id })),
        Err(Failure::Refused(reason)) => bail!("{found}, and it was not restored: {reason}"),
        Err(Failure::Failed(error)) => Err(anyhow!("{error:#}").context(format!("{found}, and it was not restored"))),
    }
}

/// The published version, if something else is live; `None` if none was ever published.
fn changed<'p>(published: Option<&'p Live>, live: Option<&Stored>) -> Option<&'p Live> {
    published.filter(|published| live.is_none_or(|live| live.digest() != published.version.digest))
}

/// Logs the difference, unless the log has it and nothing was put in place since.
fn record(session: &mut TargetSession<'_>, live: Option<&Stored>, found: &str) -> Result<()> {
    let mut entry = session.entry(LogAction::Drift, found.to_owned());
    entry.digest = live.map(|live| live.digest().to_owned());
    let counts = |entry: &LogEntry| entry.action == LogAction::Drift || entry.status == LogStatus::Success;
    session.record_once(entry, |entry| counts(entry).then(|| (entry.action, entry.digest.clone()))).map(drop)
}

fn sentence(live: Option<&Stored>, published: &[u8]) -> String {
    let Some(live) = live else { return "the live file was removed outside shapeline".to_owned() };
    let (added, gone) = (missing_from(published, &live.bytes), missing_from(&live.bytes, published));
    format!("the live file was changed outside shapeline: {} added, {} removed", lines(added), lines(gone))
}

fn lines(count: usize) -> String {
    counted(count, "line", "lines")
}

/// How many lines of `other` are not in `one`.
fn missing_from(one: &[u8], other: &[u8]) -> usize {
    let lines = |bytes| <[u8]>::split(bytes, |byte: &u8| *byte == b'\n').filter(|line: &&[u8]| !line.is_empty());
    surplus(lines(other), lines(one)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_a_sentence() {
        let live = Stored::of(b"a\nx\ny\n".to_vec());
        let found = sentence(Some(&live), b"a\nb\n");
        assert_eq!(found, "the live file was changed outside shapeline: 2 lines added, 1 line removed");
        assert!(sentence(None, b"").contains("removed"));
    }
}
