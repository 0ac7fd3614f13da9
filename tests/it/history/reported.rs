//! What is reported, and for which subscribers.

use super::{commit, fresh, git_on, history, json, shown};
use crate::support::Repo;

const D: &str = "ispcustomer.co.zw";

fn record(ip: &str, rate: u32, more: &str) -> String {
    format!("ip: {ip}\ndomain: {D}\nplan: {rate}_MEG_UP_{rate}_MEG_DOWN\n{more}")
}

fn path(ip: &str) -> String {
    format!("subscribers/{D}/{ip}.yaml")
}

/// One subscriber that comes, changes, and goes.
fn one() -> Repo {
    let repo = fresh();
    commit(&repo, "01-01", "Alice", "Plans");
    repo.write(&path("10.10.10.25"), record("10.10.10.25", 30, ""));
    commit(&repo, "02-01", "Bob", "Come");
    repo.write(&path("10.10.10.25"), record("10.10.10.25", 50, "name: ACME\n"));
    commit(&repo, "03-01", "Carol", "Faster");
    std::fs::remove_file(repo.path().join(path("10.10.10.25"))).unwrap();
    commit(&repo, "04-01", "Dave", "Leave");
    repo
}

#[test]
fn a_subscriber_comes_changes_and_goes() {
    insta::assert_snapshot!(shown(&one(), &["10.10.10.25"]), @r"
    10.10.10.25@ispcustomer.co.zw  (no longer in the data)
        plan: 50_MEG_UP_50_MEG_DOWN; name: ACME
        served from 2026-02-01T00:00:00Z until 2026-04-01T00:00:00Z
        in subscribers/ispcustomer.co.zw/10.10.10.25.yaml

    - 2026-04-01T00:00:00Z  10.10.10.25@ispcustomer.co.zw
        LEAVE  Dave: Leave
    ~ 2026-03-01T00:00:00Z  10.10.10.25@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN (30 Mbps → 50 Mbps); name: none → ACME
        FASTER  Carol: Faster
    + 2026-02-01T00:00:00Z  10.10.10.25@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN (30 Mbps)
        COME  Bob: Come
    ");
}

#[test]
fn a_program_reads_the_same() {
    let json = json(&one(), &["10.10.10.25"]);
    assert_eq!(json["version"], 1);
    assert_eq!(json["revision"]["commits"], 4);
    let subscriber = &json["subscribers"][0];
    assert_eq!(subscriber["active_from"], "2026-02-01T00:00:00Z");
    assert_eq!(subscriber["active_until"], "2026-04-01T00:00:00Z");
    assert_eq!((&subscriber["present"], &subscriber["fields"]["name"]), (&false.into(), &"ACME".into()));
    let events = json["events"].as_array().unwrap();
    let actions: Vec<&str> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["removed", "changed", "added"]);
    assert_eq!(events[1]["changes"][1], serde_json::json!({"field": "name", "before": null, "after": "ACME"}));
    assert_eq!(events[1]["rates"], serde_json::json!({"before": "30 Mbps", "after": "50 Mbps"}));
    assert_eq!(events[1]["commit"]["author"], "Carol");
    assert!(json.get("holders").is_none());
}

#[test]
fn a_spreadsheet_has_a_line_for_each_field() {
    insta::assert_snapshot!(shown(&one(), &["10.10.10.25", "--format", "csv", "--from", "2026-03-01"]), @r#"
    time,kind,action,key,field,before,after,author,email,commit,merge,subject,path
    2026-04-01T00:00:00Z,subscriber,removed,10.10.10.25@ispcustomer.co.zw,,,,Dave,noc@ispcustomer.co.zw,LEAVE,,Leave,subscribers/ispcustomer.co.zw/10.10.10.25.yaml
    2026-03-01T00:00:00Z,subscriber,changed,10.10.10.25@ispcustomer.co.zw,plan,30_MEG_UP_30_MEG_DOWN,50_MEG_UP_50_MEG_DOWN,Carol,noc@ispcustomer.co.zw,FASTER,,Faster,subscribers/ispcustomer.co.zw/10.10.10.25.yaml
    2026-03-01T00:00:00Z,subscriber,changed,10.10.10.25@ispcustomer.co.zw,name,,ACME,Carol,noc@ispcustomer.co.zw,FASTER,,Faster,subscribers/ispcustomer.co.zw/10.10.10.25.yaml
    "#);
}

/// The keys of the reported subscribers.
fn keys(repo: &Repo, args: &[&str]) -> Vec<String> {
    let json = json(repo, args);
    json["subscribers"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn people_are_found_by_address_prefix_id_and_key() {
    let repo = fresh();
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30, ""));
    repo.write("subscribers/b.yaml", record("[10.10.10.26, '2001:db8::26']", 30, "id: acme\n"));
    repo.write("subscribers/c.yaml", record("10.10.10.128/28", 30, "id: 10.10.10.26\n"));
    repo.write("subscribers/d.yaml", "ip: 10.10.10.25\ndomain: other.example\nplan: X\n");
    commit(&repo, "01-01", "Alice", "All");
    let first = format!("10.10.10.25@{D}");
    assert_eq!(keys(&repo, &["10.10.10.25"]), [&first, "10.10.10.25@other.example"]);
    assert_eq!(keys(&repo, &[&first]), [&first[..]]);
    assert_eq!(keys(&repo, &["acme"]), ["acme"]);
    assert_eq!(keys(&repo, &["2001:db8::26"]), ["acme"]);
    assert_eq!(keys(&repo, &["2001:DB8:0::26"]), ["acme"], "an address has many spellings");
    assert_eq!(keys(&repo, &[&format!("2001:db8::26@{D}")]), ["acme"]);
    assert_eq!(keys(&repo, &["10.10.10.26"]), ["10.10.10.26", "acme"], "an id may look like an address");
    assert_eq!(keys(&repo, &["10.10.10.130"]), ["10.10.10.26"], "a routed prefix holds it");
    assert_eq!(
        keys(&repo, &["10.10.10.0/24", "--domain", D]),
        ["10.10.10.25@ispcustomer.co.zw", "10.10.10.26", "acme"]
    );
    assert_eq!(keys(&repo, &["::/0"]), ["acme"], "IPv4 is not IPv6");
    assert_eq!(keys(&repo, &["--domain", "other.example"]), ["10.10.10.25@other.example"]);
    let nobody = history(&repo, &["10.10.10.2"]);
    assert_eq!((nobody.code, nobody.stdout.as_str()), (0, ""));
    assert!(nobody.stderr.starts_with("nothing is known of `10.10.10.2`, in 1 commit up to "), "{nobody:?}");
    let domain = history(&repo, &[D]);
    assert!(domain.stderr.ends_with(&format!("; of a domain: --domain {D}\n")), "{domain:?}");
    let never = history(&repo, &["--from", "2026-02-01", "--to", "2026-01-31"]);
    assert!(never.code == 2 && never.stderr.contains("--from is later than --to"), "{never:?}");
}

/// Who had 10.10.10.25 then, each with whether it was served.
fn holders(repo: &Repo, when: &str) -> Vec<String> {
    let json = json(repo, &["10.10.10.25", "--on", when]);
    let shown = |one: &serde_json::Value| format!("{} {}", one["key"].as_str().unwrap(), one["served"]);
    json["holders"].as_array().unwrap().iter().map(shown).collect()
}

#[test]
fn who_had_an_address_then() {
    let repo = fresh();
    commit(&repo, "01-01", "Alice", "Plans");
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30, "id: first\n"));
    commit(&repo, "02-01", "Alice", "First");
    repo.write("subscribers/a.yaml", record("10.10.10.26", 30, "id: first\n"));
    commit(&repo, "03-01", "Alice", "Moves");
    repo.write("subscribers/b.yaml", record("10.10.10.25", 50, "id: second\nstarts: 2026-05-01\n"));
    commit(&repo, "04-01", "Alice", "Second");
    let on = |when: &str| holders(&repo, when);
    assert_eq!(on("2026-01-31"), [""; 0]);
    assert_eq!(on("2026-02-01"), ["first true"]);
    assert_eq!(on("2026-02-28"), ["first true"]);
    assert_eq!(on("2026-03-01T00:00:00Z"), [""; 0], "the address moved on in that second");
    assert_eq!(on("2026-03-01"), [""; 0]);
    assert_eq!(on("2026-04-30"), ["second false"]);
    assert_eq!(on("2030-01-01"), ["second true"]);
    insta::assert_snapshot!(shown(&repo, &["10.10.10.25", "--on", "2026-02-14"]), @r"
    first
        ip: 10.10.10.25; domain: ispcustomer.co.zw; plan: 30_MEG_UP_30_MEG_DOWN (30 Mbps)
        so from 2026-02-01T00:00:00Z until 2026-03-01T00:00:00Z
        FIRST  Alice: First
    ");
    let csv = shown(&repo, &["10.10.10.25", "--on", "2026-02-14", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 2);
    assert_eq!(csv.lines().next().unwrap().split(',').count(), 19);
    let run = history(&repo, &["--on", "\u{1b}[31myesterday"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is neither a day such as") && !run.stderr.contains('\u{1b}'), "{run:?}");
}

#[test]
fn a_day_on_which_an_address_changed_hands_names_both() {
    let repo = fresh();
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30, "id: first\n"));
    commit(&repo, "02-01", "Alice", "First");
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30, "id: second\n"));
    commit(&repo, "02-03T12:00:00Z", "Alice", "Second");
    assert_eq!(holders(&repo, "2026-02-03"), ["first true", "second true"]);
    assert_eq!(holders(&repo, "2026-02-03T11:59:59Z"), ["first true"]);
    assert_eq!(holders(&repo, "2026-02-03T12:00:00Z"), ["second true"]);
}

#[test]
fn a_move_is_nothing_that_happened() {
    let repo = fresh();
    repo.write(&path("10.10.10.25"), record("10.10.10.25", 30, ""));
    repo.write(&path("10.10.10.26"), record("10.10.10.26", 30, ""));
    commit(&repo, "01-01", "Alice", "Come");
    let before = shown(&repo, &[]);
    repo.git(&["mv", &path("10.10.10.25"), "subscribers/moved.yaml"]);
    commit(&repo, "02-01", "Bob", "Moved");
    std::fs::remove_dir_all(repo.path().join(format!("subscribers/{D}"))).unwrap();
    std::fs::remove_file(repo.path().join("subscribers/moved.yaml")).unwrap();
    let list = format!(
        "# all\n- plan: 30_MEG_UP_30_MEG_DOWN\n  domain: {D}\n  status: active\n  ip: 10.10.10.26\n\
         - {{ip: 10.10.10.25, domain: {D}, plan: '30_MEG_UP_30_MEG_DOWN'}}\n"
    );
    repo.write("subscribers/all.yml", list);
    commit(&repo, "03-01", "Bob", "Gathered");
    assert_eq!(shown(&repo, &[]), before);
    assert_eq!(json(&repo, &["10.10.10.25"])["subscribers"][0]["path"], "subscribers/all.yml");
}

#[test]
fn who_gets_an_id_goes_on_under_it() {
    let repo = fresh();
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30, ""));
    commit(&repo, "01-01", "Alice", "Come");
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30, "id: acme\n"));
    commit(&repo, "02-01", "Alice", "Named");
    let key = format!("10.10.10.25@{D}");
    let events = json(&repo, &["acme"])["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 3, "what it was before belongs to it: {events}");
    assert_eq!((&events[1]["action"], &events[1]["was"]), (&"added".into(), &key.as_str().into()));
    let events = json(&repo, &[&key, "--to", "2026-02-01"])["events"].clone();
    let gone = events.as_array().unwrap().iter().find(|event| event["action"] == "removed").unwrap();
    assert_eq!(gone["becomes"], "acme");
    assert!(events.as_array().unwrap().iter().all(|event| event.get("was").is_none() || event["key"] == "acme"));
}

#[test]
fn service_is_within_the_term_and_not_while_suspended() {
    let repo = fresh();
    let write = |more: &str| repo.write("subscribers/a.yaml", record("10.10.10.25", 30, more));
    write("starts: 2026-01-15\n");
    commit(&repo, "01-01", "Alice", "Come");
    write("starts: 2026-01-15\nname: x\n");
    commit(&repo, "02-01", "Alice", "Name");
    write("status: suspended\n");
    commit(&repo, "03-01", "Alice", "Suspend");
    write("ends: 2026-06-01\n");
    commit(&repo, "04-01", "Alice", "Resume");
    let of = &json(&repo, &["10.10.10.25"])["subscribers"][0];
    let span = |from: &str, until: &str| serde_json::json!({"from": format!("2026-{from}T00:00:00Z"), "until": format!("2026-{until}T00:00:00Z")});
    assert_eq!(of["active"], serde_json::json!([span("01-15", "03-01"), span("04-01", "06-01")]));
    assert_eq!(
        (&of["active_from"], &of["active_until"]),
        (&"2026-01-15T00:00:00Z".into(), &"2026-06-01T00:00:00Z".into())
    );
}

#[test]
fn new_rates_of_a_plan_are_shown_for_its_subscribers() {
    let repo = one();
    repo.write(&path("10.10.10.26"), record("10.10.10.26", 30, ""));
    commit(&repo, "05-01", "Alice", "Other");
    repo.write("plans/30_MEG_UP_30_MEG_DOWN.yaml", "name: 30_MEG_UP_30_MEG_DOWN\nup: 3 Mbps\ndown: 30 Mbps\n");
    commit(&repo, "06-01", "Erin", "Slower");
    repo.write(
        "plans/30_MEG_UP_30_MEG_DOWN.yaml",
        "name: 30_MEG_UP_30_MEG_DOWN\nup: 3 Mbps\ndown: 30 Mbps\ndescription: x\n",
    );
    commit(&repo, "07-01", "Erin", "Described");
    let about = |args: &[&str]| shown(&repo, args).lines().filter(|line| line.contains("  plan 30")).count();
    insta::assert_snapshot!(shown(&repo, &["10.10.10.26", "--from", "2026-06-01"]).split("\n\n").nth(1).unwrap(), @r"
    ~ 2026-06-01T00:00:00Z  plan 30_MEG_UP_30_MEG_DOWN  up: 30 Mbps → 3 Mbps; 1 subscriber had it
        SLOWER  Erin: Slower
    ");
    assert_eq!(about(&["10.10.10.25"]), 0, "it had another one by then");
    assert_eq!(about(&["--domain", D]), 1);
    assert_eq!(about(&["--domain", "other.example"]), 0);
    assert_eq!(about(&[]), 3, "added, slower, described");
    let json = json(&repo, &["10.10.10.26", "--on", "2026-05-15"]);
    assert_eq!(json["holders"][0]["rates"], "30 Mbps", "as they were then");
    assert_eq!(
        super::json(&repo, &["10.10.10.26", "--on", "2026-06-15"])["holders"][0]["rates"],
        "3 Mbps up, 30 Mbps down"
    );
}

#[test]
fn what_a_merge_brings_is_shown_with_its_author() {
    let repo = fresh();
    let list = |rate: u32, last: &str| {
        let records = (1..=5)
            .map(|host| format!("- {}", record(&format!("10.10.10.{host}"), rate, "").trim().replace('\n', "\n  ")));
        records.collect::<Vec<_>>().join("\n") + "\n" + last
    };
    repo.write("subscribers/all.yaml", list(30, ""));
    commit(&repo, "01-01", "Alice", "Start");
    repo.git(&["checkout", "-q", "-b", "side"]);
    let faster = |text: &str, host: u32| {
        let record = |rate: u32| format!("10.10.10.{host}\n  domain: {D}\n  plan: {rate}_MEG_UP_{rate}_MEG_DOWN\n");
        text.replace(&record(30), &record(50))
    };
    let two = faster(&list(30, ""), 2);
    repo.write("subscribers/all.yaml", &two);
    commit(&repo, "02-01", "Bob", "Faster two");
    // Around the one that Bob changed.
    repo.write("subscribers/all.yaml", faster(&faster(&two, 1), 3));
    commit(&repo, "02-01", "Frank", "Both beside it");
    repo.write("subscribers/b.yaml", record("10.10.10.9", 30, ""));
    commit(&repo, "02-02", "Carol", "New nine");
    repo.git(&["checkout", "-q", "main"]);
    let last = format!("- ip: 10.10.10.8\n  domain: {D}\n  plan: 30_MEG_UP_30_MEG_DOWN\n");
    repo.write("subscribers/all.yaml", list(30, &last));
    commit(&repo, "03-01", "Dave", "Meanwhile eight");
    git_on(&repo, "04-01", "Erin", &["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repo.write("subscribers/c.yaml", record("10.10.10.7", 30, ""));
    commit(&repo, "04-01", "Erin", "Merge");
    insta::assert_snapshot!(shown(&repo, &["--from", "2026-02-01"]), @r"
    ~ 2026-04-01T00:00:00Z  10.10.10.1@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN (30 Mbps → 50 Mbps)
        BOTH  Frank: Both beside it (merged by Erin, MERGE)
    ~ 2026-04-01T00:00:00Z  10.10.10.2@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN (30 Mbps → 50 Mbps)
        FASTER  Bob: Faster two (merged by Erin, MERGE)
    ~ 2026-04-01T00:00:00Z  10.10.10.3@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN (30 Mbps → 50 Mbps)
        BOTH  Frank: Both beside it (merged by Erin, MERGE)
    + 2026-04-01T00:00:00Z  10.10.10.7@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN (30 Mbps)
        MERGE  Erin: Merge
    + 2026-04-01T00:00:00Z  10.10.10.9@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN (30 Mbps)
        NEW  Carol: New nine (merged by Erin, MERGE)
    + 2026-03-01T00:00:00Z  10.10.10.8@ispcustomer.co.zw  plan: 30_MEG_UP_30_MEG_DOWN (30 Mbps)
        MEANWHILE  Dave: Meanwhile eight
    ");
}

/// Who said otherwise later on the branch is not named for what the merge took.
#[test]
fn a_merge_that_takes_an_earlier_state_of_the_branch_names_who_made_it() {
    let repo = fresh();
    let (file, says) = (path("10.10.10.25"), |rate, more| record("10.10.10.25", rate, more));
    repo.write(&file, says(30, ""));
    commit(&repo, "01-01", "Alice", "Start");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write(&file, says(50, ""));
    commit(&repo, "02-01", "Bob", "Faster");
    repo.write(&file, says(50, "name: ACME\n"));
    commit(&repo, "02-02", "Carol", "Named");
    repo.git(&["checkout", "-q", "main"]);
    commit(&repo, "03-01", "Dave", "Meanwhile");
    git_on(&repo, "04-01", "Erin", &["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repo.write(&file, says(50, ""));
    commit(&repo, "04-01", "Erin", "Merge");
    let said = shown(&repo, &["--from", "2026-02-01"]);
    assert!(said.ends_with("\n    FASTER  Bob: Faster (merged by Erin, MERGE)\n"), "{said}");
}

#[test]
fn the_last_day_counts_and_the_midnight_after_it_does_not() {
    let events = |to: &str| json(&one(), &["10.10.10.25", "--to", to])["total"].clone();
    assert_eq!((events("2026-01-31"), events("2026-02-01"), events("2026-02-28")), (0.into(), 1.into(), 1.into()));
    assert_eq!((events("2026-01-31T23:59:59Z"), events("2026-02-01T00:00:00Z")), (0.into(), 1.into()));
}

#[test]
fn an_unreadable_file_removes_no_subscriber() {
    let repo = fresh();
    let two = format!("- {{ip: 10.10.10.25, domain: {D}, plan: A}}\n- {{ip: 10.10.10.26, domain: {D}, plan: A}}\n");
    repo.write("subscribers/all.yaml", &two);
    commit(&repo, "01-01", "Alice", "Start");
    repo.write("subscribers/all.yaml", format!("{two}- [\n"));
    commit(&repo, "02-01", "Mallory", "Break");
    repo.write("subscribers/all.yaml", two.replace("10.10.10.26", "10.10.10.26dd").replace("plan: A}", "plan: B}"));
    commit(&repo, "03-01", "Mallory", "Typo");
    repo.write("subscribers/all.yaml", two.replace("plan: A}", "plan: B, speed: 3}"));
    commit(&repo, "04-01", "Alice", "Field");
    repo.write("subscribers/all.yaml", format!("- {{ip: 10.10.10.25, domain: {D}, plan: B}}\n"));
    commit(&repo, "05-01", "Alice", "Mend");
    let run = history(&repo, &["--from", "2026-02-01"]);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("note: ")).count(), 3, "{run:?}");
    assert!(
        run.stderr
            .contains("`subscribers/all.yaml` could not be read completely: a record has fields that are not known")
    );
    insta::assert_snapshot!(shown(&repo, &["--from", "2026-02-01"]), @r"
    - 2026-05-01T00:00:00Z  10.10.10.26@ispcustomer.co.zw
        MEND  Alice: Mend
    ~ 2026-04-01T00:00:00Z  10.10.10.26@ispcustomer.co.zw  plan: A → B (rate not known → rate not known)
        FIELD  Alice: Field
    ~ 2026-03-01T00:00:00Z  10.10.10.25@ispcustomer.co.zw  plan: A → B (rate not known → rate not known)
        TYPO  Mallory: Typo
    ");
}

#[test]
fn a_limit_is_reported() {
    let repo = fresh();
    let all: String = (1..=150).map(|host| format!("- {{ip: 10.10.10.{host}, domain: {D}, plan: X}}\n")).collect();
    repo.write("subscribers/all.yaml", all);
    commit(&repo, "01-01", "Alice", "Start");
    let lines = |args: &[&str]| shown(&repo, args).lines().map(str::to_owned).collect::<Vec<_>>();
    let short = lines(&[]);
    assert_eq!((short.len(), short.last().unwrap().as_str()), (201, "… 100 of 152; --limit 0 shows all"));
    assert_eq!(lines(&["--limit", "0"]).len(), 304);
    assert_eq!(lines(&["--limit", "3"]).len(), 7);
    assert_eq!(json(&repo, &["--limit", "3"])["total"], 152);
    assert_eq!(
        lines(&["10.10.10.0/24", "--on", "2026-02-01", "--limit", "2"]).last().unwrap(),
        "… 2 of 150; --limit 0 shows all"
    );
}
