//! What each address answers.

use super::{Server, data};

#[test]
fn a_lookup_gives_the_key_and_the_replica() {
    let repo = data();
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let server = Server::start(&repo, &[]);
    for path in ["/lookup", "/"] {
        let found = server.get(&format!("{path}?user_id=acme-hq"));
        assert_eq!(found.status, 200);
        let wanted = format!(
            r#"{{"user_key":"10.10.10.25@ispcustomer.co.zw","port":{},"name":"lookup-1","commit":"{commit}"}}"#,
            server.port
        );
        assert_eq!(found.body, wanted);
        assert_eq!(found.header("content-type"), Some("application/json"));
        let who = server.get(path).json();
        assert_eq!((&who["port"], &who["name"]), (&server.port.into(), &"lookup-1".into()));
        assert!(who.get("user_key").is_none());
    }
    let by_key = server.get("/lookup?user_id=10.20.0.2%40tier2.example").json();
    assert_eq!(by_key["user_key"], "10.20.0.2@tier2.example");
    let unknown = server.get("/lookup?user_id=nobody%1b[2J").problem(400);
    assert_eq!(unknown, "the parameter `user_id` has a control character");
    assert_eq!(server.get("/lookup?user_id=x").problem(400), "there is no subscriber with the user_id `x`");
    assert_eq!(server.get("/lookup?user_id=").problem(400), "there is no subscriber with the user_id ``");
}

#[test]
fn one_subscriber_by_id_or_key() {
    let server = Server::start(&data(), &[]);
    let acme = server.get("/v1/subscribers/acme-hq").json();
    for (field, value) in [
        ("key", "acme-hq".into()),
        ("ip", serde_json::json!(["10.10.10.25"])),
        ("domain", "ispcustomer.co.zw".into()),
        ("up_bps", 30_000_000.into()),
        ("name", "ACME head office".into()),
        ("served", true.into()),
        ("reason", serde_json::Value::Null),
    ] {
        assert_eq!(acme[field], value, "{field}");
    }
    assert_eq!(server.get("/v1/subscribers/10.10.10.25@ispcustomer.co.zw").json(), acme);
    for path in ["fibre/7", "fibre%2F7", "10.10.10.64/29@ispcustomer.co.zw"] {
        let fibre = server.get(&format!("/v1/subscribers/{path}")).json();
        assert_eq!((&fibre["key"], &fibre["reason"]), (&"fibre/7".into(), &"suspended".into()), "{path}");
    }
    assert_eq!(server.get("/v1/subscribers/nobody").problem(404), "there is no subscriber `nobody`");
    assert!(server.get("/v1/subscribers/%ff").problem(400).contains("UTF-8"));
}

#[test]
fn lists_are_filtered_and_come_in_pages() {
    let repo = data();
    let record = |n: u32| format!("- {{ip: 192.168.1.{n}, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}}\n");
    repo.write("subscribers/more.yaml", (1..=120).map(record).collect::<String>());
    repo.commit("many");
    let server = Server::start(&repo, &[]);
    let list = |query: &str| server.get(&format!("/v1/subscribers{query}")).json();
    let all = list("");
    assert_eq!((&all["total"], &all["page"], &all["pages"]), (&123.into(), &1.into(), &3.into()));
    assert_eq!(all["subscribers"].as_array().unwrap().len(), 50);
    assert_eq!(all["subscribers"][0]["key"], "acme-hq", "by address");
    assert_eq!(list("?page=3")["subscribers"].as_array().unwrap().len(), 23);
    assert_eq!(list("?page=4")["subscribers"].as_array().unwrap().len(), 0);
    for (query, total) in [
        ("?domain=tier2.example", 1),
        ("?plan=50_MEG_UP_50_MEG_DOWN", 2),
        ("?plan=50_MEG_UP_50_MEG_DOWN&status=active", 1),
        ("?status=unserved", 1),
        ("?q=HEAD+office", 1),
        ("?q=4711", 1),
        ("?q=10.10.10.66", 1),
        ("?q=192.168.1.0/24", 120),
        ("?q=nothing", 0),
        ("?q=&domain=", 123),
    ] {
        assert_eq!(list(query)["total"], total, "{query}");
    }
    for query in
        ["?page=0", "?page=x", "?status=gone", "?domain=x.example", "?plan=x", "?q=a&q=b", "?sort=name", "?q=%ff"]
    {
        server.get(&format!("/v1/subscribers{query}")).problem(400);
    }
}

#[test]
fn an_address_is_held_by_the_longest_prefix() {
    let server = Server::start(&data(), &[]);
    let holder = |address: &str| server.get(&format!("/v1/addresses/{address}")).json();
    let within = holder("10.10.10.66");
    assert_eq!((&within["prefix"], &within["subscriber"]["id"]), (&"10.10.10.64/29".into(), &"fibre/7".into()));
    assert_eq!(holder("10.10.10.64/30")["subscriber"]["id"], "fibre/7");
    assert_eq!(holder("2001:DB8:0::2")["address"], "2001:db8::2");
    // As a socket for both shows an IPv4 address.
    for (mapped, plain) in [("::ffff:10.10.10.66", "10.10.10.66"), ("::FFFF:a0a:a40/126", "10.10.10.64/30")] {
        assert_eq!(holder(mapped), holder(plain));
        assert_eq!(holder(mapped)["address"], plain);
    }
    assert_eq!(
        server.get("/v1/addresses/::ffff:10.10.10.1").problem(404),
        "no subscriber has the address `10.10.10.1`"
    );
    // Around those of IPv4 are others.
    server.get("/v1/addresses/::/90").problem(404);
    assert_eq!(server.get("/v1/addresses/10.10.10.1").problem(404), "no subscriber has the address `10.10.10.1`");
    for bad in ["x", "10.10.10.300", "10.10.10.65/29", "010.1.1.1", "10.0.0.0%2F33"] {
        server.get(&format!("/v1/addresses/{bad}")).problem(400);
    }
}

#[test]
fn plans_domains_and_free_addresses() {
    let server = Server::start(&data(), &[]);
    let plans = server.get("/v1/plans").json();
    assert_eq!(plans["plans"][0]["name"], "30_MEG_UP_30_MEG_DOWN", "the slowest first");
    assert_eq!(plans["plans"][1]["domains"]["tier2.example"], 1);
    let domains = server.get("/v1/domains").json();
    assert_eq!(domains["domains"][0]["name"], "ispcustomer.co.zw");
    assert_eq!((&domains["domains"][1]["ipv4_free"], &domains["domains"][1]["served"]), (&13.into(), &1.into()));
    let free = server.get("/v1/free?domain=tier2.example").json();
    assert_eq!(free["next"], "10.20.0.1");
    let ranges = serde_json::json!([
        {"first": "10.20.0.1", "last": "10.20.0.1", "addresses": "1"},
        {"first": "10.20.0.3", "last": "10.20.0.14", "addresses": "12"},
        {"first": "2001:db8::1", "last": "2001:db8::1", "addresses": "1"},
        {"first": "2001:db8::3", "last": "2001:db8::ffff:ffff:ffff:ffff", "addresses": "18446744073709551613"},
    ]);
    assert_eq!((&free["ranges"], &free["more"]), (&ranges, &false.into()));
    assert!(server.get("/v1/free").problem(400).contains("`domain` is missing"));
    assert_eq!(server.get("/v1/free?domain=x").problem(400), "there is no domain `x`");
}

#[test]
fn an_etag_saves_the_answer() {
    let repo = data();
    let server = Server::start(&repo, &["--interval", "1s"]);
    let first = server.get("/v1/domains");
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let again = server.get_with("/v1/domains", &[&format!("If-None-Match: \"x\", W/{tag}")]);
    assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
    assert_ne!(server.get("/v1/plans").header("etag"), Some(tag.as_str()), "each address has its own");
    repo.commit("another");
    let changed = || (server.get_with("/v1/domains", &[&format!("If-None-Match: {tag}")]).status == 200).then_some(());
    super::wait(changed, || server.journal());
    assert_eq!(server.get("/lookup").header("etag"), None);
    let head = server.send("HEAD", "/v1/domains", &[], "");
    assert!(head.status == 200 && head.body.is_empty() && head.header("etag").is_some(), "{head:?}");
}

#[test]
fn health_metrics_and_the_document() {
    let repo = data();
    let server = Server::start(&repo, &[]);
    let health = server.get("/healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    let ready = server.get("/readyz").json();
    assert_eq!((&ready["state"], &ready["commit"]), (&"ready".into(), &repo.git(&["rev-parse", "HEAD"]).into()));
    server.get("/nowhere");
    server.get("/lookup");
    let metrics = server.get("/metrics");
    for line in [
        "shapeline_http_requests_total{route=\"/healthz\",status=\"200\"} 1",
        "shapeline_http_requests_total{route=\"other\",status=\"404\"} 1",
        "shapeline_data_subscribers 3",
        "shapeline_reload_failures_total 0",
        "shapeline_data_refused 0",
        "shapeline_connections 1",
    ] {
        assert!(metrics.body.lines().any(|other| other == line), "{line}: {}", metrics.body);
    }
    let document = server.get("/v1/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    // What is answered fits what is documented.
    for (path, example) in [
        ("/lookup", "/lookup?user_id=acme-hq"),
        ("/v1/subscribers", "/v1/subscribers"),
        ("/v1/subscribers/{id}", "/v1/subscribers/fibre/7"),
        ("/v1/addresses/{ip}", "/v1/addresses/10.10.10.25"),
        ("/v1/plans", "/v1/plans"),
        ("/v1/domains", "/v1/domains"),
        ("/v1/free", "/v1/free?domain=tier2.example"),
        ("/readyz", "/readyz"),
    ] {
        let mut schema =
            document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].clone();
        schema["components"] = document["components"].clone();
        let problems: Vec<String> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&server.get(example).json())
            .map(|error| error.to_string())
            .collect();
        assert_eq!(problems, [""; 0], "{path}");
    }
}

#[test]
fn what_is_not_there_is_a_problem() {
    let server = Server::start(&data(), &[]);
    assert!(server.get("/x%0a%1b").problem(404).contains("there is nothing at `/x%0a%1b`"));
    let wrong = server.send("POST", "/lookup", &[], "{}");
    assert_eq!(
        (wrong.problem(405).as_str(), wrong.header("allow")),
        ("this address takes GET and HEAD alone", Some("GET,HEAD"))
    );
    let wrong = server.send("GET", "/hooks/git", &[], "");
    assert_eq!((wrong.problem(405).as_str(), wrong.header("allow")), ("this address takes POST alone", Some("POST")));
    for path in ["/", "/v1/subscribers/x"] {
        assert!(server.send("POST", path, &[], "{}").problem(405).contains("GET and HEAD"), "{path}");
    }
    server.get("/v1/subscribers/").problem(404);
    for path in ["/lookup", "/nowhere", "/healthz"] {
        let answer = server.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    }
    // The top is for the portal, unless only the lookup API is served.
    let repo = data();
    let mut both = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"));
    both.args(["serve", "--listen", "127.0.0.1:0"]).current_dir(repo.path());
    both.env("SHAPELINE_STATE", repo.path().join(".git/state.sqlite"));
    let both = Server::spawn(both);
    assert_eq!(both.get("/").header("location"), Some("/sign-in"));
    assert_eq!(both.get("/lookup?user_id=acme-hq").status, 200);
}
