//! `netbeam`: an HTTP API in the shape of ESnet's Netbeam, which has the traffic, errors and discards of interfaces
//! for any time. Each series of it is collected from where it ended.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use super::{Desk, Entry, MAX_SERIES, NO_LIST, Round, clean, is_measure};
use crate::telemetry::http::{HttpSource, TooLong};
use crate::telemetry::message::Message;
use crate::telemetry::sample::{Kind, MINUTE, Sample};
use crate::telemetry::settings::{NetbeamSettings, SourceSettings};
use crate::telemetry::store::batch::Batch;
use crate::telemetry::store::series::{Form, Series, SeriesFacts};

/// The longest answers, in bytes: of the list, and of the points of one window.
const MAX_LIST: usize = 32 << 20;
const MAX_POINTS: usize = 2 << 20;

/// Samples in a transaction, if they are of several answers.
const MAX_BATCH: usize = 10_000;

/// An API with interfaces.
pub(crate) struct Netbeam {
    name: String,
    http: HttpSource,
    settings: NetbeamSettings,
    reverse: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Plain(Vec<Entry<Box<Interface>>>),
    Wrapped { interfaces: Vec<Entry<Box<Interface>>> },
}

#[derive(Deserialize)]
struct Interface {
    resource: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, alias = "ip_address", alias = "ip")]
    address: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// An object without `points`, as of an error, is no answer: the window is asked for again.
#[derive(Deserialize)]
struct Points {
    #[serde(deserialize_with = "Option::deserialize")]
    points: Option<Vec<Value>>,
}

/// One request: a window of one series.
#[derive(Clone)]
struct Window {
    series: i64,
    name: String,
    resource: String,
    kind: Kind,
    begin: i64,
    end: i64,
}

/// A measurement, in the unit of the store.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    at: i64,
    into: f64,
    out: f64,
}

impl Netbeam {
    pub(super) fn new(settings: &SourceSettings, api: &NetbeamSettings, timeout: Duration) -> Result<Netbeam> {
        let http = HttpSource::new(&api.http, timeout)?;
        Ok(Netbeam { name: settings.name.clone(), http, settings: api.clone(), reverse: settings.reverse })
    }

    pub(super) async fn round(&mut self, desk: &Desk, now: i64) -> Result<Round> {
        let mut round = Round::default();
        let windows = self.windows(desk, now, &mut round).await?;
        let mut batch = Batch { source: self.name.clone(), ..Batch::default() };
        let (http, parallel) = (&self.http, self.settings.parallel);
        let mut answers = futures_util::stream::iter(windows)
            .map(|mut window| async move {
                let path = format!("{}/{}", window.resource, window.kind.name());
                loop {
                    let query = [("begin", window.begin), ("end", window.end)];
                    let answer: Result<Option<Points>> = http.get(&path, &query, MAX_POINTS).await;
                    let half = (window.end - window.begin) / 2;
                    match answer {
                        Err(error) if error.is::<TooLong>() && half >= MINUTE => window.end = window.begin + half,
                        answer => return (window, answer),
                    }
                }
            })
            .buffer_unordered(parallel);
        let end = now - self.settings.delay.milliseconds();
        while let Some((window, answer)) = answers.next().await {
            // Where more is left than one window, the next round is due at once.
            round.next = round.next.or((window.end < end).then_some(now));
            match answer {
                Ok(points) => self.add(&mut batch, &window, points, desk.messages, &mut round.refused),
                // The series stays where it is.
                Err(error) => {
                    round.trouble.get_or_insert_with(|| format!("{}: {error:#}", window.name));
                }
            }
            if batch.samples.len() >= MAX_BATCH {
                let next = Batch { source: self.name.clone(), ..Batch::default() };
                desk.write(std::mem::replace(&mut batch, next)).await?;
            }
        }
        desk.write(batch).await?;
        Ok(round)
    }

    /// What to ask for, after the list of interfaces.
    async fn windows(&self, desk: &Desk, now: i64, round: &mut Round) -> Result<Vec<Window>> {
        let list: Option<List> = self.http.get("interfaces", &[], MAX_LIST).await?;
        // An empty list says that all interfaces are gone; no list says nothing.
        let entries = match list.context(NO_LIST)? {
            List::Plain(entries) | List::Wrapped { interfaces: entries } => entries,
        };
        let (listed, resources) = sound(entries, &mut round.refused);
        let series = desk.store.list_series(&self.name, &listed, now, desk.messages).await?;
        let end = now - self.settings.delay.milliseconds();
        let is_ahead = |until: i64| until > now + MINUTE;
        let any_ahead = |series: &Series| Kind::ALL.iter().any(|kind| series.until(*kind).is_some_and(is_ahead));
        let deleted = if series.iter().any(any_ahead) { desk.store.deleted_before().await? } else { 0 };
        let of_series = |series: &Series| {
            let resource = resources.get(&series.facts.name).cloned().unwrap_or_default();
            let (name, id) = (series.facts.name.clone(), series.id);
            Kind::ALL.map(|kind| {
                let window = self.settings.window.milliseconds();
                let begin = match series.until(kind) {
                    // Of a clock that was wrong: it would be long until then. What was deleted would count twice.
                    Some(until) if is_ahead(until) => deleted.max(end - window),
                    Some(until) => until,
                    None => end - window,
                };
                let end = end.min(begin + window);
                Window { series: id, name: name.clone(), resource: resource.clone(), kind, begin, end }
            })
        };
        Ok(series.iter().flat_map(of_series).filter(|window| window.begin < window.end).collect())
    }

    /// Adds the points of an answer, and moves the series forward: behind the last point, or without any to the end
    /// of the window.
    fn add(&self, batch: &mut Batch, window: &Window, answer: Option<Points>, messages: bool, refused: &mut u64) {
        let points = answer.and_then(|answer| answer.points).unwrap_or_default();
        let unit = if window.kind == Kind::Traffic { self.settings.http.unit } else { 1.0 };
        let measured = measured(&points, window, unit, refused);
        let last = measured.iter().map(|point| point.at).max();
        batch.series_until.push((window.series, window.kind, last.map_or(window.end, |last| last + 1)));
        for Measured { at, into, out } in measured {
            let (up, down) = if self.reverse { (out, into) } else { (into, out) };
            batch.samples.push(Sample { series: window.series, kind: window.kind, at, up, down, active: None });
            if messages {
                batch.messages.push(Message::traffic(&self.name, &window.name, window.kind, at, (into, out)));
            }
        }
    }
}

/// The interfaces with a name and a resource, each once, and the resource of each.
fn sound(entries: Vec<Entry<Box<Interface>>>, refused: &mut u64) -> (Vec<SeriesFacts>, HashMap<String, String>) {
    let mut listed = Vec::new();
    let mut resources = HashMap::new();
    let mut seen = HashSet::new();
    for entry in entries {
        let Entry::Sound(interface) = entry else {
            *refused += 1;
            continue;
        };
        let resource = interface.resource.trim_matches('/').to_owned();
        let name = clean(interface.name.as_deref().unwrap_or(&resource));
        let fits = !resource.is_empty() && resource.len() <= 500 && !name.is_empty() && listed.len() < MAX_SERIES;
        if !fits || !seen.insert(name.clone()) {
            *refused += 1;
            continue;
        }
        listed.push(SeriesFacts {
            name: name.clone(),
            form: Form::Interface,
            address: interface.address.as_deref().map(clean),
            description: interface.description.as_deref().map(clean),
            facts: None,
        });
        resources.insert(name, resource);
    }
    (listed, resources)
}

/// The points that are measurements within the window, the first of each moment. One with nulls is none, and no fault
/// either.
fn measured(points: &[Value], window: &Window, unit: f64, refused: &mut u64) -> Vec<Measured> {
    let mut measured = Vec::new();
    let mut seen = HashSet::new();
    for point in points {
        let Some([at, into, out]) = point.as_array().map(Vec::as_slice) else {
            *refused += 1;
            continue;
        };
        if into.is_null() || out.is_null() {
            continue;
        }
        let at = at.as_i64().filter(|at| (window.begin..=window.end).contains(at));
        let value = |value: &Value| value.as_f64().map(|value| value * unit).filter(|value| is_measure(*value));
        match (at, value(into), value(out)) {
            (Some(at), Some(into), Some(out)) if seen.insert(at) => measured.push(Measured { at, into, out }),
            // Two messages of one moment would have one id.
            (Some(_), Some(_), Some(_)) => {}
            _ => *refused += 1,
        }
    }
    measured
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn window() -> Window {
        let name = String::new;
        Window { series: 1, name: name(), resource: name(), kind: Kind::Traffic, begin: 1000, end: 2000 }
    }

    #[test]
    fn points_that_are_no_measurements_are_counted() {
        let text = r#"{"points": [[1000, 1, 2], [2000, 0, 0.5], [1500, null, 3], [999, 1, 1], [2001, 1, 1],
            [1500, -1, 2], [1500.5, 1, 1], ["1500", 1, 1], [1500, 1], 7, [1500, "x", 1], [1500, 1, 1, 1], [1500, 1e300, 1], [2000, 7, 7]]}"#;
        let points: Points = serde_json::from_str(text).unwrap();
        let mut refused = 0;
        let found = measured(&points.points.unwrap(), &window(), 1e6, &mut refused);
        let wanted = [Measured { at: 1000, into: 1e6, out: 2e6 }, Measured { at: 2000, into: 0.0, out: 5e5 }];
        assert_eq!((found.as_slice(), refused), (wanted.as_slice(), 10));
        assert!(serde_json::from_str::<Points>(r#"{"points": null}"#).is_ok());
        assert!(serde_json::from_str::<Points>(r#"{"error": "database is down"}"#).is_err());
    }

    #[test]
    fn interfaces_without_a_resource_or_with_a_known_name_are_counted() {
        let text = r#"[{"name": "a", "resource": "/r/a", "address": "10.10.10.25"}, {"name": "a", "resource": "/r/b"},
            {"resource": "/r/c"}, {"name": "d"}, {"name": "e", "resource": ""}, 5]"#;
        let mut refused = 0;
        let (listed, resources) = sound(serde_json::from_str(text).unwrap(), &mut refused);
        let names: Vec<&str> = listed.iter().map(|facts| facts.name.as_str()).collect();
        assert_eq!((names, refused, resources["a"].as_str()), (vec!["a", "r/c"], 4, "r/a"));
    }
}
