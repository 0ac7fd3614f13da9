//! What clients get, and what they do not get.

use super::{Browser, Client, Live, column, is_seen, wait};
use crate::serve::Answer;

const ALL: &str = r#"{"version":1,"type":"watch","list":"subscribers","sort":"key"}"#;
const SERIES: &str = r#"{"version":1,"type":"watch","list":"series"}"#;

#[test]
fn a_client_gets_a_snapshot_and_then_what_changed() {
    let live = Live::new();
    let server = live.serve(&[]);
    let noc = Browser::signed_in(&server, "noc");
    assert!(noc.page("/subscribers").contains("href=\"/live\"") && noc.page("/live").contains("Not declared"));
    let mut client = Client::of(&noc);
    let first = client.next().unwrap();
    assert_eq!((&first["type"], &first["version"]), (&"snapshot".into(), &1.into()));
    assert_eq!((&first["totals"]["subscribers"], &first["store"]["fresh"]), (&2.into(), &false.into()), "{first}");
    let collector = live.collect();
    let fresh = client.until(is_seen);
    assert_eq!(fresh["totals"]["unknown"], 1, "{fresh}");
    let changed = client.until(|frame| frame["changed"].as_array().is_some_and(|changed| !changed.is_empty()));
    let (number, at) = (&changed["changed"][0][0], changed["changed"][0][4].as_i64().unwrap());
    let later = client.until(|frame| {
        let rows = frame["changed"].as_array().unwrap();
        rows.iter().any(|row| row[0] == *number && row[4].as_i64() > Some(at))
    });
    assert!(later["rows"].is_null() && later["added"] == serde_json::json!([]), "only what changed: {later}");
    let all = client.watch(ALL, |frame| frame["total"] == 2);
    assert_eq!(column(&all, 5), ["10.20.0.2@tier2.example", "acme-hq"]);
    assert_eq!(all["rows"][1][9], 30_000_000, "the rate of the plan");
    let found = client.watch(r#"{"version":1,"type":"watch","search":"ACME"}"#, |frame| frame["total"] == 1);
    assert_eq!(column(&found, 5), ["acme-hq"]);
    let limited = client.watch(r#"{"version":1,"type":"watch","limit":1}"#, |frame| frame["total"] == 2);
    assert_eq!(limited["rows"].as_array().unwrap().len(), 1, "a true count of a bounded list");
    let unknown = client
        .watch(r#"{"version":1,"type":"watch","list":"series","status":["unknown"]}"#, |frame| frame["total"] == 1);
    assert_eq!((column(&unknown, 5), &unknown["rows"][0][8]), (vec!["undeclared-1"], &serde_json::Value::Null));
    // Another commit is followed: the plan of a subscriber.
    live.repo.write(
        "subscribers/a.yaml",
        "- {ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN, id: acme-hq}\n",
    );
    live.repo.commit("another plan");
    client.watch(ALL, |frame| frame["total"] == 1 && frame["rows"][0][9] == 50_000_000);
    // The samples stop: the page says so, and since when.
    drop(collector);
    let old = client.until(|frame| frame["store"]["fresh"] == false);
    assert_eq!((&old["store"]["reachable"], &old["totals"]["seen"]), (&true.into(), &0.into()));
    assert!(old["store"]["newest"].as_i64() > Some(0), "{old}");
}

#[test]
fn totals_are_a_part_of_what_all_their_domains_have_contracted() {
    let live = Live::new();
    let server = live.serve(&[]);
    let noc = Browser::signed_in(&server, "noc");
    let mut client = Client::of(&noc);
    let contracted = |frame: &serde_json::Value| {
        let of = |sums: &serde_json::Value| sums["contract_down"].as_u64();
        (of(&frame["totals"]), frame["domains"].as_array().unwrap().iter().filter_map(of).collect::<Vec<u64>>())
    };
    assert_eq!(contracted(&client.next().unwrap()), (None, vec![]));
    let mut with = |domain: &str, prefixes: &str, wanted: (Option<u64>, Vec<u64>)| {
        let text =
            format!("name: {domain}\nprefixes: {prefixes}\ncapacity: {{up: 1 Gbps, down: 2 Gbps, contention: 20}}\n");
        live.repo.write(&format!("domains/{domain}.yaml"), text);
        live.repo.commit("a contract");
        client.watch(ALL, |frame| contracted(frame) == wanted);
    };
    // Of the other domain nothing is known.
    with("tier2.example", "[10.20.0.0/28, '2001:db8::/64']", (None, vec![2_000_000_000]));
    with("ispcustomer.co.zw", "[10.10.10.0/24]", (Some(4_000_000_000), vec![2_000_000_000; 2]));
    // As long as the key of a subscriber may be.
    let search = format!(r#"{{"version":1,"type":"watch","search":"{}"}}"#, "x".repeat(297));
    client.watch(&search, |frame| frame["total"] == 0);
}

#[test]
fn a_person_sees_only_their_domains() {
    let live = Live::new();
    let (server, _collector) = (live.serve(&[]), live.collect());
    let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
    let mut client = Client::of(&desk);
    client.until(is_seen);
    let all = client.watch(ALL, is_seen);
    assert_eq!((&all["total"], column(&all, 7)), (&1.into(), vec!["tier2.example"]));
    assert_eq!(all["domains"].as_array().unwrap().len(), 1);
    assert!(all["totals"].get("unknown").is_none() && all["totals"]["sold_down"] == 50_000_000, "{all}");
    assert_eq!(all["totals"]["down"], all["domains"][0]["down"]);
    let series = client.watch(SERIES, is_seen);
    assert_eq!(column(&series, 8), ["10.20.0.2@tier2.example"]);
    let others = r#"{"version":1,"type":"watch","domain":"ispcustomer.co.zw"}"#;
    assert_eq!(client.watch(others, is_seen)["rows"], serde_json::json!([]));
    assert!(!desk.page("/live").contains("Not declared") && !desk.page("/live").contains("/live/clean"));
    let own = desk.get("/live/history?subscriber=10.20.0.2%40tier2.example&span=30m");
    assert_eq!((own.status, &own.json()["plan_down"]), (200, &50_000_000.into()));
    assert!(!own.json()["at"].as_array().unwrap().is_empty());
    // All series: of another domain, of no subscriber, and none at all.
    let series = Client::of(&noc).watch(SERIES, |frame| frame["total"] == 3);
    for row in series["rows"].as_array().unwrap() {
        let path = format!("/live/history?series={}", row[9]);
        let wanted = if row[8] == "10.20.0.2@tier2.example" { 200 } else { 404 };
        assert_eq!((desk.get(&path).status, noc.get(&path).status), (wanted, 200), "{row}");
    }
    assert_eq!(desk.get("/live/history?subscriber=10.20.0.2%40tier2.example&span=5h").status, 400);
    let totals = |browser: &Browser<'_>, path: &str| {
        let found = |answer: &Answer| answer.status == 200 && !answer.json()["at"].as_array().unwrap().is_empty();
        wait(|| Some(browser.get(path)).filter(found), || server.journal()).json()
    };
    let (one, all) =
        (totals(&desk, "/live/history?span=30m&domain=tier2.example"), totals(&noc, "/live/history?span=30m"));
    assert!(all["down"][0].as_u64() > one["down"][0].as_u64(), "{all} {one}");
    let own = totals(&desk, "/live/history?span=30m");
    assert_eq!(own["down"][0], one["down"][0], "all that it sees");
    assert_eq!(desk.get("/live/history?domain=tier2.example&series=1").status, 400);
    for path in
        ["subscriber=acme-hq", "subscriber=nobody", "series=99", "series=x", "domain=ispcustomer.co.zw", "domain=x"]
    {
        assert_eq!(desk.get(&format!("/live/history?{path}")).status, 404, "{path}");
    }
    for path in ["/live/clean", "/live/refresh"] {
        assert_eq!(desk.post(path, &[]).status, 403);
        assert_eq!(noc.post_with(path, "forged", &[]).status, 403);
        let answer = noc.post(path, &[]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/live")));
    }
    let journal = server.journal();
    assert!(journal.contains("'noc' from 127.0.0.1: had old samples deleted"), "{journal}");
    assert_eq!(journal.matches("had the live data read anew").count(), 1, "{journal}");
}

#[test]
fn what_was_before_a_series_came_to_a_domain_is_not_for_its_people() {
    let live = Live::new();
    // What the series is called stays the subscriber's in the other domain.
    let settings = std::fs::read_to_string(live.settings()).unwrap() + "  names: {acme-hq: acme-hq}\n";
    std::fs::write(live.settings(), settings).unwrap();
    let (server, _collector) = (live.serve(&[]), live.collect());
    let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
    let points = |browser: &Browser<'_>| {
        let answer = browser.get("/live/history?subscriber=acme-hq&span=30m");
        (answer.status == 200).then(|| answer.json()["at"].as_array().unwrap().clone())
    };
    let before = wait(|| points(&noc).filter(|points| points.len() > 2), || server.journal());
    assert_eq!(points(&desk), None);
    live.repo.write(
        "subscribers/a.yaml",
        "- {ip: 10.20.0.3, domain: tier2.example, plan: 30_MEG_UP_30_MEG_DOWN, id: acme-hq}\n",
    );
    live.repo.commit("to another domain");
    let own = wait(|| points(&desk).filter(|points| !points.is_empty()), || server.journal());
    assert!(own[0].as_i64() > before.last().unwrap().as_i64(), "{own:?} {before:?}");
    assert_eq!(points(&noc).unwrap()[..before.len()], before, "who sees all domains sees all of it");
    // After a restart, too.
    drop(server);
    let server = live.serve(&[]);
    let desk = Browser::signed_in(&server, "desk");
    let later = wait(|| points(&desk), || server.journal());
    assert_eq!(later[0], own[0]);
}

#[test]
fn only_people_with_a_session_connect_from_a_page_of_this_site() {
    let live = Live::new();
    let server = live.serve(&[]);
    let desk = Browser::signed_in(&server, "desk");
    let cookie = desk.cookie.borrow().clone();
    let connect = |headers: &[(&'static str, &str)]| Client::connect(&server, headers);
    assert_eq!(connect(&[]).err(), Some(401));
    assert_eq!(connect(&[("cookie", &format!("shapeline={}", "0".repeat(64)))]).err(), Some(401));
    for origin in ["http://attacker.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(connect(&[("cookie", &cookie), ("origin", origin)]).err(), Some(403), "{origin}");
    }
    assert_eq!(desk.get("/live/socket").status, 426);
    let own = format!("http://127.0.0.1:{}", server.port);
    let mut client = connect(&[("cookie", &cookie), ("origin", &own)]).unwrap();
    assert_eq!(client.next().unwrap()["type"], "snapshot");
    for bad in ["{}x", "[]", r#"{"version":2}"#, r#"{"version":1,"type":"clean"}"#, r#"{"limit":-1}"#, r#"{"x":1}"#] {
        let mut client = Client::of(&desk);
        client.send(bad);
        assert_eq!(client.closed(), 4400, "{bad}");
    }
    // Too long for a message: the connection is gone, and the server is not.
    let mut large = Client::of(&desk);
    large.send(&format!(r#"{{"search":"{}"}}"#, "x".repeat(5000)));
    large.gone();
    let mut all: Vec<Client> = Vec::new();
    let refused = loop {
        match connect(&[("cookie", &cookie)]) {
            Ok(client) => all.push(client),
            Err(status) => break status,
        }
        assert!(all.len() < 60);
    };
    assert!(refused == 429 && (40..=50).contains(&all.len()), "{refused} after {}", all.len());
    drop(all);
    // The session ends: so does the connection.
    assert_eq!(desk.post("/sign-out", &[]).status, 303);
    assert_eq!(client.closed(), 4401);
}

#[test]
fn names_from_outside_are_text() {
    let live = Live::new();
    let (server, collector) = (live.serve(&[]), live.collect());
    let noc = Browser::signed_in(&server, "noc");
    let mut client = Client::of(&noc);
    client.until(is_seen);
    drop(collector);
    let hostile = "</script><img src=x onerror=alert(1)>\u{202e}\u{7}\"'";
    let url = format!("sqlite://{}", live.samples());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    sqlx::any::install_default_drivers();
    runtime.block_on(async {
        use sqlx::Connection as _;
        let mut store = sqlx::AnyConnection::connect(&url).await.unwrap();
        let insert = "INSERT INTO series (id, source, name, form, status, active_from, changed) \
                      VALUES (999, 'x', $1, 'device', 'active', 0, 999999)";
        sqlx::query(insert).bind(hostile).execute(&mut store).await.unwrap();
    });
    let found = client.watch(r#"{"version":1,"type":"watch","list":"series","search":"onerror"}"#, |_| true);
    let found = if found["total"] == 0 { client.until(|frame| frame["total"] == 1) } else { found };
    let rows = if found["type"] == "snapshot" { &found["rows"] } else { &found["added"] };
    assert_eq!(rows[0][5], "</script><img src=x onerror=alert(1)>\u{fffd}\u{fffd}\"'");
}

#[test]
fn a_store_that_is_away_is_said_and_comes_back() {
    let live = Live::new();
    // Not a database yet.
    std::fs::create_dir(live.samples()).unwrap();
    let server = live.serve(&[]);
    let noc = Browser::signed_in(&server, "noc");
    let mut client = Client::of(&noc);
    let away = client.until(|frame| frame["store"]["reachable"] == false);
    assert_eq!(away["store"]["newest"], serde_json::Value::Null);
    wait(|| server.journal().contains("live: ").then_some(()), || server.journal());
    assert_eq!(noc.post("/live/clean", &[]).status, 503);
    std::fs::remove_dir(live.samples()).unwrap();
    let collector = live.collect();
    let seen = client.until(is_seen);
    let totals = || live.has_totals().then_some(());
    wait(totals, || "no totals".to_owned());
    // Another one in its place is read, too.
    drop(collector);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::rename(live.samples() + end, live.samples() + ".old" + end);
    }
    let _collector = live.collect();
    client.until(|frame| is_seen(frame) && frame["store"]["newest"].as_i64() > seen["at"].as_i64().map(|at| at + 5000));
    // Its series have numbers of their own.
    wait(totals, || "no totals in the new one".to_owned());
}
