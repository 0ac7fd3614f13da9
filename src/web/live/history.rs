//! The history of a subscriber, a series or a domain, for charts.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::hub::Hub;
use super::places::{NONE, Places, SeriesPlace};
use super::view::Sight;
use crate::telemetry::sample::{Kind, now};
use crate::telemetry::store::SampleStore;
use crate::telemetry::store::read::{Point, Resolution};
use crate::telemetry::store::series::TOTALS;
use crate::telemetry::totals;

/// Series of a subscriber that are added up.
const MAX_SERIES: usize = 16;

/// Milliseconds of an hour and a day.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A subscriber by its key, a series by its id, a domain, or all that a person sees.
pub(crate) enum Who<'w> {
    Subscriber(&'w str),
    Series(i64),
    Domain(&'w str),
    All,
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

/// A series to read: the number of its source, its id, and from when on it may be shown.
type Readable = (u32, i64, i64);

/// The series to read, and the rates of the plan.
struct Found {
    series: Vec<Readable>,
    plan: Option<(u64, u64)>,
}

/// Whether there is such a span; none is the default one.
pub(crate) fn is_span(name: &str) -> bool {
    name.is_empty() || SPANS.iter().any(|span| span.name == name)
}

/// The history over a span such as `3h`. `None` if there is nothing of this name, or it is not in sight.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn history(hub: &Hub, sight: &Sight, who: Who<'_>, span: &str) -> Result<Option<HistoryAnswer>> {
    let span = SPANS.iter().find(|one| one.name == span).unwrap_or(&SPANS[1]);
    let Some(store) = hub.store() else { return Ok(None) };
    let found = match who {
        Who::Subscriber(key) => find_subscriber(hub, sight, key),
        Who::Series(id) => find_series(hub, sight, id),
        Who::Domain(name) => find_totals(hub, sight, &store, Some(name)).await?,
        Who::All => find_totals(hub, sight, &store, None).await?,
    };
    let Some(found) = found else { return Ok(None) };
    // Samples of several series are not of the same moments: those are added up by minute.
    let minutes = span.resolution == Resolution::Raw && found.series.len() > 1;
    let (resolution, step) = if minutes { (Resolution::Minutes, 60_000) } else { (span.resolution, span.step) };
    let until = now();
    let mut sources: BTreeMap<u32, BTreeMap<i64, Point>> = BTreeMap::new();
    for (source, series, since) in &found.series {
        let from = (until - span.length).max(*since);
        let points = read(&store, *series, resolution, step, (from, until)).await?;
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

impl Places {
    /// The rates of the plan of a subscriber, in bit/s up and down.
    fn rates(&self, owner: u32) -> Option<(u64, u64)> {
        let plan = self.plans.get(self.subscribers.get(owner as usize)?.plan as usize)?;
        Some((plan.up, plan.down))
    }

    fn is_in_sight(&self, sight: &Sight, domain: u32) -> bool {
        self.domains.get(domain as usize).is_some_and(|domain| sight.sees(&domain.name))
    }
}

/// What was before a series came to a domain belongs to another one's people.
fn readable(series: &SeriesPlace, sight: &Sight) -> Readable {
    (series.source, series.id, if sight.is_whole() { 0 } else { series.since })
}

fn find_subscriber(hub: &Hub, sight: &Sight, key: &str) -> Option<Found> {
    let picture = hub.picture();
    let places = &picture.places;
    let number = places.subscribers.iter().position(|one| &*one.key == key)?;
    let one = places.subscribers.get(number).filter(|one| places.is_in_sight(sight, one.domain))?;
    let numbers = places.series_of(one).into_iter().take(MAX_SERIES);
    let series = numbers.filter_map(|number| places.series.get(number as usize));
    Some(Found { series: series.map(|one| readable(one, sight)).collect(), plan: places.rates(number as u32) })
}

fn find_series(hub: &Hub, sight: &Sight, id: i64) -> Option<Found> {
    let picture = hub.picture();
    let places = &picture.places;
    let one = places.series.get(*places.by_id.get(&id)? as usize)?;
    let stranger = one.owner == NONE;
    let visible = if stranger { sight.unknown } else { places.is_in_sight(sight, places.domain_of(one)) };
    visible.then(|| Found { series: vec![readable(one, sight)], plan: places.rates(one.owner) })
}

/// The totals of a domain, or of all that are in sight. Before the first sample there are none.
async fn find_totals(hub: &Hub, sight: &Sight, store: &SampleStore, domain: Option<&str>) -> Result<Option<Found>> {
    let names: BTreeSet<Box<str>> = {
        let picture = hub.picture();
        let in_sight = picture.places.domains.iter().filter(|one| sight.sees(&one.name));
        in_sight.map(|one| one.name.clone()).filter(|name| domain.is_none_or(|domain| domain == &**name)).collect()
    };
    if domain.is_some() && names.is_empty() {
        return Ok(None);
    }
    let wanted = |name: &str| match domain {
        None if sight.is_whole() => name == totals::ALL,
        _ => names.contains(name),
    };
    let series = store.series(Some(TOTALS)).await?;
    let series = series.into_iter().filter(|one| wanted(&one.facts.name)).map(|one| (0, one.id, 0)).collect();
    Ok(Some(Found { series, plan: None }))
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
