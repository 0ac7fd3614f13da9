//! `subscriber list` and `show`.

use serde_json::Value;

use super::command::{LIST, PATH, fine, run, with_list};
use crate::support::Repo;

fn keys(repo: &Repo, args: &[&str]) -> Vec<String> {
    let json: Value = serde_json::from_str(&fine(repo, &[&["list", "--format", "json"], args].concat())).unwrap();
    json["subscribers"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect()
}

const ALL: [&str; 3] = ["acme-hq", "10.10.10.26@ispcustomer.co.zw", "10.10.10.30@ispcustomer.co.zw"];

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let repo = with_list();
    assert_eq!(keys(&repo, &[]), ALL);
    assert_eq!(keys(&repo, &["--reverse"]), [ALL[2], ALL[1], ALL[0]]);
    for (args, expected) in [
        (&["--status", "suspended"][..], &ALL[2..]),
        (&["--status", "active"], &ALL[..2]),
        (&["--status", "served"], &ALL[..2]),
        (&["--status", "unserved"], &ALL[2..]),
        (&["--plan", "30_MEG_UP_30_MEG_DOWN"], &ALL[..1]),
        (&["head OFFICE"], &ALL[..1]),
        (&["11.11.11.66"], &ALL[2..]),
        (&["10.10.10.2"], &ALL[..2]),
        (&["nobody"], &[]),
        (&["--limit", "2"], &ALL[..2]),
        (&["--limit", "1", "--offset", "1"], &ALL[1..2]),
        (&["--limit", "2", "--page", "2"], &ALL[2..]),
        (&["--page", "2"], &[]),
        (&["--offset", "99"], &[]),
        (&["--sort", "plan", "--limit", "1"], &ALL[..1]),
        (&["--sort", "name"], &ALL),
        (&["--sort", "status", "--reverse", "--limit", "1"], &ALL[2..]),
    ] {
        assert_eq!(keys(&repo, args), expected, "{args:?}");
    }
    let run = run(&repo, &["list", "--limit", "2", "--offset", "1"]);
    assert_eq!(run.stderr, "2 to 3 of 3 subscribers\n");
}

#[test]
fn those_without_a_value_come_last_and_labels_are_searched() {
    let repo = with_list();
    fine(&repo, &["set", ALL[1], "ends=2030-06-01", "starts=2030-01-01", "id=b", "labels.ticket=4711"]);
    fine(&repo, &["set", ALL[2], "ends=2030-05-01", "starts=2030-02-01", "name=Beta"]);
    for (sort, expected) in [
        ("ends", [ALL[2], "b", ALL[0]]),
        ("starts", ["b", ALL[2], ALL[0]]),
        ("id", [ALL[0], "b", ALL[2]]),
        ("name", [ALL[0], ALL[2], "b"]),
    ] {
        assert_eq!(keys(&repo, &["--sort", sort]), expected, "{sort}");
    }
    for text in ["4711", "TICKET"] {
        assert_eq!(keys(&repo, &[text]), ["b"], "{text}");
    }
}

#[test]
fn unused_and_unknown_names_are_distinguished() {
    let repo = with_list();
    assert_eq!(keys(&repo, &["--limit", "0"]), keys(&repo, &[]));
    assert_eq!(run(&repo, &["list", "--limit", "0", "--page", "2"]).code, 2);
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.10.20.0/24]\n");
    assert!(keys(&repo, &["--domain", "b.example"]).is_empty());
    for (args, why) in [
        (["--domain", "b.exampel"], "there is no domain `b.exampel`; did you mean `b.example`?"),
        (
            ["--plan", "30_MEG_UP_30_MEG_DWN"],
            "there is no plan `30_MEG_UP_30_MEG_DWN`; did you mean `30_MEG_UP_30_MEG_DOWN`?",
        ),
    ] {
        let run = run(&repo, &[&["list"], &args[..]].concat());
        assert!(run.code == 1 && run.stderr.contains(why), "{run:?}");
    }
    // A record may name an unknown plan or domain: it must be found to be fixed.
    repo.write("subscribers/x.yaml", "- {ip: 10.10.10.90, domain: nope.example, plan: NOPE}\n");
    assert_eq!(keys(&repo, &["--domain", "nope.example", "--plan", "NOPE"]).len(), 1);
}

#[test]
fn the_text_is_a_table() {
    let repo = with_list();
    let expected = "\
address                     domain             plan                   status     id       name
10.10.10.25                 ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN  active     acme-hq  ACME, head office
10.10.10.26                 ispcustomer.co.zw  50_MEG_UP_50_MEG_DOWN  active
10.10.10.30, 11.11.11.64/29  ispcustomer.co.zw  50_MEG_UP_50_MEG_DOWN  suspended
";
    let squeezed = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let said = fine(&repo, &["list"]);
    assert_eq!(squeezed(&said), squeezed(expected));
    let columns: Vec<usize> =
        said.lines().map(|line| line.find("ispcustomer").or(line.find("domain")).unwrap()).collect();
    assert!(columns.windows(2).all(|two| two[0] == two[1]), "{said}");
}

#[test]
fn json_has_what_the_documents_say() {
    let repo = with_list();
    fine(&repo, &["set", "acme-hq", "ends=2026-06-01", "labels.ticket=4711"]);
    let said = fine(&repo, &["show", "acme-hq", "--format", "json", "--on", "2026-07-01"]);
    let json: Value = serde_json::from_str(&said).unwrap();
    let expected = serde_json::json!({
        "version": 1,
        "subscriber": {
            "key": "acme-hq", "id": "acme-hq", "ip": ["10.10.10.25"], "domain": "ispcustomer.co.zw",
            "plan": "30_MEG_UP_30_MEG_DOWN", "up_bps": 30_000_000, "down_bps": 30_000_000,
            "name": "ACME, head office", "status": "active", "starts": null, "ends": "2026-06-01",
            "labels": {"ticket": "4711"}, "served": false, "reason": "ended",
            "file": PATH, "line": 4,
        },
        "lines": [],
    });
    assert_eq!(json, expected);
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/subscriber.md")).unwrap();
    for field in json["subscriber"].as_object().unwrap().keys().chain(json.as_object().unwrap().keys()) {
        assert!(documented.contains(&format!("| `{field}` |")), "docs/subscriber.md does not tell of `{field}`");
    }
    let list: Value = serde_json::from_str(&fine(&repo, &["list", "--format", "json"])).unwrap();
    for field in list.as_object().unwrap().keys() {
        assert!(documented.contains(&format!("| `{field}` |")), "docs/subscriber.md does not tell of `{field}`");
    }
}

#[test]
fn one_is_shown_with_everything() {
    let repo = with_list();
    let said = fine(&repo, &["show", "10.10.10.30"]);
    let expected = "\
key      10.10.10.30@ispcustomer.co.zw
address  10.10.10.30
address  11.11.11.64/29
domain   ispcustomer.co.zw
plan     50_MEG_UP_50_MEG_DOWN: 50 Mbps up, 50 Mbps down
status   suspended, not served
file     subscribers/ispcustomer.co.zw.yaml:13
";
    assert_eq!(said, expected);
    assert_eq!(LIST.lines().nth(12).unwrap(), "- ip: [10.10.10.30, 11.11.11.64/29]");
    fine(&repo, &["resume", "10.10.10.30"]);
    let said = fine(&repo, &["show", "10.10.10.30@ispcustomer.co.zw"]);
    let rendered = repo.run(&["render"]).stdout;
    let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("shaper   ")).collect();
    assert_eq!(lines, rendered.lines().skip(2).collect::<Vec<_>>());
    assert_eq!(lines.len(), 2);
    assert_eq!(run(&repo, &["show", "10.10.10.3"]).code, 1);
}

#[test]
fn csv_is_safe_in_a_spreadsheet() {
    let repo = with_list();
    fine(&repo, &["set", "acme-hq", "name==cmd|' /C calc'!A0"]);
    let said = fine(&repo, &["list", "--format", "csv"]);
    let mut lines = said.lines();
    assert_eq!(lines.next().unwrap(), "key,ip,domain,plan,id,name,status,served,starts,ends,labels,file,line");
    assert!(lines.next().unwrap().contains(",\"'=cmd|' /C calc'!A0\","), "{said}");
    assert_eq!(lines.count(), 2);
}

#[test]
fn records_that_cannot_be_read_are_not_passed_over_in_silence() {
    let repo = with_list();
    repo.write("subscribers/broken.yaml", "ip: 10.10.10.400\n");
    let run = run(&repo, &["list"]);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("note: some records could not be read"), "{run:?}");
}
