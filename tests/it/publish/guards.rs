//! What may not go live.

use super::{Site, line};

/// Twelve subscribers published, then all but `left` removed and committed.
fn shrunk(more: &str, left: u32) -> Site {
    let site = Site::new(12, more);
    site.publish(0, &[]);
    for number in left + 1..=12 {
        let path = format!("subscribers/ispcustomer.co.zw/10.10.10.{number}.yaml");
        std::fs::remove_file(site.repo.path().join(path)).unwrap();
    }
    site.repo.commit("fewer");
    site
}

fn fingerprint(site: &Site) -> String {
    let run = site.run(&["plan", "--live", "hre-1", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["base"]["kind"], "live");
    json["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn what_goes_beyond_the_limits_needs_its_fingerprint() {
    let site = shrunk("", 6);
    let before = site.live();
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("6 of 12 served addresses would be removed (50%), more than 30%"), "{}", run.stdout);
    let fingerprint = fingerprint(&site);
    assert!(run.stdout.contains(&format!("publish --ack {fingerprint}")), "{}", run.stdout);
    let stale = site.publish(1, &["--ack", "sha256:0000"]);
    assert!(stale.stdout.contains("of another plan"), "{}", stale.stdout);
    assert_eq!(site.live(), before);
    site.publish(0, &["--ack", &fingerprint]);
    assert_eq!(site.live().lines().count(), 6);
    // The fingerprint covers the bytes before, too: it is not valid a second time.
    assert_eq!(site.run(&["rollback", "-t", "hre-1"]).code, 0);
    std::fs::write(site.live_path(), before + "by hand\n").unwrap();
    site.publish(1, &["--ack", &fingerprint]);
}

#[test]
fn a_target_may_have_limits_of_its_own() {
    let site = shrunk("safety: {max_removed: 60%}", 6);
    site.publish(0, &[]);
    let site = shrunk("safety: {max_removed: 0}", 11);
    site.publish(1, &[]);
}

#[test]
fn data_that_raises_the_limits_does_not_judge_itself() {
    let site = shrunk("", 6);
    site.settings("", "safety: {max_removed: 100%}\n");
    site.repo.commit("limits");
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("more than 30%"), "{}", run.stdout);
}

#[test]
fn an_empty_file_is_refused_even_where_there_was_none() {
    let site = Site::new(0, "");
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("the file would be empty"), "{}", run.stdout);
    assert!(!site.live_path().exists());
}

#[test]
fn an_emptied_live_file_does_not_make_a_change_look_small() {
    let site = shrunk("", 6);
    std::fs::write(site.live_path(), line(1, 30)).unwrap();
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("compared with version 1, which was published last: 6 of 12"), "{}", run.stdout);
}

#[test]
fn what_was_published_is_put_back_however_much_was_changed_by_hand() {
    let site = Site::new(12, "");
    site.publish(0, &[]);
    let published = site.live();
    std::fs::write(site.live_path(), published.replace("30_MEG", "50_MEG")).unwrap();
    site.publish(0, &[]);
    assert_eq!(site.live(), published);
    assert_eq!(site.manifest()["live"]["id"], 1, "it is still the same version");
    assert_eq!(site.manifest()["versions"][1]["found"], true, "and the other is kept");
}

#[test]
fn only_the_plan_that_was_looked_at_is_carried_out() {
    let site = Site::new(2, "");
    let plan = |name: &str| assert_eq!(site.run(&["plan", "--live", "hre-1", "--format", "json", "-o", name]).code, 0);
    site.repo.write(".gitignore", "*.json\n");
    plan("plan.json");
    site.repo.subscriber("10.10.10.3", 30);
    site.repo.commit("third");
    let run = site.publish(1, &["--plan", "plan.json"]);
    assert!(run.stdout.contains("what would happen now is not the plan"), "{}", run.stdout);
    assert!(!site.live_path().exists());
    plan("plan.json");
    site.publish(0, &["--plan", "plan.json"]);
    assert_eq!(site.live().lines().count(), 3);
    // Started again, there is nothing left to do.
    site.publish(0, &["--plan", "plan.json"]);
    site.repo.write("no.json", "{}");
    let run = site.publish(2, &["--plan", "no.json"]);
    assert!(run.stderr.contains("no.json holds no plan"), "{}", run.stderr);
}

#[test]
fn a_dry_run_plans_for_all_targets() {
    let site = Site::new(2, "");
    let dry = site.publish(0, &["--dry-run", "--format", "json"]);
    site.repo.write(".gitignore", "*.json\n");
    site.repo.write("plan.json", &dry.stdout);
    site.publish(0, &["--plan", "plan.json"]);
    site.repo.subscriber("10.10.10.3", 30);
    site.repo.commit("third");
    let run = site.publish(1, &["--plan", "plan.json"]);
    assert!(run.stdout.contains("is not the plan"), "{}", run.stdout);
    site.repo.write("plan.json", site.publish(0, &["--dry-run", "--format", "json"]).stdout.replace("hre-1", "hre-2"));
    let run = site.publish(1, &["--plan", "plan.json"]);
    assert!(run.stdout.contains("does not cover hre-1"), "{}", run.stdout);
    assert_eq!(site.live().lines().count(), 2);
}

#[test]
fn an_older_commit_does_not_undo_a_newer_one() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    site.publish(0, &[]);
    let live = site.live();
    let run = site.publish(1, &["--rev", "HEAD~1"]);
    assert!(run.stdout.contains("does not follow from"), "{}", run.stdout);
    // Another branch, and a history that does not know what is published.
    site.repo.git(&["checkout", "-q", "-b", "other", "HEAD~1"]);
    site.repo.subscriber("10.10.10.3", 30);
    site.repo.commit("elsewhere");
    site.publish(1, &[]);
    site.repo.git(&["checkout", "-q", "--orphan", "fresh"]);
    site.repo.commit("fresh");
    site.repo.git(&["branch", "-q", "-D", "main", "other"]);
    site.repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    site.repo.git(&["gc", "-q", "--prune=now"]);
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("is not in this clone"), "{}", run.stdout);
    assert_eq!(site.live(), live);
}

#[test]
fn a_template_of_ones_own_is_judged_by_its_lines() {
    let site = Site::new(12, "");
    site.settings("output: list", "outputs:\n  list: {template: templates/list.j2}\n");
    site.repo.write("templates/list.j2", "{% for line in lines %}{{ line.address }}\n{% endfor %}");
    site.repo.commit("template");
    site.publish(0, &[]);
    site.repo.write("templates/list.j2", "{% for line in lines %}address {{ line.address }}\n{% endfor %}");
    site.repo.commit("another form");
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("12 of 12 lines of the output would be changed"), "{}", run.stdout);
}
