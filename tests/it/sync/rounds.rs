//! The results of one round.

use super::{Host, line, run, three};

#[test]
fn what_was_pushed_goes_live_and_then_nothing_is_done() {
    let host = Host::new("");
    let first = host.author.git(&["rev-parse", "HEAD"]);
    let round = host.once(0, &[]);
    assert_eq!(host.live(), three());
    assert_eq!(round.stdout, format!("ok: commit {} is live\n", &first[..12]));
    let expected =
        format!("hre-1: version 1 is live: 3 added, 0 changed, 0 removed (commit {}, log sha256:", &first[..12]);
    assert!(round.stderr.starts_with(&expected), "{}", round.stderr);
    assert_eq!(host.manifest()["live"]["commit"], first);
    assert_eq!(host.manifest()["live"]["by"], "sync");

    let quiet = host.once(0, &[]);
    assert_eq!(quiet.stderr, "", "a quiet round says nothing");
    assert_eq!(host.log(), ["PUBLISH SUCCESS version 1"]);

    host.author.subscriber("10.10.10.4", 50);
    let second = host.push("second");
    host.once(0, &["--actor", "shaper host"]);
    assert_eq!(host.live(), three() + &line(4, 50));
    assert_eq!(host.manifest()["live"]["by"], "shaper host");
    // What is checked out in the clone does not matter.
    assert_eq!(host.git(&["-C", "clone", "rev-parse", "HEAD"]), first);
    assert_eq!(host.git(&["-C", "clone", "status", "--porcelain"]), "");
    assert_eq!(host.git(&["-C", "clone", "rev-parse", "origin/main"]), second);
}

#[test]
fn bad_data_leaves_the_last_good_file() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author
        .write("subscribers/bad.yaml", "ip: 10.10.10.400\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let bad = host.push("bad");
    for _ in 0..2 {
        let round = host.once(1, &[]);
        assert_eq!(host.live(), three());
        let expected = "sync: REFUSED, what was published stays: the data has 1 error: subscribers/bad.yaml:1:5: ";
        assert!(round.stderr.starts_with(expected), "{}", round.stderr);
        assert!(round.stdout.starts_with("refused: commit "), "{}", round.stdout);
    }
    let log = host.log();
    assert_eq!(log.len(), 2, "logged once: {log:#?}");
    assert!(
        log[1].starts_with("PUBLISH ERROR data refused: the data has 1 error: subscribers/bad.yaml:1:5"),
        "{log:#?}"
    );
    let status = host.status();
    assert_eq!((&status["state"], &status["failures"]), (&"refused".into(), &0.into()));
    assert_eq!(status["remote_commit"], bad);
    assert_eq!(status["targets"][0]["version"], 1);

    host.author
        .write("subscribers/bad.yaml", "ip: 10.10.10.40\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let good = host.push("good");
    host.once(0, &[]);
    assert_eq!(host.live(), three() + &line(40, 30));
    assert_eq!(host.status()["synced_commit"], good);
    assert_eq!(host.status()["error"], serde_json::Value::Null);
}

#[test]
fn a_live_file_that_was_changed_by_hand_is_restored_and_logged() {
    let host = Host::new("");
    host.once(0, &[]);
    host.write("srv/shaper.txt", &(line(1, 50) + &line(3, 30)));
    let round = host.once(0, &[]);
    assert_eq!(host.live(), three());
    let found = "the live file was changed outside shapeline: 1 line added, 2 lines removed";
    assert_eq!(round.stderr, format!("hre-1: {found}; version 1 is live again\n"));
    let log = host.log();
    assert_eq!(log[1], format!("DRIFT SUCCESS {found}"));
    assert!(log[2].starts_with("PUBLISH SUCCESS version 1 the published version was restored"), "{log:#?}");
    assert_eq!(log.len(), 3);
    assert_eq!(host.manifest()["live"]["id"], 1);

    std::fs::remove_file(host.path("srv/shaper.txt")).unwrap();
    let round = host.once(0, &[]);
    assert_eq!(host.live(), three());
    assert!(
        round.stderr.contains("the live file was removed outside shapeline; version 1 is live again"),
        "{}",
        round.stderr
    );
}

/// What is published next must not depend on an edit of the live file: emptied, nearly
/// everything would seem to be new.
#[test]
fn a_file_changed_by_hand_is_put_back_before_a_new_commit_is_judged() {
    let host = Host::new("");
    for number in 4..=20 {
        host.author.subscriber(&format!("10.10.10.{number}"), 30);
    }
    host.push("twenty");
    host.once(0, &[]);
    let before = host.live();
    host.write("srv/shaper.txt", &before.replace("30_MEG_UP_30", "50_MEG_UP_50"));
    host.author.subscriber("10.10.10.21", 30);
    host.push("one more");
    host.once(0, &[]);
    assert_eq!(host.live(), before + &line(21, 30));
    let log = host.log();
    let actions: Vec<&str> = log[1..].iter().map(|entry| entry.split(' ').next().unwrap()).collect();
    assert_eq!(actions, ["DRIFT", "PUBLISH", "PUBLISH"], "{log:#?}");
}

#[test]
fn the_same_change_by_hand_is_logged_each_time_it_is_put_right() {
    let host = Host::new("");
    host.once(0, &[]);
    for _ in 0..2 {
        host.write("srv/shaper.txt", "by hand\n");
        host.once(0, &[]);
        assert_eq!(host.live(), three());
    }
    let log = host.log();
    let actions: Vec<&str> = log.iter().map(|entry| entry.split(' ').next().unwrap()).collect();
    assert_eq!(actions, ["PUBLISH", "DRIFT", "PUBLISH", "DRIFT", "PUBLISH"], "{log:#?}");
}

#[test]
fn the_status_of_another_branch_does_not_count() {
    let host = Host::new("");
    host.once(0, &[]);
    assert!(host.status()["synced_commit"].is_string());
    host.once(2, &["--branch", "nowhere"]);
    let status = host.status();
    assert_eq!(status["branch"], "nowhere");
    assert!(status["synced_commit"].is_null() && status["last_success"].is_null(), "{status}");
}

#[test]
fn a_foreign_live_file_that_the_data_gives_stays() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author.subscriber("10.10.10.4", 50);
    host.push("second");
    host.write("srv/shaper.txt", &(three() + &line(4, 50)));
    host.once(0, &[]);
    assert_eq!(host.live(), three() + &line(4, 50));
    let log = host.log();
    assert_eq!(log.len(), 2, "nothing was put back: {log:#?}");
    assert!(log[1].contains("the live file had these bytes already"), "{log:#?}");
}

#[test]
fn a_file_is_put_back_while_the_data_is_refused() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author.write("subscribers/bad.yaml", "ip: x\n");
    host.push("bad");
    host.write("srv/shaper.txt", "");
    let round = host.once(1, &[]);
    assert_eq!(host.live(), three());
    assert!(round.stderr.contains("0 lines added, 3 lines removed; version 1 is live again"), "{}", round.stderr);
}

#[test]
fn a_file_is_put_back_while_the_settings_are_broken() {
    let host = Host::new("");
    host.once(0, &[]);
    for settings in ["targets: {oops\n", "safety: {max_changed: 10%}\n"] {
        host.author.write("shapeline.yaml", settings);
        host.push("settings");
        host.write("srv/shaper.txt", "by hand\n");
        // A process that was just started, and never saw the settings of before.
        let round = run(host.sync(&["--once"]));
        assert_ne!(round.code, 0, "{}{}", round.stdout, round.stderr);
        assert_eq!(host.live(), three(), "{settings}: {}", round.stderr);
    }
}

#[test]
fn commands_in_the_clone_use_the_commit_of_sync() {
    for bare in [false, true] {
        let host = Host::new("");
        let clone = if bare { "bare" } else { "clone" };
        host.git(&["clone", "--quiet", "--bare", "server", "bare"]);
        let once = || assert_eq!(run(host.sync_in(clone, &["--once"])).code, 0);
        let in_clone = |args: &[&str]| host.shapeline(clone, args);
        once();
        // The file moves, and what is checked out in the clone is as old as ever.
        let settings = host.author.read("shapeline.yaml").replace("shaper.txt", "new.txt");
        host.author.write("shapeline.yaml", settings);
        host.push("another file");
        once();
        host.author.subscriber("10.10.10.4", 30);
        host.push("one more");
        once();
        let drift = in_clone(&["drift"]);
        assert!(drift.code == 0 && drift.stdout.contains("no difference"), "{}{}", drift.stdout, drift.stderr);
        let back = in_clone(&["rollback", "-t", "hre-1"]);
        assert_eq!(back.code, 0, "{}{}", back.stdout, back.stderr);
        assert!(back.stderr.contains("sync runs in this clone"), "{}", back.stderr);
        assert_eq!(host.read("srv/new.txt"), three(), "the file that is live was brought back");
        let log = in_clone(&["log"]).stdout;
        assert!(log.lines().last().unwrap().contains("ROLLBACK SUCCESS"), "{log}");
        let held = run(host.sync_in(clone, &["--once"]));
        let hint = held.stderr.split("if it is meant: ").nth(1).unwrap_or_else(|| panic!("{}", held.stderr));
        let hint: Vec<&str> = hint.split_whitespace().collect();
        let anew = in_clone(&hint);
        assert_eq!(anew.code, 0, "{hint:?}: {}{}", anew.stdout, anew.stderr);
        assert_eq!(host.read("srv/new.txt"), three() + &line(4, 30));
    }
}

#[test]
fn a_repository_without_files_asks_for_a_revision() {
    let host = Host::new("");
    host.git(&["clone", "--quiet", "--bare", "server", "bare"]);
    for args in [&["check"][..], &["render"], &["publish"]] {
        let asked = host.shapeline("bare", args);
        assert!(asked.code == 2 && asked.stderr.contains("--rev"), "{args:?}: {}", asked.stderr);
    }
    assert_eq!(host.shapeline("bare", &["render", "--rev", "main"]).stdout, three());
}

#[test]
fn a_password_in_the_settings_is_not_printed() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author.write("shapeline.yaml", "targets:\n  - {name: hre-1, url: 'sftp://noc:hunter2@192.0.2.1/x'}\n");
    host.push("a password");
    let round = host.once(1, &[]);
    let expected = format!("{}{}{}", round.stdout, round.stderr, host.read("status.json"));
    assert!(expected.contains("sftp://noc:*******@192.0.2.1") && !expected.contains("hunter2"), "{expected}");
}

#[test]
fn the_status_file_is_no_link() {
    let host = Host::new("");
    std::os::unix::fs::symlink(host.write("other", "theirs"), host.path("status.json")).unwrap();
    let round = host.once(2, &[]);
    assert!(round.stderr.contains("is a symbolic link"), "{}", round.stderr);
    assert_eq!(host.read("other"), "theirs");
}

#[test]
fn a_history_that_was_rewritten_is_refused() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author.git(&["checkout", "--quiet", "--orphan", "other"]);
    host.author.subscriber("10.10.10.5", 30);
    host.author.git(&["branch", "--quiet", "-D", "main"]);
    host.author.git(&["branch", "--quiet", "-m", "main"]);
    let other = host.push("another history");
    let round = host.once(1, &[]);
    assert_eq!(host.live(), three());
    assert!(round.stderr.starts_with("hre-1: REFUSED: "), "{}", round.stderr);
    assert!(round.stderr.contains(&format!("commit {} does not follow from", &other[..12])), "{}", round.stderr);
    assert_eq!(host.status()["targets"][0]["state"], "refused");
    host.once(1, &[]);
    assert_eq!(host.log().len(), 2, "logged once: {:#?}", host.log());
}

#[test]
fn what_was_rolled_back_is_held() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author.subscriber("10.10.10.4", 50);
    host.push("second");
    host.once(0, &[]);
    let back = host.author.run(&["rollback", "--target", "hre-1", "--actor", "bob"]);
    assert_eq!(back.code, 0, "{}", back.stdout);
    let round = host.once(1, &[]);
    assert_eq!(host.live(), three());
    assert!(round.stderr.starts_with("hre-1: HELD: version 2 was rolled back at "), "{}", round.stderr);
    assert!(round.stdout.starts_with("held: "), "{}", round.stdout);
    assert_eq!((&host.status()["state"], &host.status()["targets"][0]["state"]), (&"held".into(), &"held".into()));
    // What was rolled back to is what is put back now.
    host.write("srv/shaper.txt", "");
    host.once(1, &[]);
    assert_eq!(host.live(), three());
    assert!(!host.manifest()["held"].is_null(), "{}", host.manifest());
}

#[test]
fn a_server_that_is_gone_leaves_everything_as_it_is() {
    let host = Host::new("");
    host.once(0, &[]);
    let success = host.status()["last_success"].clone();
    std::fs::rename(host.path("server"), host.path("gone")).unwrap();
    let round = host.once(2, &[]);
    assert_eq!(host.live(), three());
    let expected = "sync: FAILED, what was published stays: cannot fetch main from origin: ";
    assert!(round.stderr.starts_with(expected), "{}", round.stderr);
    let status = host.status();
    assert_eq!((&status["state"], &status["failures"]), (&"failing".into(), &1.into()));
    assert_eq!(status["last_success"], success);
    assert!(status["error"].as_str().unwrap().contains("cannot fetch"), "{status}");
    host.write("srv/shaper.txt", "");
    host.once(2, &[]);
    assert_eq!(host.live(), three(), "what was fetched before is put back all the same");
    assert_eq!(host.status()["failures"], 2);
    std::fs::rename(host.path("gone"), host.path("server")).unwrap();
    host.once(0, &[]);
    assert_eq!(host.status()["failures"], 0);
}

#[test]
fn one_target_that_fails_does_not_stop_the_others() {
    let host = Host::new("");
    let url = host.path("no/such/folder/shaper.txt");
    let settings = host.author.read("shapeline.yaml");
    host.author.write(
        "shapeline.yaml",
        settings.replace("targets:\n", &format!("targets:\n  - name: byo-1\n    url: file://{}\n", url.display())),
    );
    host.push("two targets");
    let round = host.once(2, &[]);
    assert_eq!(host.live(), three());
    assert!(round.stderr.contains("byo-1: FAILED: ") && round.stderr.contains("no/such/folder"), "{}", round.stderr);
    let states: Vec<_> = (0..2).map(|at| host.status()["targets"][at]["state"].clone()).collect();
    assert_eq!(states, ["failing", "ok"]);
    host.once(0, &["--target", "hre-1"]);
    let unknown = host.once(2, &["--target", "hre-2"]);
    assert!(unknown.stderr.contains("there is no target 'hre-2'; did you mean 'hre-1'?"), "{}", unknown.stderr);
}

#[test]
fn the_outcome_for_programs_is_the_status_file() {
    let host = Host::new("");
    let json = host.once(0, &["--format", "json"]).stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), host.status());
}

#[test]
fn what_a_subscriber_is_called_steers_no_terminal() {
    let host = Host::new("");
    host.author.write("subscribers/x\u{1b}[31m.yaml", "ip: \"10.10.10.9\\e[2J\"\n");
    host.push("steering");
    let round = host.once(1, &[]);
    assert!(round.stderr.contains("x\\u{1b}[31m.yaml"), "{}", round.stderr);
    assert!(!round.stderr.contains('\u{1b}') && !host.read("status.json").contains('\u{1b}'), "{}", round.stderr);
}

#[test]
fn health_is_read_from_the_status_file() {
    let host = Host::new("");
    let health = || run(host.sync(&["--health"]));
    let missing = health();
    assert_eq!(missing.code, 2, "{}", missing.stdout);
    assert!(missing.stderr.contains("cannot read the status"), "{}", missing.stderr);
    host.once(0, &[]);
    let fine = health();
    assert_eq!(fine.code, 0, "{}", fine.stderr);
    assert!(fine.stdout.starts_with("ok: synced "), "{}", fine.stdout);
    let text = host.read("status.json");
    let status = host.status();
    let attempt = status["last_attempt"].as_str().unwrap();
    host.write("status.json", &text.replace(attempt, "2026-01-01T00:00:00Z"));
    let stale = health();
    assert_eq!(stale.code, 2);
    assert!(stale.stdout.starts_with("stale: "), "{}", stale.stdout);
    host.write("status.json", &text.replace("\"state\": \"ok\"", "\"state\": \"refused\""));
    assert_eq!(health().code, 1);
    host.write("status.json", &text.replace("\"state\": \"ok\"", "\"state\": \"failing\""));
    assert_eq!(health().code, 2);
    host.write("status.json", &text.replace("\"version\": 1,\n  \"tool\"", "\"version\": 2,\n  \"tool\""));
    assert!(health().stderr.contains("another version"), "{}", health().stderr);
}

#[test]
fn one_domain_s_errors_do_not_stop_the_others() {
    let host = Host::new("");
    host.author.write("domains/other.example.yaml", "name: other.example\nprefixes: [10.20.0.0/24]\n");
    host.push("another domain");
    host.once(0, &[]);
    let other = "ip: 10.20.0.1\ndomain: other.example\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    host.author.write("subscribers/other.example/a.yaml", other);
    host.author.subscriber("10.99.0.1", 30);
    let bad = host.push("bad");
    let round = host.once(1, &[]);
    assert!(host.live().contains("10.20.0.1@other.example") && !host.live().contains("10.99.0.1"), "{}", host.live());
    let expected = format!("refused: commit {} is live without what is refused: 1 domain is frozen", &bad[..12]);
    assert!(round.stdout.starts_with(&expected), "{}", round.stdout);
    assert!(round.stderr.contains("sync: REFUSED in part: 1 domain is frozen"), "{}", round.stderr);
    let status = host.status();
    assert_eq!((&status["state"], &status["targets"][0]["state"]), (&"refused".into(), &"ok".into()));
    assert_eq!(status["frozen"][0]["domain"], "ispcustomer.co.zw");
    // The next round finds nothing new, and says the same.
    host.once(1, &[]);
    assert_eq!(host.log().len(), 2, "{:#?}", host.log());
    std::fs::remove_file(host.author.path().join("subscribers/ispcustomer.co.zw/10.99.0.1.yaml")).unwrap();
    host.push("corrected");
    host.once(0, &[]);
    assert_eq!(host.status()["frozen"], serde_json::json!([]));
}
