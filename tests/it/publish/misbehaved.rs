//! Misbehaving check and reload commands, and readers that close the output.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Site, line};

/// A check command in shell.
fn checked_by(script: &str) -> Site {
    Site::new(1, &format!("timeout: 1\ncheck: [sh, -c, \"{script}\"]"))
}

#[test]
fn a_check_command_that_fails_refuses_and_is_logged() {
    let bad = [
        ("sleep 1000", "no answer in 1 s"),
        ("trap '' TERM; sleep 1000 & wait; wait", "no answer in 1 s"),
        ("kill -9 $$", "signal 9"),
        ("echo no good >&2; exit 3", "exit 3: no good"),
        ("yes | head -c 5000000; echo the end; exit 1", "exit 1: the end"),
        ("printf '\\\\377\\\\000\\\\033[31m'; exit 1", "exit 1"),
    ];
    for (script, expected) in bad {
        let site = checked_by(script);
        let began = Instant::now();
        let run = site.publish(1, &[]);
        assert!(began.elapsed() < Duration::from_secs(60), "{script}");
        assert!(run.stdout.contains("the check command refuses the new file"), "{script}: {}", run.stdout);
        assert!(run.stdout.contains(expected), "{script}: {}", run.stdout);
        assert!(!run.stdout.contains('\u{1b}') && run.stdout.len() < 3000, "{script}: {}", run.stdout);
        assert!(!site.live_path().exists(), "{script}");
        assert_eq!(site.log().len(), 1, "{script}");
        assert!(std::fs::metadata(site.record_path("log/00000001")).unwrap().len() < 20_000, "{script}");
        site.settings("", "");
        site.repo.commit("without it");
        site.publish(0, &[]);
        assert_eq!(site.live(), line(1, 30), "{script}");
    }
}

#[test]
fn a_secret_that_a_command_prints_is_neither_shown_nor_logged() {
    let site = checked_by("echo denied: $SHAPER_TOKEN; exit 1");
    let mut publish = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"));
    publish.current_dir(site.repo.path()).arg("publish").env("SHAPER_TOKEN", "s3cret-s3cret");
    let out = publish.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains("denied: [SHAPER_TOKEN]"), "{said}");
    let log = std::fs::read_to_string(site.record_path("log/00000001")).unwrap();
    assert!(log.contains("[SHAPER_TOKEN]") && !(log + &said).contains("s3cret"), "{said}");
}

#[test]
fn what_a_check_command_leaves_running_blocks_nothing() {
    let site = checked_by("setsid sleep 20 &");
    let began = Instant::now();
    site.publish(0, &[]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn a_missing_check_command_is_reported() {
    let site = Site::new(1, "check: [no-such-program, '{file}']");
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("cannot run 'no-such-program'"), "{}", run.stdout);
    assert!(!site.live_path().exists());
    let log = site.log();
    assert!(log[0].starts_with("PUBLISH ERROR version 1 the check command: cannot run `no-such-program`"), "{log:?}");
    site.settings("", "");
    site.repo.commit("without it");
    site.publish(0, &[]);
}

#[test]
fn a_reload_that_fails_twice_is_said_loudly_and_the_next_one_works() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    let first = site.live();
    for (reload, expected) in [
        ("['false']", "THE SHAPER DID NOT RELOAD IT: 'false' ended with exit 1"),
        ("[no-such-program]", "THE SHAPER DID NOT RELOAD IT: cannot run 'no-such-program'"),
        ("[sleep, '1000']\ntimeout: 1", "THE SHAPER DID NOT RELOAD IT: 'sleep 1000' ended with no answer in 1 s"),
    ] {
        site.settings(&format!("reload: {reload}"), "");
        site.repo.subscriber("10.10.10.2", 30);
        site.repo.commit("second");
        let run = site.publish(2, &[]);
        assert!(run.stdout.contains("version 1 is live again"), "{}", run.stdout);
        assert!(run.stdout.contains(expected), "{}", run.stdout);
        assert_eq!(site.live(), first);
        assert!(site.log().last().unwrap().contains("THE SHAPER DID NOT RELOAD IT"));
    }
    site.settings("reload: ['true']", "");
    site.repo.commit("mended");
    site.publish(0, &[]);
    assert_eq!(site.live().lines().count(), 2);
}

#[test]
fn what_a_failed_reload_put_in_place_is_not_overwritten() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    let live = site.live_path();
    site.settings(&format!("reload: [sh, -c, 'echo mine > \"{}\"; exit 1']", live.display()), "");
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("meanwhile the live file was changed outside shapeline"), "{}", run.stdout);
    assert_eq!(site.live(), "mine\n");
    assert!(!site.is_pending());
}

/// Runs with closed readers of its output; returns the exit code.
fn unread(site: &Site, args: &[&str], stderr_too: bool) -> i32 {
    let (reader, nobody_reads) = std::io::pipe().unwrap();
    drop(reader);
    let stderr = if stderr_too { Stdio::from(nobody_reads.try_clone().unwrap()) } else { Stdio::piped() };
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command.current_dir(site.repo.path()).args(args).stdin(Stdio::null()).stdout(nobody_reads).stderr(stderr);
    let run = super::ground::run(command.spawn().unwrap());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run.code
}

#[test]
fn how_it_ended_does_not_depend_on_who_reads_of_it() {
    for stderr_too in [false, true] {
        for format in ["text", "json"] {
            let publish = ["publish", "--format", format];
            let site = Site::new(1, "");
            assert_eq!(unread(&site, &publish, stderr_too), 0);
            assert_eq!(site.live(), line(1, 30));
            site.settings("check: ['false']", "");
            site.repo.subscriber("10.10.10.2", 30);
            site.repo.commit("refused by the check");
            assert_eq!(unread(&site, &publish, stderr_too), 1);
            site.repo.subscriber("10.10.10.400", 30);
            site.repo.commit("refused by the rules");
            assert_eq!(unread(&site, &publish, stderr_too), 1);
            assert_eq!(unread(&site, &["rollback", "-t", "hre-1", "--to", "7", "--format", format], stderr_too), 1);
            assert_eq!(site.log().len(), 4, "and it is logged");
            std::fs::write(site.record_path("manifest.json"), "{").unwrap();
            assert_eq!(unread(&site, &["rollback", "-t", "hre-1", "--format", format], stderr_too), 2);
        }
    }
}
