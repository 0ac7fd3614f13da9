//! Events of subscribers from `publish`, `rollback` and `sync`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Place, ran};

const SETTINGS: &str = "  file: messages.jsonl\n";

/// A place whose data has a target.
pub fn with_target(place: Place) -> Place {
    let live = place.folder.path().join("live");
    std::fs::create_dir(&live).unwrap();
    let target = format!("targets: [{{name: hre-1, url: 'file://{}/shaper.txt', keep: 2}}]\n", live.display());
    place.repo.write("shapeline.yaml", target);
    place.repo.commit("a target");
    place
}

fn run(place: &Place, args: &[&str]) -> String {
    let settings = place.settings(SETTINGS);
    let (code, out, stderr) = ran(place.command(args).args(["--settings", settings.to_str().unwrap()]));
    assert_eq!(code, Some(0), "{out}{stderr}");
    stderr
}

/// The messages that were added to the file since `seen`.
fn new(place: &Place, seen: &mut usize) -> Vec<Value> {
    let text = std::fs::read_to_string(place.folder.path().join("messages.jsonl")).unwrap_or_default();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: BTreeSet<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), lines.len(), "an id is there twice");
    assert!(lines.iter().all(|line| line["topic"] == "subscriber"));
    let messages = lines[*seen..].iter().map(|line| line["message"].clone()).collect();
    *seen = lines.len();
    messages
}

fn all(place: &Place, plan: impl Fn(u32) -> Option<&'static str>) {
    let one = |host| Some(format!("- {{ip: 10.10.10.{host}, domain: ispcustomer.co.zw, plan: {}}}\n", plan(host)?));
    place.repo.write("subscribers/all.yaml", (25..41).filter_map(one).collect::<String>());
    place.repo.commit("subscribers");
}

const SLOW: &str = "30_MEG_UP_30_MEG_DOWN";
const FAST: &str = "50_MEG_UP_50_MEG_DOWN";

fn side(host: u32, plan: &str, rate: u64) -> Value {
    let ip = format!("10.10.10.{host}");
    json!({"ip": ip, "domain": "ispcustomer.co.zw", "plan": plan, "up_bps": rate, "down_bps": rate})
}

fn shown(messages: &[Value]) -> Vec<(String, Value, Value)> {
    let one = |body: &Value| (body["event"].as_str().unwrap().to_owned(), body["old"].clone(), body["new"].clone());
    messages.iter().map(one).collect()
}

/// A job that publishes may lack the variables of the service that collects.
#[test]
fn a_publish_leaves_what_the_collector_s_other_sink_waits_for() {
    let place = with_target(Place::sqlite());
    let once = |broker: &[(&str, &str)]| {
        let settings = place.settings(&format!("{SETTINGS}  sources: [{{name: pretend, kind: simulate}}]\n"));
        let args = ["collect", "--once", "--settings", settings.to_str().unwrap()];
        ran(place.command(&args).envs(broker.iter().copied()))
    };
    let (code, _, stderr) = once(&[("RMQ_HOST", "127.0.0.1"), ("RMQ_PORT", "1")]);
    assert!(code == Some(2) && stderr.contains("rabbitmq"), "{stderr}");
    run(&place, &["publish"]);
    let waits = "SELECT COUNT(*) FROM outbox WHERE id > (SELECT id FROM outbox_sent WHERE sink = 'rabbitmq')";
    assert!(place.number(waits) > Some(1), "messages of the collector and of the publish");
    let (code, _, stderr) = once(&[]);
    assert_eq!((code, place.number("SELECT COUNT(*) FROM outbox")), (Some(0), Some(0)), "{stderr}");
}

#[test]
fn each_change_of_a_publish_and_a_rollback_is_one_event() {
    let place = with_target(Place::sqlite());
    let mut seen = 0;
    assert_eq!(run(&place, &["publish"]), "");
    let added = new(&place, &mut seen);
    assert_eq!(added.len(), 8, "{added:?}");
    assert!(added.iter().all(|body| body["event"] == "added" && body["old"].is_null()));
    let first = place.repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(added[0]["new"], side(25, SLOW, 30_000_000));
    assert_eq!((&added[0]["commit"], &added[0]["target"]), (&json!(first.trim()), &json!("hre-1")));

    all(&place, |host| match host {
        25 => Some(FAST),
        26..=31 | 40 => Some(SLOW),
        _ => None,
    });
    run(&place, &["publish"]);
    let (old, new25) = (side(25, SLOW, 30_000_000), side(25, FAST, 50_000_000));
    let (gone, come) = (side(32, SLOW, 30_000_000), side(40, SLOW, 30_000_000));
    let expected = [
        ("changed".to_owned(), old.clone(), new25.clone()),
        ("removed".to_owned(), gone.clone(), Value::Null),
        ("added".to_owned(), Value::Null, come.clone()),
    ];
    assert_eq!(shown(&new(&place, &mut seen)), expected);

    run(&place, &["publish"]);
    assert_eq!(new(&place, &mut seen), Vec::<Value>::new(), "nothing has changed");

    run(&place, &["rollback"]);
    let expected = [
        ("changed".to_owned(), new25, old),
        ("added".to_owned(), Value::Null, gone),
        ("removed".to_owned(), come, Value::Null),
    ];
    assert_eq!(shown(&new(&place, &mut seen)), expected);
}

#[test]
fn what_a_killed_run_did_not_write_follows() {
    let place = with_target(Place::sqlite());
    let mut seen = 0;
    run(&place, &["publish"]);
    assert_eq!(new(&place, &mut seen).len(), 8);
    // As after a kill between the publish and its events: it is live, and the store does not know.
    all(&place, |host| (host < 34).then_some(SLOW));
    assert_eq!(ran(&mut place.command(&["publish"])).0, Some(0));
    assert_eq!(new(&place, &mut seen), Vec::<Value>::new());
    let stderr = run(&place, &["publish"]);
    let late = new(&place, &mut seen);
    assert_eq!(shown(&late), [("added".to_owned(), Value::Null, side(33, SLOW, 30_000_000))], "{stderr}");

    // A store that is away: it is reported, and the file is live.
    all(&place, |host| (host < 35).then_some(SLOW));
    let settings = place.settings(SETTINGS);
    let mut away = place.command(&["publish", "--settings", settings.to_str().unwrap()]);
    let (code, out, stderr) = ran(away.env("SHAPELINE_SAMPLES", "postgres://shapeline@127.0.0.1:1/none"));
    assert_eq!(code, Some(0), "{out}{stderr}");
    assert!(out.contains("is live") && stderr.contains("events that are missing follow with the next run"), "{stderr}");
    run(&place, &["publish"]);
    assert_eq!(shown(&new(&place, &mut seen)), [("added".to_owned(), Value::Null, side(34, SLOW, 30_000_000))]);

    // Too many versions ago: what is not kept cannot be compared.
    for last in [36, 37, 38, 39] {
        all(&place, |host| (host < last).then_some(SLOW));
        assert_eq!(ran(&mut place.command(&["publish"])).0, Some(0));
    }
    let stderr = run(&place, &["publish"]);
    assert!(stderr.contains("is not kept any more: no events from there"), "{stderr}");
    assert_eq!(new(&place, &mut seen), Vec::<Value>::new());
}

#[test]
fn events_begin_with_what_is_live() {
    let place = with_target(Place::sqlite());
    assert_eq!(ran(&mut place.command(&["publish"])).0, Some(0));
    place.repo.write("plans/odd.yaml", "name: odd\nup: 1 Mbps\ndown: 1 Mbps\nattribute: '\"Plan\"=<b>\\n'\n");
    all(&place, |host| match host {
        25..33 => Some(SLOW),
        33 => Some("odd"),
        _ => None,
    });
    run(&place, &["publish"]);
    let mut seen = 0;
    let events = new(&place, &mut seen);
    assert_eq!(shown(&events), [("added".to_owned(), Value::Null, side(33, "odd", 1_000_000))]);
    // A dry run writes nothing.
    all(&place, |host| (host < 30).then_some(SLOW));
    run(&place, &["publish", "--dry-run"]);
    assert_eq!(new(&place, &mut seen), Vec::<Value>::new());
}

#[test]
fn sync_writes_events_too() {
    let place = with_target(Place::sqlite());
    let clone = place.folder.path().join("clone");
    let origin = place.repo.path().to_str().unwrap().to_owned();
    place.repo.git(&["clone", "--quiet", &origin, clone.to_str().unwrap()]);
    let branch = place.repo.git(&["rev-parse", "--abbrev-ref", "HEAD"]);
    let settings = place.settings(SETTINGS);
    let mut seen = 0;
    let mut sync = || {
        let args = ["sync", "--once", "--branch", branch.trim(), "--settings", settings.to_str().unwrap()];
        let (code, out, stderr) = ran(place.command(&args).current_dir(&clone));
        assert_eq!(code, Some(0), "{out}{stderr}");
        shown(&new(&place, &mut seen))
    };
    assert_eq!(sync().len(), 8);
    all(&place, |host| (host < 32).then_some(SLOW));
    assert_eq!(sync(), [("removed".to_owned(), side(32, SLOW, 30_000_000), Value::Null)]);
    assert_eq!(sync(), []);
}
