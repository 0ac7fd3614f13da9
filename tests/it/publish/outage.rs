//! Faults: lost or damaged records, concurrent changes, a rollback that others would undo.

use super::{Site, line};

fn two(more: &str) -> Site {
    let site = Site::new(1, more);
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    site.publish(0, &[]);
    site
}

fn rollback(site: &Site, code: i32, more: &[&str]) -> String {
    let args: Vec<&str> = ["rollback", "-t", "hre-1"].iter().chain(more).copied().collect();
    let run = site.run(&args);
    assert_eq!(run.code, code, "{}\n{}", run.stdout, run.stderr);
    run.stdout
}

fn to_acknowledge(site: &Site) -> String {
    site.publish(1, &[]).stdout.split("--ack ").nth(1).unwrap().trim().to_owned()
}

#[test]
fn a_rollback_says_what_ends_the_hold() {
    let site = two("");
    let run = site.run(&["rollback", "-t", "hre-1", "--format", "json"]);
    assert!(
        run.stderr.starts_with(
            "held: hre-1 stays at version 1 until the data gives the same. Next: undo the change in git if"
        ),
        "{run:?}"
    );
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["targets"][0]["held"], true);
    let again = site.run(&["rollback", "-t", "hre-1", "--to", "1"]);
    assert!(!again.stderr.contains("held: "), "nothing was rolled back: {again:?}");
}

#[test]
fn a_dry_run_of_a_rollback_changes_nothing() {
    let site = two("");
    let before = (site.manifest(), site.live());
    // There is only one target.
    let run = site.run(&["rollback", "--dry-run"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.starts_with("hre-1: note: version 1 of 2"), "{run:?}");
    assert!(run.stdout.ends_with(" with 1 subscriber would be restored\nhre-1: would be published\n"), "{run:?}");
    let same = site.run(&["rollback", "--dry-run", "--to", "2"]);
    assert!(same.stdout.contains("nothing to do"), "{same:?}");
    let none = site.run(&["rollback", "--dry-run", "--to", "9"]);
    assert!(none.code == 1 && none.stdout.contains("version 9 is not kept; kept are 1-2"), "{none:?}");
    assert_eq!((site.manifest(), site.live()), before, "not even a refusal is recorded");
}

#[test]
fn an_old_run_does_not_lift_the_hold_of_a_rollback() {
    let site = two("");
    rollback(&site, 0, &[]);
    site.publish(0, &["--rev", "HEAD~1"]);
    assert!(!site.manifest()["held"].is_null());
    site.publish(1, &[]);
    assert_eq!(site.live(), line(1, 30));
}

#[test]
fn what_was_reverted_does_not_come_back_by_an_old_run() {
    let site = two("");
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    site.publish(0, &[]);
    assert_eq!(site.live(), line(1, 30));
    assert!(site.publish(1, &["--rev", "HEAD~1"]).stdout.contains("does not follow from"));
    // The same where the revert gave what was live already.
    let site = two("");
    rollback(&site, 0, &[]);
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    site.publish(0, &[]);
    assert!(site.manifest()["held"].is_null());
    assert!(site.publish(1, &["--rev", "HEAD~1"]).stdout.contains("does not follow from"));
    assert_eq!(site.live(), line(1, 30));
}

#[test]
fn what_was_acknowledged_before_does_not_undo_a_rollback() {
    let site = Site::new(1, "safety: {max_changed: 0, max_removed: 0}");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.1", 50);
    site.repo.commit("second");
    let first = to_acknowledge(&site);
    site.publish(0, &["--ack", &first]);
    rollback(&site, 0, &[]);
    let second = to_acknowledge(&site);
    assert_ne!(first, second);
    site.publish(1, &["--ack", &first]);
    assert_eq!(site.live(), line(1, 30));
    site.publish(0, &["--ack", &second]);
    rollback(&site, 0, &[]);
    site.publish(1, &["--ack", &second]);
}

#[test]
fn after_a_hand_edit_during_a_hold_the_revert_puts_it_right_and_lets_go() {
    let site = two("");
    rollback(&site, 0, &[]);
    std::fs::write(site.live_path(), "by hand\n").unwrap();
    site.publish(1, &[]);
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    site.publish(0, &[]);
    assert_eq!(site.live(), line(1, 30));
    assert!(site.manifest()["held"].is_null());
}

#[test]
fn a_rollback_to_what_is_live_already_holds_the_target() {
    let site = two("");
    std::fs::write(site.live_path(), line(1, 30)).unwrap();
    rollback(&site, 0, &["--to", "1"]);
    assert_eq!(site.manifest()["live"]["id"], 1);
    site.publish(1, &[]);
    assert_eq!(site.live(), line(1, 30));
}

#[test]
fn where_the_live_file_is_gone_going_back_gives_what_was_published_last() {
    let site = two("");
    std::fs::remove_file(site.live_path()).unwrap();
    assert!(rollback(&site, 0, &[]).contains("version 2 is what was published last"));
    assert_eq!(site.live(), line(1, 30) + &line(2, 30));
}

#[test]
fn going_back_by_force_needs_no_check_command() {
    let site = two("");
    site.settings("check: [no-such-lint, '{file}']", "");
    site.repo.commit("check");
    let said = rollback(&site, 2, &[]);
    assert!(said.contains("the check command: cannot run 'no-such-lint'"), "{said}");
    let entry = "ROLLBACK ERROR version 1 the check command: cannot run";
    assert!(site.log().last().unwrap().starts_with(entry), "{:?}", site.log());
    rollback(&site, 0, &["--force"]);
    assert_eq!(site.live(), line(1, 30));
}

#[test]
fn a_foreign_live_file_is_reloaded_and_recorded_if_the_data_gives_it() {
    let site = Site::new(1, "");
    let marker = site.repo.path().join("reloaded");
    site.settings(&format!("reload: [touch, '{}']", marker.display()), "");
    site.repo.write(".gitignore", "reloaded\n");
    site.repo.commit("reload");
    std::fs::write(site.live_path(), line(1, 30)).unwrap();
    site.publish(0, &[]);
    assert!(marker.exists());
    assert_eq!(site.manifest()["live"]["id"], 1);
    assert!(site.log()[0].contains("put there outside shapeline"), "{:?}", site.log());
}

#[test]
fn a_lost_version_does_not_block_publishing() {
    let site = two("");
    std::fs::remove_file(site.record_path("versions/00000002")).unwrap();
    site.repo.subscriber("10.10.10.3", 30);
    site.settings("reload: ['false']", "");
    site.repo.commit("third");
    // The old bytes are at hand: they are live.
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("version 2 is live again"), "{}", run.stdout);
    assert_eq!(site.live(), line(1, 30) + &line(2, 30));
    // Lost while the file was changed by hand: that is a reason, which can be acknowledged.
    site.settings("", "");
    site.repo.commit("mended");
    std::fs::remove_file(site.record_path("versions/00000002")).unwrap();
    std::fs::write(site.live_path(), line(1, 30)).unwrap();
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("cannot be compared: version 2 is not kept any more"), "{}", run.stdout);
    let fingerprint = to_acknowledge(&site);
    site.publish(0, &["--ack", &fingerprint]);
}

#[test]
fn broken_settings_do_not_block_reading_and_rollback() {
    let site = two("");
    for broken in ["{", "targets: 7\n", "safety2: 1\n"] {
        site.repo.write("shapeline.yaml", broken);
        site.repo.commit("broken");
        let run = site.run(&["stat"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stderr.contains("has an error") && run.stderr.contains("the targets are those of commit"),
            "{}",
            run.stderr
        );
    }
    rollback(&site, 0, &[]);
    assert_eq!(site.live(), line(1, 30));
    std::fs::remove_file(site.repo.path().join("shapeline.yaml")).unwrap();
    site.repo.commit("gone");
    let run = site.run(&["stat"]);
    assert!(run.code == 0 && run.stderr.contains("there is no "), "{}", run.stderr);
    let drift = site.run(&["drift", "--rev", "HEAD~4"]);
    assert!(drift.stdout.contains("held since"), "{}", drift.stdout);
}

#[test]
fn two_targets_do_not_share_a_file() {
    let site = Site::new(1, "");
    let url = format!("file://{}", site.live_path().display());
    site.settings("", &format!("  - {{name: hre-2, url: '{url}'}}\n"));
    let run = site.run(&["check"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("two targets write"), "{}", run.stdout);
}

#[test]
fn a_rollback_holds_even_if_the_manifest_is_lost() {
    let site = two("");
    rollback(&site, 0, &[]);
    std::fs::remove_file(site.record_path("manifest.json")).unwrap();
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("it was rolled back at"), "{}", run.stdout);
    assert_eq!(site.live(), line(1, 30));
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    site.publish(0, &[]);
    assert!(site.manifest()["held"].is_null());
}

#[test]
fn what_was_published_last_is_known_as_such_though_the_manifest_is_lost() {
    let site = two("");
    std::fs::remove_file(site.record_path("manifest.json")).unwrap();
    site.repo.subscriber("10.10.10.3", 30);
    site.repo.commit("third");
    site.publish(0, &[]);
    let versions = site.manifest()["versions"].clone();
    assert_eq!((&versions[0]["found"], versions[1]["found"].is_null()), (&true.into(), true), "{versions}");
}

#[test]
fn versions_survive_a_manifest_that_was_moved_away() {
    let site = two("");
    std::fs::remove_file(site.record_path("manifest.json")).unwrap();
    site.repo.subscriber("10.10.10.3", 30);
    site.repo.commit("third");
    site.publish(0, &[]);
    assert_eq!(site.manifest()["live"]["id"], 3);
    assert_eq!(site.manifest()["versions"].as_array().unwrap().len(), 3, "the others can be gone back to");
}

#[test]
fn what_failed_leaves_no_bytes_and_what_was_found_goes_first() {
    let site = two("keep: 3");
    let count = || std::fs::read_dir(site.record_path("versions")).unwrap().count();
    site.settings("keep: 3\nreload: ['false']", "");
    site.repo.subscriber("10.10.10.3", 30);
    site.repo.commit("third");
    for _ in 0..3 {
        site.publish(2, &[]);
    }
    assert_eq!(count(), 2);
    site.settings("keep: 3", "");
    site.repo.commit("mended");
    site.publish(0, &[]);
    for text in ["a\n", "b\n", "c\n"] {
        std::fs::write(site.live_path(), text).unwrap();
        site.publish(0, &[]);
    }
    assert_eq!(count(), 3);
    assert!(site.manifest()["versions"].as_array().unwrap().iter().all(|version| version["found"].is_null()));
}

#[test]
fn what_was_tampered_with_still_shows_after_the_next_entry() {
    for take in ["the end", "all", "a change"] {
        let site = two("");
        let path = site.record_path("log/00000001");
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        match take {
            "the end" => std::fs::write(&path, format!("{first}\n")).unwrap(),
            "all" => std::fs::remove_file(&path).unwrap(),
            _ => std::fs::write(&path, text.replace("version 2", "version 9")).unwrap(),
        }
        site.publish(1, &["--rev", "HEAD~1"]);
        let run = site.run(&["log"]);
        assert_eq!(run.code, 1, "{take}: {}", run.stdout);
        assert!(run.stderr.contains("THE LOG WAS DAMAGED OR TAMPERED WITH"), "{take}: {}", run.stderr);
        assert!(run.stdout.contains("does not follow"), "the new entry is there: {}", run.stdout);
    }
}

#[test]
fn a_template_that_writes_few_lines_is_judged_by_who_is_served() {
    let site = Site::new(12, "");
    let settings = |limits: &str| {
        site.settings("output: list", &format!("outputs:\n  list: {{template: templates/list.j2}}\n{limits}"));
    };
    settings("");
    site.repo.write("templates/list.j2", "{% for line in lines %}{{ line.address }} {% endfor %}\n");
    site.repo.commit("template");
    site.publish(0, &[]);
    for number in 1..=6 {
        let path = format!("subscribers/ispcustomer.co.zw/10.10.10.{number}.yaml");
        std::fs::remove_file(site.repo.path().join(path)).unwrap();
    }
    settings("safety: {max_removed: 100%, max_changed: 100%}\n");
    site.repo.commit("fewer, with limits raised in the same go");
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("6 of 12 subscribers would no longer be served"), "{}", run.stdout);
}

#[test]
fn files_of_no_commit_do_not_take_the_place_of_a_commit() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    std::fs::remove_dir_all(site.repo.path().join(".git")).unwrap();
    site.repo.subscriber("10.10.10.2", 30);
    let run = site.publish(1, &["--allow-dirty"]);
    assert!(run.stdout.contains("these files belong to none"), "{}", run.stdout);
}

#[test]
fn a_writer_in_the_folder_cannot_steer_or_stop_a_run() {
    let site = two("");
    let manifest = std::fs::read_to_string(site.record_path("manifest.json")).unwrap();
    let commit = site.manifest()["live"]["commit"].as_str().unwrap().to_owned();
    std::fs::write(site.record_path("manifest.json"), manifest.replace(&commit, "\\n::error::owned\\u001b[31m"))
        .unwrap();
    let run = site.run(&["drift"]);
    assert!(!run.stdout.contains("\n::error") && !run.stdout.contains('\u{1b}'), "{}", run.stdout);
    std::fs::write(
        site.record_path("manifest.json"),
        manifest.replace("\"next\": 3", "\"next\": 18446744073709551615"),
    )
    .unwrap();
    assert!(site.publish(2, &[]).stdout.contains("is damaged"), "a number that was made up");
    std::fs::write(site.record_path("manifest.json"), manifest).unwrap();
    // A forged lock has no holder, and text in one never reaches the output as a command.
    std::fs::write(site.record_path("lock/18446744073709551615"), "{}").unwrap();
    site.publish(0, &[]);
    let held = r#"{"holder":{"actor":"x\n::error::owned","host":"h","pid":1},"name":"n","doing":"d","beat":0,"released":false}"#;
    std::fs::write(site.record_path("lock/00000999"), held).unwrap();
    let run = site.publish(2, &["--wait", "1"]);
    assert!(!(run.stdout + &run.stderr).contains("\n::error"), "the holder's name");
    let entry = std::fs::read_to_string(site.record_path("log/00000001"))
        .unwrap()
        .replace("\"n\":2", "\"n\":18446744073709551615");
    std::fs::write(site.record_path("log/00000001"), entry).unwrap();
    assert_eq!(site.run(&["log"]).code, 1);
}

#[test]
fn a_lock_whose_folder_was_cleared_is_lost_and_not_shared() {
    let site = Site::new(1, "");
    let folder = site.record_path("lock");
    // While the first run checks, the folder is emptied and a second run publishes.
    let wait = site.repo.path().join(".git/wait").display().to_string();
    let script = format!("[ -e {wait} ] || {{ rm -f {}/*; touch {wait}; sleep 2; }}", folder.display());
    site.settings(&format!("check: [sh, -c, '{script}']"), "");
    site.repo.commit("slow");
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| site.run(&["publish"]));
        while !site.repo.path().join(".git/wait").exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let second = site.run(&["publish"]);
        (first.join().unwrap(), second)
    });
    let done = [&first, &second].iter().filter(|run| run.code == 0 && run.stdout.contains("version 1 is live")).count();
    assert_eq!(done, 1, "{first:?}\n{second:?}");
    assert_eq!(site.run(&["log"]).code, 0);
}
