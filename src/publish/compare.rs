//! What differs between two versions that a target keeps.

use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use super::drift::{UnexplainedLine, missing};
use super::rollback::{find_version, kept, version_before};
use super::run::Changed;
use super::site::Site;
use crate::model::Target;
use crate::plan::{BadLine, Before, ChangePlan, PlanBase, ServedList, Side, json, parse_shaper_file};
use crate::query::Refusal;
#[cfg(all(unix, feature = "telemetry"))]
use crate::records::manifest::Live;
use crate::records::manifest::{Manifest, StoredVersion};
use crate::render::{self, Output, Table};
use crate::text::lines::surplus;
use crate::text::quote::harmless;

/// A version, or the live file, with its text.
pub(crate) struct ComparedFile {
    /// The version that it is; none for a live file that was changed outside shapeline.
    pub(crate) version: Option<StoredVersion>,
    /// It is what is live.
    pub(crate) live: bool,
    digest: String,
    text: String,
}

/// Two versions of a target's file.
pub(crate) struct Comparison {
    site: Site,
    output: Output,
    /// The earlier one.
    pub(crate) before: ComparedFile,
    /// The later one.
    pub(crate) after: ComparedFile,
    /// The version before the later one.
    pub(crate) previous: Option<u64>,
}

impl Comparison {
    /// Reads two versions: by default the one before the live one, and the live file itself.
    ///
    /// # Errors
    /// A [`Refusal`] if there are no such versions; or if the target cannot be read.
    pub(crate) fn read(target: &Target, table: &Table, before: Option<u64>, after: Option<u64>) -> Result<Comparison> {
        let site = Site::open(target)?;
        let output = render::output(&table.repo().settings, target.output.as_ref().map(|name| name.as_str()))?;
        let ledger = site.ledger();
        let manifest = ledger.manifest_or_new(&site.name)?;
        let stored = |version: StoredVersion| -> Result<ComparedFile> {
            let bytes = ledger.read_logged_version(&version)?;
            let live = manifest.live.as_ref().is_some_and(|live| live.version.id == version.id);
            Ok(ComparedFile { digest: version.digest.clone(), version: Some(version), live, text: lossy(bytes) })
        };
        let find = |id: u64| find_version(&manifest, id).map_err(Refusal);
        let after = match after {
            Some(id) => stored(find(id)?)?,
            None => live_file(&site, &manifest)?,
        };
        let previous = earlier(&manifest, &after).ok().map(|version| version.id);
        let before = match before {
            Some(id) => find(id)?,
            None => earlier(&manifest, &after).map_err(Refusal)?,
        };
        let before = stored(before)?;
        Ok(Comparison { site, output, before, after, previous })
    }

    /// Reads two versions: `before`, or none for the time before the first, and `after`. None if one is not kept any
    /// more.
    ///
    /// # Errors
    /// If the target cannot be read.
    #[cfg(all(unix, feature = "telemetry"))]
    pub(crate) fn between(target: &Target, table: &Table, before: Option<u64>, after: u64) -> Result<Option<Self>> {
        if let Some(before) = before {
            let site = Site::open(target)?;
            let manifest = site.ledger().manifest_or_new(&site.name)?;
            let kept = |id: u64| manifest.find(id).is_some();
            return match kept(before) && kept(after) {
                true => Comparison::read(target, table, Some(before), Some(after)).map(Some),
                false => Ok(None),
            };
        }
        let mut comparison = Comparison::read(target, table, Some(after), Some(after))?;
        comparison.before = ComparedFile { version: None, live: false, digest: String::new(), text: String::new() };
        Ok(Some(comparison))
    }

    /// The name of the target.
    #[cfg(all(unix, feature = "telemetry"))]
    pub(crate) fn target(&self) -> &str {
        &self.site.name
    }

    /// The difference, by address. Names and rates of plans are those of `table`.
    pub(crate) fn plan<'a>(&'a self, table: &'a Arc<Table>) -> ChangePlan<'a> {
        let side = |file: &'a ComparedFile| {
            let served = match self.output.is_shaper_format() {
                true => parse_shaper_file(&file.text, table, "").0,
                false => ServedList::default(),
            };
            Side { served, bytes: file.text.as_bytes() }
        };
        let base = PlanBase::Live { target: self.site.name.clone(), place: self.site.place() };
        let mut plan =
            ChangePlan::new(&self.output, base, side(&self.before), side(&self.after), table, Before::default());
        // The data of today does not say why an address went then.
        plan.changes.forget_reasons();
        plan
    }

    /// The lines that are no subscriber's, in one of the two alone.
    pub(crate) fn lines(&self, table: &Table) -> Vec<UnexplainedLine> {
        if !self.output.is_shaper_format() {
            let (before, after) = (self.before.text.as_str(), self.after.text.as_str());
            return missing("before", before, after).chain(missing("after", after, before)).collect();
        }
        let [before, after] = [&self.before, &self.after].map(|file| parse_shaper_file(&file.text, table, "").1.lines);
        bad_lines("before", &before, &after).chain(bad_lines("after", &after, &before)).collect()
    }
}

/// What a target has recorded as live.
///
/// # Errors
/// If the target cannot be read.
#[cfg(all(unix, feature = "telemetry"))]
pub(crate) fn recorded(target: &Target) -> Result<Option<Live>> {
    let site = Site::open(target)?;
    Ok(site.ledger().manifest_or_new(&site.name)?.live)
}

/// The lines of `one` that are not in `other`.
fn bad_lines(only: &'static str, one: &[BadLine], other: &[BadLine]) -> impl Iterator<Item = UnexplainedLine> + use<> {
    let texts = |lines: &[BadLine]| lines.iter().map(|bad| bad.text.clone()).collect::<Vec<_>>();
    let (texts_of_one, texts_of_other) = (texts(one), texts(other));
    let alone: Vec<UnexplainedLine> =
        surplus(texts_of_one.iter().map(String::as_str), texts_of_other.iter().map(String::as_str))
            .map(|(number, text)| UnexplainedLine { only, line: one[number - 1].line, text: harmless(text, 80) })
            .collect();
    alone.into_iter()
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What is live: a version, or what it was changed to.
fn live_file(site: &Site, manifest: &Manifest) -> Result<ComparedFile> {
    let Some(live) = site.live()? else {
        return Err(Refusal(format!("there is no live file at {}; {}", site.place(), kept(manifest))).into());
    };
    let published = manifest.live.as_ref().map(|live| &live.version);
    let digest = live.digest().to_owned();
    let version = published.filter(|version| version.digest == digest).cloned();
    Ok(ComparedFile { version, live: true, digest, text: lossy(live.bytes) })
}

/// The version before `after`; what was published last, if the live file was changed since.
fn earlier(manifest: &Manifest, after: &ComparedFile) -> Result<StoredVersion, String> {
    let published = manifest.live.as_ref().map(|live| &live.version);
    let found = match &after.version {
        Some(version) => version_before(manifest, Some(version)),
        None => published.and_then(|version| manifest.find(version.id)).cloned(),
    };
    found.ok_or_else(|| format!("there is no version before the live one; {}", kept(manifest)))
}

/// A difference, for programs.
#[derive(Serialize)]
pub(crate) struct ComparisonReport {
    target: String,
    before: ComparedFileReport,
    after: ComparedFileReport,
    changes: Changed,
    addresses: Vec<serde_json::Value>,
    lines: Vec<UnexplainedLine>,
}

#[derive(Serialize)]
struct ComparedFileReport {
    version: Option<u64>,
    live: bool,
    digest: String,
    commit: Option<String>,
    time: Option<String>,
    actor: Option<String>,
}

impl ComparisonReport {
    pub(crate) fn of(comparison: &Comparison, plan: &ChangePlan<'_>, lines: Vec<UnexplainedLine>) -> Self {
        let file = |file: &ComparedFile| {
            let version = file.version.as_ref();
            let dated = version.filter(|version| !version.undated);
            ComparedFileReport {
                version: version.map(|version| version.id),
                live: file.live,
                digest: file.digest.clone(),
                commit: version.and_then(|version| version.commit.clone()),
                time: dated.map(|version| version.time.to_string()),
                actor: dated.map(|version| version.actor.clone()),
            }
        };
        ComparisonReport {
            target: comparison.site.name.clone(),
            before: file(&comparison.before),
            after: file(&comparison.after),
            changes: Changed::of(plan),
            addresses: json::changes(plan),
            lines,
        }
    }
}
