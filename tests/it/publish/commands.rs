//! What goes live, and by which steps.

use super::{Site, line};

#[test]
fn what_the_data_says_goes_live_and_is_remembered() {
    let site = Site::new(2, "");
    let commit = site.repo.git(&["rev-parse", "HEAD"]);
    let run = site.publish(0, &[]);
    assert!(
        run.stdout.starts_with("hre-1: 2 added, 0 changed, 0 removed; version 1 is live (log sha256:"),
        "{}",
        run.stdout
    );
    assert_eq!(site.live(), line(1, 30) + &line(2, 30));
    let live = &site.manifest()["live"];
    assert_eq!(live["commit"], commit.as_str());
    assert_eq!((&live["subscribers"], &live["by"], &live["id"]), (&2.into(), &"alice".into(), &1.into()));
    assert_eq!(live["digest"], shapeline::store::digest(site.live().as_bytes()));
    assert_eq!(std::fs::read(site.record_path("versions/00000001")).unwrap(), site.live().as_bytes());
    assert_eq!(site.log(), ["PUBLISH SUCCESS version 1"]);
    assert!(!site.is_pending());
}

#[test]
fn nothing_to_do_changes_nothing() {
    let site = Site::new(2, "");
    site.publish(0, &[]);
    let before = site.everything();
    let run = site.publish(0, &[]);
    assert_eq!(run.stdout, "hre-1: nothing to do: version 1 is live and stays\n");
    assert_eq!(site.everything(), before);
}

#[test]
fn what_is_committed_is_published_and_not_what_lies_about() {
    let site = Site::new(1, "");
    site.repo.subscriber("10.10.10.2", 30);
    let run = site.publish(0, &[]);
    assert!(run.stderr.contains("not committed: subscribers/ispcustomer.co.zw/10.10.10.2.yaml"), "{}", run.stderr);
    assert_eq!(site.live(), line(1, 30));
    assert_eq!(site.publish(0, &["--rev", "HEAD"]).stderr, "");
    site.publish(0, &["--allow-dirty"]);
    assert_eq!(site.live(), line(1, 30) + &line(2, 30));
    assert_eq!(site.manifest()["live"]["dirty"], true);
    site.repo.write("notes.txt", "not data");
    site.repo.git(&["add", "subscribers"]);
    site.repo.git(&["commit", "-q", "-m", "second"]);
    site.publish(0, &[]);
}

#[test]
fn data_with_errors_is_refused_with_excerpts_and_logged() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.400", 30);
    site.repo.commit("bad");
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("10.10.10.400.yaml:1:5"), "{}", run.stdout);
    assert_eq!(site.live(), line(1, 30));
    let refused = "PUBLISH ERROR data refused in part: 1 domain is frozen because of errors: ispcustomer.co.zw";
    assert_eq!(site.log()[1..], [refused]);
    site.publish(1, &[]);
    assert_eq!(site.log().len(), 2, "once for each commit");
    site.repo.write("plans/bad.yaml", "name: [\n");
    site.repo.commit("worse");
    let run = site.publish(1, &[]);
    assert!(run.stderr.contains("plans/bad.yaml:1"), "{}", run.stderr);
    assert!(site.log()[2].starts_with("PUBLISH ERROR data refused: the data has 2 errors"), "{:?}", site.log());
    // What is needed in an outage works whatever the data is like.
    assert_eq!(site.run(&["stat"]).code, 0);
    assert_eq!(site.run(&["rollback", "-t", "hre-1", "--to", "1"]).code, 0);
}

#[test]
fn the_check_command_has_the_last_word() {
    let site = Site::new(1, "check: [grep, -q, '10.10.10.1 ', '{file}']");
    site.publish(0, &[]);
    std::fs::remove_file(site.repo.path().join("subscribers/ispcustomer.co.zw/10.10.10.1.yaml")).unwrap();
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    let before = site.live();
    let run = site.publish(1, &[]);
    assert!(
        run.stdout.contains("the check command refuses the new file: 'grep -q 10.10.10.1  {file}' ended with exit 1"),
        "{}",
        run.stdout
    );
    assert_eq!(site.live(), before);
    assert_eq!(site.log().len(), 2);
}

#[test]
fn a_reload_that_fails_puts_the_old_file_back_and_reloads_again() {
    let site = Site::new(1, "");
    let seen = site.repo.path().join("seen");
    // Fails where the second subscriber is live.
    let script = format!(
        "cat {live} >> {seen}; ! grep -q '10.10.10.2 ' {live}",
        live = site.live_path().display(),
        seen = seen.display()
    );
    site.settings(&format!("reload: [sh, -c, \"{script}\"]"), "");
    site.repo.write(".gitignore", "seen\n");
    site.repo.commit("reload");
    site.publish(0, &[]);
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("the reload failed: 'sh -c"), "{}", run.stdout);
    assert!(run.stdout.contains("version 1 is live again, and was reloaded"), "{}", run.stdout);
    assert_eq!(site.live(), line(1, 30));
    let (first, second) = (line(1, 30), line(1, 30) + &line(2, 30));
    assert_eq!(std::fs::read_to_string(seen).unwrap(), format!("{first}{second}{first}"), "reloaded new, then old");
    assert_eq!(site.manifest()["live"]["id"], 1);
    assert!(!site.is_pending());
    let log = site.log();
    assert!(log[1].starts_with("PUBLISH ERROR version 2 the reload failed"), "{log:?}");
}

#[test]
fn where_there_was_no_other_file_a_failed_reload_leaves_the_new_one() {
    let site = Site::new(1, "reload: ['false']");
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("there was no other version before, and this one stays"), "{}", run.stdout);
    assert!(run.stdout.contains("THE SHAPER DID NOT RELOAD IT"), "{}", run.stdout);
    assert_eq!(site.live(), line(1, 30));
    site.settings("reload: ['true']", "");
    site.repo.commit("mended");
    assert!(site.publish(0, &[]).stdout.contains("version 2 is live"), "it is reloaded and recorded");
    assert!(site.publish(0, &[]).stdout.contains("nothing to do"));
}

#[test]
fn targets_report_each_on_its_own() {
    let site = Site::new(1, "");
    let beside = |name: &str| site.live_path().with_file_name(name);
    let (good, bad, refused) = (beside("a.txt"), "/no/such/folder/x.txt", beside("b.txt"));
    site.repo.write(
        "shapeline.yaml",
        format!(
            "targets:\n  - {{name: bad, url: 'file://{bad}'}}\n  - {{name: refused, url: 'file://{}', check: ['false']}}\n  - {{name: good, url: 'file://{}'}}\n",
            refused.display(),
            good.display()
        ),
    );
    site.repo.commit("targets");
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("bad: FAILED\n  cannot open the folder /no/such/folder"), "{}", run.stdout);
    assert!(run.stdout.contains("refused: REFUSED, nothing was changed\n"), "{}", run.stdout);
    assert_eq!(std::fs::read_to_string(&good).unwrap(), line(1, 30));
    assert!(!refused.exists());
    assert_eq!(site.publish(1, &["-t", "refused", "-t", "good"]).stdout.lines().count(), 3);
    site.publish(0, &["-t", "good"]);
    let unknown = site.run(&["publish", "-t", "goods"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("did you mean `good`"), "{}", unknown.stderr);
    let run = site.run(&["publish", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let ended: Vec<&str> = json["targets"].as_array().unwrap().iter().map(|t| t["ended"].as_str().unwrap()).collect();
    assert_eq!((json["version"].as_u64(), ended), (Some(1), vec!["failed", "refused", "unchanged"]));
}

#[test]
fn without_targets_the_command_says_what_to_do() {
    let repo = crate::support::Repo::new();
    repo.commit("first");
    let run = repo.run(&["publish"]);
    assert!(run.code == 2 && run.stderr.contains("names no target: add `targets`"), "{}", run.stderr);
    let outside = crate::support::Repo::new();
    let run = outside.run(&["publish"]);
    assert!(run.code == 2 && run.stderr.contains("--allow-dirty"), "{}", run.stderr);
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let site = Site::new(1, "");
    let run = site.publish(0, &["--dry-run"]);
    assert!(run.stdout.contains("+ 10.10.10.1") && run.stdout.contains("hre-1: 1 added"), "{}", run.stdout);
    assert!(site.everything().is_empty());
}

#[test]
fn drift_shows_what_differs_why_and_who_published() {
    let site = Site::new(2, "");
    let drift = |code: i32| {
        let run = site.run(&["drift"]);
        assert_eq!(run.code, code, "{}\n{}", run.stdout, run.stderr);
        run.stdout
    };
    assert!(drift(3).contains("there is no live file"));
    site.publish(0, &[]);
    let same = drift(0);
    assert!(same.contains("no difference") && same.contains("was put in place by alice"), "{same}");
    site.repo.subscriber("10.10.10.2", 50);
    site.repo.commit("second");
    let behind = drift(3);
    assert!(behind.contains("the data has changed since"), "{behind}");
    assert!(behind.contains("~ 10.10.10.2") && behind.contains("30 Mbps → 50 Mbps"), "{behind}");
    std::fs::write(site.live_path(), line(1, 30) + "what is this?\n").unwrap();
    let by_hand = drift(3);
    assert!(by_hand.contains("changed outside shapeline") && by_hand.contains("+ 10.10.10.2"), "{by_hand}");
    assert!(by_hand.contains("only live, line 2: what is this?"), "{by_hand}");
    assert_eq!(site.log().len(), 1, "to look leaves no trace");
    for _ in 0..2 {
        assert_eq!(site.run(&["drift", "--record", "--actor", "cron"]).code, 3);
    }
    let log = site.log();
    assert_eq!(log.len(), 2, "the same difference is logged once: {log:?}");
    assert!(log[1].starts_with("DRIFT SUCCESS the live file was changed outside shapeline"), "{log:?}");
    let json: serde_json::Value = serde_json::from_str(&site.run(&["drift", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["targets"][0]["drift"], "changed-by-hand");
    assert_eq!(json["targets"][0]["changes"]["added"], 1);
    assert_eq!(json["targets"][0]["lines"][0]["line"], 2);
}

#[test]
fn an_output_with_a_template_of_its_own_drifts_by_its_lines() {
    let site = Site::new(3, "output: list");
    site.settings("output: list", "outputs:\n  list: {template: templates/list.j2}\n");
    site.repo.write("templates/list.j2", "{% for line in lines %}{{ line.address }}\n{% endfor %}");
    site.repo.commit("template");
    site.publish(0, &[]);
    assert_eq!(site.live(), "10.10.10.1\n10.10.10.2\n10.10.10.3\n");
    std::fs::write(site.live_path(), "10.10.10.1\n10.10.10.9\n10.10.10.3\n").unwrap();
    let run = site.run(&["drift"]);
    assert_eq!(run.code, 3);
    assert!(run.stdout.contains("only live, line 2: 10.10.10.9\nonly declared, line 2: 10.10.10.2"), "{}", run.stdout);
}

/// Files on disk in place of the commit would be what no review has seen.
#[test]
fn a_repository_that_git_refuses_is_no_folder_without_git() {
    let site = Site::new(2, "");
    site.publish(0, &[]);
    let before = site.everything();
    site.repo.write(".git/config", "[core\n");
    for args in [
        &["plan", "--live", "hre-1"] as &[&str],
        &["publish"],
        &["drift"],
        &["log"],
        &["stat"],
        &["rollback", "--target", "hre-1"],
    ] {
        let run = site.repo.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains("cannot open the git repository around"), "{args:?}: {run:?}");
    }
    assert_eq!(site.everything(), before);
}
