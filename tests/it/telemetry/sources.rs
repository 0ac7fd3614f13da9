//! The sources that speak HTTP, against `simulate --listen`.

use std::process::Stdio;

use sqlx::Row as _;

use super::{Place, Running, simulate};
use crate::servers::postgres::Postgres;
use crate::support::wait;

fn each(test: impl Fn(&Place)) {
    test(&Place::sqlite());
    let postgres = Postgres::start();
    test(&Place::postgres(postgres.url()));
}

#[test]
fn netbeam_is_collected_without_gaps_from_where_it_ended() {
    each(|place| {
        let (_network, url) = simulate(place);
        let settings = format!(
            "  sources:\n  - {{name: core, kind: netbeam, url: '{url}', window: 1h, delay: 0s, parallel: 3}}\n"
        );
        for _ in 0..2 {
            let (code, _, stderr) = place.collect(&settings, &["--once"]);
            assert!(code == Some(0) && stderr.starts_with("collect: ") && stderr.lines().count() == 1, "{stderr}");
        }
        let series =
            place.number("SELECT COUNT(*) FROM series WHERE form = 'interface' AND status = 'active'").unwrap();
        assert!((5..=9).contains(&series), "{series}");
        for row in place.rows("SELECT series, kind, COUNT(*), MIN(at), MAX(at) FROM samples GROUP BY series, kind") {
            let (count, first, last): (i64, i64, i64) = (row.get(2), row.get(3), row.get(4));
            assert_eq!((last - first) / 30_000 + 1, count, "a point every 30 s");
            assert!((119..=122).contains(&count), "{count}");
        }
        let groups = "SELECT COUNT(*) FROM (SELECT 1 FROM samples GROUP BY series, kind) g";
        assert_eq!(place.number(groups), Some(series * 3), "traffic, errors, discards");
        // Behind the last point; the second answer was empty.
        let behind = "SELECT COUNT(*) FROM series WHERE traffic_until > \
                      (SELECT MAX(at) FROM samples WHERE series = id AND kind = 0)";
        assert_eq!(place.number(behind), Some(series));
        // in is up.
        let known = "SELECT COUNT(*) FROM samples WHERE up > 30000000 OR down > 30000000 OR up < 0";
        assert_eq!(place.number(known), Some(0));
    });
}

#[test]
fn after_a_clock_that_was_ahead_collecting_goes_on() {
    each(|place| {
        let (_network, url) = simulate(place);
        let settings = format!(
            "  sources:\n  - {{name: core, kind: netbeam, url: '{url}', window: 1h, delay: 0s}}\n  \
             - {{name: pretend, kind: simulate, interval: 1s}}\n"
        );
        assert_eq!(place.collect(&settings, &["--once"]).0, Some(0));
        for clock in [
            // What is before that was deleted: asked for again, it would count twice.
            "UPDATE purged SET slot = (SELECT MAX(slot) - 20 FROM samples) WHERE level = 0",
            "DELETE FROM samples",
            "UPDATE series SET traffic_until = traffic_until + 1000000000",
            "UPDATE checkpoints SET until = until + 1000000000",
        ] {
            place.rows(clock);
        }
        assert_eq!(place.collect(&settings, &["--once"]).0, Some(0));
        for source in ["core", "pretend"] {
            let count = format!(
                "SELECT COUNT(*) FROM samples JOIN series ON id = series WHERE kind = 0 AND source = '{source}'"
            );
            assert!(place.number(&count) > Some(0), "{source}");
        }
        let twice = "SELECT COUNT(*) FROM minutes JOIN series ON id = series WHERE source = 'core' AND samples > 2";
        assert_eq!(place.number(twice), Some(0), "a point every 30 s");
        let ahead = "SELECT COUNT(*) FROM series WHERE traffic_until > (SELECT MAX(at) FROM samples) + 100000";
        assert_eq!(place.number(ahead), Some(0));
    });
}

#[test]
fn a_store_that_is_replaced_ends_the_collector() {
    let place = Place::sqlite();
    let settings = place.settings("  sources: [{name: pretend, kind: simulate, interval: 1s}]\n");
    let mut command = place.command(&["collect", "--settings", settings.to_str().unwrap()]);
    let mut collector = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    wait(
        || {
            let made = std::path::Path::new(&place.store).exists()
                && place.number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'series_events_by_time'") > Some(0);
            made.then(|| place.number("SELECT MAX(id) FROM batches")).flatten()
        },
        || "no sample".to_owned(),
    );
    std::fs::rename(&place.store, format!("{}.old", place.store)).unwrap();
    let ended = wait(|| collector.0.try_wait().unwrap(), || "it goes on".to_owned());
    let stderr = std::io::read_to_string(collector.0.stderr.take().unwrap()).unwrap();
    assert!(stderr.contains("samples.sqlite was replaced or removed while it was in use"), "{stderr}");
    assert_eq!(ended.code(), Some(2), "{stderr}");
}

#[test]
fn messages_go_neither_into_the_data_nor_into_the_store() {
    let place = Place::sqlite();
    let refused = |file: &str, why: &str| {
        let source = "sources: [{name: pretend, kind: simulate}]";
        let (code, _, stderr) = place.collect(&format!("  file: {file}\n  {source}\n"), &["--once"]);
        assert!(code == Some(2) && stderr.contains(why), "{stderr}");
    };
    refused(&place.store, "where the samples are");
    let data = place.repo.path().join("messages.jsonl");
    refused(data.to_str().unwrap(), "would be in the data repository");
}

#[test]
fn devices_are_identified_by_their_mac_addresses() {
    each(|place| {
        let (_network, url) = simulate(place);
        let settings = format!("  sources:\n  - {{name: cpe, kind: devices, url: '{url}', unit: kbps}}\n");
        assert_eq!(place.collect(&settings, &["--once"]).0, Some(0));
        let before = place.number("SELECT COUNT(*) FROM series WHERE form = 'device'").unwrap();
        let body = r#"[{"mac_address": "02-00-5E-00-53-01", "upload_speed": 7, "download_speed": 9,
                        "active_connection": false, "host_name": "new", "ip_address": "10.10.10.25", "device_type": "cpe"}]"#;
        let sent = std::process::Command::new("curl").args(["-sf", "-d", body, &format!("{url}/devices/")]).output();
        assert!(sent.unwrap().status.success());
        let (code, stdout, _) = place.collect(&settings, &["--once", "--stdout"]);
        assert_eq!(code, Some(0));
        assert_eq!(place.number("SELECT COUNT(*) FROM series"), Some(before + 1));
        let sql = "SELECT up, down, active, address, description, facts FROM samples JOIN series ON id = series \
                   WHERE name = '02:00:5e:00:53:01'";
        let rows = place.rows(sql);
        let row = rows.first().unwrap();
        assert_eq!((rows.len(), row.get::<f64, _>(0), row.get::<f64, _>(1)), (1, 7000.0, 9000.0));
        assert_eq!((row.get::<i64, _>(2), row.get::<&str, _>(3), row.get::<&str, _>(4)), (0, "10.10.10.25", "new"));
        assert_eq!(row.get::<&str, _>(5), r#"{"device_type":"cpe","id":null,"operating_system":null}"#);
        let lines: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |topic: &str| lines.iter().filter(|line| line["topic"] == topic && line["version"] == 1).count();
        assert_eq!(of("traffic") as i64, before + 1);
        let appeared = lines.iter().find(|line| line["message"]["name"] == "02:00:5e:00:53:01").unwrap();
        assert_eq!(
            (appeared["topic"].as_str(), appeared["message"]["status"].as_str()),
            (Some("interface"), Some("active"))
        );
        assert_eq!(place.number("SELECT COUNT(*) FROM outbox"), Some(0));
    });
}

#[test]
fn the_collector_counts_for_prometheus() {
    let place = Place::sqlite();
    let port = crate::servers::nginx::free_port();
    let settings = place.settings(&format!(
        "  metrics: 127.0.0.1:{port}\n  sources:\n  - {{name: 'a \"b\\', kind: simulate, interval: 1s}}\n  \
         - {{name: gone, kind: netbeam, url: 'http://127.0.0.1:1/', interval: 1s}}\n"
    ));
    let _collector = Running::start(&mut place.command(&["collect", "--settings", settings.to_str().unwrap()]));
    let url = format!("http://127.0.0.1:{port}/metrics");
    let asked = || {
        let answer = std::process::Command::new("curl").args(["-sf", &url]).output().unwrap();
        String::from_utf8(answer.stdout).unwrap()
    };
    let value = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        line.map(|value| value.parse::<f64>().unwrap())
    };
    let text = wait(
        || {
            let text = asked();
            let samples = value(&text, r#"shapeline_collector_samples_total{source="a \"b\\"}"#);
            let failed = value(&text, r#"shapeline_collector_rounds_total{source="gone",outcome="failure"}"#);
            (samples > Some(8.0) && failed > Some(0.0)).then_some(text)
        },
        asked,
    );
    let last = value(&text, r#"shapeline_collector_last_success_seconds{source="a \"b\\"}"#).unwrap();
    assert!((last - jiff::Timestamp::now().as_second() as f64).abs() < 60.0, "{text}");
    assert_eq!(value(&text, r#"shapeline_collector_last_success_seconds{source="gone"}"#), Some(0.0));
    assert_eq!(value(&text, "shapeline_collector_paused"), Some(0.0));
    // Each metric has its two lines, and is of the collector.
    let names = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count();
    assert_eq!((names("# HELP shapeline_collector_"), names("# TYPE shapeline_collector_")), (7, 7), "{text}");
}

#[test]
fn mistakes_in_the_settings_have_their_places() {
    let place = Place::sqlite();
    let text = "  store: 'postgres://a:secret@db.ispcustomer.co.zw/x'\n  retention: {raw: 1m, hours: soon}\n  sources:\n  \
                - {name: a, kind: netbeam, url: 'http://u:p@192.0.2.1/', parallel: 0}\n  \
                - {name: a, kind: telnet}\n  \
                - {name: b, kind: devices, url: 'http://192.0.2.1/', token: secret!}\n";
    let (code, _, stderr) = place.collect(text, &["--once"]);
    assert_eq!(code, Some(2));
    for wanted in [
        "2:10: store has a password: put the URL into SHAPELINE_SAMPLES",
        "3:20: raw is less than 10m",
        "3:31: hours is `soon`, not a time such as 90s, 30m, 2h or 7d",
        "url is not the base of an API",
        "parallel is `0`, not a whole number from 1 to 64",
        "6:21: kind is `telnet`, not one of netbeam, devices, snmp, simulate",
        "token is not the name of an environment variable",
    ] {
        assert!(stderr.contains(wanted), "{wanted}: {stderr}");
    }
    assert!(!stderr.contains("secret@"), "{stderr}");
    let (code, _, stderr) = place.collect("  names: {}\n", &[]);
    assert!(code == Some(2) && stderr.contains("there is nothing to collect"), "{stderr}");
}
