//! One domain's errors do not stop the others.

use std::collections::BTreeSet;

use super::Site;
use crate::support::Run;

const DAY: &str = "2026-12-01";

/// Two domains with three subscribers each, in a file of their own, published.
fn two() -> Site {
    let site = Site::new(0, "");
    std::fs::remove_file(site.repo.path().join("domains/ispcustomer.co.zw.yaml")).unwrap();
    site.repo
        .write("shapeline.yaml", site.repo.read("shapeline.yaml") + "safety: {max_changed: 100%, max_removed: 100%}\n");
    domain(&site, "mine.example", "10.2.0.0/24", "capacity: {up: 100 Mbps, down: 100 Mbps}\n");
    domain(&site, "victim.example", "10.1.0.0/24", "");
    for number in 1..=3 {
        subscriber(&site, "mine.example", &format!("10.2.0.{number}"), "");
        subscriber(&site, "victim.example", &format!("10.1.0.{number}"), "");
    }
    site.repo.commit("first");
    publish(&site, "2026-11-21", 0);
    site
}

fn domain(site: &Site, name: &str, prefix: &str, more: &str) {
    site.repo.write(&format!("domains/{name}.yaml"), format!("name: {name}\nprefixes: [{prefix}]\n{more}"));
}

fn subscriber(site: &Site, domain: &str, ip: &str, more: &str) {
    let text = format!("ip: {ip}\ndomain: {domain}\nplan: 30_MEG_UP_30_MEG_DOWN\n{more}");
    site.repo.write(&format!("subscribers/{domain}/{ip}.yaml"), text);
}

fn remove(site: &Site, path: &str) {
    std::fs::remove_file(site.repo.path().join(path)).unwrap();
}

fn publish(site: &Site, day: &str, code: i32) -> serde_json::Value {
    let run = site.publish(code, &["--on", day, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    json["targets"][0].clone()
}

/// The domains that are frozen.
fn frozen(report: &serde_json::Value) -> Vec<&str> {
    report["frozen"].as_array().unwrap().iter().map(|one| one["domain"].as_str().unwrap()).collect()
}

/// The addresses that are live, as they begin.
fn live(site: &Site) -> BTreeSet<String> {
    site.live().lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

fn is_live(site: &Site, ips: &[&str], not: &[&str]) {
    let live = live(site);
    assert!(ips.iter().all(|ip| live.contains(*ip)), "{live:?}");
    assert!(!not.iter().any(|ip| live.contains(*ip)), "{live:?}");
}

/// What the binary says of the commit as a whole.
fn check(site: &Site, day: &str) -> Run {
    site.run(&["check", "--rev", "HEAD", "--on", day])
}

#[test]
fn a_time_bomb_is_refused_by_check_and_does_not_stop_others_when_merged() {
    let site = two();
    subscriber(&site, "mine.example", "10.2.0.9", "starts: 2026-12-01\n");
    let bomb = site.repo.commit("from tomorrow on");
    let checked = check(&site, "2026-11-21");
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(checked.stdout.contains("from 2026-12-01 on, `mine.example` has sold 120 Mbps"), "{checked:?}");
    assert!(checked.stdout.contains("begins on that day"), "{checked:?}");
    // Merged and deployed all the same. The victim suspends a customer on that day.
    assert_eq!(publish(&site, "2026-11-21", 1)["ended"], "unchanged");
    subscriber(&site, "victim.example", "10.1.0.2", "status: suspended\n");
    site.repo.commit("suspend");
    let report = publish(&site, DAY, 1);
    assert_eq!((report["ended"].as_str(), frozen(&report)), (Some("published"), vec!["mine.example"]), "{report}");
    assert_eq!(report["frozen"][0]["since"], bomb.as_str());
    assert_eq!(report["frozen"][0]["at"], site.repo.git(&["rev-parse", "HEAD~2"]).as_str());
    assert_eq!(report["frozen"][0]["errors"], 2, "{report}");
    is_live(&site, &["10.2.0.1", "10.1.0.1"], &["10.1.0.2", "10.2.0.9"]);
    // The records and the log report it.
    assert_eq!(site.manifest()["live"]["frozen"][0]["domain"], "mine.example");
    let log: serde_json::Value = serde_json::from_str(&site.run(&["log", "--format", "json"]).stdout).unwrap();
    assert_eq!(log["targets"][0]["entries"][1]["frozen"][0]["at"], report["frozen"][0]["at"]);
    // It ends by itself.
    remove(&site, "subscribers/mine.example/10.2.0.9.yaml");
    subscriber(&site, "mine.example", "10.2.0.1", "status: suspended\n");
    site.repo.commit("less");
    let report = publish(&site, DAY, 0);
    assert_eq!(frozen(&report), Vec::<&str>::new());
    is_live(&site, &["10.2.0.2"], &["10.2.0.1", "10.1.0.2"]);
    assert_eq!(site.manifest()["live"]["frozen"], serde_json::Value::Null);
}

#[test]
fn of_two_proposals_that_are_a_duplicate_together_the_later_is_frozen() {
    for late in ["mine.example", "victim.example"] {
        let site = two();
        // The addresses are for both to give out: the rule that keeps them apart is off.
        let settings = site.repo.read("shapeline.yaml");
        site.repo.write("shapeline.yaml", settings + "rules: {ip-outside-domain: warning}\n");
        domain(&site, "mine.example", "10.2.0.0/24", "");
        site.repo.commit("settings");
        let early = if late == "mine.example" { "victim.example" } else { "mine.example" };
        subscriber(&site, early, "10.3.0.7", "");
        site.repo.commit("early");
        publish(&site, DAY, 0);
        subscriber(&site, late, "10.3.0.7", "");
        site.repo.commit("late");
        let report = publish(&site, DAY, 1);
        assert_eq!(frozen(&report), [late], "{report}");
        assert!(site.live().contains(&format!("10.3.0.7@{early}")), "{}", site.live());
        // Many commits later it is still so.
        for number in 10..14 {
            subscriber(&site, early, &format!("10.3.0.{number}"), "");
            site.repo.commit("more");
        }
        let report = publish(&site, DAY, 1);
        assert_eq!(frozen(&report), [late], "{report}");
        is_live(&site, &["10.3.0.13"], &[]);
    }
}

#[test]
fn a_claim_of_a_frozen_domain_stops_nobody_who_comes_later() {
    let site = two();
    let settings = site.repo.read("shapeline.yaml");
    site.repo.write("shapeline.yaml", settings + "rules: {ip-outside-domain: warning}\n");
    site.repo.commit("settings");
    // Beyond the capacity, and for an address that the victim is about to get.
    subscriber(&site, "mine.example", "10.3.0.7", "");
    site.repo.commit("a claim");
    subscriber(&site, "victim.example", "10.3.0.7", "");
    site.repo.commit("later");
    let report = publish(&site, DAY, 1);
    assert_eq!(frozen(&report), ["mine.example"], "{report}");
    assert!(site.live().contains("10.3.0.7@victim.example"), "{}", site.live());
    // In one commit, too: the error of its own comes first.
    let site = two();
    site.repo.write("shapeline.yaml", site.repo.read("shapeline.yaml") + "rules: {ip-outside-domain: warning}\n");
    site.repo.commit("settings");
    subscriber(&site, "mine.example", "10.3.0.7", "");
    subscriber(&site, "victim.example", "10.3.0.7", "");
    site.repo.commit("at once");
    let report = publish(&site, DAY, 1);
    assert_eq!(frozen(&report), ["mine.example"], "{report}");
    assert!(site.live().contains("10.3.0.7@victim.example"), "{}", site.live());
}

#[test]
fn an_attacker_gets_nobody_else_frozen() {
    // Each is merged past the checks, while the victim changes something else in the same commit.
    let cases: [(&str, &str); 6] = [
        ("subscribers/mine.example/a.yaml", "ip: 10.1.0.1\ndomain: mine.example\nplan: 30_MEG_UP_30_MEG_DOWN\n"),
        ("subscribers/mine.example/b.yaml", "ip: 10.1.0.0/28\ndomain: mine.example\nplan: 30_MEG_UP_30_MEG_DOWN\n"),
        (
            "subscribers/mine.example/c.yaml",
            "ip: 10.2.0.77\ndomain: mine.example\nplan: 30_MEG_UP_30_MEG_DOWN\nid: 10.1.0.1@victim.example\n",
        ),
        (
            "subscribers/mine.example/d.yaml",
            "ip: 10.2.0.77\ndomain: mine.example\nplan: 30_MEG_UP_30_MEG_DOWN\nid: victim-hq\n",
        ),
        ("subscribers/victim.example/e.yaml", "ip: 10.2.0.77\ndomain: mine.example\nplan: 30_MEG_UP_30_MEG_DOWN\n"),
        ("subscribers/mine.example/10.2.0.1.yaml", "ip: [10.1.0.1\ndomain: victim.example\n"),
    ];
    for (path, text) in cases {
        let site = two();
        subscriber(&site, "victim.example", "10.1.0.3", "id: victim-hq\n");
        site.repo.commit("an id");
        publish(&site, "2026-11-21", 0);
        site.repo.write(path, text);
        subscriber(&site, "victim.example", "10.1.0.1", "name: another name\n");
        subscriber(&site, "victim.example", "10.1.0.2", "status: suspended\n");
        subscriber(&site, "victim.example", "10.1.0.3", "id: victim-hq\nname: another name\n");
        site.repo.commit("attack");
        assert_eq!(check(&site, DAY).code, 1, "{path}");
        let report = publish(&site, DAY, 1);
        assert_eq!(frozen(&report), ["mine.example"], "{path}: {report}");
        is_live(&site, &["10.1.0.1", "10.2.0.1", "10.1.0.3"], &["10.1.0.2", "10.2.0.77"]);
    }
}

#[test]
fn an_unreadable_file_freezes_those_whose_records_it_contained() {
    let site = two();
    let shared = "- ip: 10.2.0.8\n  domain: mine.example\n  plan: 30_MEG_UP_30_MEG_DOWN\n\
                  - ip: 10.1.0.8\n  domain: victim.example\n  plan: 30_MEG_UP_30_MEG_DOWN\n";
    domain(&site, "third.example", "10.3.0.0/24", "");
    subscriber(&site, "third.example", "10.3.0.1", "");
    site.repo.write("subscribers/shared.yaml", shared.replace("10.2.0.8", "10.2.0.9"));
    domain(&site, "mine.example", "10.2.0.0/24", "");
    site.repo.commit("shared");
    publish(&site, "2026-11-21", 0);
    site.repo.write("subscribers/shared.yaml", shared.to_owned() + "- [\n");
    subscriber(&site, "third.example", "10.3.0.2", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("broken");
    let report = publish(&site, DAY, 1);
    assert_eq!(frozen(&report), ["mine.example", "victim.example"], "{report}");
    is_live(&site, &["10.2.0.9", "10.1.0.8", "10.3.0.2"], &["10.2.0.8", "10.1.0.9"]);
}

#[test]
fn an_unreadable_file_of_a_domain_freezes_it() {
    let site = two();
    site.repo.write("domains/mine.example.yaml", "name: [\n");
    subscriber(&site, "mine.example", "10.2.0.9", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("broken");
    let report = publish(&site, DAY, 1);
    assert_eq!(frozen(&report), ["mine.example"], "{report}");
    is_live(&site, &["10.2.0.1", "10.1.0.9"], &["10.2.0.9"]);
}

#[test]
fn an_address_that_leaves_a_frozen_domain_freezes_the_one_that_takes_it() {
    let site = two();
    domain(&site, "mine.example", "10.2.0.0/25", "");
    domain(&site, "third.example", "10.2.0.128/25", "");
    subscriber(&site, "third.example", "10.2.0.130", "");
    site.repo.commit("split");
    publish(&site, "2026-11-21", 0);
    // The whole block goes to the third, with one of the addresses; and the first has an error of its own.
    domain(&site, "third.example", "10.2.0.0/24", "");
    domain(&site, "mine.example", "10.9.0.0/24", "");
    for number in 1..=3 {
        remove(&site, &format!("subscribers/mine.example/10.2.0.{number}.yaml"));
    }
    subscriber(&site, "third.example", "10.2.0.1", "");
    subscriber(&site, "mine.example", "10.8.0.1", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("moved");
    let report = publish(&site, DAY, 1);
    assert_eq!(frozen(&report), ["mine.example", "third.example"], "{report}");
    assert!(site.live().contains("10.2.0.1@mine.example"), "{}", site.live());
    is_live(&site, &["10.2.0.130", "10.1.0.9"], &[]);
    // Without the error of its own the move is made.
    remove(&site, "subscribers/mine.example/10.8.0.1.yaml");
    site.repo.commit("corrected");
    assert_eq!(frozen(&publish(&site, DAY, 0)), Vec::<&str>::new());
    assert!(site.live().contains("10.2.0.1@third.example"), "{}", site.live());
}

#[test]
fn faults_in_all_domains_leave_nothing_to_do() {
    let site = two();
    let before = site.live();
    subscriber(&site, "mine.example", "10.8.0.1", "");
    subscriber(&site, "victim.example", "10.8.0.2", "");
    site.repo.commit("both");
    let report = publish(&site, DAY, 1);
    assert_eq!(
        (report["ended"].as_str(), frozen(&report)),
        (Some("unchanged"), vec!["mine.example", "victim.example"])
    );
    assert_eq!(site.live(), before);
    let run = site.publish(1, &["--on", DAY]);
    assert!(run.stdout.contains("mine.example is frozen as of commit"), "{run:?}");
}

#[test]
fn a_fault_that_is_common_to_all_refuses_all() {
    let unreadable = ("plans/30_MEG_UP_30_MEG_DOWN.yaml", "name: [\n");
    let gone = ("plans/30_MEG_UP_30_MEG_DOWN.yaml", "name: 30_MEG_UP_30_MEG_DOWN\nup: 50 Mbps\ndown: 50 Mbps\n");
    let stray = ("subscribers/new.yaml", "ip: [\n");
    let settings = ("shapeline.yaml", "nonsense: 1\n");
    for (path, text) in [unreadable, gone, stray, settings] {
        let site = two();
        let before = site.live();
        site.repo.write(path, text);
        subscriber(&site, "victim.example", "10.1.0.9", "");
        site.repo.commit("broken");
        let run = site.publish(1, &["--on", DAY]);
        assert!(run.stdout.contains("nothing of it is published") || path == "shapeline.yaml", "{path}: {run:?}");
        assert_eq!(site.live(), before);
    }
}

#[test]
fn without_earlier_sound_data_everything_is_refused() {
    let site = Site::new(1, "");
    site.repo.git(&["checkout", "-q", "--orphan", "fresh"]);
    site.repo.subscriber("10.99.0.1", 30);
    site.repo.commit("broken from the start");
    let run = site.publish(1, &["--on", DAY]);
    assert!(
        run.stdout.contains(
            "nothing of it is published: no sound data was found in the 0 commits that were published before"
        ),
        "{run:?}"
    );
    assert!(!site.live_path().exists());
    // Nor is there any for files that are not committed.
    let site = two();
    subscriber(&site, "mine.example", "10.8.0.1", "");
    let run = site.publish(1, &["--on", DAY, "--allow-dirty"]);
    assert!(run.stdout.contains("nothing of it is published: it is not committed"), "{run:?}");
}

#[test]
fn the_settings_can_have_everything_refused() {
    let site = two();
    let before = site.live();
    site.repo.write("shapeline.yaml", site.repo.read("shapeline.yaml") + "faults: refuse\n");
    subscriber(&site, "mine.example", "10.8.0.1", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("broken");
    let run = site.publish(1, &["--on", DAY]);
    assert!(run.stdout.contains("the settings have 'faults: refuse'"), "{run:?}");
    assert_eq!(site.live(), before);
}

#[test]
fn a_plan_binds_the_data_with_frozen_domains() {
    let site = two();
    site.repo.write(".gitignore", "*.json\n");
    subscriber(&site, "mine.example", "10.8.0.1", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("broken");
    let dry = site.publish(1, &["--on", DAY, "--dry-run", "--format", "json"]);
    site.repo.write("plan.json", &dry.stdout);
    let live = site.run(&["plan", "--live", "hre-1", "--on", DAY, "--format", "json"]);
    assert_eq!(live.code, 1, "{live:?}");
    let live: serde_json::Value = serde_json::from_str(&live.stdout).unwrap();
    let dry: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!(dry["targets"][0]["ended"], "planned");
    assert_eq!(dry["targets"][0]["fingerprint"], live["fingerprint"]);
    assert!(live["notes"][0].as_str().unwrap().starts_with("mine.example is frozen"), "{live}");
    site.publish(1, &["--on", DAY, "--plan", "plan.json"]);
    is_live(&site, &["10.1.0.9"], &["10.8.0.1"]);
    let drift = site.run(&["drift", "--on", DAY]);
    assert_eq!(drift.code, 0, "{drift:?}");
    assert!(drift.stdout.starts_with("note: mine.example is frozen"), "{drift:?}");
    // Another fault meanwhile: what would happen is no longer what was planned.
    subscriber(&site, "victim.example", "10.1.0.10", "");
    site.repo.commit("more");
    let run = site.publish(1, &["--on", DAY, "--plan", "plan.json"]);
    assert!(run.stdout.contains("what would happen now is not the plan"), "{run:?}");
    is_live(&site, &[], &["10.1.0.10"]);
}

#[test]
fn limits_and_rollback_go_by_what_is_published() {
    let site = two();
    site.settings("", "safety: {domains: {mine.example: {max_removed: 0}}}\n");
    site.repo.commit("limits");
    publish(&site, "2026-11-21", 0);
    // All of mine.example would go, but for the error, which freezes it.
    for number in 1..=3 {
        remove(&site, &format!("subscribers/mine.example/10.2.0.{number}.yaml"));
    }
    subscriber(&site, "mine.example", "10.8.0.1", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("broken");
    assert_eq!(publish(&site, DAY, 1)["changes"], serde_json::json!({"added": 1, "changed": 0, "removed": 0}));
    assert_eq!(site.run(&["rollback", "-t", "hre-1"]).code, 0);
    is_live(&site, &["10.2.0.1"], &["10.1.0.9"]);
    let run = site.publish(1, &["--on", DAY]);
    assert!(run.stdout.contains("was rolled back"), "{run:?}");
    is_live(&site, &[], &["10.1.0.9"]);
}

#[test]
fn what_is_frozen_is_frozen_as_it_last_was_sound_and_no_further() {
    let site = two();
    // mine.example is broken for some commits, in which the victim changes things.
    subscriber(&site, "mine.example", "10.8.0.1", "");
    site.repo.commit("broken");
    publish(&site, DAY, 1);
    subscriber(&site, "victim.example", "10.1.0.8", "");
    let good = site.repo.commit("good");
    publish(&site, DAY, 1);
    // Then the victim makes a mistake, too: it keeps what was good before.
    subscriber(&site, "victim.example", "10.8.0.9", "");
    subscriber(&site, "victim.example", "10.1.0.9", "");
    site.repo.commit("a mistake");
    let report = publish(&site, DAY, 1);
    assert_eq!(frozen(&report), ["mine.example", "victim.example"]);
    assert_eq!(report["frozen"][1]["at"], good.as_str());
    is_live(&site, &["10.1.0.8"], &["10.1.0.9", "10.8.0.1"]);
}

/// A proposal is checked by its outcome. What was in the commits that led there was never published,
/// and is no state to go back to.
#[test]
fn no_commit_in_between_goes_live() {
    let site = two();
    domain(&site, "mine.example", "10.0.0.0/8", "");
    subscriber(&site, "mine.example", "10.9.0.5", "");
    subscriber(&site, "victim.example", "10.1.0.1", "status: suspended\n");
    site.repo.commit("not to be seen in what is proposed");
    domain(&site, "mine.example", "10.2.0.0/24", "capacity: {up: 100 Mbps, down: 100 Mbps}\n");
    remove(&site, "subscribers/mine.example/10.9.0.5.yaml");
    subscriber(&site, "victim.example", "10.1.0.1", "");
    subscriber(&site, "mine.example", "10.8.0.1", "");
    site.repo.write("subscribers/victim.example/oops.yaml", "ip: [\n");
    subscriber(&site, "third.example", "10.7.0.1", "");
    site.repo.commit("what is proposed");
    publish(&site, DAY, 1);
    is_live(&site, &["10.1.0.1", "10.2.0.1"], &["10.9.0.5", "10.8.0.1"]);
}

/// However many commits come after the fault.
#[test]
fn a_fault_that_stays_stops_nobody() {
    let site = two();
    subscriber(&site, "mine.example", "10.8.0.1", "");
    site.repo.commit("broken");
    publish(&site, DAY, 1);
    for number in 10..130 {
        subscriber(&site, "victim.example", &format!("10.1.0.{number}"), "");
        site.repo.commit("more");
    }
    assert_eq!(frozen(&publish(&site, DAY, 1)), ["mine.example"]);
    is_live(&site, &["10.1.0.129"], &["10.8.0.1"]);
}

/// Errors that are not listed may be of any domain.
#[test]
fn where_errors_are_left_out_no_domain_is_frozen() {
    let site = two();
    let record = "- {ip: x, domain: mine.example, plan: 30_MEG_UP_30_MEG_DOWN}\n";
    for number in 0..21 {
        site.repo.write(&format!("subscribers/mine.example/bad{number}.yaml"), record.repeat(1000));
    }
    site.repo.commit("bad");
    let run = site.publish(1, &["--on", "2026-11-21"]);
    assert!(run.stdout.contains("too much of it cannot be read"), "{}", run.stdout);
}
