//! What an import does, for programs. The shape is documented in docs/import.md and has a version; it
//! is not the internal type.

use std::io;

use serde::Serialize;

use super::report::notes;
use super::worded;
use crate::edit::ChangedFile;
use crate::import::proposal::{Ending, Proposal};
use crate::import::{Found, RefusedRow};
use crate::model::{Addresses, Subscriber};
use crate::text::json::json_text;

/// The version of the shape. It grows when a reader of the old shape would be misled.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct ImportJson<'a> {
    version: u32,
    ending: &'static str,
    source: SourceJson,
    files: Vec<FileJson<'a>>,
    subscribers: SubscribersJson<'a>,
    network: NetworkJson<'a>,
    to_fill_in: Vec<MissingRatesJson<'a>>,
    notes: Vec<String>,
    refusals: Vec<RefusedRowJson<'a>>,
    refused_to: Option<&'a str>,
}

#[derive(Serialize)]
struct SourceJson {
    kind: &'static str,
    subscribers: usize,
    plans: usize,
    domains: usize,
}

#[derive(Serialize)]
struct FileJson<'a> {
    path: &'a str,
    action: &'static str,
}

#[derive(Serialize)]
struct SubscribersJson<'a> {
    added: usize,
    changed: usize,
    removed: usize,
    unchanged: usize,
    resumed: Vec<ResumedJson<'a>>,
    kept_suspended: Vec<ResumedJson<'a>>,
}

#[derive(Serialize)]
struct ResumedJson<'a> {
    ip: &'a Addresses,
    domain: &'a str,
    id: Option<&'a str>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct NetworkJson<'a> {
    added: usize,
    changed: usize,
    removed: usize,
    before: usize,
    after: usize,
    safe: bool,
    reasons: &'a [String],
    fingerprint: &'a str,
    /// As in docs/plan-json.md.
    changes: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct MissingRatesJson<'a> {
    plan: &'a str,
    up: bool,
    down: bool,
    subscribers: usize,
}

#[derive(Serialize)]
struct RefusedRowJson<'a> {
    line: u32,
    table: Option<&'static str>,
    row: Option<u32>,
    subject: &'a str,
    reasons: Vec<String>,
}

/// What an import does, as JSON; `refused_to` is the file with the refused rows.
///
/// # Errors
/// Never in practice: every part can be written as JSON.
pub(super) fn json(proposal: &Proposal, ending: Ending, refused_to: Option<&str>) -> io::Result<String> {
    let (effect, missing) = (&proposal.effect, &proposal.adoption.plans.missing);
    let (added, changed, removed) = effect.changes;
    let (before, after) = effect.addresses;
    json_text(&ImportJson {
        version: VERSION,
        ending: word(ending),
        source: source(&proposal.found),
        files: proposal.draft.changes().map(|changed| file(&changed)).collect(),
        subscribers: subscribers(proposal),
        network: NetworkJson {
            added,
            changed,
            removed,
            before,
            after,
            safe: effect.verdict.is_safe(),
            reasons: &effect.verdict.reasons,
            fingerprint: &effect.fingerprint,
            changes: effect.json(),
        },
        to_fill_in: missing
            .iter()
            .map(|plan| MissingRatesJson {
                plan: &plan.name,
                up: plan.up,
                down: plan.down,
                subscribers: plan.subscribers,
            })
            .collect(),
        notes: notes(proposal),
        refusals: proposal.found.refusals.iter().map(refused_row).collect(),
        refused_to,
    })
}

fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Written => "written",
        Ending::DryRun => "dry-run",
        Ending::RowsRefused => "rows-refused",
        Ending::Limits => "limits",
    }
}

fn source(found: &Found) -> SourceJson {
    SourceJson {
        kind: found.kind.word(),
        subscribers: found.subscribers.len(),
        plans: found.plans.iter().filter(|plan| plan.subscribers > 0).count(),
        domains: found.domains.len(),
    }
}

fn file<'a>(changed: &ChangedFile<'a>) -> FileJson<'a> {
    let action = match (changed.before, changed.after) {
        (None, _) => "add",
        (_, None) => "remove",
        _ => "change",
    };
    FileJson { path: changed.path, action }
}

fn subscribers(proposal: &Proposal) -> SubscribersJson<'_> {
    let (added, changed, removed) = proposal.steps();
    let all: Vec<ResumedJson<'_>> = proposal.resumed.iter().map(resumed).collect();
    let (resumed, kept_suspended) = if proposal.keep_suspended { (Vec::new(), all) } else { (all, Vec::new()) };
    let unchanged = proposal.adoption.subscribers.unchanged;
    SubscribersJson { added, changed, removed, unchanged, resumed, kept_suspended }
}

fn resumed(subscriber: &Subscriber) -> ResumedJson<'_> {
    ResumedJson {
        ip: &subscriber.ip,
        domain: subscriber.domain.as_str(),
        id: subscriber.id.as_ref().map(|id| id.as_str()),
        name: subscriber.name.as_ref().map(|name| name.as_str()),
    }
}

fn refused_row(refused: &RefusedRow) -> RefusedRowJson<'_> {
    RefusedRowJson {
        line: refused.origin.line,
        table: refused.origin.row.map(|(table, _)| table.name()),
        row: refused.origin.row.map(|(_, row)| row),
        subject: &refused.subject,
        reasons: refused.reasons.iter().map(worded::reason).collect(),
    }
}
