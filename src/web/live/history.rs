//! The history of a subscriber, a series or a domain, for charts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use serde::Serialize;

use super::hub::Hub;
use super::places::{NONE, Places};
use super::view::Sight;
use crate::telemetry::sample::{Kind, now};
use crate::telemetry::store::SampleStore;
use crate::telemetry::store::read::{Point, Resolution};
use crate::telemetry::store::series::{Series, TOTALS};
use crate::telemetry::sum::{Part, sum};
use crate::telemetry::totals;

/// Series of a subscriber that are added up, those first that are listed.
const MAX_SERIES: usize = 1000;

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
    /// In milliseconds.
    length: i64,
    resolution: Resolution,
    /// Units of the resolution in a step.
    units: i64,
}

const SPANS: [Span; 5] = [
    Span { name: "30m", length: HOUR / 2, resolution: Resolution::Raw, units: 1 },
    Span { name: "3h", length: 3 * HOUR, resolution: Resolution::Minutes, units: 1 },
    Span { name: "24h", length: DAY, resolution: Resolution::Minutes, units: 1 },
    Span { name: "7d", length: 7 * DAY, resolution: Resolution::Hours, units: 1 },
    Span { name: "400d", length: 400 * DAY, resolution: Resolution::Hours, units: 24 },
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

/// A series to read.
struct Readable {
    id: i64,
    source: u32,
    /// From when on it may be shown.
    since: i64,
    /// Since when it has been listed, and since when not any more.
    listed: (i64, Option<i64>),
}

/// The series to read, and the rates of the plan.
struct Found {
    series: Vec<Readable>,
    plan: Option<(u64, u64)>,
}

/// Means and maxima: up, down, up, down.
type Values = [f64; 4];

/// Adds up the points of several series, which come step by step.
struct Sums<'f> {
    series: HashMap<i64, &'f Readable>,
    step: i64,
    /// Where the step that is being added up begins, and what there is of it, by source.
    begin: i64,
    parts: BTreeMap<u32, Vec<Part<4>>>,
    sources: BTreeMap<u32, Vec<(i64, Values)>>,
}

impl Sums<'_> {
    fn add(&mut self, point: &Point) {
        let Some(one) = self.series.get(&point.series).copied() else { return };
        if point.at != self.begin {
            self.close();
            self.begin = point.at;
        }
        let values = [point.up, point.down, point.up_max, point.down_max];
        let part = Part::new(values, (point.at, point.at + self.step), one.listed);
        self.parts.entry(one.source).or_default().push(part);
    }

    fn close(&mut self) {
        for (source, mut parts) in std::mem::take(&mut self.parts) {
            let mut values = sum(&mut parts);
            // What replaces a device has a maximum of its own.
            for maximum in [2, 3] {
                values[maximum] = parts.iter().map(|part| part.means[maximum]).fold(values[maximum], f64::max);
            }
            self.sources.entry(source).or_default().push((self.begin, values));
        }
    }

    /// Of several sources, which measure the same, the one with most points.
    fn longest(mut self) -> Vec<(i64, Values)> {
        self.close();
        self.sources.into_values().max_by_key(Vec::len).unwrap_or_default()
    }
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
    let Some(mut found) = found else { return Ok(None) };
    let until = now();
    let from = until - span.length;
    found.series.retain(|one| one.listed.1.is_none_or(|gone| gone > from));
    found.series.sort_by_key(|one| one.listed.1.is_some());
    if matches!(who, Who::Subscriber(_)) {
        found.series.truncate(MAX_SERIES);
    }
    // Samples of several series are not of the same moments: those are added up by minute.
    let minutes = span.resolution == Resolution::Raw && found.series.len() > 1;
    let resolution = if minutes { Resolution::Minutes } else { span.resolution };
    let step = resolution.unit() * span.units;
    let series = found.series.iter().map(|one| (one.id, one)).collect();
    let mut sums = Sums { series, step, begin: 0, parts: BTreeMap::new(), sources: BTreeMap::new() };
    let wanted: Vec<(i64, i64)> = found.series.iter().map(|one| (one.id, one.since)).collect();
    let steps = (resolution, span.units);
    store.each_point(&wanted, Kind::Traffic, steps, (from, until), |point| sums.add(&point)).await?;
    let points = sums.longest();
    let values = |which: usize| points.iter().map(|(_, values)| values[which].round() as u64).collect();
    Ok(Some(HistoryAnswer {
        version: 1,
        plan_up: found.plan.map(|(up, _)| up),
        plan_down: found.plan.map(|(_, down)| down),
        step,
        at: points.iter().map(|(at, _)| *at).collect(),
        up: values(0),
        down: values(1),
        up_max: values(2),
        down_max: values(3),
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
fn readable(places: &Places, number: u32, sight: &Sight) -> Option<Readable> {
    let (one, listed) = (places.series.get(number as usize)?, *places.listed.get(number as usize)?);
    let since = if sight.is_whole() { 0 } else { one.since };
    Some(Readable { id: one.id, source: one.source, since, listed })
}

fn find_subscriber(hub: &Hub, sight: &Sight, key: &str) -> Option<Found> {
    let picture = hub.picture();
    let places = &picture.places;
    let number = places.subscribers.iter().position(|one| &*one.key == key)?;
    let one = places.subscribers.get(number).filter(|one| places.is_in_sight(sight, one.domain))?;
    let series = places.series_of(one).into_iter().filter_map(|number| readable(places, number, sight)).collect();
    Some(Found { series, plan: places.rates(number as u32) })
}

fn find_series(hub: &Hub, sight: &Sight, id: i64) -> Option<Found> {
    let picture = hub.picture();
    let places = &picture.places;
    let number = *places.by_id.get(&id)?;
    let one = places.series.get(number as usize)?;
    let stranger = one.owner == NONE;
    let visible = if stranger { sight.unknown } else { places.is_in_sight(sight, places.domain_of(one)) };
    let series = readable(places, number, sight).filter(|_| visible)?;
    Some(Found { series: vec![series], plan: places.rates(one.owner) })
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
    let all = store.series(Some(TOTALS)).await?.into_iter();
    let series = all.filter(|one| wanted(&one.facts.name));
    let listed = |one: &Series| (one.active_from, one.active_until);
    let series = series.map(|one| Readable { id: one.id, source: 0, since: 0, listed: listed(&one) }).collect();
    Ok(Some(Found { series, plan: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_added_up_by_source_each_for_its_part_of_a_step() {
        let readable = |id, source, listed| Readable { id, source, since: 0, listed };
        // One device in place of another, one beside them, and another source.
        let all = [
            readable(1, 0, (0, Some(90_000))),
            readable(2, 0, (90_000, None)),
            readable(3, 0, (0, None)),
            readable(4, 1, (0, None)),
        ];
        let series = all.iter().map(|one| (one.id, one)).collect();
        let mut sums = Sums { series, step: 60_000, begin: 0, parts: BTreeMap::new(), sources: BTreeMap::new() };
        let point = |at, series, up| Point { series, at, up, down: 2.0 * up, up_max: 3.0 * up, down_max: up };
        for (at, series, up) in [
            (0, 1, 20.0),
            (0, 3, 1.0),
            (0, 4, 99.0),
            (60_000, 1, 20.0),
            (60_000, 2, 20.0),
            (60_000, 3, 1.0),
            (120_000, 2, 20.0),
            (120_000, 9, 7.0),
        ] {
            sums.add(&point(at, series, up));
        }
        let wanted = |up: f64, up_max| [up, 2.0 * up, up_max, up];
        let found = [(0, wanted(21.0, 63.0)), (60_000, wanted(21.0, 63.0)), (120_000, wanted(20.0, 60.0))];
        assert_eq!(sums.longest(), found);
    }

    #[test]
    fn what_was_there_for_a_part_of_a_step_keeps_its_maximum() {
        let all = [
            Readable { id: 1, source: 0, since: 0, listed: (0, Some(30)) },
            Readable { id: 2, source: 0, since: 0, listed: (30, None) },
        ];
        let series = all.iter().map(|one| (one.id, one)).collect();
        let mut sums = Sums { series, step: 60, begin: 0, parts: BTreeMap::new(), sources: BTreeMap::new() };
        for (series, up) in [(1, 90.0), (2, 10.0)] {
            sums.add(&Point { series, at: 0, up, down: 0.0, up_max: up, down_max: 0.0 });
        }
        assert_eq!(sums.longest(), [(0, [50.0, 0.0, 90.0, 0.0])]);
    }
}
