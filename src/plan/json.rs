//! A plan as JSON. The format is documented in docs/plan-json.md and has a version.

use serde::Serialize;

use super::later::{Later, LaterEvent};
use super::text::why;
use super::{AddressChange, ChangePlan, DomainSold, PlanBase, Served, Sold};

/// Version of the format. It is raised when a reader of the old format would misread the new one.
pub(crate) const VERSION: u32 = 1;

#[derive(Serialize)]
struct PlanJson<'a> {
    version: u32,
    tool: PlanToolJson,
    output: &'a str,
    date: String,
    base: BaseJson<'a>,
    notes: &'a [String],
    summary: PlanSummaryJson,
    safe: bool,
    reasons: &'a [String],
    fingerprint: &'a str,
    domains: Vec<DomainJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
    later: LaterJson<'a>,
}

#[derive(Serialize)]
struct LaterJson<'a> {
    differs: bool,
    begins: usize,
    ends: usize,
    no_longer_begins: usize,
    no_longer_ends: usize,
    last: Option<String>,
    events: Vec<LaterEventJson<'a>>,
}

#[derive(Serialize)]
struct LaterEventJson<'a> {
    date: String,
    event: &'static str,
    address: String,
    before: Option<ServedJson<'a>>,
    after: Option<ServedJson<'a>>,
}

#[derive(Serialize)]
struct PlanToolJson {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum BaseJson<'a> {
    Revision { name: &'a str, commit: &'a str },
    File { path: &'a str },
    Live { target: &'a str, place: &'a str },
}

#[derive(Serialize)]
struct PlanSummaryJson {
    added: usize,
    changed: usize,
    removed: usize,
    before: usize,
    after: usize,
    bytes_differ: bool,
}

#[derive(Serialize)]
struct DomainJson<'a> {
    name: &'a str,
    before: SoldJson,
    after: SoldJson,
    peak: Option<PeakJson>,
    capacity: Option<CapacityJson>,
}

/// The largest bandwidth sold, and its first day.
#[derive(Serialize)]
struct PeakJson {
    up_bps: String,
    up_from: String,
    down_bps: String,
    down_from: String,
}

/// Sums in bit/s, as text: they may be larger than the integers that JSON readers represent exactly.
#[derive(Serialize)]
struct SoldJson {
    subscribers: usize,
    addresses: usize,
    up_bps: String,
    down_bps: String,
    rates_not_known: usize,
}

#[derive(Serialize)]
struct CapacityJson {
    up_bps: u64,
    down_bps: u64,
    contention: u32,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    action: &'static str,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ServedJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ServedJson<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
}

#[derive(Serialize)]
struct ServedJson<'a> {
    domain: &'a str,
    plan: &'a str,
    attribute: &'a str,
    up_bps: Option<u64>,
    down_bps: Option<u64>,
    name: Option<&'a str>,
}

/// The plan as JSON, indented, with a line break at the end.
///
/// # Errors
/// Never in practice: every part can be written as JSON, and writing to memory does not fail.
pub(crate) fn json(plan: &ChangePlan<'_>) -> anyhow::Result<String> {
    let json = PlanJson {
        version: VERSION,
        tool: PlanToolJson { name: "shapeline", version: env!("CARGO_PKG_VERSION") },
        output: &plan.output.name,
        date: plan.date.to_string(),
        base: match &plan.base {
            PlanBase::Revision { name, commit } => BaseJson::Revision { name, commit },
            PlanBase::File { path } => BaseJson::File { path },
            PlanBase::Live { target, place } => BaseJson::Live { target, place },
        },
        notes: &plan.notes,
        summary: PlanSummaryJson {
            added: plan.changes.added,
            changed: plan.changes.changed,
            removed: plan.changes.removed,
            before: plan.before,
            after: plan.after,
            bytes_differ: plan.bytes_differ,
        },
        safe: plan.verdict.is_safe(),
        reasons: &plan.verdict.reasons,
        fingerprint: &plan.fingerprint,
        domains: plan.domains.iter().map(domain).collect(),
        changes: plan.changes.all.iter().map(change).collect(),
        later: later(&plan.later),
    };
    let mut text = Vec::new();
    crate::text::json::write_json(&mut text, &json)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn changes(plan: &ChangePlan<'_>) -> Vec<serde_json::Value> {
    let value = |one| serde_json::to_value(change(one)).unwrap_or_default();
    plan.changes.all.iter().map(value).collect()
}

fn domain(domain: &DomainSold) -> DomainJson<'_> {
    DomainJson {
        name: &domain.name,
        before: sold(&domain.before),
        after: sold(&domain.after),
        peak: domain.peaks.map(|peaks| PeakJson {
            up_bps: peaks.up.bps.to_string(),
            up_from: peaks.up.from.to_string(),
            down_bps: peaks.down.bps.to_string(),
            down_from: peaks.down.from.to_string(),
        }),
        capacity: domain.capacity.as_ref().map(|capacity| CapacityJson {
            up_bps: capacity.up.bps(),
            down_bps: capacity.down.bps(),
            contention: capacity.contention.0,
        }),
    }
}

fn sold(sold: &Sold) -> SoldJson {
    SoldJson {
        subscribers: sold.subscribers,
        addresses: sold.addresses,
        up_bps: sold.up.to_string(),
        down_bps: sold.down.to_string(),
        rates_not_known: sold.unknown,
    }
}

fn later<'a>(later: &'a Later<'_>) -> LaterJson<'a> {
    let [begins, ends, no_longer_begins, no_longer_ends] = later.counts;
    let last = later.last.map(|last| last.to_string());
    let event = |event: &'a LaterEvent<'_>| {
        let ChangeJson { address, before, after, .. } = change(&event.change);
        LaterEventJson { date: event.date.to_string(), event: event.word(), address, before, after }
    };
    let events = later.events.iter().map(event).collect();
    LaterJson { differs: later.differs, begins, ends, no_longer_begins, no_longer_ends, last, events }
}

fn change<'a>(change: &'a AddressChange<'_>) -> ChangeJson<'a> {
    let (action, before, after, reason) = match change {
        AddressChange::Added(after) => ("add", None, Some(after), ""),
        AddressChange::Removed(before, reason) => ("remove", Some(before), None, why(*reason)),
        AddressChange::Changed { before, after } => ("change", Some(before), Some(after), ""),
    };
    ChangeJson {
        action,
        address: change.address().to_string(),
        before: before.map(served),
        after: after.map(served),
        reason,
    }
}

fn served<'a>(served: &'a Served<'_>) -> ServedJson<'a> {
    ServedJson {
        domain: served.domain,
        plan: served.plan,
        attribute: served.attribute,
        up_bps: served.rates.map(|(up, _)| up.bps()),
        down_bps: served.rates.map(|(_, down)| down.bps()),
        name: served.name,
    }
}
