//! SARIF 2.1.0, for code scanning.
//!
//! Paths are relative to the top of the git repository (`%SRCROOT%`), as code scanning wants them;
//! columns are code points. For a file as a whole the region is its first line: code scanning shows nothing
//! without one.

use std::collections::HashMap;
use std::io::Write;

use anyhow::Result;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::entry::{LocatedFinding, LocatedLabel};
use super::{CheckReport, escape};
use crate::finding::Severity;
use crate::rules::{RULES, Rule};
use crate::text::json::write_json;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const TOP: &str = "%SRCROOT%";

#[derive(Serialize)]
struct SarifLog {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: SarifTool,
    column_kind: &'static str,
    original_uri_base_ids: HashMap<&'static str, UriBase>,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct SarifTool {
    driver: SarifDriver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifDriver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    information_uri: Option<&'static str>,
    rules: Vec<RuleDescriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleDescriptor {
    id: &'static str,
    short_description: SarifMessage,
    full_description: SarifMessage,
    help: RuleHelp,
    default_configuration: RuleConfiguration,
}

#[derive(Serialize)]
struct RuleHelp {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct RuleConfiguration {
    enabled: bool,
    level: &'static str,
}

#[derive(Serialize)]
struct UriBase {
    description: SarifMessage,
}

#[derive(Serialize)]
struct SarifMessage {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: SarifMessage,
    locations: [SarifLocation; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<SarifLocation>,
    partial_fingerprints: PartialFingerprints,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
}

#[derive(Serialize)]
struct PartialFingerprints {
    #[serde(rename = "shapelineFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifLocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<SarifMessage>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    #[serde(flatten)]
    within: Option<WithinLines>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithinLines {
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// Writes the report.
pub(super) fn write(report: &CheckReport<'_>, out: &mut dyn Write) -> Result<()> {
    let entries = report.entries();
    let mut seen = HashMap::new();
    let results = entries.iter().map(|entry| result(report, entry, &mut seen)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let driver = SarifDriver {
        name: env!("CARGO_PKG_NAME"),
        version,
        semantic_version: version,
        information_uri: public_source(option_env!("SHAPELINE_TOOL")),
        rules: RULES.iter().map(descriptor).collect(),
    };
    let top = UriBase { description: SarifMessage { text: "The top of the git repository.".to_owned() } };
    let run = SarifRun {
        tool: SarifTool { driver },
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: HashMap::from([(TOP, top)]),
        results,
    };
    write_json(out, &SarifLog { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    Ok(())
}

/// The page of the git repository that the program was built from, if the build named one by http or https. A
/// release or an image has none.
fn public_source(tool: Option<&'static str>) -> Option<&'static str> {
    let tool = tool?;
    let (url, revision) = tool.strip_prefix("git+").unwrap_or(tool).rsplit_once('@')?;
    let place = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._~%+-:/".contains(c);
    let named = !place.is_empty() && place.chars().all(plain) && !revision.is_empty() && !revision.contains('/');
    named.then(|| url.strip_suffix(".git").unwrap_or(url))
}

fn descriptor(rule: &Rule) -> RuleDescriptor {
    let Rule { id, severity, summary, why, bad, good, .. } = rule;
    let (bad, good) = (bad.trim_end(), good.trim_end());
    let text = format!("{why}\n\nRefused:\n\n{bad}\n\nInstead:\n\n{good}\n");
    let markdown = format!("{why}\n\nRefused:\n\n```yaml\n{bad}\n```\n\nInstead:\n\n```yaml\n{good}\n```\n");
    RuleDescriptor {
        id,
        short_description: SarifMessage { text: escape::sarif(summary) },
        full_description: SarifMessage { text: escape::sarif(why) },
        help: RuleHelp { text: escape::sarif(&text), markdown },
        default_configuration: RuleConfiguration { enabled: *severity != Severity::Off, level: level(*severity) },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        // A rule that is off has no level of its own, and SARIF requires one.
        Severity::Warning | Severity::Off => "warning",
    }
}

fn result<'a>(
    report: &CheckReport<'_>,
    entry: &LocatedFinding<'a>,
    seen: &mut HashMap<[&'a str; 3], u32>,
) -> SarifResult {
    let finding = entry.finding;
    let identity = [finding.rule, entry.primary.path(), &finding.message];
    let occurrence = seen.entry(identity).and_modify(|count| *count += 1).or_insert(0);
    let related = entry.related.iter().enumerate();
    SarifResult {
        rule_id: finding.rule,
        rule_index: RULES.iter().position(|rule| rule.id == finding.rule),
        level: level(finding.severity),
        message: SarifMessage { text: message(report, entry) },
        locations: [location(report, &entry.primary, None)],
        related_locations: related.map(|(index, place)| location(report, place, Some(index + 1))).collect(),
        partial_fingerprints: PartialFingerprints { finding: fingerprint(identity, *occurrence) },
        baseline_state: finding.in_change.map(|in_change| if in_change { "new" } else { "unchanged" }),
    }
}

/// Code scanning shows only a result's message, and related places only if the message links to them:
/// `[text](id)`.
fn message(report: &CheckReport<'_>, entry: &LocatedFinding<'_>) -> String {
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

fn location(report: &CheckReport<'_>, place: &LocatedLabel<'_>, id: Option<usize>) -> SarifLocation {
    let within =
        WithinLines { start_column: place.start.column, end_line: place.end.line, end_column: place.end.column };
    let region = match place.whole_file {
        true => Region { start_line: 1, within: None },
        false => Region { start_line: place.start.line, within: Some(within) },
    };
    let uri = escape::uri(&report.path_in_git(place.path()));
    let text = escape::sarif(&escape::plain(place.label));
    SarifLocation {
        id,
        physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri, uri_base_id: TOP }, region },
        message: (!text.is_empty()).then_some(SarifMessage { text }),
    }
}

/// Stays the same when lines move: a hash of rule, file and message, and of the number among equal
/// ones.
fn fingerprint(identity: [&str; 3], occurrence: u32) -> String {
    let mut hash = Sha256::new();
    for part in identity {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(occurrence.to_be_bytes());
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_git_repository_on_the_web_is_a_page() {
        let page = Some("https://git.ispcustomer.co.zw/isp/shapeline");
        for (tool, expected) in [
            ("https://git.ispcustomer.co.zw/isp/shapeline.git@v1.2.3", page),
            ("git+https://git.ispcustomer.co.zw/isp/shapeline@4711abc", page),
            ("http://10.10.10.25:3000/isp/shapeline.git@v1", Some("http://10.10.10.25:3000/isp/shapeline")),
            ("https://user:secret@git.ispcustomer.co.zw/isp/shapeline.git@v1", None),
            ("ssh://git@git.ispcustomer.co.zw/isp/shapeline.git@v1", None),
            ("https://ispcustomer.co.zw/shapeline.tar.gz#sha256=00", None),
            ("docker://git.ispcustomer.co.zw/isp/shapeline@sha256:00", None),
            ("crates.io@1.2.3", None),
            ("https://git.ispcustomer.co.zw/isp/shapeline.git", None),
            ("https://git.ispcustomer.co.zw/a b.git@v1", None),
            ("", None),
        ] {
            assert_eq!(public_source(Some(tool)), expected, "{tool}");
        }
        assert_eq!(public_source(None), None);
    }

    #[test]
    fn a_page_that_is_not_known_is_left_out() {
        let driver = |information_uri| {
            serde_json::to_value(SarifDriver {
                name: "shapeline",
                version: "1.0.0",
                semantic_version: "1.0.0",
                information_uri,
                rules: Vec::new(),
            })
        };
        let page = "https://git.ispcustomer.co.zw/isp/shapeline";
        assert_eq!(driver(Some(page)).unwrap()["informationUri"], page);
        assert!(driver(None).unwrap().get("informationUri").is_none());
    }
}
