//! What may not go live.

use shapeline::publish::data::{Data, DataRequest, LoadedData};
use shapeline::publish::run::{PublishOptions, publish};
use shapeline::records::holder::Operator;
use shapeline::records::lock::Patience;

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
    // Where it says nothing, the general ones count.
    for (general, code) in [("max_removed: 60%", 0), ("max_removed: 60%, max_changed: 0", 0), ("max_changed: 0", 1)] {
        let site = Site::new(12, "");
        site.settings("safety: {max_changed: 50%}", &format!("safety: {{{general}}}\n"));
        site.repo.commit("limits");
        site.publish(0, &[]);
        for number in 7..=12 {
            let path = format!("subscribers/ispcustomer.co.zw/10.10.10.{number}.yaml");
            std::fs::remove_file(site.repo.path().join(path)).unwrap();
        }
        site.repo.commit("fewer");
        site.publish(code, &[]);
    }
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
    site.repo.write("no.json", site.repo.read("plan.json").replacen("\"version\": 1", "\"version\": 2", 1));
    let run = site.publish(2, &["--plan", "no.json"]);
    assert!(run.stderr.contains("no.json is a plan in version 2 of the format"), "{}", run.stderr);
}

#[test]
fn a_dry_run_of_data_with_errors_logs_nothing() {
    let site = Site::new(2, "");
    site.publish(0, &[]);
    let before = site.everything();
    site.settings("", "faults: refuse\n");
    site.repo.write("subscribers/bad.yaml", "ip: x\n");
    site.repo.commit("bad");
    let dry = site.publish(1, &["--dry-run"]);
    assert!(dry.stdout.contains("nothing of it is published"), "{dry:?}");
    assert!(site.everything() == before);
    site.publish(1, &[]);
    assert!(site.log().pop().unwrap().starts_with("PUBLISH ERROR data refused: "), "{:?}", site.log());
}

#[test]
fn a_plan_that_puts_back_what_was_published_says_that_it_is_safe() {
    let site = Site::new(12, "");
    site.publish(0, &[]);
    let published = site.live();
    std::fs::write(site.live_path(), "nonsense\n").unwrap();
    for args in [&["publish", "--dry-run"][..], &["plan", "--live", "hre-1"]] {
        let run = site.run(args);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.contains("this puts back what was published last"), "{run:?}");
        assert!(run.stdout.contains("Safe: ") && !run.stdout.contains("NOT SAFE"), "{run:?}");
    }
    site.publish(0, &[]);
    assert_eq!(site.live(), published);
    // Anything else is judged by what is live.
    std::fs::write(site.live_path(), "nonsense\n").unwrap();
    site.repo.subscriber("10.10.10.13", 30);
    site.repo.commit("one more");
    assert!(site.run(&["plan", "--live", "hre-1"]).stdout.contains("NOT SAFE"));
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

/// As `sync` does every minute.
#[test]
fn a_refusal_that_is_repeated_is_logged_once_for_each_reason() {
    let site = shrunk("", 6);
    let wanted = DataRequest { rev: None, today: "2026-11-21".parse().unwrap(), allow_dirty: false };
    let Ok(LoadedData::Ready(data)) = Data::load(site.repo.path(), &wanted) else { panic!("the data is sound") };
    let refused = |acknowledged: Option<&str>| {
        let options = PublishOptions {
            who: Operator::here("noc".to_owned()),
            patience: Patience::of(std::time::Duration::from_secs(30)),
            planned: None,
            acknowledged: acknowledged.map(ToOwned::to_owned),
            dry_run: false,
            quiet: true,
            words: |remedy| format!("{remedy:?}"),
        };
        let report = publish(&data.table.repo().settings.targets[0], &data, &options, &mut |_| Ok(()));
        let stale = report.reasons.last().unwrap().contains("of another plan");
        assert_eq!(stale, acknowledged.is_some(), "{:?}", report.reasons);
        site.log().len()
    };
    assert_eq!([None, None, Some("sha256:0"), Some("sha256:0"), None].map(refused), [2, 2, 3, 3, 4]);
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

/// What a template writes need not say how many are served.
#[test]
fn a_template_of_ones_own_does_not_hide_that_nobody_is_left() {
    for left in [1, 0] {
        let site = Site::new(3, "");
        site.settings("output: note", "outputs:\n  note: {template: templates/note.j2}\n");
        site.repo.write("templates/note.j2", "made by shapeline\n");
        site.repo.commit("template");
        site.publish(0, &[]);
        site.repo.write("templates/note.j2", "made by shapeline, again\n");
        for number in left + 1..=3 {
            let path = format!("subscribers/ispcustomer.co.zw/10.10.10.{number}.yaml");
            std::fs::remove_file(site.repo.path().join(path)).unwrap();
        }
        site.repo.commit("fewer");
        let run = site.publish(i32::from(left == 0), &[]);
        assert_eq!(left == 0, run.stdout.contains("3 of 3 subscribers would no longer be served"), "{}", run.stdout);
    }
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
