//! Stored versions, and rollback to them.

use super::{Site, line};

/// Three versions: one, two, three subscribers.
fn three(more: &str) -> Site {
    let site = Site::new(1, more);
    site.publish(0, &[]);
    for number in 2..=3 {
        site.repo.subscriber(&format!("10.10.10.{number}"), 30);
        site.repo.commit("one more");
        site.publish(0, &[]);
    }
    site
}

fn rollback(site: &Site, code: i32, more: &[&str]) -> String {
    let args: Vec<&str> = ["rollback", "-t", "hre-1", "--actor", "noc"].iter().chain(more).copied().collect();
    let run = site.run(&args);
    assert_eq!(run.code, code, "{}\n{}", run.stdout, run.stderr);
    run.stdout
}

#[test]
fn a_rollback_goes_back_and_holds_until_the_data_agrees() {
    let site = three("");
    assert!(rollback(&site, 0, &[]).starts_with("hre-1: version 2 is live"));
    assert_eq!(site.live(), line(1, 30) + &line(2, 30));
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("version 3 was rolled back at") && run.stdout.contains("by noc"), "{}", run.stdout);
    assert_eq!(site.live().lines().count(), 2, "it is not undone by the next run");
    // An unrelated change on top does not publish the bad one.
    site.repo.subscriber("10.10.10.4", 30);
    site.repo.commit("unrelated");
    site.publish(1, &[]);
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    site.repo.git(&["revert", "--no-edit", "HEAD~2"]);
    assert!(site.publish(0, &[]).stdout.contains("nothing to do"));
    assert!(site.manifest()["held"].is_null());
    site.repo.subscriber("10.10.10.5", 30);
    site.repo.commit("goes on");
    site.publish(0, &[]);
    assert_eq!(site.live().lines().count(), 3);
}

#[test]
fn a_hold_ends_when_it_is_acknowledged() {
    let site = three("");
    rollback(&site, 0, &[]);
    let run = site.publish(1, &[]);
    let fingerprint = run.stdout.split("--ack ").nth(1).unwrap().trim().to_owned();
    site.publish(0, &["--ack", &fingerprint]);
    assert_eq!(site.live().lines().count(), 3);
    assert!(site.manifest()["held"].is_null());
}

#[test]
fn any_kept_version_can_be_live_again() {
    let site = three("");
    rollback(&site, 0, &["--to", "1"]);
    assert_eq!(site.live(), line(1, 30));
    assert!(rollback(&site, 0, &["--to", "1"]).contains("live already"));
    rollback(&site, 0, &["--to", "3"]);
    assert_eq!(site.live().lines().count(), 3);
    assert!(rollback(&site, 1, &["--to", "9"]).contains("version 9 is not kept; kept are 1-3:"));
    let log = site.log();
    assert_eq!(log[3..5], ["ROLLBACK SUCCESS version 1", "ROLLBACK SUCCESS version 3"]);
    assert!(log[5].starts_with("ROLLBACK ERROR version 9 refused"), "{log:?}");
}

#[test]
fn a_version_that_was_changed_since_is_not_put_in_place() {
    let site = three("");
    std::fs::write(site.record_path("versions/00000002"), line(9, 50)).unwrap();
    assert!(rollback(&site, 2, &[]).contains("version 2 was changed since"));
    std::fs::remove_file(site.record_path("versions/00000002")).unwrap();
    assert!(rollback(&site, 2, &[]).contains("version 2 is not kept any more"));
    assert_eq!(site.live().lines().count(), 3);
}

#[test]
fn a_rollback_to_hardly_any_subscribers_must_be_forced() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    for number in 2..=12 {
        site.repo.subscriber(&format!("10.10.10.{number}"), 30);
    }
    site.repo.commit("many");
    site.publish(0, &[]);
    assert!(rollback(&site, 1, &[]).contains("--force does it anyway"));
    assert_eq!(site.live().lines().count(), 12);
    rollback(&site, 0, &["--force"]);
    assert_eq!(site.live().lines().count(), 1);
}

#[test]
fn a_foreign_live_file_is_stored_and_can_be_restored() {
    let site = Site::new(2, "");
    std::fs::write(site.live_path(), line(1, 50)).unwrap();
    site.publish(0, &[]);
    assert_eq!(site.manifest()["live"]["id"], 2);
    let log = site.run(&["log"]).stdout;
    assert!(log.contains("version 2: what was found in its place is kept as version 1"), "{log}");
    rollback(&site, 0, &[]);
    assert_eq!(site.live(), line(1, 50), "the file that was there before Shapeline");
    rollback(&site, 0, &["--to", "2"]);
    std::fs::write(site.live_path(), "by hand\n").unwrap();
    let said = rollback(&site, 1, &[]);
    assert!(said.contains("--to 2 puts back what was published last, --to 1 what was before that"), "{said}");
    assert_eq!(site.live(), "by hand\n", "which is meant is not guessed");
    rollback(&site, 0, &["--to", "2"]);
    assert_eq!(site.live().lines().count(), 2);
}

#[test]
fn old_versions_go_and_the_live_one_stays() {
    let site = three("keep: 2");
    let ids = |site: &Site| {
        let manifest = site.manifest();
        manifest["versions"].as_array().unwrap().iter().map(|v| v["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&site), [2, 3]);
    assert!(!site.record_path("versions/00000001").exists());
    rollback(&site, 0, &["--to", "2"]);
    assert!(rollback(&site, 1, &["--to", "1"]).contains("kept are 2-3:"));
    let fingerprint = site.publish(1, &[]).stdout.split("--ack ").nth(1).unwrap().trim().to_owned();
    site.publish(0, &["--ack", &fingerprint]);
    for id in ids(&site) {
        assert!(site.record_path(&format!("versions/{id:08}")).exists());
    }
}

#[test]
fn a_log_that_was_tampered_with_shows() {
    let edit = |change: fn(Vec<String>) -> Vec<String>| {
        let site = three("");
        let path = site.record_path("log/00000001");
        let lines = std::fs::read_to_string(&path).unwrap().lines().map(ToOwned::to_owned).collect();
        let changed: String = change(lines).into_iter().map(|line| line + "\n").collect();
        std::fs::write(&path, changed).unwrap();
        let run = site.run(&["log"]);
        let next = site.publish(0, &[]);
        (run.code, run.stderr, next)
    };
    let damage = |change| {
        let (code, stderr, _) = edit(change);
        assert_eq!(code, 1, "{stderr}");
        stderr
    };
    assert_eq!(edit(|lines| lines).0, 0);
    assert!(
        damage(|mut lines| {
            lines[1] = lines[1].replace("alice", "mallory");
            lines
        })
        .contains("entry 3 does not follow")
    );
    assert!(
        damage(|mut lines| {
            lines.remove(1);
            lines
        })
        .contains("entries 2 to 2 are missing")
    );
    assert!(
        damage(|mut lines| {
            lines.pop();
            lines
        })
        .contains("the manifest knows of them")
    );
    assert!(
        damage(|mut lines| {
            lines[2] = lines[2].replace("alice", "mallory");
            lines
        })
        .contains("the manifest knows another")
    );
    assert!(
        damage(|mut lines| {
            lines[0] = "{".into();
            lines
        })
        .contains("cannot be read")
    );
}

#[test]
fn the_log_goes_on_from_file_to_file() {
    let site = three("");
    // As many entries as one file holds, made by copying the chain's own rule.
    let path = site.record_path("log/00000001");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let mut last = text.lines().last().unwrap().to_owned();
    for n in 4..=1000 {
        let mut entry: serde_json::Value = serde_json::from_str(&last).unwrap();
        entry["n"] = n.into();
        entry["run"] = format!("{n}").into();
        entry["previous"] = shapeline::store::digest(last.as_bytes()).into();
        last = entry.to_string();
        text = text + &last + "\n";
    }
    std::fs::write(&path, text).unwrap();
    site.repo.subscriber("10.10.10.9", 30);
    site.repo.commit("next");
    site.publish(0, &[]);
    assert!(site.record_path("log/00001001").exists());
    assert_eq!(site.log().len(), 1001, "and it is whole");
}

#[test]
fn log_and_stat_answer_for_a_period() {
    let site = three("");
    site.publish(1, &["--rev", "HEAD~1"]);
    let count = |args: &[&str]| {
        let run = site.run(args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout.lines().count()
    };
    let today = shapeline::records::moment::Moment::now().to_string()[..10].to_owned();
    assert_eq!(count(&["log", "--from", &today, "--to", &today]), 4);
    assert_eq!(site.run(&["log", "--to", "2020-01-01"]).stdout, "nothing was done to hre-1 in that time\n");
    assert_eq!(count(&["log", "--from", "2020-01-01T00:00:00Z", "--format", "csv"]), 5);
    let never = site.run(&["log", "--from", "2026-02-01", "--to", "2026-01-01"]);
    assert!(never.code == 2 && never.stderr.contains("is later than --to"), "{}", never.stderr);
    let bad = site.run(&["log", "--from", "yesterday"]);
    assert!(bad.code == 2 && bad.stderr.contains("nor a moment such as"), "{}", bad.stderr);
    let json: serde_json::Value = serde_json::from_str(&site.run(&["stat", "--format", "json"]).stdout).unwrap();
    let publish = &json["targets"][0]["actions"]["PUBLISH"];
    assert_eq!((&publish["attempted"], &publish["successful"], &publish["failed"]), (&4.into(), &3.into(), &1.into()));
    assert!(site.run(&["stat"]).stdout.contains("hre-1   PUBLISH   4          3           1"));
}

#[test]
fn what_a_newer_program_wrote_is_left_alone() {
    let site = three("");
    let path = site.record_path("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap().replacen("\"version\": 1", "\"version\": 2", 1);
    std::fs::write(&path, &text).unwrap();
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("was written by a newer version of shapeline"), "{}", run.stdout);
    std::fs::write(&path, "{").unwrap();
    assert!(site.publish(2, &[]).stdout.contains("is damaged: move it away"));
}

/// The change was undone in git before the rollback.
#[test]
fn a_rollback_to_what_the_data_gives_already_is_held_in_the_same_words() {
    let site = three("");
    let held = "held since noc rolled back at";
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    let run = site.run(&["rollback", "-t", "hre-1", "--actor", "noc"]);
    let next = "version 2 until the data gives the same. Next: undo the change in git if that is not done, then";
    assert!(run.code == 0 && run.stderr.contains(next), "{run:?}");
    let drift = site.run(&["drift"]);
    assert!(drift.code == 0 && drift.stdout.contains("no difference") && drift.stdout.contains(held), "{drift:?}");
    assert!(drift.stdout.contains(": the data gives the same now; the next publish ends that"), "{drift:?}");
    let older = site.run(&["drift", "--rev", "HEAD~1"]);
    assert!(older.code == 3 && older.stdout.contains(": nothing is published until the data gives"), "{older:?}");
    site.publish(0, &[]);
    assert!(!site.run(&["drift"]).stdout.contains("held"));
}
