//! No account sees or touches another tier-2's subscribers: by no page, no parameter, no form, no count, no error.
//!
//! The pages are those of the table in `routes.rs`. One without a case here fails the test.

use super::{Browser, add_user, encoded, hidden, portal, state};
use crate::serve::{Server, data};

/// Everything of the other tier-2 has one of these in it.
const FOREIGN: [&str; 6] = ["ispcustomer", "acme", "ACME", "10.10.10", "fibre", "Secret"];

const FOREIGN_KEY: &str = "acme-hq";

/// What is asked of a page.
enum Case {
    /// These addresses show nothing of the other one, whatever they answer.
    Shows(&'static [&'static str]),
    /// These fields of a form are refused, or do nothing.
    Refuses(&'static [&'static [(&'static str, &'static str)]]),
}

use Case::{Refuses, Shows};

const FORGED: &str = r#"{"ip":"10.10.10.25","domain":"ispcustomer.co.zw","plan":"30_MEG_UP_30_MEG_DOWN","id":"acme-hq","name":"ACME head office"}"#;

/// The same, of the own domain: the id leads elsewhere.
const FORGED_DOMAIN: &str = r#"{"ip":"10.10.10.25","domain":"tier2.example","plan":"30_MEG_UP_30_MEG_DOWN","id":"acme-hq","name":"ACME head office"}"#;

const CASES: [(&str, Case); 35] = [
    ("GET /", Shows(&["/"])),
    ("GET /sign-in", Shows(&["/sign-in"])),
    ("POST /sign-in", Refuses(&[&[("name", "noc"), ("password", "x")]])),
    ("POST /sign-in/openid", Refuses(&[&[("next", "/subscribers")]])),
    ("GET /sign-in/openid", Shows(&["/sign-in/openid", "/sign-in/openid?code=a&state=b"])),
    ("POST /sign-in/github", Refuses(&[&[("next", "/subscribers")]])),
    ("GET /sign-in/github", Shows(&["/sign-in/github", "/sign-in/github?code=a&state=b"])),
    ("POST /sign-out", Refuses(&[])),
    ("GET /setup", Shows(&["/setup", "/setup?key=00"])),
    (
        "POST /setup",
        Refuses(&[
            &[("key", ""), ("name", "x")],
            &[("key", "00"), ("name", "x"), ("password", "correct horse battery")],
        ]),
    ),
    ("GET /account", Shows(&["/account"])),
    ("POST /account", Refuses(&[&[("old", "x"), ("password", "correct horse battery")]])),
    (
        "GET /subscribers",
        Shows(&[
            "/subscribers",
            "/subscribers?q=a",
            "/subscribers?q=10.10",
            "/subscribers?domain=ispcustomer.co.zw",
            "/subscribers?page=2",
            "/subscribers?status=suspended",
            "/subscribers?sort=domain&order=down",
        ]),
    ),
    ("GET /subscribers.csv", Shows(&["/subscribers.csv", "/subscribers.csv?domain=ispcustomer.co.zw"])),
    (
        "GET /subscriber",
        Shows(&["/subscriber?key=acme-hq", "/subscriber?key=10.10.10.25%40ispcustomer.co.zw", "/subscriber"]),
    ),
    ("GET /history", Shows(&["/history?key=acme-hq", "/history?key=10.10.10.25%40ispcustomer.co.zw", "/history"])),
    ("GET /add", Shows(&["/add", "/add?domain=ispcustomer.co.zw"])),
    ("GET /edit", Shows(&["/edit?key=acme-hq", "/edit?key=fibre%2F7", "/edit"])),
    (
        "POST /save",
        Refuses(&[
            &[("ip", "10.10.10.99"), ("domain", "ispcustomer.co.zw"), ("plan", "30_MEG_UP_30_MEG_DOWN")],
            &[("ip", "10.10.10.25"), ("domain", "tier2.example"), ("plan", "30_MEG_UP_30_MEG_DOWN")],
            &[("ip", "10.20.0.7"), ("domain", "tier2.example"), ("plan", "30_MEG_UP_30_MEG_DOWN"), ("id", "acme-hq")],
            &[("ip", "10.20.0.7"), ("domain", "tier2.example"), ("plan", "50_MEG_UP_50_MEG_DOWNX")],
            &[
                ("was", FORGED),
                ("ip", "10.10.10.25"),
                ("domain", "ispcustomer.co.zw"),
                ("plan", "50_MEG_UP_50_MEG_DOWN"),
            ],
            &[("was", FORGED), ("ip", "10.20.0.7"), ("domain", "tier2.example"), ("plan", "50_MEG_UP_50_MEG_DOWN")],
        ]),
    ),
    (
        "POST /act",
        Refuses(&[&[("key", FOREIGN_KEY), ("action", "remove")], &[("key", "fibre/7"), ("action", "resume")]]),
    ),
    ("GET /upload", Shows(&["/upload", "/upload?domain=ispcustomer.co.zw"])),
    ("POST /upload", Refuses(&[&[("domain", "ispcustomer.co.zw")], &[("domain", "tier2.example")]])),
    ("GET /draft", Shows(&["/draft"])),
    ("POST /draft/discard", Refuses(&[])),
    ("POST /draft/mine", Refuses(&[])),
    ("POST /draft/submit", Refuses(&[&[("version", "0")], &[("version", "99")]])),
    ("GET /requests", Shows(&["/requests"])),
    ("GET /request", Shows(&["/request?id=FOREIGN", "/request?id=0"])),
    ("POST /request/retry", Refuses(&[&[("id", "FOREIGN")]])),
    ("POST /request/withdraw", Refuses(&[&[("id", "FOREIGN")]])),
    // With samples: see serve/live.
    ("GET /demo", Shows(&["/demo", "/demo?key=00"])),
    ("GET /live", Shows(&["/live"])),
    ("GET /live/history", Shows(&["/live/history", "/live/history?subscriber=acme-hq"])),
    ("POST /live/refresh", Refuses(&[&[]])),
    ("POST /live/clean", Refuses(&[&[]])),
];

/// The pages in the table of the portal.
pub fn pages() -> Vec<String> {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/portal/routes.rs")).unwrap();
    let pages = source.lines().filter_map(|line| line.trim().strip_prefix("route!("));
    pages.map(|page| page.split("\",").next().unwrap().replace(" \"", " ")).collect()
}

fn shows_nothing(what: &str, text: &str) {
    for foreign in FOREIGN {
        assert!(!text.contains(foreign), "{what} shows {foreign}: {text}");
    }
}

#[test]
fn no_page_shows_or_changes_what_is_another_tier_2s() {
    let cases: Vec<&str> = CASES.iter().map(|(page, _)| *page).collect();
    assert_eq!(pages(), cases, "each page has a case here");
    let repo = data();
    let server = portal(&repo);
    add_user(&repo, &state(&repo), &["other", "--domain", "ispcustomer.co.zw"]);
    let other = Browser::signed_in(&server, "other");
    other.add("10.10.10.99", "ispcustomer.co.zw", "30_MEG_UP_30_MEG_DOWN");
    let request = other.submit("Secret").split('=').nth(1).unwrap().to_owned();
    let desk = Browser::signed_in(&server, "desk");
    for (page, case) in &CASES {
        match case {
            Shows(paths) => {
                for path in *paths {
                    let answer = desk.get(&path.replace("FOREIGN", &request));
                    // What was asked for is repeated; nothing else is.
                    let asked: String = path.split(['=', '&', '?']).skip(2).collect();
                    let body = answer.body.replace(&asked.replace("%40", "@").replace("%2F", "/"), "");
                    if !path.contains('=') {
                        shows_nothing(path, &answer.body);
                    } else if answer.status == 200 {
                        assert!(!body.contains("ACME") && !body.contains("10.10.10.25<"), "{path}: {body}");
                        assert!(!body.contains("10.10.10.64") && !body.contains("10.10.10.99"), "{path}: {body}");
                    }
                }
            }
            Refuses(forms) => {
                let path = page.split(' ').nth(1).unwrap();
                for form in *forms {
                    let fields: Vec<(&str, &str)> = [("action", "add")]
                        .iter()
                        .chain(*form)
                        .map(|(name, value)| (*name, if *value == "FOREIGN" { request.as_str() } else { *value }))
                        .collect();
                    let answer = desk.post(path, &fields);
                    assert!((400..500).contains(&answer.status), "{page} {fields:?}: {answer:?}");
                    assert!(!answer.body.contains("ACME head") && !answer.body.contains("10.10.10.64"), "{answer:?}");
                    assert!(desk.page("/draft").contains("It is empty."), "{page} {fields:?}");
                }
            }
        }
    }
    let missing = desk.get("/subscriber?key=acme-hq");
    let nothing = desk.get("/subscriber?key=nothing");
    assert_eq!((missing.status, missing.body.replace("acme-hq", "nothing")), (404, nothing.body), "alike");
    assert!(desk.page("/subscribers").contains("You have 1 subscriber"));
}

#[test]
fn a_forged_record_leads_to_nobody_elses() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let fields = [
        ("was", FORGED_DOMAIN),
        ("ip", "10.20.0.7"),
        ("domain", "tier2.example"),
        ("id", "acme-hq"),
        ("plan", "50_MEG_UP_50_MEG_DOWN"),
        ("action", "add"),
    ];
    let answer = desk.post("/save", &fields);
    assert!(!answer.body.contains("10.10.10.64"), "{answer:?}");
    // It may stay in the draft as a conflict with something that is not shown; it never gets further.
    let draft = desk.get("/draft");
    assert!(!draft.body.contains("Submit for review"), "{draft:?}");
    let version = hidden_or(&draft.body, "version");
    assert!((400..500).contains(&desk.post("/draft/submit", &[("version", &version)]).status));
    let theirs = hidden_or(&draft.body, "theirs");
    let _ = desk.post("/draft/mine", &[("key", "acme-hq"), ("version", &version), ("theirs", &theirs)]);
    assert!(!desk.get("/draft").body.contains("Submit for review"));
}

fn hidden_or(page: &str, name: &str) -> String {
    if page.contains(&format!("name=\"{name}\"")) { hidden(page, name) } else { "1".to_owned() }
}

#[test]
fn a_viewer_changes_nothing_and_who_is_not_signed_in_sees_nothing() {
    let repo = data();
    let server = portal(&repo);
    add_user(&repo, &state(&repo), &["reader", "--role", "viewer", "--domain", "tier2.example"]);
    let reader = Browser::signed_in(&server, "reader");
    assert!(!reader.page("/subscribers").contains("Add a subscriber"));
    let editing = [
        "/add",
        "/edit",
        "/save",
        "/act",
        "/upload",
        "/draft",
        "/draft/discard",
        "/draft/mine",
        "/draft/submit",
        "/request/retry",
        "/request/withdraw",
    ];
    for page in pages() {
        let (method, path) = page.split_once(' ').unwrap();
        let answer = if method == "GET" { reader.get(path) } else { reader.post(path, &[]) };
        let refused = answer.status == 403 && answer.body.contains("and not change them");
        assert_eq!(refused, editing.contains(&path), "{page}: {answer:?}");
        if path == "/sign-out" {
            assert_eq!(reader.sign_in("reader", super::PASSWORD).status, 303);
        }
        assert_nobody(&server, method, path);
    }
}

/// Who is not signed in is led to sign in.
fn assert_nobody(server: &Server, method: &str, path: &str) {
    if path.starts_with("/sign-in") || path == "/setup" || path == "/demo" {
        return;
    }
    let nobody = Browser::new(server);
    let answer = match method {
        "GET" => nobody.get(path),
        _ => nobody.post_from("/sign-in", path, &[("key", &encoded("x"))]),
    };
    let to = answer.header("location").unwrap_or_default();
    assert!(answer.status == 303 && to.starts_with("/sign-in"), "{method} {path}: {answer:?}");
    assert!(answer.body.is_empty());
}
