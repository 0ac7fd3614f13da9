//! `--commit` and `--push`: on a branch, with the work tree and the index as they were.

use std::process::Command;

use super::command::{LIST, PATH, fine, run, with_list};
use crate::support::Repo;

const ADD: [&str; 5] = ["add", "10.10.10.40", "--plan", "30_MEG_UP_30_MEG_DOWN", "--commit"];

fn committed() -> Repo {
    let repo = with_list();
    repo.commit("The data");
    repo.git(&["config", "user.name", "Alice"]);
    repo.git(&["config", "user.email", "alice@ispcustomer.co.zw"]);
    repo
}

#[test]
fn a_branch_is_made_and_nothing_else_is_touched() {
    let repo = committed();
    // Uncommitted work in progress.
    repo.write("plans/mine.yaml", "half-way");
    repo.write("shapeline.yaml", "suspended: omit\n");
    repo.git(&["add", "shapeline.yaml"]);
    let status = repo.git(&["status", "--porcelain"]);
    let index = std::fs::read(repo.path().join(".git/index")).unwrap();
    let said = fine(&repo, &ADD);
    assert!(said.contains(" on the branch add-10.10.10.40\n"), "{said}");
    assert_eq!(std::fs::read(repo.path().join(".git/index")).unwrap(), index);
    assert_eq!(repo.git(&["status", "--porcelain"]), status);
    assert_eq!(repo.read(PATH), LIST);
    assert_eq!(repo.git(&["branch", "--show-current"]), "main");
    let printed = repo.git(&["log", "-1", "--format=%an <%ae>%n%s%n%P", "add-10.10.10.40"]);
    let parent = repo.git(&["rev-parse", "main"]);
    assert_eq!(
        printed,
        format!(
            "Alice <alice@ispcustomer.co.zw>\nAdd 10.10.10.40 to ispcustomer.co.zw with 30_MEG_UP_30_MEG_DOWN\n{parent}"
        )
    );
    assert_eq!(repo.git(&["diff", "--name-only", "main", "add-10.10.10.40"]), PATH);
    assert_eq!(repo.git(&["diff", "--numstat", "main", "add-10.10.10.40"]), format!("4\t0\t{PATH}"));
    assert!(repo.git(&["fsck", "--strict"]).is_empty());
}

#[test]
fn a_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let repo = with_list();
    std::fs::set_permissions(repo.path().join(PATH), PermissionsExt::from_mode(0o755)).unwrap();
    repo.commit("The data");
    repo.git(&["config", "user.name", "Alice"]);
    repo.git(&["config", "user.email", "alice@ispcustomer.co.zw"]);
    fine(&repo, &ADD);
    for branch in ["main", "add-10.10.10.40"] {
        assert!(repo.git(&["ls-tree", "-r", branch, PATH]).starts_with("100755 blob "), "{branch}");
    }
}

#[test]
fn a_branch_is_continued_from_its_tip() {
    let repo = committed();
    let on = ["--commit", "--branch", "isp/changes"];
    fine(&repo, &[&["add", "10.10.10.40", "--plan", "30_MEG_UP_30_MEG_DOWN"], &on[..]].concat());
    fine(&repo, &[&["set", "10.10.10.40", "name=Beta", "-m", "Beta is here"], &on[..]].concat());
    fine(&repo, &[&["remove", "acme-hq"], &on[..]].concat());
    let subjects = repo.git(&["log", "--format=%s", "main..isp/changes"]);
    assert_eq!(
        subjects,
        "Remove acme-hq\nBeta is here\nAdd 10.10.10.40 to ispcustomer.co.zw with 30_MEG_UP_30_MEG_DOWN"
    );
    assert_eq!(run(&repo, &["show", "10.10.10.40"]).code, 1, "main does not have it");
    assert!(fine(&repo, &["show", "10.10.10.40", "--rev", "isp/changes"]).contains("Beta"));
    // Without a name, each edit has a branch of its own.
    let set = ["set", "acme-hq", "name=ACME", "--commit"];
    fine(&repo, &set);
    fine(&repo, &set);
    assert_eq!(
        repo.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/change*"]),
        "change-acme-hq\nchange-acme-hq-2"
    );
}

#[test]
fn an_address_is_not_proposed_twice() {
    let repo = committed();
    let next = |more: &[&str]| {
        let add = ["add", "--next-free", "10.10.10.64/26", "--plan", "30_MEG_UP_30_MEG_DOWN", "--commit"];
        run(&repo, &[&add, more].concat())
    };
    assert_eq!(next(&["--id", "beta"]).code, 0);
    let again = next(&["--id", "gamma"]);
    assert_eq!(again.code, 1, "{again:?}");
    let why = "the branch `add-10.10.10.64` proposes that already: `--branch add-10.10.10.64` continues it";
    assert!(again.stderr.contains(why), "{again:?}");
    let third = next(&["--id", "gamma", "--branch", "add-10.10.10.64"]);
    assert!(third.stdout.starts_with("Added 10.10.10.65 "), "{third:?}");
    assert_eq!(repo.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/add*"]), "add-10.10.10.64");
    fine(&repo, &ADD);
    assert_eq!(run(&repo, &ADD).code, 1);
}

#[test]
fn what_only_makes_sense_of_a_commit_means_one() {
    let repo = committed();
    for (number, option) in [["--branch", "b"], ["--message", "Why"]].iter().enumerate() {
        let name = format!("name=X{number}");
        let said = fine(&repo, &[&["set", "acme-hq", &name], &option[..]].concat());
        assert!(said.contains("committed "), "{option:?}: {said}");
    }
    let push = run(&repo, &["set", "acme-hq", "name=Y", "--push"]);
    assert!(push.code == 2 && push.stderr.contains("there is no remote `origin`"), "{push:?}");
    assert_eq!(repo.read(PATH), LIST);
}

#[test]
fn the_last_file_of_a_folder_goes_with_it() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    repo.commit("x");
    repo.git(&["config", "user.name", "Alice"]);
    repo.git(&["config", "user.email", "a@ispcustomer.co.zw"]);
    fine(&repo, &["remove", "10.10.10.25", "--commit", "--branch", "b"]);
    let tree = repo.git(&["ls-tree", "-r", "-t", "--name-only", "b"]);
    assert!(!tree.contains("subscribers"), "{tree}");
    assert!(repo.git(&["fsck", "--strict"]).is_empty());
}

#[test]
fn what_cannot_be_a_branch_to_commit_to_is_refused() {
    let repo = committed();
    let elsewhere = tempfile::tempdir().unwrap();
    repo.git(&["worktree", "add", "-q", "-b", "elsewhere", elsewhere.path().to_str().unwrap()]);
    for (branch, why) in [
        ("main", "`main` is checked out"),
        ("elsewhere", "`elsewhere` is checked out"),
        ("--force", "is no name for a branch"),
        ("-d", "is no name for a branch"),
        ("a..b", "is no name for a branch"),
        ("a b", "is no name for a branch"),
        ("a$(id)", "is no name for a branch"),
        ("HEAD", "is no name for a branch"),
        ("x:y", "is no name for a branch"),
        ("", "is no name for a branch"),
    ] {
        let run = run(&repo, &[&ADD[..], &[&format!("--branch={branch}")]].concat());
        assert_eq!(run.code, 2, "{branch}: {run:?}");
        assert!(run.stderr.contains(why), "{branch}: {run:?}");
    }
    assert_eq!(repo.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]), "elsewhere\nmain");
}

#[test]
fn without_a_name_or_a_commit_git_says_what_to_do() {
    let repo = with_list();
    let none = run(&repo, &ADD);
    assert!(none.code == 2 && none.stderr.contains("is not in a git repository"), "{none:?}");
    repo.git(&["init", "-q", "-b", "main"]);
    let empty = run(&repo, &ADD);
    assert!(empty.code == 2 && empty.stderr.contains("commit the data once with git"), "{empty:?}");
    repo.commit("x");
    let out = Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .current_dir(repo.path())
        .arg("subscriber")
        .args(ADD)
        .env("HOME", repo.path())
        .env("XDG_CONFIG_HOME", repo.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&out.stderr);
    // The system's git settings, which libgit2 always reads, may name a user.
    assert!(out.status.success() || printed.contains("git does not know who you are"), "{printed}");
}

#[test]
fn a_data_repository_below_the_top_is_committed_where_it_is() {
    let outer = Repo::empty();
    let inner = with_list();
    let status = Command::new("cp").arg("-r").arg(inner.path()).arg(outer.path().join("data")).status().unwrap();
    assert!(status.success());
    outer.commit("x");
    outer.git(&["config", "user.name", "Alice"]);
    outer.git(&["config", "user.email", "a@ispcustomer.co.zw"]);
    let run = outer.run(&[&["-C", "data", "subscriber"], &ADD[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(outer.git(&["diff", "--name-only", "main", "add-10.10.10.40"]), format!("data/{PATH}"));
}

#[test]
fn a_branch_is_pushed_to_a_real_remote() {
    let repo = committed();
    let remote = tempfile::tempdir().unwrap();
    let url = remote.path().to_str().unwrap();
    let none = run(&repo, &[&ADD[..], &["--push"]].concat());
    assert!(none.code == 2 && none.stderr.contains("there is no remote `origin`"), "{none:?}");
    assert_eq!(repo.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]), "main", "before the commit");
    repo.git(&["init", "-q", "--bare", url]);
    repo.git(&["remote", "add", "origin", url]);
    let said = fine(&repo, &[&ADD[..], &["--push", "--branch", "isp/add"]].concat());
    assert!(said.ends_with("pushed isp/add to origin\n"), "{said}");
    let there = repo.git(&["--git-dir", url, "rev-parse", "refs/heads/isp/add"]);
    assert_eq!(there, repo.git(&["rev-parse", "isp/add"]));
    fine(&repo, &["suspend", "10.10.10.40", "--commit", "--branch", "isp/add", "--push"]);
    assert_eq!(repo.git(&["--git-dir", url, "rev-list", "--count", "isp/add"]), "3");
    // With an unreachable remote there is no prompt, and nothing is committed.
    let branches = repo.git(&["for-each-ref", "refs/heads"]);
    repo.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
    let failed = run(&repo, &["resume", "10.10.10.40", "--commit", "--branch", "isp/add", "--push"]);
    assert_eq!(failed.code, 2, "{failed:?}");
    assert!(failed.stderr.contains("git could not fetch from `origin`, so nothing was changed"), "{failed:?}");
    assert_eq!(repo.git(&["for-each-ref", "refs/heads"]), branches);
    // Without --push, the branch that origin has is continued as far as it is known.
    let offline = run(&repo, &["resume", "10.10.10.40", "--branch", "isp/add"]);
    assert_eq!(offline.code, 0, "{offline:?}");
    assert!(offline.stderr.contains("note: `origin` cannot be reached"), "{offline:?}");
}

/// A clone of a repository with the list, and the path of the remote.
fn cloned() -> (Repo, Repo, tempfile::TempDir) {
    let first = committed();
    let remote = tempfile::tempdir().unwrap();
    let url = remote.path().to_str().unwrap().to_owned();
    first.git(&["init", "-q", "--bare", "-b", "main", &url]);
    first.git(&["remote", "add", "origin", &url]);
    first.git(&["push", "-q", "-u", "origin", "main"]);
    let second = Repo::empty();
    second.git(&["clone", "-q", &url, "."]);
    second.git(&["config", "user.name", "Bob"]);
    second.git(&["config", "user.email", "bob@ispcustomer.co.zw"]);
    (first, second, remote)
}

const NEXT: [&str; 5] = ["add", "--next-free", "--plan", "30_MEG_UP_30_MEG_DOWN", "--push"];

#[test]
fn an_old_clone_gives_out_no_address_that_origin_has_given_out() {
    let (first, second, remote) = cloned();
    let url = remote.path().to_str().unwrap();
    fine(&first, &["add", "--next-free", "--plan", "30_MEG_UP_30_MEG_DOWN"]);
    first.commit("Added on main");
    first.git(&["push", "-q", "origin", "main"]);
    // Work in progress of the clone is no part of the proposal.
    second.git(&["commit", "-q", "--allow-empty", "-m", "Not pushed"]);
    let said = fine(&second, &NEXT);
    assert!(said.starts_with("Added 10.10.10.2 "), "10.10.10.1 is given out: {said}");
    let parent = second.git(&["--git-dir", url, "rev-parse", "add-10.10.10.2^"]);
    assert_eq!(parent, first.git(&["rev-parse", "main"]), "on the remote's head");
    // The other clone sees the branch that proposes the address.
    let again = run(&first, &NEXT);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("the branch `add-10.10.10.2` proposes that already"), "{again:?}");
}

#[test]
fn a_branch_of_origin_is_continued_from_its_newest_commit() {
    let (first, second, _remote) = cloned();
    let on = |number: u32| ["--branch", "isp/add", "--name", if number == 1 { "One" } else { "Two" }];
    fine(&first, &[&NEXT[..], &on(1)].concat());
    // The second clone has never seen the branch.
    let said = fine(&second, &[&NEXT[..], &on(2)].concat());
    assert!(said.starts_with("Added 10.10.10.2 "), "{said}");
    // The first is behind, and is brought up to date, without --push, too.
    let said = fine(&first, &[&NEXT[..4], &["--branch", "isp/add", "--name", "Three"]].concat());
    assert!(said.starts_with("Added 10.10.10.3 "), "{said}");
    let names = first.git(&["log", "--format=%s", "main..isp/add"]);
    assert_eq!(names.lines().count(), 3, "{names}");
    // Commits on both sides are for git to merge.
    fine(&second, &["set", "10.10.10.1", "name=Here", "--branch", "isp/add", "--push"]);
    let both = run(&first, &["set", "10.10.10.3", "name=There", "--branch", "isp/add", "--push"]);
    assert_eq!(both.code, 2, "{both:?}");
    assert!(both.stderr.contains("the branch `isp/add` has other commits here than at `origin`"), "{both:?}");
}

#[test]
fn the_next_step_is_named() {
    let (first, _second, _remote) = cloned();
    let step = |args: &[&str]| run(&first, args).stderr;
    let review = "send it to be reviewed; with --push, the command does that\n";
    assert!(step(&["set", "acme-hq", "name=A"]).ends_with(review));
    let committed = step(&["set", "acme-hq", "name=B", "--commit"]);
    assert_eq!(committed, "next: `git push origin change-acme-hq` sends it to be reviewed\n");
    let pushed = step(&["set", "acme-hq", "name=C", "--push"]);
    assert!(pushed.starts_with("next: open a pull request for `change-acme-hq-2`"), "{pushed}");
    // Without git there is nobody to send it to.
    assert_eq!(run(&with_list(), &["set", "acme-hq", "name=A"]).stderr, "");
}

#[test]
fn owners_of_the_domain_are_named() {
    let repo = with_list();
    let domain = "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 11.11.11.0/24]\n";
    repo.write("domains/ispcustomer.co.zw.yaml", format!("{domain}owners: [bob, '@ispcustomer/noc']\n"));
    repo.commit("Owned");
    let note = "note: `ispcustomer.co.zw` is owned by `bob`, `@ispcustomer/noc`: the proposal will be refused unless";
    let edit = |name: &str| {
        repo.git(&["config", "user.name", "Alice"]);
        repo.git(&["config", "user.email", name]);
        run(&repo, &["set", "acme-hq", &format!("name={name}")]).stderr
    };
    assert!(edit("alice@ispcustomer.co.zw").starts_with(note));
    assert!(!edit("bob@ispcustomer.co.zw").contains("is owned by"));
    repo.write("shapeline.yaml", "admins: [alice]\n");
    assert!(!edit("alice@ispcustomer.co.zw").contains("is owned by"));
}

#[test]
fn a_push_that_origin_refuses_leaves_the_commit() {
    let (first, _second, remote) = cloned();
    let hook = remote.path().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, executable).unwrap();
    let failed = run(&first, &NEXT);
    assert_eq!(failed.code, 2, "{failed:?}");
    let why = "is committed here, and git could not push it; `git push origin add-10.10.10.1` tries again";
    assert!(failed.stderr.contains(why), "{failed:?}");
    assert_eq!(first.git(&["rev-list", "--count", "main..add-10.10.10.1"]), "1");
}
