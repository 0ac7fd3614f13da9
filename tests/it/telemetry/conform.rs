//! Measured use against declared rates.

use serde_json::Value;

use super::{Place, ran};
use crate::servers::postgres::Postgres;

fn conform(place: &Place, args: &[&str]) -> (Option<i32>, String, String) {
    ran(place.command(&["conform", "--settings", place.folder.path().join("server.yaml").to_str().unwrap()]).args(args))
}

fn source(exceed: &str) -> String {
    format!("  sources:\n  - {{name: pretend, kind: simulate, interval: 1s, exceed: {exceed}}}\n")
}

fn compared(place: &Place) {
    place.settings("  names: {}\n");
    let (code, _, stderr) = conform(place, &[]);
    assert!(code == Some(2) && stderr.starts_with("there are no samples of the last 10m in "), "{code:?} {stderr}");
    assert!(!stderr.contains("shapeline@"), "{stderr}");
    assert!(!place.folder.path().join("samples.sqlite").exists(), "it makes a store");
    assert_eq!(place.collect(&source("0%"), &["--once"]).0, Some(0));
    let (code, stdout, stderr) = conform(place, &[]);
    assert_eq!((code, stdout.contains("unknown: undeclared-1\n")), (Some(0), true), "{stdout} {stderr}");
    assert!(stderr.ends_with("subscribers measured, 0 over the plan\n"), "{stderr}");
}

#[test]
fn ordinary_use_conforms() {
    compared(&Place::sqlite());
    let postgres = Postgres::start();
    compared(&Place::postgres(postgres.url()));
}

#[test]
fn use_above_the_plan_is_listed_with_figures() {
    let place = Place::sqlite();
    assert_eq!(place.collect(&source("100%"), &["--once"]).0, Some(0));
    let (code, stdout, stderr) = conform(&place, &["--format", "json"]);
    assert_eq!(code, Some(1), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["window_seconds"], &report["measured"]),
        (&1.into(), &600.into(), &8.into())
    );
    let exceeding = report["exceeding"].as_array().unwrap();
    assert_eq!((exceeding.len(), report["never_seen"].as_array().unwrap().len()), (8, 0));
    assert_eq!(exceeding[0]["subscriber"], "10.10.10.25@ispcustomer.co.zw");
    assert_eq!(exceeding[0]["up_declared_bps"], 30_000_000);
    assert!(exceeding.iter().all(|one| one["up_bps"].as_u64().unwrap() > 31_500_000), "{stdout}");
    assert_eq!(report["unknown"][0]["name"], "undeclared-1");
    let (_, stdout, _) = conform(&place, &[]);
    assert!(stdout.contains("10.10.10.25@ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN  3"), "{stdout}");
    // Longer than samples are kept.
    let (code, _, stderr) = conform(&place, &["--window", "3h"]);
    assert!(code == Some(2) && stderr.contains("longer than samples are kept"), "{stderr}");
    // One that is given to no subscriber is known to nothing else.
    place.settings(&format!("{}  names: {{undeclared-1: acme}}\n", source("0%")));
    let (_, _, stderr) = conform(&place, &[]);
    let note = "note: `names` gives `undeclared-1` to `acme`, which is no subscriber served today\n";
    assert!(stderr.contains(note), "{stderr}");
    // A name in the settings counts more than the address.
    let named = format!("{}  names: {{undeclared-1: 10.10.10.25@ispcustomer.co.zw}}\n", source("0%"));
    place.settings(&named);
    let (_, stdout, _) = conform(&place, &["--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap()["unknown"], Value::Array(Vec::new()));
}

#[test]
fn samples_of_no_subscriber_are_no_success() {
    let place = Place::sqlite();
    let (_network, url) = super::simulate(&place);
    let body =
        r#"[{"mac_address": "02:00:5e:00:53:01", "upload_speed": 7, "download_speed": 9, "active_connection": true}]"#;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let devices = |url: &str| format!("  sources:\n  - {{name: cpe, kind: devices, url: '{url}'}}\n");
    assert_eq!(place.collect(&devices(&other), &["--once"]).0, Some(0));
    let (code, _, stderr) = conform(&place, &[]);
    assert!(code == Some(2) && stderr.contains("write under `names`"), "{code:?} {stderr}");
    assert_eq!(place.collect(&devices(&url), &["--once"]).0, Some(0));
    assert_eq!(conform(&place, &[]).0, Some(0));
}

#[test]
fn a_database_that_does_not_answer_is_named_with_the_reason() {
    let place = Place::postgres("postgres://shapeline@127.0.0.1:1/samples".to_owned());
    place.settings(&source("0%"));
    let (code, _, stderr) = conform(&place, &[]);
    assert!(code == Some(2) && stderr.contains("onnection refused"), "{stderr}");
}
