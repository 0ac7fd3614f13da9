//! The collector is killed again and again: no sample is missing, and none counts twice.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;

use serde_json::Value;
use sqlx::Row as _;

use super::{Place, Running, ran};
use crate::servers::postgres::Postgres;
use crate::support::{strace, wait};

const SETTINGS: &str = "  file: messages.jsonl\n  sources:\n  - {name: pretend, kind: simulate, interval: 1s}\n";

/// Samples by the name of the series and the moment.
type Samples = BTreeMap<(String, i64), (f64, f64)>;

fn stored(place: &Place) -> Samples {
    let sql = "SELECT name, at, up, down FROM samples JOIN series ON id = series";
    let rows = place.rows(sql);
    let samples: Samples = rows.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect();
    assert_eq!(samples.len(), rows.len(), "a sample is there twice");
    samples
}

/// The traffic messages in the file, without repetitions; how many lines there are with them.
fn sent(place: &Place) -> (Samples, usize) {
    let text = std::fs::read_to_string(place.folder.path().join("messages.jsonl")).unwrap();
    let mut by_id: BTreeMap<String, Value> = BTreeMap::new();
    let mut lines = 0;
    // A line that a kill cut off is repeated whole.
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if line["topic"] == "traffic" {
            lines += 1;
            let known = by_id.insert(line["id"].as_str().unwrap().to_owned(), line["message"].clone());
            assert!(known.is_none_or(|known| known == line["message"]), "one id, two messages");
        }
    }
    let sample = |message: Value| {
        let number = |key: &str| message[key].as_f64().unwrap();
        let name = message["name"].as_str().unwrap().to_owned();
        ((name, message["timestamp"].as_i64().unwrap()), (number("in"), number("out")))
    };
    let count = by_id.len();
    let samples: Samples = by_id.into_values().map(sample).collect();
    assert_eq!(samples.len(), count, "two ids for one sample");
    (samples, lines)
}

fn killed(place: &Place, times: u64) {
    let settings = place.settings(SETTINGS);
    let collector = || Running::start(&mut place.command(&["collect", "--settings", settings.to_str().unwrap()]));
    let until = "SELECT until FROM checkpoints";
    let first = collector();
    let messages = place.folder.path().join("messages.jsonl");
    wait(|| messages.metadata().ok().filter(|file| file.len() > 0), || "no sample".to_owned());
    drop(first);
    for time in 0..times {
        let running = collector();
        // At moments from before its start to after several transactions.
        std::thread::sleep(std::time::Duration::from_millis(time * 97 % 500));
        drop(running);
    }
    let before = place.number(until).unwrap();
    let last = collector();
    wait(|| place.number(until).filter(|until| *until > before + 1000), || "it does not go on".to_owned());
    wait(|| (place.number("SELECT COUNT(*) FROM outbox") == Some(0)).then_some(()), || "not all is sent".to_owned());
    assert_eq!(last.end(), Some(0));
    accounted_for(place);
}

/// Every sample of every series is there once, and its message was sent.
fn accounted_for(place: &Place) {
    // What was written since is sent, too.
    let (code, _, stderr) = place.collect(SETTINGS, &["--once"]);
    assert!(code == Some(0) && stderr.starts_with("collect: ") && stderr.lines().count() == 1, "{stderr}");
    let stored = stored(place);
    let names: std::collections::BTreeSet<&String> = stored.keys().map(|(name, _)| name).collect();
    let moments: std::collections::BTreeSet<i64> = stored.keys().map(|(_, at)| *at).collect();
    let (begin, end) = (*moments.first().unwrap(), *moments.last().unwrap());
    assert!(names.len() > 5 && names.contains(&"undeclared-1".to_owned()), "{names:?}");
    for at in (begin..=end).step_by(1000) {
        for name in &names {
            assert!(stored.contains_key(&((*name).clone(), at)), "{name} has no sample at {at}");
        }
    }
    assert_eq!(stored.len() as i64, names.len() as i64 * ((end - begin) / 1000 + 1));
    let (messages, lines) = sent(place);
    assert_eq!(messages, stored);
    assert!(lines >= messages.len());
    rolled_up(place, &stored);
}

/// The minutes are those of the samples.
fn rolled_up(place: &Place, stored: &Samples) {
    let sql = "SELECT name, minute, samples, up, down_max FROM minutes JOIN series ON id = series \
               WHERE minute NOT IN (SELECT slot FROM dirty WHERE level = 0)";
    for row in place.rows(sql) {
        let (name, minute): (String, i64) = (row.get(0), row.get(1));
        let of = stored.iter().filter(|((one, at), _)| *one == name && at.div_euclid(60_000) == minute);
        let values: Vec<(f64, f64)> = of.map(|(_, value)| *value).collect();
        let mean = values.iter().map(|(up, _)| up).sum::<f64>() / values.len() as f64;
        let most = values.iter().map(|(_, down)| *down).fold(0.0, f64::max);
        assert_eq!((row.get::<i64, _>(2) as usize, row.get::<f64, _>(4)), (values.len(), most));
        assert!((row.get::<f64, _>(3) - mean).abs() < 1.0, "{name} {minute}");
    }
}

/// Killed as it begins each write to the disk: what belongs together is there together.
#[test]
fn a_round_that_is_cut_off_anywhere_is_there_as_a_whole_or_not() {
    let place = Place::sqlite();
    let settings = place.settings(&format!("  store: {}\n{SETTINGS}", place.store));
    let args = ["collect", "--once", "--settings", settings.to_str().unwrap()];
    assert_eq!(ran(&mut place.command(&args)).0, Some(0));
    let until = || place.number("SELECT until FROM checkpoints").unwrap();
    let mut killed = 0;
    for call in ["pwrite64", "fdatasync", "write"] {
        for number in 1.. {
            let collected = until();
            wait(|| (now() > collected + 1000).then_some(()), || "the clock stands still".to_owned());
            let kill = format!("inject={call}:signal=KILL:when={number}");
            let options = ["-e", "trace=pwrite64,fdatasync,write", "-e", &kill];
            let Some((ended, _)) = strace(place.repo.path(), &options, &args) else { return };
            if ended.status.signal() != Some(9) {
                assert!(ended.status.success(), "{call} {number}: {}", String::from_utf8_lossy(&ended.stderr));
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 20, "most were cut off: {killed}");
    accounted_for(&place);
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

#[test]
fn a_collector_that_is_killed_loses_and_doubles_nothing() {
    killed(&Place::sqlite(), 50);
}

#[test]
fn a_collector_that_is_killed_loses_and_doubles_nothing_on_postgres() {
    let postgres = Postgres::start();
    killed(&Place::postgres(postgres.url()), 50);
}
