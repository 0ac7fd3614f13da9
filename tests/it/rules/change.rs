//! What a proposal may do, and what is reported for it: cases beside the fixtures.

use super::check;
use crate::support::Repo;

const OWNED: &str = "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\nowners: [alice, '@ispcustomer/noc']\n";

/// The findings of `head`, compared with `base`, if `actors` propose it.
fn report(base: &Repo, head: &Repo, actors: &[&str]) -> String {
    let actors: Vec<String> = actors.iter().map(|actor| (*actor).to_owned()).collect();
    check(head.path(), Some(base.path()), &actors).text
}

/// Two equal repositories whose domain has owners.
fn owned() -> (Repo, Repo) {
    let both = (Repo::new(), Repo::new());
    for repo in [&both.0, &both.1] {
        repo.write("domains/ispcustomer.co.zw.yaml", OWNED);
    }
    both
}

#[test]
fn of_the_base_only_what_differs_is_read() {
    let repo = Repo::new();
    let record = |ip: &str| format!("- ip: {ip}\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n");
    repo.write("subscribers/same.yaml", record("10.10.10.1") + &record("10.10.10.2"));
    repo.write("subscribers/other.yaml", record("10.10.10.3"));
    let git = tempfile::tempdir().unwrap();
    let base = super::committed(repo.path(), git.path());
    repo.write("subscribers/other.yaml", record("10.10.10.4"));
    let head = super::load(repo.path());
    let read = shapeline::repo::Repo::load_base(&base, &head).unwrap();
    let addresses: Vec<String> = read.subscribers.iter().map(|one| one.value.ip.as_slice()[0].to_string()).collect();
    assert_eq!(addresses, ["10.10.10.3"], "the file that is the same is not read");
    assert_eq!((read.plans.len(), read.domains.len()), (head.plans.len(), head.domains.len()));
}

/// A link has its target as content, to git.
#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_a_change() {
    let repo = Repo::new();
    repo.write("subscribers/a.yaml", "b.yaml");
    repo.commit("a file that is no record");
    std::fs::remove_file(repo.path().join("subscribers/a.yaml")).unwrap();
    std::os::unix::fs::symlink("b.yaml", repo.path().join("subscribers/a.yaml")).unwrap();
    repo.commit("a link");
    let run = repo.run(&["check", "--rev", "HEAD", "--base", "HEAD~1", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &report["findings"][0]["in_change"]), (1, &true.into()), "{}", run.stdout);
}

#[test]
fn owners_their_teams_and_admins_may() {
    let (base, head) = owned();
    for repo in [&base, &head] {
        repo.write("shapeline.yaml", "admins: ['@upstream/core']\n");
    }
    head.subscriber("10.10.10.25", 30);
    for actors in [["alice", ""], ["Alice", ""], ["bob", "ISPcustomer/noc"], ["carol", "@upstream/core"]] {
        assert_eq!(report(&base, &head, &actors), "", "{actors:?}");
    }
    for actors in [["bob", ""], ["noc", "ispcustomer"], ["alice2", ""], ["", "other/noc"]] {
        assert!(report(&base, &head, &actors).contains("[foreign-change]"), "{actors:?}");
    }
    assert_eq!(report(&base, &head, &[]), "", "no actor was named");
    head.write("plans/NEW.yaml", "name: NEW\nup: 1 Mbps\ndown: 1 Mbps\n");
    assert!(report(&base, &head, &["alice"]).contains("`alice` may not change the plan `NEW`"));
    assert_eq!(report(&base, &head, &["upstream/core"]), "");
}

#[test]
fn a_proposal_that_removes_everything_is_foreign_too() {
    let (base, _) = owned();
    base.subscriber("10.10.10.25", 30);
    let report = report(&base, &Repo::empty(), &["mallory"]);
    assert!(report.contains("subscribers of `ispcustomer.co.zw`: 1 removed"), "{report}");
    assert!(report.contains("may not change the domain `ispcustomer.co.zw`"), "{report}");
}

#[test]
fn an_unreadable_base_has_no_owners() {
    let (base, head) = owned();
    base.write("domains/ispcustomer.co.zw.yaml", format!("{OWNED}capactiy: 1\n"));
    head.subscriber("10.10.10.25", 30);
    assert!(report(&base, &head, &["alice"]).contains("fix the base revision first"));
    let (base, head) = owned();
    base.write("shapeline.yaml", "admins: [carol]\nadmins: [carol]\n");
    head.write("plans/NEW.yaml", "name: NEW\nup: 1 Mbps\ndown: 1 Mbps\n");
    assert!(report(&base, &head, &["carol"]).contains("may not change the plan `NEW`"));
}

#[test]
fn a_copy_of_somebody_elses_record_is_a_change() {
    let (base, head) = owned();
    for repo in [&base, &head] {
        repo.subscriber("10.10.10.25", 30);
    }
    head.write("subscribers/copy.yaml", head.read("subscribers/ispcustomer.co.zw/10.10.10.25.yaml"));
    let report = report(&base, &head, &["mallory"]);
    assert!(report.contains("[foreign-change]"), "{report}");
    assert!(report.contains("subscribers/copy.yaml:1:5: error [duplicate-ip]"), "the copy is the offence: {report}");
}

#[test]
fn of_two_equal_addresses_the_new_one_is_the_offence() {
    let (base, head) = (Repo::new(), Repo::new());
    for repo in [&base, &head] {
        repo.write("subscribers/z.yaml", "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    }
    head.write("subscribers/a.yaml", "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n");
    let report = report(&base, &head, &[]);
    assert!(report.starts_with("subscribers/a.yaml:1:5: error [duplicate-ip]"), "{report}");
    assert!(report.contains("    subscribers/z.yaml:1:5: "), "{report}");
}

#[test]
fn an_id_that_reads_as_another_domains_record_is_the_offence_with_and_without_it() {
    let (base, head) = (Repo::new(), Repo::new());
    let squat =
        "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\nid: 10.77.0.1@victim.example\n";
    let offence = "subscribers/z.yaml:4:5: error [duplicate-id] the id `10.77.0.1@victim.example` names";
    head.write("subscribers/z.yaml", squat);
    assert!(report(&base, &head, &[]).starts_with(offence), "before the other domain has it");
    for repo in [&base, &head] {
        repo.write("subscribers/z.yaml", squat);
        repo.write("domains/victim.example.yaml", "name: victim.example\nprefixes: [10.77.0.0/24]\n");
    }
    head.write("subscribers/a.yaml", "ip: 10.77.0.1\ndomain: victim.example\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let report = report(&base, &head, &[]);
    assert!(report.starts_with(offence) && report.contains("(not in this change)"), "{report}");
    assert!(!report.contains("subscribers/a.yaml"), "the other domain's record is not refused: {report}");
}

#[test]
fn a_sum_is_of_the_change_only_if_the_change_raises_it() {
    let (base, head) = (Repo::new(), Repo::new());
    let domain = "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\ncapacity: {up: 40 Mbps, down: 40 Mbps}\nmax_subscribers: 1\n";
    for repo in [&base, &head] {
        repo.write("domains/ispcustomer.co.zw.yaml", domain);
        repo.subscriber("10.10.10.25", 30);
        repo.subscriber("10.10.10.26", 50);
    }
    let mentions = |report: &str| report.matches("(not in this change)").count();
    assert_eq!(mentions(&report(&base, &head, &[])), 3);
    head.subscriber("10.10.10.26", 30);
    assert_eq!(mentions(&report(&base, &head, &[])), 3, "less is sold than before");
    head.subscriber("10.10.10.27", 50);
    let report = report(&base, &head, &[]);
    assert_eq!(mentions(&report), 0, "{report}");
    assert!(report.contains("10.10.10.27.yaml:3:7: sold by this change"), "{report}");
}

#[test]
fn a_mistake_in_the_settings_is_of_the_change_that_writes_them() {
    let (base, head) = owned();
    head.write("shapeline.yaml", "targets:\n  - {name: hre-1, url: 'file:///srv/shaper.txt', output: none}\n");
    let said = report(&base, &head, &[]);
    assert!(said.contains("error [unknown-output]") && !said.contains("not in this change"), "{said}");
    base.write("shapeline.yaml", head.read("shapeline.yaml"));
    assert!(report(&base, &head, &[]).contains("not in this change"));
}

#[test]
fn what_could_not_be_read_before_may_not_be_taken_away_by_a_stranger() {
    let (base, head) = owned();
    base.write("subscribers/all.yaml", "- ip: 10.10.10.25\n  domain: [\n");
    head.write("subscribers/all.yaml", "[]\n");
    assert!(report(&base, &head, &["mallory"]).contains("could not be read in the base revision"));
    assert_eq!(report(&base, &head, &["alice"]), "", "an owner of every domain may correct it");
    // Whose the domain is that cannot be read either is not known.
    for repo in [&base, &head] {
        repo.write("domains/other.yaml", "name: other.example\nprefixes: [\n");
    }
    assert!(report(&base, &head, &["alice"]).contains("could not be read in the base revision"));
}

#[test]
fn a_byte_that_is_no_text_behind_another_domains_record_is_a_change_of_it() {
    let (base, head) = owned();
    for repo in [&base, &head] {
        repo.subscriber("10.10.10.25", 30);
    }
    let path = "subscribers/ispcustomer.co.zw/10.10.10.25.yaml";
    let mut bytes = head.read(path).into_bytes();
    bytes.push(0xff);
    head.write(path, bytes);
    let report = report(&base, &head, &["mallory"]);
    assert!(report.contains("[foreign-change]") && !report.contains("not in this change"), "{report}");
}

#[test]
fn a_proposal_cannot_turn_off_the_rule_that_refuses_it() {
    let (base, head) = owned();
    let wrong = "name: 30_MEG\nup: 50 Mbps\ndown: 50 Mbps\n";
    head.write("plans/30_MEG.yaml", wrong);
    let refused = report(&base, &head, &[]);
    assert!(refused.contains("error [plan-name-mismatch]"), "{refused}");
    for severity in ["'off'", "warning"] {
        head.write("shapeline.yaml", format!("rules: {{plan-name-mismatch: {severity}}}\n"));
        assert_eq!(report(&base, &head, &[]), refused, "{severity}");
    }
    // Once that is the base's own setting it counts.
    base.write("shapeline.yaml", "rules: {plan-name-mismatch: 'off'}\n");
    head.write("shapeline.yaml", "rules: {plan-name-mismatch: 'off'}\n");
    assert_eq!(report(&base, &head, &[]), "");
}

#[test]
fn a_plan_that_cannot_be_read_any_more_is_not_removed() {
    let (base, head) = owned();
    for repo in [&base, &head] {
        repo.subscriber("10.10.10.25", 30);
    }
    head.write("plans/30_MEG_UP_30_MEG_DOWN.yaml", "name: 30_MEG_UP_30_MEG_DOWN\nup: 30 Mbps\ndown: [\n");
    let report = report(&base, &head, &[]);
    assert!(report.contains("plans/30_MEG_UP_30_MEG_DOWN.yaml:") && !report.contains("[plan-in-use]"), "{report}");
}
