//! SARIF 2.1.0, for code scanning.
//!
//! Paths are relative to the top of the git repository (`%SRCROOT%`), as code scanning wants them;
//! columns are code points. A place without a region is the file as a whole.

use std::collections::HashMap;
use std::io::Write;

use anyhow::Result;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::entry::{Entry, Located};
use super::{Report, escape};
use crate::finding::Severity;
use crate::rules::{RULES, Rule};
use crate::text::json::write_json;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const TOP: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    original_uri_base_ids: HashMap<&'static str, Base>,
    results: Vec<ResultObject>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Help,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    enabled: bool,
    level: &'static str,
}

#[derive(Serialize)]
struct Base {
    description: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "shapelineFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// Writes the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let entries = report.entries();
    let mut seen = HashMap::new();
    let results = entries.iter().map(|entry| result(report, entry, &mut seen)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        version,
        semantic_version: version,
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: RULES.iter().map(descriptor).collect(),
    };
    let top = Base { description: Message { text: "The top of the git repository.".to_owned() } };
    let run = Run {
        tool: Tool { driver },
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: HashMap::from([(TOP, top)]),
        results,
    };
    write_json(out, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    Ok(())
}

fn descriptor(rule: &Rule) -> Descriptor {
    let Rule { id, severity, summary, why, bad, good, .. } = rule;
    let (bad, good) = (bad.trim_end(), good.trim_end());
    let text = format!("{why}\n\nRefused:\n\n{bad}\n\nInstead:\n\n{good}\n");
    let markdown = format!("{why}\n\nRefused:\n\n```yaml\n{bad}\n```\n\nInstead:\n\n```yaml\n{good}\n```\n");
    Descriptor {
        id,
        short_description: Message { text: escape::sarif(summary) },
        full_description: Message { text: escape::sarif(why) },
        help: Help { text: escape::sarif(&text), markdown },
        default_configuration: Configuration { enabled: *severity != Severity::Off, level: level(*severity) },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        // What the level would be where a rule is off is for whoever turns it on to say.
        Severity::Warning | Severity::Off => "warning",
    }
}

fn result<'a>(report: &Report<'_>, entry: &Entry<'a>, seen: &mut HashMap<[&'a str; 3], u32>) -> ResultObject {
    let finding = entry.finding;
    let identity = [finding.rule, entry.primary.path(), &finding.message];
    let occurrence = seen.entry(identity).and_modify(|count| *count += 1).or_insert(0);
    let related = entry.related.iter().enumerate();
    ResultObject {
        rule_id: finding.rule,
        rule_index: RULES.iter().position(|rule| rule.id == finding.rule),
        level: level(finding.severity),
        message: Message { text: message(report, entry) },
        locations: [location(report, &entry.primary, None)],
        related_locations: related.map(|(index, place)| location(report, place, Some(index + 1))).collect(),
        partial_fingerprints: Fingerprints { finding: fingerprint(identity, *occurrence) },
        baseline_state: finding.in_change.map(|in_change| if in_change { "new" } else { "unchanged" }),
    }
}

/// Code scanning shows of a result its message alone, and related places only if the message links
/// to them: `[text](id)`.
fn message(report: &Report<'_>, entry: &Entry<'_>) -> String {
    let text = |text: &str| escape::sarif(&escape::plain(text));
    let mut lines = vec![text(&entry.finding.message)];
    for (index, place) in entry.related.iter().enumerate() {
        let label = if place.label.is_empty() { "see also" } else { place.label };
        lines.push(format!(
            "[{}]({}): {}",
            text(label),
            index + 1,
            text(&place.shown(&report.path_in_git(place.path())))
        ));
    }
    lines.extend(entry.finding.help.as_deref().map(text));
    lines.join("\n")
}

fn location(report: &Report<'_>, place: &Located<'_>, id: Option<usize>) -> Location {
    let region = Region {
        start_line: place.start.line,
        start_column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    };
    let uri = escape::uri(&report.path_in_git(place.path()));
    let text = escape::sarif(&escape::plain(place.label));
    Location {
        id,
        physical_location: PhysicalLocation {
            artifact_location: Artifact { uri, uri_base_id: TOP },
            region: (!place.whole_file).then_some(region),
        },
        message: (!text.is_empty()).then_some(Message { text }),
    }
}

/// Stays the same when lines move: what is wrong in which file, and, where that is so more than
/// once, the how-manieth this is.
fn fingerprint(identity: [&str; 3], occurrence: u32) -> String {
    let mut hash = Sha256::new();
    for part in identity {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(occurrence.to_be_bytes());
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
