//! The store on SQLite and PostgreSQL, against a straightforward computation.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/it/servers/postgres.rs"]
mod postgres;

use std::collections::BTreeMap;
use std::str::FromStr as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use super::SampleStore;
use super::batch::Batch;
use super::lease::Turn;
use super::read::{Point, Resolution};
use super::series::{Form, SeriesFacts, TOTALS, Tenure};
use crate::database::location::StateLocation;
use crate::telemetry::message::Message;
use crate::telemetry::sample::{Kind, Sample};
use crate::telemetry::settings::{Age, Retention};
use crate::telemetry::totals::{ALL, Totals};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// A whole day.
const BEGIN: i64 = 20_000 * 24 * HOUR;

/// Runs a test on each database.
fn on_each<T: Future<Output = ()>>(test: impl Fn(SampleStore) -> T) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let open = |location| runtime.block_on(SampleStore::open(&location)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(test(open(StateLocation::Sqlite(folder.path().join("samples.sqlite")))));
    let server = postgres::Postgres::start();
    runtime.block_on(test(open(StateLocation::named(&server.url()).unwrap())));
}

fn sample(series: i64, kind: Kind, at: i64, value: u32) -> Sample {
    Sample { series, kind, at, up: f64::from(value), down: f64::from(value) * 3.0 + 1.0, active: None }
}

fn batch(samples: Vec<Sample>) -> Batch {
    Batch { source: "test".to_owned(), samples, ..Batch::default() }
}

async fn empty(store: &SampleStore) {
    for table in ["samples", "minutes", "hours", "dirty", "batches"] {
        sqlx::query(&format!("DELETE FROM {table}")).execute(&store.db.pool).await.unwrap();
    }
    sqlx::query("UPDATE purged SET slot = 0, series = 0").execute(&store.db.pool).await.unwrap();
}

/// What happens to a store, in order.
#[derive(Clone, Debug)]
enum Step {
    /// Samples arrive: series, kind, seconds since the beginning, value. With `true`, twice.
    Arrive(Vec<(i64, usize, i64, u32)>, bool),
    RollUp(bool),
    /// Time passes, in minutes; what is too old is deleted.
    Clean(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = (1..10_i64, 0..3_usize, 0..5 * 3600_i64, any::<u32>());
    let step = prop_oneof![
        4 => (prop::collection::vec(one, 0..25), any::<bool>()).prop_map(|(samples, twice)| Step::Arrive(samples, twice)),
        2 => any::<bool>().prop_map(Step::RollUp),
        2 => (0..120_i64).prop_map(Step::Clean),
    ];
    prop::collection::vec(step, 1..14)
}

/// Number of samples, means and maxima of each series and kind in slots of a length.
type Sums = BTreeMap<(i64, i64, i64), (i64, f64, f64, f64, f64)>;

fn straightforward(samples: &BTreeMap<(i64, i64, i64), Sample>, length: i64) -> Sums {
    let mut slots: BTreeMap<(i64, i64, i64), Vec<&Sample>> = BTreeMap::new();
    for one in samples.values() {
        slots.entry((one.at.div_euclid(length), one.series, one.kind.number())).or_default().push(one);
    }
    let sums = |of: Vec<&Sample>| {
        let count = of.len() as f64;
        let most = |value: fn(&Sample) -> f64| of.iter().map(|one| value(one)).fold(0.0, f64::max);
        let mean = |value: fn(&Sample) -> f64| of.iter().map(|one| value(one)).sum::<f64>() / count;
        (of.len() as i64, mean(|one| one.up), mean(|one| one.down), most(|one| one.up), most(|one| one.down))
    };
    slots.into_iter().map(|(key, of)| (key, sums(of))).collect()
}

async fn stored(store: &SampleStore, table: &str, time: &str) -> Sums {
    use sqlx::Row as _;
    let sql = format!("SELECT {time}, series, kind, samples, up, down, up_max, down_max FROM {table}");
    let rows = sqlx::query(&sql).fetch_all(&store.db.pool).await.unwrap();
    let row = |row: &sqlx::any::AnyRow| {
        ((row.get(0), row.get(1), row.get(2)), (row.get(3), row.get(4), row.get(5), row.get(6), row.get(7)))
    };
    rows.iter().map(row).collect()
}

fn same(found: &Sums, wanted: &Sums) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (key, wanted) in wanted {
        let found = &found[key];
        prop_assert_eq!((found.0, found.3, found.4), (wanted.0, wanted.3, wanted.4), "{:?}", key);
        let close = |one: f64, other: f64| (one - other).abs() <= 1e-9 * other.abs().max(1.0);
        prop_assert!(close(found.1, wanted.1) && close(found.2, wanted.2), "{:?}: {:?} {:?}", key, found, wanted);
    }
    Ok(())
}

async fn follow(store: &SampleStore, steps: &[Step]) -> Result<(), TestCaseError> {
    empty(store).await;
    let age = |text| Age::from_str(text).unwrap();
    let retention = Retention { raw: age("10m"), minutes: age("2h"), hours: age("400d") };
    let mut all: BTreeMap<(i64, i64, i64), Sample> = BTreeMap::new();
    let mut now = BEGIN + 5 * HOUR;
    for step in steps {
        match step {
            Step::Arrive(samples, twice) => {
                let new = |(series, kind, second, value): &(i64, usize, i64, u32)| {
                    sample(*series, Kind::ALL[*kind], BEGIN + second * 1000, *value)
                };
                // A source does not give again what is behind its checkpoint.
                let mut new: Vec<Sample> = samples.iter().map(new).collect();
                new.retain(|one| !all.contains_key(&(one.series, one.kind.number(), one.at)));
                new.sort_by_key(|one| (one.series, one.kind, one.at));
                new.dedup_by_key(|one| (one.series, one.kind, one.at));
                for _ in 0..=usize::from(*twice) {
                    store.write(batch(new.clone())).await.unwrap();
                }
                all.extend(new.into_iter().map(|one| ((one.series, one.kind.number(), one.at), one)));
            }
            Step::RollUp(all) => store.roll_up(now, *all).await.unwrap(),
            Step::Clean(minutes) => {
                now += minutes * MINUTE;
                store.clean(now, &retention).await.unwrap();
            }
        }
    }
    store.roll_up(now, true).await.unwrap();
    same(&stored(store, "hours", "hour").await, &straightforward(&all, HOUR))?;
    store.clean(now, &retention).await.unwrap();
    same(&stored(store, "hours", "hour").await, &straightforward(&all, HOUR))?;
    let oldest = (now - 2 * HOUR).div_euclid(HOUR) * 60;
    let mut minutes = straightforward(&all, MINUTE);
    minutes.retain(|(minute, ..), _| *minute >= oldest);
    same(&stored(store, "minutes", "minute").await, &minutes)?;
    let raw = all
        .values()
        .filter(|one| one.kind == Kind::Traffic && one.slot() >= (now - 10 * MINUTE).div_euclid(MINUTE))
        .count();
    prop_assert_eq!(samples(store, (i64::MIN, i64::MAX), (i64::MIN, i64::MAX), i64::MIN).await.len(), raw);
    Ok(())
}

#[test]
fn roll_ups_are_what_a_straightforward_computation_gives() {
    on_each(|store| async move {
        let store = &store;
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        for _ in 0..24 {
            let tree = steps().new_tree(&mut runner).unwrap();
            let case = tree.current();
            if let Err(error) = follow(store, &case).await {
                panic!("{error}: {case:#?}");
            }
        }
    });
}

fn facts(name: &str, address: &str) -> SeriesFacts {
    SeriesFacts {
        name: name.to_owned(),
        form: Form::Interface,
        address: Some(address.to_owned()),
        description: None,
        facts: None,
    }
}

#[test]
fn interfaces_appear_change_disappear_and_return() {
    on_each(|store| async move {
        let (a, b) = (facts("a", "10.10.10.25"), facts("b", "10.10.10.26"));
        let list = async |listed: &[SeriesFacts], at| store.list_series("core", listed, at, true).await.unwrap();
        let first = list(&[a.clone(), b.clone()], 1000).await;
        assert_ne!(first[0].id, first[1].id);
        assert_eq!(list(&[a.clone(), b.clone()], 2000).await, first, "nothing changed");
        list(std::slice::from_ref(&a), 3000).await;
        let gone = &store.series(Some("core")).await.unwrap()[1];
        assert_eq!((gone.active, gone.active_from, gone.active_until), (false, 1000, Some(3000)));
        let back = list(&[facts("a", "10.10.10.99"), b], 4000).await;
        assert_eq!(back.iter().map(|one| one.id).collect::<Vec<i64>>(), [first[0].id, first[1].id]);
        assert_eq!((back[1].active_from, back[1].active_until), (4000, None));
        let events = "SELECT name || ' ' || what FROM series_events JOIN series ON id = series ORDER BY at, name";
        let events: Vec<String> = sqlx::query_scalar(events).fetch_all(&store.db.pool).await.unwrap();
        assert_eq!(events, ["a appeared", "b appeared", "b disappeared", "a changed", "b returned"]);
        let rows = store.unsent("file", 100).await.unwrap();
        let messages: Vec<&Message> = rows.iter().flat_map(|row| &row.messages).collect();
        assert_eq!(messages.len(), 5);
        assert_eq!((&messages[2].body["status"], &messages[2].body["timestamp"]), (&"gone".into(), &3000.into()));
        // Another source has names of its own.
        assert_ne!(store.list_series("edge", &[a], 5000, false).await.unwrap()[0].id, first[0].id);
        assert_eq!(store.series(None).await.unwrap().len(), 3);
    });
}

async fn samples(store: &SampleStore, slots: (i64, i64), series: (i64, i64), since: i64) -> Vec<Sample> {
    let mut samples = Vec::new();
    store.each_sample(slots, series, since, |sample| samples.push(sample)).await.unwrap();
    samples
}

async fn history(
    store: &SampleStore,
    series: &[(i64, i64)],
    kind: Kind,
    steps: (Resolution, i64),
    span: (i64, i64),
) -> Vec<Point> {
    let mut points = Vec::new();
    store.each_point(series, kind, steps, span, |point| points.push(point)).await.unwrap();
    points
}

#[test]
fn readers_follow_and_look_back() {
    on_each(|store| async move {
        let series = store.list_series("core", &[facts("a", "10.10.10.25"), facts("b", "::1")], BEGIN, false).await;
        let (a, b) = series.map(|series| (series[0].id, series[1].id)).unwrap();
        assert_eq!(store.last_announcement().await.unwrap(), 0);
        let at = |minute: i64, second: i64| BEGIN + minute * MINUTE + second * 1000;
        let minute = |minute| {
            vec![
                sample(a, Kind::Traffic, at(minute, 0), 10),
                sample(a, Kind::Traffic, at(minute, 30), 20),
                sample(b, Kind::Traffic, at(minute, 0), 5),
            ]
        };
        store.write(batch(minute(0))).await.unwrap();
        store
            .write(Batch { until: Some(7), series_until: vec![(b, Kind::Errors, 9)], ..batch(minute(1)) })
            .await
            .unwrap();
        store.write(batch(vec![sample(b, Kind::Errors, at(2, 0), 1)])).await.unwrap();
        let news = store.announcements(0, 10).await.unwrap();
        assert_eq!(news.iter().map(|one| one.samples).collect::<Vec<i64>>(), [3, 3, 1]);
        assert_eq!(store.announcements(news[1].id, 10).await.unwrap(), news[2..]);
        let new = samples(&store, news[1].slots, news[1].series, i64::MIN).await;
        assert_eq!(new, [minute(1)[0], minute(1)[1], minute(1)[2]]);
        assert_eq!(samples(&store, news[1].slots, (a, a), at(1, 1)).await, [minute(1)[1]]);
        assert_eq!(samples(&store, news[2].slots, news[2].series, 0).await, [], "errors are no traffic");
        assert!(store.last_series_change().await.unwrap() > 0);
        assert_eq!((store.checkpoint("test").await.unwrap(), store.checkpoint("x").await.unwrap()), (Some(7), None));
        assert_eq!(store.series(None).await.unwrap()[1].until(Kind::Errors), Some(9));
        store.roll_up(at(2, 0), true).await.unwrap();
        let all = (at(0, 0), at(120, 0));
        let raw = history(&store, &[(a, 0)], Kind::Traffic, (Resolution::Raw, 1), (at(0, 30), at(1, 30))).await;
        assert_eq!(raw.iter().map(|one| (one.at, one.up)).collect::<Vec<_>>(), [(at(0, 30), 20.0), (at(1, 0), 10.0)]);
        let minutes = history(&store, &[(a, 0)], Kind::Traffic, (Resolution::Minutes, 1), all).await;
        let wanted = |at| Point { series: a, at, up: 15.0, down: 46.0, up_max: 20.0, down_max: 61.0 };
        assert_eq!(minutes, [wanted(at(0, 0)), wanted(at(1, 0))]);
        assert_eq!(history(&store, &[(a, 0)], Kind::Traffic, (Resolution::Hours, 1), all).await, [wanted(at(0, 0))]);
        assert_eq!(history(&store, &[(a, 0)], Kind::Discards, (Resolution::Hours, 1), all).await, []);
        // Several series at once, each from a moment of its own on, by steps of several minutes.
        let both = [(b, at(1, 0)), (a, 0), (99, 0)];
        let steps = history(&store, &both, Kind::Traffic, (Resolution::Minutes, 2), all).await;
        assert_eq!(
            steps,
            [
                wanted(at(0, 0)),
                Point { series: b, up: 5.0, down: 16.0, up_max: 5.0, down_max: 16.0, ..wanted(at(0, 0)) }
            ]
        );
        assert_eq!(history(&store, &[], Kind::Traffic, (Resolution::Raw, 1), all).await, []);
        let means = store.means((at(0, 30), at(1, 30))).await.unwrap();
        assert_eq!(means.iter().map(|one| (one.samples, one.up)).collect::<Vec<_>>(), [(2, 15.0), (1, 5.0)]);
    });
}

/// PostgreSQL reports an underflow where SQLite computes 0.
#[test]
fn a_rate_next_to_nothing_is_rolled_up() {
    on_each(|store| async move {
        let tiny = Sample { up: f64::from_bits(1), down: 1e-300, ..sample(1, Kind::Traffic, BEGIN, 0) };
        store.write(batch(vec![tiny, sample(1, Kind::Traffic, BEGIN + 1000, 0)])).await.unwrap();
        store.roll_up(BEGIN + 2 * HOUR, true).await.unwrap();
        let hours = history(&store, &[(1, 0)], Kind::Traffic, (Resolution::Hours, 1), (BEGIN, BEGIN + HOUR)).await;
        assert_eq!(hours.iter().map(|one| one.up).collect::<Vec<_>>(), [0.0]);
    });
}

#[test]
fn a_clock_that_was_ahead_costs_only_what_was_there() {
    on_each(|store| async move {
        let age = |text| Age::from_str(text).unwrap();
        let retention = Retention { raw: age("10m"), minutes: age("2h"), hours: age("400d") };
        let overdue = async |now| store.overdue(now, &retention).await.unwrap();
        assert_eq!(overdue(BEGIN + 9 * HOUR).await, 0, "nothing is there");
        store.write(batch(vec![sample(1, Kind::Traffic, BEGIN, 7)])).await.unwrap();
        assert_eq!(overdue(BEGIN + HOUR).await, 49 * MINUTE);
        let ahead = BEGIN + 100_000 * HOUR;
        store.roll_up(ahead, true).await.unwrap();
        assert!(overdue(ahead).await > 99_000 * HOUR);
        store.clean(ahead, &retention).await.unwrap();
        let now = BEGIN + HOUR;
        store.clean(now, &retention).await.unwrap();
        // Where the line is ahead, these would be gone at once.
        store.write(batch(vec![sample(1, Kind::Traffic, now + MINUTE, 8)])).await.unwrap();
        store.roll_up(now + 2 * MINUTE, true).await.unwrap();
        let span = (BEGIN, BEGIN + 2 * HOUR);
        for resolution in [Resolution::Raw, Resolution::Minutes, Resolution::Hours] {
            let found = history(&store, &[(1, 0)], Kind::Traffic, (resolution, 1), span).await;
            assert_eq!(found.iter().map(|one| one.up).collect::<Vec<f64>>(), [8.0], "{resolution:?}");
        }
    });
}

#[test]
fn a_series_of_which_nothing_is_left_is_forgotten() {
    on_each(|store| async move {
        let retention = Retention {
            raw: Age::from_str("10m").unwrap(),
            minutes: Age::from_str("2h").unwrap(),
            hours: Age::from_str("2d").unwrap(),
        };
        let (a, b) = (facts("a", "10.10.10.25"), facts("b", "::1"));
        let listed = store.list_series("core", &[a.clone(), b], BEGIN, false).await.unwrap();
        let tenure = |domain: &str| Tenure { domain: domain.to_owned(), since: 5 };
        let tenures = [(listed[0].id, tenure("a.example")), (listed[1].id, tenure("b.example"))];
        store.hand_over(&tenures).await.unwrap();
        store.hand_over(&[(listed[0].id, tenure("c.example"))]).await.unwrap();
        store.list_series("core", &[a], BEGIN + HOUR, false).await.unwrap();
        let known = async |now| {
            store.clean(now, &retention).await.unwrap();
            let series = store.series(None).await.unwrap();
            let domains = series.into_iter().map(|one| one.tenure.unwrap().domain).collect::<Vec<String>>();
            let mut rows = Vec::new();
            for table in ["tenures", "series_events"] {
                let count =
                    sqlx::query_scalar(&format!("SELECT COUNT(*) FROM {table}")).fetch_one(&store.db.pool).await;
                rows.push(count.unwrap());
            }
            (domains, rows)
        };
        let of = |domains: &[&str]| domains.iter().map(|domain| (*domain).to_owned()).collect::<Vec<String>>();
        assert_eq!(known(BEGIN + 48 * HOUR).await, (of(&["c.example", "b.example"]), vec![2_i64, 3]));
        assert_eq!(known(BEGIN + 72 * HOUR).await, (of(&["c.example"]), vec![1, 0]));
    });
}

#[test]
fn a_message_stays_until_every_sink_has_it() {
    on_each(|store| async move {
        let message = |at| Message::traffic("core", "a", Kind::Traffic, at, (1.0, 2.0));
        let messages: Vec<Message> = (0..1200).map(message).collect();
        store.write(Batch { messages: messages.clone(), ..batch(Vec::new()) }).await.unwrap();
        let rows = store.unsent("file", 10).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.messages.len()).collect::<Vec<usize>>(), [500, 500, 200]);
        assert_eq!(rows.into_iter().flat_map(|row| row.messages).collect::<Vec<Message>>(), messages);
        store.sent("file", 2, &["file", "bus"]).await.unwrap();
        assert_eq!(store.unsent("file", 10).await.unwrap().len(), 1);
        // A row that was damaged by someone else holds up only what is behind it.
        sqlx::query("UPDATE outbox SET body = '[' WHERE id = 2").execute(&store.db.pool).await.unwrap();
        assert_eq!(store.unsent("other", 10).await.unwrap().len(), 1);
        store.sent("other", 1, &["file", "bus", "other"]).await.unwrap();
        let damaged = store.unsent("other", 10).await.unwrap_err().to_string();
        assert!(damaged.contains("row 2 of the outbox is damaged"), "{damaged}");
        sqlx::query("UPDATE outbox SET body = '[]' WHERE id = 2").execute(&store.db.pool).await.unwrap();
        assert_eq!((store.unsent("bus", 10).await.unwrap().len(), store.outbox_depth().await.unwrap()), (3, 1200));
        store.sent("bus", 1, &["file", "bus"]).await.unwrap();
        assert_eq!(store.outbox_depth().await.unwrap(), 700);
        // Another process, whose settings have only the one sink, leaves what the collector's other one waits for.
        assert_eq!(store.keep_for(&["file", "rabbitmq"]).await.unwrap(), Vec::<String>::new());
        store.sent("file", 3, &["file"]).await.unwrap();
        assert_eq!(store.outbox_depth().await.unwrap(), 700);
        assert_eq!(store.keep_for(&["file"]).await.unwrap(), ["rabbitmq"]);
        assert_eq!(store.outbox_depth().await.unwrap(), 0);
    });
}

#[test]
fn a_turn_is_one_process_s_and_stays_given_back() {
    on_each(|store| async move {
        let [one, other] = [(); 2].map(|()| Turn::new(&store).unwrap());
        assert!(one.renew().await.unwrap() && one.renew().await.unwrap());
        assert!(!other.renew().await.unwrap() && one.is_mine() && !other.is_mine());
        one.give_back().await.unwrap();
        // As a renewal does that was on its way when the turn was given back.
        assert!(!one.renew().await.unwrap());
        assert!(other.renew().await.unwrap() && !one.renew().await.unwrap());
        // What lasts longer than any turn was written by a clock that was wrong.
        sqlx::query("UPDATE leases SET until = until + 3600000").execute(&store.db.pool).await.unwrap();
        let third = Turn::new(&store).unwrap();
        assert!(third.renew().await.unwrap() && !other.renew().await.unwrap());
    });
}

#[test]
fn totals_are_rolled_up_and_stay_apart_from_what_sources_measure() {
    on_each(|store| async move {
        let totals = Totals::list(&store, ["a.example", "b.example"].into_iter(), BEGIN).await.unwrap();
        let mut all = batch(vec![sample(77, Kind::Traffic, BEGIN, 1)]);
        for (at, value) in [(BEGIN, 10.0), (BEGIN + 10_000, 20.0)] {
            totals.add(
                &mut all,
                at,
                [("a.example", (value, 1.0)), ("b.example", (5.0, 2.0)), ("c.example", (1.0, 1.0))],
            );
        }
        store.write(all).await.unwrap();
        store.roll_up(BEGIN + HOUR, true).await.unwrap();
        let series = store.series(Some(TOTALS)).await.unwrap();
        let names: Vec<&str> = series.iter().map(|one| one.facts.name.as_str()).collect();
        assert_eq!(names, [ALL, "a.example", "b.example"]);
        let mut means = Vec::new();
        for one in &series {
            let span = (BEGIN, BEGIN + MINUTE);
            let found = history(&store, &[(one.id, 0)], Kind::Traffic, (Resolution::Minutes, 1), span).await;
            means.push((found[0].up, found[0].up_max, found[0].down));
        }
        assert_eq!(means, [(21.0, 26.0, 4.0), (15.0, 20.0, 1.0), (5.0, 5.0, 2.0)]);
        assert_eq!(store.series(None).await.unwrap(), []);
        let slots = (BEGIN / MINUTE, BEGIN / MINUTE);
        assert_eq!(samples(&store, slots, (0, i64::MAX), 0).await.len(), 1);
        assert_eq!(store.means((BEGIN, BEGIN + MINUTE)).await.unwrap().len(), 1);
    });
}
