//! Severities that the settings may and may not set.

use super::check;
use crate::support::Repo;

#[test]
fn a_rule_can_be_lowered_and_turned_off() {
    let repo = Repo::new();
    repo.subscriber("10.99.99.99", 30);
    let report = |repo: &Repo| check(repo.path(), None, &[]).text;
    assert!(report(&repo).contains("error [ip-outside-domain]"));
    repo.write("shapeline.yaml", "rules: {ip-outside-domain: warning}\n");
    assert!(report(&repo).contains("warning [ip-outside-domain]"));
    repo.write("shapeline.yaml", "rules: {ip-outside-domain: 'off'}\n");
    assert_eq!(report(&repo), "");
}

#[test]
fn no_setting_makes_an_unread_file_silent() {
    let repo = Repo::new();
    repo.write("shapeline.yaml", "rules: {file-name: 'off'}\n");
    repo.write("subscribers/x.txt", "ip: 10.10.10.25\n");
    repo.write("plans/all.yaml", "name: GOLD\nup: 1 Mbps\ndown: 1 Mbps\n");
    let report = check(repo.path(), None, &[]).text;
    assert!(report.starts_with("subscribers/x.txt:1:1: error [file-name]"), "{report}");
    assert_eq!(report.matches("[file-name]").count(), 1, "the settings decide how files are named: {report}");
}

#[test]
fn a_fixed_rule_stays() {
    let repo = Repo::new();
    for rule in shapeline::rules::RULES.iter().filter(|rule| rule.fixed) {
        repo.write("shapeline.yaml", format!("rules: {{{}: warning}}\n", rule.id));
        let report = check(repo.path(), None, &[]).text;
        assert!(report.starts_with("shapeline.yaml:1:") && report.contains("error [schema]"), "{}: {report}", rule.id);
    }
}
