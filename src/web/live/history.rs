//! The history of a subscriber or a series, for charts.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::hub::Hub;
use super::places::NONE;
use super::view::Sight;
use crate::telemetry::sample::{Kind, now};
use crate::telemetry::store::SampleStore;
use crate::telemetry::store::read::{Point, Resolution};

/// Series of a subscriber that are added up.
const MAX_SERIES: usize = 16;

/// Milliseconds of an hour and a day.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A subscriber by its key, or a series by its id.
pub(crate) enum Who<'w> {
    Subscriber(&'w str),
    Series(i64),
}

/// How far back, and in which steps.
struct Span {
    name: &'static str,
    /// In milliseconds: the whole, and a step.
    length: i64,
    step: i64,
    resolution: Resolution,
}

const SPANS: [Span; 5] = [
    Span { name: "30m", length: HOUR / 2, step: 1, resolution: Resolution::Raw },
    Span { name: "3h", length: 3 * HOUR, step: 60_000, resolution: Resolution::Minutes },
    Span { name: "24h", length: DAY, step: 60_000, resolution: Resolution::Minutes },
    Span { name: "7d", length: 7 * DAY, step: HOUR, resolution: Resolution::Hours },
    Span { name: "400d", length: 400 * DAY, step: DAY, resolution: Resolution::Hours },
];

/// The answer, version 1.
#[derive(Serialize)]
pub(crate) struct HistoryAnswer {
    version: u32,
    /// Rates of the plan in bit/s.
    plan_up: Option<u64>,
    plan_down: Option<u64>,
    /// From one point to the next, in milliseconds; 1 where points are samples.
    step: i64,
    /// Moments in milliseconds since 1970, means and maxima in bit/s.
    at: Vec<i64>,
    up: Vec<u64>,
    down: Vec<u64>,
    up_max: Vec<u64>,
    down_max: Vec<u64>,
}

/// What a subscriber uses now.
pub(crate) struct Present {
    /// In bit/s.
    pub(crate) up: f64,
    pub(crate) down: f64,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

impl HistoryAnswer {
    /// The means as parts of `top`, each with how far it is on the way from `from` to `until`: first down, then up.
    pub(crate) fn lines(&self, (from, until): (i64, i64), top: u64) -> [Vec<(f64, f64)>; 2] {
        let line = |values: &[u64]| {
            let point = |(at, value): (&i64, &u64)| {
                ((at - from) as f64 / (until - from).max(1) as f64, *value as f64 / top.max(1) as f64)
            };
            self.at.iter().zip(values).map(point).collect()
        };
        [line(&self.down), line(&self.up)]
    }

    /// The largest mean, or rate of the plan.
    pub(crate) fn top(&self) -> u64 {
        let rates = [self.plan_up, self.plan_down].into_iter().flatten();
        self.down.iter().chain(&self.up).copied().chain(rates).max().unwrap_or(0)
    }
}

/// What a subscriber used by its last sample.
pub(crate) fn present(hub: &Hub, sight: &Sight, key: &str) -> Option<Present> {
    let picture = hub.picture();
    let number = picture.places.subscribers.iter().position(|one| &*one.key == key)?;
    let one = picture.places.subscribers.get(number)?;
    let domain = picture.places.domains.get(one.domain as usize)?;
    let now = picture.subscribers.get(number).filter(|now| now.at > 0 && sight.sees(&domain.name))?;
    Some(Present { up: now.up, down: now.down, at: now.at })
}

/// The series to read, by source, and the rates of the plan.
struct Found {
    series: Vec<(u32, i64)>,
    plan: Option<(u64, u64)>,
}

/// Whether there is such a span; none is the default one.
pub(crate) fn is_span(name: &str) -> bool {
    name.is_empty() || SPANS.iter().any(|span| span.name == name)
}

/// The history over a span such as `3h`. `None` if there is no such subscriber or series, or it is not in sight.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn history(hub: &Hub, sight: &Sight, who: Who<'_>, span: &str) -> Result<Option<HistoryAnswer>> {
    let span = SPANS.iter().find(|one| one.name == span).unwrap_or(&SPANS[1]);
    let (Some(found), Some(store)) = (find(hub, sight, who), hub.store()) else { return Ok(None) };
    // Samples of several series are not of the same moments: those are added up by minute.
    let minutes = span.resolution == Resolution::Raw && found.series.len() > 1;
    let (resolution, step) = if minutes { (Resolution::Minutes, 60_000) } else { (span.resolution, span.step) };
    let until = now();
    let mut sources: BTreeMap<u32, BTreeMap<i64, Point>> = BTreeMap::new();
    for (source, series) in found.series.iter().take(MAX_SERIES) {
        let points = read(&store, *series, resolution, step, (until - span.length, until)).await?;
        let sums = sources.entry(*source).or_default();
        for (at, point) in points {
            let sum =
                sums.entry(at).or_insert(Point { at, samples: 0, up: 0.0, down: 0.0, up_max: 0.0, down_max: 0.0 });
            sum.up += point.up;
            sum.down += point.down;
            sum.up_max += point.up_max;
            sum.down_max += point.down_max;
        }
    }
    // Of several sources, which measure the same, the one with most points.
    let points = sources.into_values().max_by_key(BTreeMap::len).unwrap_or_default();
    let values = |value: fn(&Point) -> f64| points.values().map(|point| value(point) as u64).collect();
    Ok(Some(HistoryAnswer {
        version: 1,
        plan_up: found.plan.map(|(up, _)| up),
        plan_down: found.plan.map(|(_, down)| down),
        step,
        at: points.keys().copied().collect(),
        up: values(|point| point.up),
        down: values(|point| point.down),
        up_max: values(|point| point.up_max),
        down_max: values(|point| point.down_max),
    }))
}

fn find(hub: &Hub, sight: &Sight, who: Who<'_>) -> Option<Found> {
    let picture = hub.picture();
    let places = &picture.places;
    let sees = |domain: u32| places.domains.get(domain as usize).is_some_and(|domain| sight.sees(&domain.name));
    let rates = |owner: u32| {
        let plan = places.plans.get(places.subscribers.get(owner as usize)?.plan as usize)?;
        Some((plan.up, plan.down))
    };
    match who {
        Who::Subscriber(key) => {
            let number = places.subscribers.iter().position(|one| &*one.key == key)?;
            let one = places.subscribers.get(number).filter(|one| sees(one.domain))?;
            let numbers = places.series_of(one).into_iter();
            let series = numbers.filter_map(|number| places.series.get(number as usize));
            Some(Found { series: series.map(|one| (one.source, one.id)).collect(), plan: rates(number as u32) })
        }
        Who::Series(id) => {
            let one = places.series.get(*places.by_id.get(&id)? as usize)?;
            let visible = if one.owner == NONE { sight.unknown } else { sees(places.domain_of(one)) };
            visible.then(|| Found { series: vec![(one.source, one.id)], plan: rates(one.owner) })
        }
    }
}

/// The points of a series by step.
async fn read(
    store: &SampleStore,
    series: i64,
    resolution: Resolution,
    step: i64,
    span: (i64, i64),
) -> Result<BTreeMap<i64, Point>> {
    let mut steps: BTreeMap<i64, Point> = BTreeMap::new();
    for point in store.history(series, Kind::Traffic, resolution, span).await? {
        let at = point.at.div_euclid(step) * step;
        steps.entry(at).and_modify(|sum| merge(sum, &point)).or_insert(Point { at, ..point });
    }
    Ok(steps)
}

fn merge(sum: &mut Point, point: &Point) {
    let (before, more) = (sum.samples as f64, point.samples as f64);
    let mean = |a: f64, b: f64| (a * before + b * more) / (before + more).max(1.0);
    (sum.up, sum.down) = (mean(sum.up, point.up), mean(sum.down, point.down));
    (sum.up_max, sum.down_max) = (sum.up_max.max(point.up_max), sum.down_max.max(point.down_max));
    sum.samples += point.samples;
}
