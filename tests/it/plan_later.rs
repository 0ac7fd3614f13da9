//! `plan`: what a change brings on later days.

use crate::support::{Repo, Run};

const DOMAIN: &str = "ispcustomer.co.zw";

fn three() -> Repo {
    let repo = Repo::new();
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\ncapacity: {up: 200 Mbps, down: 200 Mbps}\n",
    );
    for number in 1..=3 {
        repo.subscriber(&format!("10.10.10.{number}"), 30);
    }
    repo
}

fn with(repo: &Repo, ip: &str, rate: u32, more: &str) {
    let text = format!("ip: {ip}\ndomain: {DOMAIN}\nplan: {rate}_MEG_UP_{rate}_MEG_DOWN\n{more}");
    repo.write(&format!("subscribers/{DOMAIN}/{ip}.yaml"), text);
}

fn plan(repo: &Repo, args: &[&str]) -> Run {
    let mut all = vec!["plan", "--on", "2026-11-21"];
    all.extend(args);
    repo.run(&all)
}

fn json(repo: &Repo) -> serde_json::Value {
    serde_json::from_str(&plan(repo, &["--format", "json"]).stdout).unwrap()
}

/// Date, event and address of each.
fn events(repo: &Repo) -> Vec<String> {
    let plan = json(repo);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let events = plan["later"]["events"].as_array().unwrap();
    events.iter().map(|one| ["date", "event", "address"].map(|key| text(&one[key])).join(" ")).collect()
}

#[test]
fn what_begins_tomorrow_is_no_plan_without_a_change() {
    let repo = three();
    let commit = repo.commit("start");
    let nothing = json(&repo);
    with(&repo, "10.10.10.9", 50, "name: New\nstarts: 2026-11-22\nends: 2027-01-01\n");
    let run = plan(&repo, &["--exit-code"]);
    assert_eq!(run.code, 3, "{run:?}");
    let text = run.stdout.replace(&commit[..12], "COMMIT");
    let text = &text[..text.rfind("Fingerprint").unwrap()];
    insta::assert_snapshot!(text, @r"
    shaper on 2026-11-21, compared with main (COMMIT)

    Nothing would change today: 3 addresses stay as they are.

    Later
    2026-11-22  begins  10.10.10.9  ispcustomer.co.zw  50_MEG_UP_50_MEG_DOWN  50 Mbps  New
    2027-01-01  ends    10.10.10.9  ispcustomer.co.zw  50_MEG_UP_50_MEG_DOWN  50 Mbps  New

    Sold               subscribers  up                                 down                               of
    ispcustomer.co.zw  3            90 Mbps, 140 Mbps from 2026-11-22  90 Mbps, 140 Mbps from 2026-11-22  200 Mbps × 1: 45% sold, 70% from 2026-11-22

    Safe: within the limits.
    ");
    let later = json(&repo);
    assert_eq!(later["fingerprint"], nothing["fingerprint"], "it names what is carried out now");
    assert_eq!(later["later"]["differs"], true);
    assert_eq!(later["later"]["events"][0]["after"]["plan"], "50_MEG_UP_50_MEG_DOWN");
    assert_eq!(later["domains"][0]["peak"]["up_bps"], "140000000");
    assert_eq!(later["domains"][0]["peak"]["up_from"], "2026-11-22");
    let markdown = plan(&repo, &["--format", "markdown"]).stdout;
    assert!(markdown.contains("**Nothing would change today on the network:**"), "{markdown}");
    let row =
        "| 2026-11-22 | begins | `10.10.10.9` | `ispcustomer.co.zw` | `50_MEG_UP_50_MEG_DOWN` | 50 Mbps | `New` |";
    assert!(markdown.contains(row), "{markdown}");
    // Once it is there it is no difference; a target has no terms, and all that comes is listed.
    repo.commit("later");
    let run = plan(&repo, &["--exit-code"]);
    assert_eq!((run.code, run.stdout.contains("Later")), (0, false), "{run:?}");
    repo.write("live.txt", repo.run(&["render", "--on", "2026-11-21"]).stdout);
    let run = plan(&repo, &["--exit-code", "--against", "live.txt"]);
    assert_eq!((run.code, run.stdout.contains("2026-11-22  begins  10.10.10.9")), (0, true), "{run:?}");
}

#[test]
fn altered_terms_are_shown_with_the_old_ones() {
    let repo = three();
    with(&repo, "10.10.10.1", 30, "ends: 2026-12-24\n");
    with(&repo, "10.10.10.2", 30, "ends: 2026-12-24\n");
    with(&repo, "10.10.10.3", 30, "ends: 2026-12-24\n");
    with(&repo, "10.10.10.4", 30, "starts: 2026-12-01\n");
    with(&repo, "10.10.10.5", 30, "starts: 2026-12-01\n");
    with(&repo, "10.10.10.6", 30, "starts: 2026-12-01\nends: 2026-12-24\n");
    with(&repo, "10.10.10.7", 30, "starts: 2026-12-01\n");
    repo.commit("start");
    // Longer; no end any more; gone; another plan; later; gone before it began; at once.
    with(&repo, "10.10.10.1", 30, "ends: 2026-12-31\n");
    with(&repo, "10.10.10.2", 30, "name: only a name\n");
    std::fs::remove_file(repo.path().join("subscribers/ispcustomer.co.zw/10.10.10.3.yaml")).unwrap();
    with(&repo, "10.10.10.4", 50, "starts: 2026-12-01\n");
    with(&repo, "10.10.10.5", 30, "starts: 2026-12-02\n");
    std::fs::remove_file(repo.path().join("subscribers/ispcustomer.co.zw/10.10.10.6.yaml")).unwrap();
    with(&repo, "10.10.10.7", 30, "starts: 2026-11-21\n");
    assert_eq!(
        events(&repo),
        [
            "2026-12-01 begins 10.10.10.4",
            "2026-12-01 no longer begins 10.10.10.5",
            "2026-12-01 no longer begins 10.10.10.6",
            "2026-12-02 begins 10.10.10.5",
            "2026-12-24 no longer ends 10.10.10.1",
            "2026-12-24 no longer ends 10.10.10.2",
            "2026-12-31 ends 10.10.10.1",
        ]
    );
    let run = plan(&repo, &[]);
    assert!(run.stdout.contains("30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN  30 Mbps → 50 Mbps"), "{run:?}");
}

#[test]
fn suspended_ones_begin_only_with_the_plan_for_them() {
    let repo = three();
    repo.commit("start");
    with(&repo, "10.10.10.9", 50, "starts: 2026-12-01\nstatus: suspended\n");
    assert_eq!(events(&repo), Vec::<String>::new());
    repo.write("shapeline.yaml", "suspended: 30_MEG_UP_30_MEG_DOWN\n");
    assert_eq!(json(&repo)["later"]["events"][0]["after"]["plan"], "30_MEG_UP_30_MEG_DOWN");
}

#[test]
fn many_are_counted_and_the_first_are_listed() {
    let repo = three();
    repo.write("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [10.0.0.0/8]\n");
    repo.commit("start");
    let name = "x".repeat(200);
    let one = |n: u32| {
        format!(
            "- ip: 10.1.{}.{}\n  domain: {DOMAIN}\n  plan: 30_MEG_UP_30_MEG_DOWN\n  name: {name}\n  starts: 2026-12-01\n  ends: 2027-01-01\n",
            n / 250,
            n % 250 + 1
        )
    };
    repo.write("subscribers/a.yaml", (0..1200).map(one).collect::<String>());
    let rest = "and 2350 more until 2027-01-01: 1150 × begins, 1200 × ends";
    let text = plan(&repo, &[]).stdout;
    assert!(text.contains(&format!("… {rest}\n")), "{text}");
    let markdown = plan(&repo, &["--format", "markdown"]).stdout;
    assert!(markdown.contains(rest) && markdown.len() < 65_536, "{}", markdown.len());
    let later = &json(&repo)["later"];
    assert_eq!((&later["begins"], &later["ends"]), (&1200.into(), &1200.into()));
    assert_eq!(later["events"].as_array().unwrap().len(), 1000);
}
