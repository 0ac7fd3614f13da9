//! The messages to clients, version 1: see docs/live.md.

use std::collections::HashSet;

use serde::Serialize;

use super::picture::{Now, Picture, Status, Sums};
use super::view::{List, Sight, View};
use crate::telemetry::sample::now;

/// The version of the protocol.
const VERSION: u32 = 1;

/// What a client has of the store.
#[derive(Serialize)]
struct StoreState {
    /// Whether there are recent samples.
    fresh: bool,
    /// Whether the store could be read.
    reachable: bool,
    /// The moment of the newest sample.
    newest: Option<i64>,
}

/// The sums of a domain, or of all that the client sees.
#[derive(Serialize)]
struct SumsRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    up: u64,
    down: u64,
    sold_up: u64,
    sold_down: u64,
    contract_up: Option<u64>,
    contract_down: Option<u64>,
    subscribers: usize,
    seen: usize,
    saturated: usize,
    exceeding: usize,
    silent: usize,
    never: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<usize>,
}

/// Key, address, domain, plan and its rates; what it uses.
#[derive(Serialize)]
struct SubscriberRow<'a>(u32, &'static str, u64, u64, i64, &'a str, &'a str, &'a str, &'a str, u64, u64);

/// Name, source, form, subscriber, id in the store; what it uses.
#[derive(Serialize)]
struct SeriesRow<'a>(u32, &'static str, u64, u64, i64, &'a str, &'a str, &'static str, Option<&'a str>, i64);

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Subscriber(SubscriberRow<'a>),
    Series(SeriesRow<'a>),
}

/// Number, status, up, down, moment.
type Change = (u32, &'static str, u64, u64, i64);

#[derive(Serialize)]
struct Snapshot<'a> {
    version: u32,
    r#type: &'static str,
    at: i64,
    store: StoreState,
    totals: SumsRow<'a>,
    domains: Vec<SumsRow<'a>>,
    list: &'static str,
    /// How many rows there are, shown or not.
    total: usize,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Changes<'a> {
    version: u32,
    r#type: &'static str,
    at: i64,
    store: StoreState,
    totals: SumsRow<'a>,
    domains: Vec<SumsRow<'a>>,
    total: usize,
    changed: Vec<Change>,
    added: Vec<Row<'a>>,
    removed: Vec<u32>,
}

fn store(picture: &Picture) -> StoreState {
    let newest = Some(picture.newest).filter(|newest| *newest > 0);
    let fresh = picture.reachable && picture.fresh;
    StoreState { fresh, reachable: picture.reachable, newest }
}

fn sums<'a>(name: Option<&'a str>, sums: &Sums, contract: Option<(u64, u64)>) -> SumsRow<'a> {
    let count = |status: Status| sums.counts[status as usize];
    SumsRow {
        name,
        up: sums.up as u64,
        down: sums.down as u64,
        sold_up: sums.sold_up,
        sold_down: sums.sold_down,
        contract_up: contract.map(|(up, _)| up),
        contract_down: contract.map(|(_, down)| down),
        subscribers: sums.subscribers(),
        seen: count(Status::Seen) + count(Status::Saturated) + count(Status::Exceeding),
        saturated: count(Status::Saturated),
        exceeding: count(Status::Exceeding),
        silent: count(Status::Silent),
        never: count(Status::Never),
        unknown: None,
    }
}

/// The totals, and the domains that changed since a tick.
fn all_sums<'a>(picture: &'a Picture, sight: &Sight, since: u64) -> (SumsRow<'a>, Vec<SumsRow<'a>>) {
    let (mut all, mut contract, mut rows) = (Sums::default(), Some((0_u64, 0_u64)), Vec::new());
    for ((domain, (own, changed)), seen) in picture.places.domains.iter().zip(&picture.sums).zip(sight.domains(picture))
    {
        if !seen {
            continue;
        }
        all.add(own);
        // What all use is no part of what some have contracted.
        contract = contract
            .zip(domain.contract)
            .map(|(sum, (up, down))| (sum.0.saturating_add(up), sum.1.saturating_add(down)));
        if *changed > since {
            rows.push(sums(Some(&domain.name), own, domain.contract));
        }
    }
    let mut totals = sums(None, &all, contract.filter(|sum| *sum != (0, 0)));
    totals.unknown = sight.unknown.then_some(picture.unknown);
    (totals, rows)
}

fn measured(picture: &Picture, list: List, number: u32) -> Option<&Now> {
    match list {
        List::Subscribers => picture.subscribers.get(number as usize),
        List::Series => picture.series.get(number as usize),
    }
}

fn row<'a>(picture: &'a Picture, list: List, number: u32) -> Option<Row<'a>> {
    let places = &picture.places;
    let now = measured(picture, list, number)?;
    let (status, up, down) = (now.status.word(), now.up as u64, now.down as u64);
    Some(match list {
        List::Subscribers => {
            let one = places.subscribers.get(number as usize)?;
            let domain = places.domains.get(one.domain as usize).map_or("", |domain| &domain.name);
            let plan = places.plans.get(one.plan as usize)?;
            let row = SubscriberRow(
                number,
                status,
                up,
                down,
                now.at,
                &one.key,
                &one.address,
                domain,
                &plan.name,
                plan.up,
                plan.down,
            );
            Row::Subscriber(row)
        }
        List::Series => {
            let one = places.series.get(number as usize)?;
            let source = places.sources.get(one.source as usize).map_or("", |source| &source.name);
            let owner = places.subscribers.get(one.owner as usize).map(|owner| &*owner.key);
            Row::Series(SeriesRow(number, status, up, down, now.at, &one.name, source, one.form.name(), owner, one.id))
        }
    })
}

/// The whole of what a client sees.
pub(super) fn snapshot(picture: &Picture, sight: &Sight, view: &View, shown: &[u32], total: usize) -> String {
    let (totals, domains) = all_sums(picture, sight, 0);
    let list = match view.list {
        List::Subscribers => "subscribers",
        List::Series => "series",
    };
    text(&Snapshot {
        version: VERSION,
        r#type: "snapshot",
        at: now(),
        store: store(picture),
        totals,
        domains,
        list,
        total,
        rows: shown.iter().filter_map(|number| row(picture, view.list, *number)).collect(),
    })
}

/// What changed since a tick; `before` are the rows that were shown then.
pub(super) fn changes(
    picture: &Picture,
    sight: &Sight,
    view: &View,
    (before, shown): (&[u32], &[u32]),
    total: usize,
    since: u64,
) -> String {
    let (totals, domains) = all_sums(picture, sight, since);
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let mut kept = shown;
    let known: HashSet<u32>;
    let staying: Vec<u32>;
    if before != shown {
        known = before.iter().copied().collect();
        let current: HashSet<u32> = shown.iter().copied().collect();
        removed = before.iter().copied().filter(|number| !current.contains(number)).collect();
        let new = shown.iter().filter(|number| !known.contains(number));
        added = new.filter_map(|number| row(picture, view.list, *number)).collect();
        staying = shown.iter().copied().filter(|number| known.contains(number)).collect();
        kept = &staying;
    }
    let changed = kept.iter().filter_map(|number| {
        let now = measured(picture, view.list, *number).filter(|now| now.changed > since)?;
        Some((*number, now.status.word(), now.up as u64, now.down as u64, now.at))
    });
    text(&Changes {
        version: VERSION,
        r#type: "changes",
        at: now(),
        store: store(picture),
        totals,
        domains,
        total,
        changed: changed.collect(),
        added,
        removed,
    })
}

fn text(frame: &impl Serialize) -> String {
    // Numbers, texts and lists: nothing of them can fail.
    serde_json::to_string(frame).unwrap_or_default()
}
