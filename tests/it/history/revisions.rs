//! Repositories of every kind, and commits that are not made by accident.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{commit, fresh, git_on, history, json};
use crate::support::{Repo, Run};

fn record(ip: &str, rate: u32) -> String {
    format!("ip: {ip}\ndomain: ispcustomer.co.zw\nplan: {rate}_MEG_UP_{rate}_MEG_DOWN\n")
}

/// Three commits that each add a subscriber.
fn three() -> Repo {
    let repo = fresh();
    for host in 1..=3 {
        repo.write(&format!("subscribers/{host}.yaml"), record(&format!("10.10.10.{host}"), 30));
        commit(&repo, &format!("0{host}-01"), "Alice", &format!("Come {host}"));
    }
    repo
}

/// `history` in another folder.
fn history_in(folder: &std::path::Path, args: &[&str]) -> Run {
    let out = Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .arg("-C")
        .arg(folder)
        .arg("history")
        .args(args)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    Run {
        code: out.status.code().unwrap(),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
    }
}

#[test]
fn without_git_or_commits_the_error_says_what_to_do() {
    let run = history(&Repo::new(), &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is not in a git repository; `git init` makes one"), "{run:?}");
    let run = history(&fresh(), &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("shapeline: there is no history: the git repository has no commit yet"), "{run:?}");
    let run = history(&three(), &["--rev", "no\u{1b}such"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("there is no commit `no\\u{1b}such`\n"), "{run:?}");
    let run = history_in(&std::env::temp_dir(), &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("holds no data repository"), "{run:?}");
}

#[test]
fn a_part_of_a_name_is_enough() {
    let repo = three();
    let record = |ip: &str, rest: &str| format!("{}{rest}", record(ip, 30));
    repo.write("subscribers/1.yaml", record("10.10.10.1", "id: acme-hq\nname: ACME, head office\n"));
    repo.write("subscribers/2.yaml", record("10.10.10.2", "name: ACME\n"));
    commit(&repo, "04-01", "Alice", "Named");
    repo.write("subscribers/1.yaml", record("10.10.10.1", "id: acme-hq\n"));
    commit(&repo, "05-01", "Alice", "Nameless");
    let head = history(&repo, &["head office"]);
    let note = "note: `head office` names `acme-hq` (ACME, head office), and no other subscriber\n";
    assert_eq!((head.code, head.stderr.as_str()), (0, note), "by a name that it had");
    assert_eq!(head.stdout, history(&repo, &["acme-hq"]).stdout);
    assert_eq!(history(&repo, &["acme"]).stdout, history(&repo, &["10.10.10.2@ispcustomer.co.zw"]).stdout);
    let several = history(&repo, &["10.10.10."]);
    assert_eq!((several.code, several.stdout.as_str()), (1, ""));
    assert!(several.stderr.starts_with("shapeline: `10.10.10.` may be any of these"), "{several:?}");
    assert!(several.stderr.contains("\n  `acme-hq`, `ACME, head office`\n"), "{several:?}");
    assert_eq!(history(&repo, &["nobody"]).code, 0);
}

#[test]
fn a_revision_is_shown_as_of_then() {
    let repo = three();
    assert_eq!(json(&repo, &["10.10.10.0/24"])["total"], 3);
    for (rev, total) in [("HEAD~1", 2), ("HEAD~2", 1)] {
        assert_eq!(json(&repo, &["10.10.10.0/24", "--rev", rev])["total"], total);
        assert_eq!(json(&repo, &["10.10.10.0/24", "--rev", rev, "--no-cache"])["total"], total);
    }
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let repo = three();
    let clone = tempfile::tempdir().unwrap();
    let clone = clone.path().join("clone");
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "-q", "--depth", "2", &url, clone.to_str().unwrap()]);
    for args in [&["10.10.10.0/24"][..], &["10.10.10.0/24"], &["10.10.10.0/24", "--no-cache"]] {
        let run = history_in(&clone, args);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stderr.starts_with("note: this clone is shallow: what was before "), "{run:?}");
        assert!(run.stderr.contains("git fetch --unshallow"), "{run:?}");
        assert_eq!(run.stdout.matches("2026-02-01T00:00:00Z  10.10.10.").count(), 2, "{run:?}");
    }
    repo.git(&["-C", clone.to_str().unwrap(), "fetch", "-q", "--unshallow"]);
    let run = history_in(&clone, &["10.10.10.0/24"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, history(&repo, &["10.10.10.0/24"]).stdout);
}

#[test]
fn a_bare_repository_has_a_history() {
    let repo = three();
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("bare.git");
    repo.git(&["clone", "-q", "--bare", repo.path().to_str().unwrap(), bare.to_str().unwrap()]);
    let run = history_in(&bare, &["10.10.10.0/24"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, history(&repo, &["10.10.10.0/24"]).stdout);
    assert!(bare.join("shapeline/history").is_file());
}

#[test]
fn work_trees_share_what_is_known() {
    let repo = three();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    repo.git(&["worktree", "add", "-q", other.to_str().unwrap(), "HEAD~1"]);
    let run = history_in(&other, &["10.10.10.0/24"]);
    assert_eq!((run.code, run.stdout.matches("\n+ ").count()), (0, 2), "{run:?}");
    assert!(repo.path().join(".git/shapeline/history").is_file());
    assert_eq!(json(&repo, &["10.10.10.0/24"])["total"], 3);
}

#[test]
fn data_in_a_folder_of_the_git_repository() {
    let repo = Repo::empty();
    repo.git(&["init", "-q", "-b", "main"]);
    repo.write("README", "not data");
    commit(&repo, "01-01", "Alice", "Before");
    for name in ["one", "two"] {
        for folder in ["plans", "domains"] {
            repo.write(&format!("net/{name}/{folder}/README.md"), "");
        }
        repo.write(&format!("net/{name}/subscribers/a.yaml"), record(&format!("10.10.{}.1", name.len()), 30));
        repo.write("subscribers/a.yaml", record("10.10.9.9", 30));
        commit(&repo, "02-01", "Alice", "Come");
    }
    let of = |name: &str| history_in(&repo.path().join("net").join(name), &["10.10.0.0/16"]);
    for _ in 0..2 {
        for name in ["one", "two"] {
            let run = of(name);
            assert_eq!((run.code, run.stderr.as_str(), run.stdout.matches("\n+ ").count()), (0, "", 1), "{run:?}");
            assert!(run.stdout.contains("in subscribers/a.yaml"), "{run:?}");
            assert!(!run.stdout.contains("10.10.9.9"), "{run:?}");
        }
    }
    assert_eq!(std::fs::read_dir(repo.path().join(".git/shapeline")).unwrap().count(), 2, "one cache each");
}

#[test]
fn hostile_names_and_messages_steer_nothing() {
    let repo = three();
    repo.write("subscribers/1.yaml", record("10.10.10.1", 50));
    let bad = "=M\u{1b}]0;x\u{7}\u{202e}cmd|' /C calc'!A0";
    git_on(&repo, "05-01", "Alice", &["add", "-A"]);
    git_on(&repo, "05-01", bad, &["commit", "-q", "-m", &format!("{bad}\r\u{1b}[2J::error::##[error]x\n\nbody")]);
    for format in ["text", "csv", "json"] {
        let run = history(&repo, &["10.10.10.1", "--format", format]);
        assert_eq!(run.code, 0, "{run:?}");
        let steers = |c: char| c != '\n' && shapeline::text::characters::is_steering(c);
        assert!(!run.stdout.contains(steers), "{run:?}");
        assert!(!run.stdout.contains("body") && !run.stdout.contains("##[error]"), "{run:?}");
    }
    let author = json(&repo, &["10.10.10.1"])["events"][0]["commit"]["author"].clone();
    assert!(author.as_str().unwrap().contains('\u{1b}'), "a program gets what is there: {author}");
    let csv = history(&repo, &["10.10.10.1", "--format", "csv"]).stdout;
    assert!(csv.lines().all(|line| !line.contains(",=") && !line.contains(",\"=")), "{csv}");
}

/// A commit of the present tree, byte for byte as given after its `tree` and `parent` lines.
fn raw_commit(repo: &Repo, rest: &str) {
    let tree = repo.git(&["write-tree"]);
    let parent = repo.git(&["rev-parse", "HEAD"]);
    let mut child = Command::new("git")
        .current_dir(repo.path())
        .args(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = format!("tree {tree}\nparent {parent}\n{rest}");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let id = String::from_utf8(out.stdout).unwrap().trim().to_owned();
    std::fs::write(repo.path().join(".git/refs/heads/main"), format!("{id}\n")).unwrap();
}

#[test]
fn impossible_dates_are_shown_somehow() {
    let repo = three();
    let odd = ["99999999999999", "-99999999999999", "99999999999999999999999999", "x", "", "-5"];
    for (number, date) in odd.iter().enumerate() {
        repo.write("subscribers/1.yaml", record("10.10.10.1", if number % 2 == 0 { 50 } else { 30 }));
        repo.git(&["add", "-A"]);
        raw_commit(&repo, &format!("author A <a@x> {date} +9999\ncommitter A <a@x> {date} +9999\n\nOdd {number}\n"));
    }
    raw_commit(&repo, "author\ncommitter\n");
    // Git's library takes no such commit for a tip.
    raw_commit(&repo, "author A <a@x> 1 +0\ncommitter A <a@x> 1 +0\n\nEnd\n");
    for args in
        [&["10.10.10.1"][..], &[], &["10.10.10.1", "--on", "2026-02-01"], &["10.10.10.1", "--from", "2026-01-01"]]
    {
        for format in ["text", "json", "csv"] {
            for cache in [&["--no-cache"][..], &[], &[]] {
                let run = history(&repo, &[args, cache, &["--format", format]].concat());
                assert_eq!(run.code, 0, "{args:?} {run:?}");
            }
        }
    }
    assert_eq!(json(&repo, &["10.10.10.1"])["total"], 7);
}

#[test]
fn where_dates_contradict_the_order_the_order_counts() {
    let repo = fresh();
    repo.write("subscribers/a.yaml", record("10.10.10.1", 30));
    commit(&repo, "02-01", "Alice", "Come");
    repo.write("subscribers/a.yaml", record("10.10.10.1", 50));
    commit(&repo, "01-01", "Bob", "Faster, by a slow clock");
    repo.write("subscribers/b.yaml", record("10.10.10.2", 30));
    commit(&repo, "03-01", "Alice", "Other");
    repo.write("subscribers/c.yaml", record("10.10.10.3", 30));
    commit(&repo, "04-01", "Alice", "More");
    let run = history(&repo, &["10.10.10.1"]);
    assert_eq!(run.stderr, "note: 1 commit has a date that contradicts the order of the commits; the order counts\n");
    let times: Vec<&str> =
        run.stdout.lines().filter(|line| line.starts_with(['~', '+'])).map(|line| &line[2..12]).collect();
    assert_eq!(times.len(), 2);
    assert!(times[0] >= times[1], "{times:?}");
    assert!(run.stdout.find("by a slow clock") < run.stdout.find("Come"), "{run:?}");
}

/// Switches of git's library are for the whole process: only `main` may set one.
#[test]
fn a_program_that_calls_the_library_keeps_the_verification_of_ids() {
    use clap::Parser as _;
    let repo = three();
    let path = |name: &str| {
        let id = repo.git(&["rev-parse", name]);
        repo.path().join(".git/objects").join(&id[..2]).join(&id[2..])
    };
    let (one, other) = (path("HEAD:subscribers/1.yaml"), path("HEAD:subscribers/2.yaml"));
    std::fs::remove_file(&one).unwrap();
    std::fs::copy(other, one).unwrap();
    let folder = repo.path().to_str().unwrap();
    let cli = shapeline::cli::Cli::parse_from(["shapeline", "-C", folder, "history", "--no-cache"]);
    let error = format!("{:#}", shapeline::commands::run(&cli).unwrap_err());
    assert!(error.contains("cannot read the blob") && error.contains("mismatch"), "{error}");
}
