//! What is live against what the data says.

use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use crate::model::Target;
use crate::plan::{Before, ChangePlan, parse_shaper_file};
use crate::publish::data::{Data, RenderedFile};
use crate::publish::freeze::Frozen;
use crate::publish::guard;
use crate::publish::run::Changed;
use crate::publish::site::{Site, TargetSession};
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::records::log::LogAction;
use crate::records::manifest::{Hold, Live};
use crate::records::moment::Moment;
use crate::render::{self, Output};
use crate::store::Stored;
use crate::text::lines::surplus;
use crate::text::quote::harmless;

/// Where a difference comes from, as far as the records show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// There is none.
    Same,
    /// The live file is what was published; the data has moved on.
    NotYetPublished,
    /// The live file is not what was published.
    ChangedByHand,
    /// Nothing was published here yet.
    NeverPublished,
    /// There is no live file.
    Missing,
}

/// What is live and what the data says, on one target.
pub struct Drift {
    /// What is live.
    pub live: Option<Stored>,
    /// What the data gives.
    pub declared: Arc<RenderedFile>,
    /// What was published last, by whom, when.
    pub published: Option<Live>,
    /// A publish that runs at this moment, or was interrupted.
    pub pending: Option<String>,
    /// A rollback that holds the target.
    pub held: Option<Hold>,
    /// The output.
    pub output: Output,
}

impl Drift {
    /// Looks at a target.
    ///
    /// # Errors
    /// If the target cannot be reached, or the output cannot be made.
    pub fn look(site: &Site, target: &Target, data: &Data) -> Result<Drift> {
        let settings = &data.table.repo().settings;
        let output = render::output(settings, target.output.as_ref().map(|name| name.as_str()))?;
        let declared = data.rendered(&output).map_err(anyhow::Error::msg)?;
        let ledger = site.ledger();
        let pending = ledger.pending()?.map(|pending| {
            let entry = pending.entry;
            format!("a {} by {} began at {}, and has not ended", entry.action.as_str(), entry.actor, entry.time)
        });
        let manifest = ledger.manifest()?;
        Ok(Drift {
            live: site.live()?,
            declared,
            held: manifest.as_ref().and_then(|manifest| manifest.held.clone()),
            published: manifest.and_then(|manifest| manifest.live),
            pending,
            output,
        })
    }

    /// What kind of difference it is.
    pub fn kind(&self) -> DriftKind {
        let Some(live) = &self.live else { return DriftKind::Missing };
        let Some(published) = &self.published else {
            return if live.bytes == self.declared.text.as_bytes() {
                DriftKind::Same
            } else {
                DriftKind::NeverPublished
            };
        };
        if live.bytes == self.declared.text.as_bytes() {
            DriftKind::Same
        } else if published.version.digest == live.digest() {
            DriftKind::NotYetPublished
        } else {
            DriftKind::ChangedByHand
        }
    }

    /// The difference, by subscriber: from the live file to the data.
    pub fn plan<'a>(&'a self, site: &Site, data: &'a Data) -> ChangePlan<'a> {
        let live = self.live.as_ref().map_or(&[][..], |live| live.bytes.as_slice());
        guard::plan(site, &data.table, &self.output, live, self.declared.text.as_bytes(), Before::default())
    }
}

/// A line of a file that is no subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnexplainedLine {
    /// `live`: only in the live file. `declared`: only in what the data gives. `before`, `after`: only in one of
    /// two versions.
    pub only: &'static str,
    /// From 1.
    pub line: usize,
    /// The line, cut when long.
    pub text: String,
}

impl Drift {
    /// The lines that differ and that are not in the plan: of a shaper file those that are not
    /// understood, of a template's output all that differ.
    pub fn lines(&self, data: &Data) -> Vec<UnexplainedLine> {
        if self.kind() == DriftKind::Same {
            return Vec::new();
        }
        let live = self.live.as_ref().map(|live| String::from_utf8_lossy(&live.bytes)).unwrap_or_default();
        if self.output.is_shaper_format() {
            let (_, bad) = parse_shaper_file(&live, &data.table, &self.declared.text);
            return bad
                .lines
                .into_iter()
                .map(|bad| UnexplainedLine { only: "live", line: bad.line, text: harmless(&bad.text, 80) })
                .collect();
        }
        missing("live", &live, &self.declared.text).chain(missing("declared", &self.declared.text, &live)).collect()
    }
}

/// The lines of `one` that are not in `other`.
pub(super) fn missing<'l>(
    only: &'static str,
    one: &'l str,
    other: &'l str,
) -> impl Iterator<Item = UnexplainedLine> + use<'l> {
    surplus(one.lines(), other.lines()).map(move |(line, text)| UnexplainedLine {
        only,
        line,
        text: harmless(text, 80),
    })
}

/// Logs a difference, unless the last entry says the same. Returns whether it was logged.
///
/// # Errors
/// If the log cannot be written.
pub fn record(
    site: &Site,
    drift: &Drift,
    summary: &str,
    who: &Operator,
    patience: Patience,
    notice: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<bool> {
    let mut session = TargetSession::begin_looking(site, who, "drift", patience, notice)?;
    let mut entry = session.entry(LogAction::Drift, summary.to_owned());
    entry.digest = drift.live.as_ref().map(|live| live.digest().to_owned());
    session.record_once(entry, |entry| Some((entry.action, entry.digest.clone())))
}

/// One target's drift, for programs.
#[derive(Debug, Serialize)]
pub struct DriftReport {
    /// The target's name.
    pub target: String,
    /// What kind of difference it is.
    pub drift: DriftKind,
    /// What the data would change of what is live.
    pub changes: Changed,
    /// Lines that differ and are no subscriber's.
    pub lines: Vec<UnexplainedLine>,
    /// A publish that runs at this moment, or was interrupted.
    pub pending: Option<String>,
    /// A rollback that holds the target.
    pub held: Option<Hold>,
    /// Domains that are as they were in an earlier commit, because later data of them has errors.
    pub frozen: Vec<Frozen>,
    /// The digest of the live file.
    pub live: Option<String>,
    /// The digest of what the data gives.
    pub declared: String,
    /// The version that was published last.
    pub version: Option<u64>,
    /// Its commit.
    pub commit: Option<String>,
    /// Since when it is live.
    pub since: Option<Moment>,
    /// Who put it in place.
    pub by: Option<String>,
}

impl DriftReport {
    /// What programs read about `drift`.
    pub fn of(
        target: &str,
        drift: &Drift,
        plan: &ChangePlan<'_>,
        lines: Vec<UnexplainedLine>,
        frozen: &[Frozen],
    ) -> DriftReport {
        let published = drift.published.as_ref();
        DriftReport {
            target: target.to_owned(),
            drift: drift.kind(),
            changes: Changed::of(plan),
            lines,
            pending: drift.pending.clone(),
            held: drift.held.clone(),
            frozen: frozen.to_vec(),
            live: drift.live.as_ref().map(|live| live.digest().to_owned()),
            declared: drift.declared.digest.clone(),
            version: published.map(|live| live.version.id),
            commit: published.and_then(|live| live.version.commit.clone()),
            since: published.map(|live| live.since),
            by: published.map(|live| live.by.clone()),
        }
    }
}
