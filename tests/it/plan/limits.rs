//! How much a plan may change and still be safe.

use super::json;
use crate::support::Repo;

fn many(count: u32) -> Repo {
    let repo = Repo::new();
    for host in 1..=count {
        repo.subscriber(&format!("10.10.10.{host}"), 30);
    }
    repo.commit("start");
    repo
}

fn change_and_remove(repo: &Repo, changed: u32, removed: u32) -> serde_json::Value {
    for host in 1..=changed {
        repo.subscriber(&format!("10.10.10.{host}"), 50);
    }
    for host in changed + 1..=changed + removed {
        std::fs::remove_file(repo.path().join(format!("subscribers/ispcustomer.co.zw/10.10.10.{host}.yaml"))).unwrap();
    }
    json(repo, &[])
}

#[test]
fn thirty_percent_of_ten_is_safe_and_one_more_is_not() {
    assert_eq!(change_and_remove(&many(10), 3, 3)["safe"], true);
    let plan = change_and_remove(&many(10), 4, 0);
    assert_eq!(plan["safe"], false);
    assert_eq!(plan["reasons"][0], "4 of 10 served addresses would be changed (40%), more than 30%");
    assert_eq!(change_and_remove(&many(10), 0, 4)["safe"], false);
    assert_eq!(change_and_remove(&many(9), 4, 4)["safe"], true, "below ten the percentage does not count");
    assert_eq!(change_and_remove(&many(3), 0, 3)["safe"], false, "an empty file is never safe");
}

#[test]
fn limits_are_settable_as_counts_and_by_domain() {
    let repo = many(10);
    repo.write("shapeline.yaml", "safety: {max_changed: 100%, domains: {ispcustomer.co.zw: {max_changed: 1}}}\n");
    let plan = change_and_remove(&repo, 2, 0);
    assert_eq!(plan["reasons"][0], "2 of 10 served addresses of ispcustomer.co.zw would be changed (20%), more than 1");
}

#[test]
fn a_domain_counts_from_as_many_subscribers_as_all_do_unless_it_says_otherwise() {
    let repo = many(5);
    let settings = |all: &str, own: &str| {
        let domain = format!("ispcustomer.co.zw: {{max_changed: 20%{own}}}");
        repo.write("shapeline.yaml", format!("safety: {{max_changed: 100%{all}, domains: {{{domain}}}}}\n"));
        (1..=2).for_each(|host| repo.subscriber(&format!("10.10.10.{host}"), 30));
        repo.commit("limits");
        change_and_remove(&repo, 2, 0)["safe"] == true
    };
    assert!(settings("", ""), "five are few");
    assert!(!settings(", min_subscribers: 5", ""));
    assert!(settings(", min_subscribers: 5", ", min_subscribers: 6"));
}

#[test]
fn a_percentage_of_one_domain_counts_its_own_subscribers() {
    let settings = "safety: {max_removed: 100%, domains: {ispcustomer.co.zw: {max_removed: 20%}}}\n";
    for (removed, safe) in [(2, true), (3, false)] {
        let repo = many(10);
        repo.write("shapeline.yaml", settings);
        repo.commit("limits");
        let plan = change_and_remove(&repo, 0, removed);
        assert_eq!(plan["safe"], safe, "{plan}");
    }
    let repo = many(10);
    // Another domain's subscribers do not dilute it.
    repo.write("domains/other.example.yaml", "name: other.example\nprefixes: [10.20.0.0/24]\n");
    for host in 1..=90 {
        let plan = "30_MEG_UP_30_MEG_DOWN";
        let record = format!("ip: 10.20.0.{host}\ndomain: other.example\nplan: {plan}\n");
        repo.write(&format!("subscribers/other.example/10.20.0.{host}.yaml"), record);
    }
    repo.write("shapeline.yaml", settings);
    repo.commit("another");
    let plan = change_and_remove(&repo, 0, 3);
    let reason = "3 of 10 served addresses of ispcustomer.co.zw would be removed (30%), more than 20%";
    assert_eq!((&plan["safe"], &plan["reasons"][0]), (&false.into(), &reason.into()));
}

#[test]
fn an_address_that_moves_is_a_change_of_the_domain_that_loses_it() {
    let repo = many(3);
    let settings = |domain: &str| format!("safety: {{domains: {{{domain}: {{max_changed: 0}}}}}}\n");
    let block = |domain: &str, prefixes: &str| {
        repo.write(&format!("domains/{domain}.yaml"), format!("name: {domain}\nprefixes: [{prefixes}]\n"));
    };
    let record = |domain: &str| format!("ip: 11.11.11.1\ndomain: {domain}\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    block("other.example", "10.20.0.0/24");
    repo.write("subscribers/moves.yaml", record("ispcustomer.co.zw"));
    repo.commit("before");
    block("ispcustomer.co.zw", "10.10.10.0/24");
    block("other.example", "10.20.0.0/24, 11.11.11.0/24");
    repo.write("subscribers/moves.yaml", record("other.example"));
    let reason = "1 of 4 served addresses of ispcustomer.co.zw would be changed (25%), more than 0";
    for (domain, expected) in [("ispcustomer.co.zw", Some(reason)), ("other.example", None)] {
        repo.write("shapeline.yaml", settings(domain));
        let plan = json(&repo, &[]);
        assert_eq!(plan["summary"]["changed"], 1, "{plan}");
        assert_eq!(plan["reasons"][0].as_str(), expected);
    }
}

#[test]
fn the_only_subscriber_is_not_removed_without_a_word() {
    let plan = change_and_remove(&many(1), 0, 1);
    assert_eq!(plan["safe"], false);
    assert_eq!(plan["reasons"][0], "no address would be left: all 1 are removed");
}

#[test]
fn a_change_that_raises_the_limits_is_judged_by_the_old_ones_too() {
    let repo = many(10);
    repo.write("shapeline.yaml", "safety: {max_changed: 100%, max_removed: 100%}\n");
    let plan = change_and_remove(&repo, 0, 5);
    assert_eq!(plan["reasons"][0], "5 of 10 served addresses would be removed (50%), more than 30%");
}

#[test]
fn an_own_template_s_output_is_guarded_by_its_lines() {
    let repo = Repo::new();
    for host in 1..=20 {
        repo.subscriber(&format!("10.10.10.{host}"), 30);
    }
    repo.write("shapeline.yaml", "outputs: {shaper: {template: templates/s.j2}}\n");
    let template = |first: u32| {
        format!(
            "{{% for line in lines %}}\n{{% if loop.index >= {first} %}}\n{{{{ line.address }}}}\n{{% endif %}}\n{{% endfor %}}\n"
        )
    };
    repo.write("templates/s.j2", template(0));
    repo.commit("start");
    repo.write("templates/s.j2", template(10));
    assert_eq!(json(&repo, &[])["safe"], true, "9 of 20 lines are within both limits together");
    repo.write("templates/s.j2", template(15));
    let plan = json(&repo, &[]);
    assert_eq!(plan["reasons"][0], "14 of 20 lines of the output would be changed or removed (70%), more than 60%");
    repo.write(
        "shapeline.yaml",
        "outputs: {shaper: {template: templates/s.j2}}\nsafety: {max_changed: 100%, max_removed: 100%}\n",
    );
    assert_eq!(json(&repo, &[])["reasons"], plan["reasons"], "a change that raises the limits is not judged by them");
    // Counts are added, too: a changed line counts as one that is gone.
    repo.write(
        "shapeline.yaml",
        "outputs: {shaper: {template: templates/s.j2}}\nsafety: {max_changed: 8, max_removed: 6}\n",
    );
    repo.write("templates/s.j2", template(0));
    repo.commit("counts");
    repo.write("templates/s.j2", template(15));
    assert_eq!(json(&repo, &[])["safe"], true, "14 are within both limits together");
    repo.write("templates/s.j2", template(16));
    let plan = json(&repo, &[]);
    assert_eq!(plan["reasons"][0], "15 of 20 lines of the output would be changed or removed (75%), more than 14");
    repo.write("templates/s.j2", "");
    assert_eq!(json(&repo, &[])["reasons"][0], "the output would be empty");
}
