//! Several files change together or not at all: after a kill, with concurrent runs and other edits.

use std::process::{Command, Stdio};

use super::command::{LIST, PATH, fine, run, with_list};
use crate::support::{Repo, left_out};

/// A subscriber that changes its address has a new file, and the old one goes.
fn two_files() -> Repo {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    repo.subscriber("10.10.10.26", 50);
    repo.subscriber("10.10.10.27", 50);
    repo
}

fn subscribers(repo: &Repo) -> Vec<(String, String)> {
    let folder = repo.path().join("subscribers/ispcustomer.co.zw");
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

const EDIT: [&str; 5] = ["subscriber", "suspend", "10.10.10.25", "10.10.10.26", "10.10.10.27"];

/// Runs the edit with something to happen at one of its steps: how it ended, and what it said.
fn ended(repo: &Repo, at_step: &str) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .current_dir(repo.path())
        .args(EDIT)
        .env("SHAPELINE_AT_STEP", at_step)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

/// Kills the program at its step `number`; whether it got that far.
fn killed(repo: &Repo, number: usize) -> bool {
    ended(repo, &format!("kill {number}")).0.is_none()
}

#[test]
fn a_killed_edit_is_all_or_nothing_after_the_next_run() {
    for with_git in [true, false] {
        let (mut undone, mut done, mut steps) = (0, 0, 0);
        for number in 1.. {
            let repo = two_files();
            if with_git {
                repo.commit("x");
            }
            let before = subscribers(&repo);
            if !killed(&repo, number) {
                assert_ne!(subscribers(&repo), before, "it was not killed, and did its job");
                break;
            }
            steps = number;
            let begun = suspended(&repo);
            let add = ["add", "10.10.10.40", "--plan", "30_MEG_UP_30_MEG_DOWN"];
            let next = run(&repo, &add);
            // A run that finds an interrupted edit completes it and does nothing else.
            let finishes = begun == 1 || begun == 2;
            assert_eq!(next.code, if finishes { 2 } else { 0 }, "step {number}: {next:?}");
            assert_eq!(next.stderr.contains("is finished now"), finishes, "step {number}: {next:?}");
            assert!(next.stderr.matches("interrupted").count() <= 1, "step {number}: {next:?}");
            if finishes {
                fine(&repo, &add);
            }
            let mut after = subscribers(&repo);
            after.retain(|(name, _)| name != "10.10.10.40.yaml");
            let changed = after.iter().filter(|(_, text)| text.contains("status: suspended")).count();
            assert!(after.len() == 3 && [0, 3].contains(&changed), "step {number}: {after:?}");
            assert!(changed == 3 || after == before, "step {number}");
            assert_eq!(changed == 3, begun > 0, "step {number}");
            (undone, done) = if changed == 0 { (undone + 1, done) } else { (undone, done + 1) };
        }
        assert!(undone >= 5 && done >= 3, "{undone} undone and {done} done of {steps}");
    }
}

/// Kills the edit after the first of its three files was put in place.
fn half_way(repo: &Repo) {
    let copy = || {
        let repo = two_files();
        repo.commit("x");
        repo
    };
    let last = (1..).take_while(|number| killed(&copy(), *number)).last().unwrap();
    assert!(killed(repo, last - 2));
    assert_eq!(suspended(repo), 1);
}

/// How many of the files say so; those beside them, not put in place yet, are not counted.
fn suspended(repo: &Repo) -> usize {
    let is_suspended = |(name, text): &&(String, String)| name.ends_with(".yaml") && text.contains("status: suspended");
    subscribers(repo).iter().filter(is_suspended).count()
}

#[test]
fn readers_of_half_an_edit_are_warned() {
    let repo = two_files();
    repo.write(".gitignore", "live.txt\n");
    repo.write(
        "shapeline.yaml",
        format!("targets: [{{name: hre-1, url: 'file://{}/live.txt'}}]\n", repo.path().display()),
    );
    repo.commit("x");
    let warning = "warning: an edit of several files was interrupted at 20";
    let reads: [&[&str]; 7] = [
        &["check"],
        &["fmt", "--check"],
        &["plan"],
        &["render"],
        &["publish", "--allow-dirty", "--dry-run"],
        &["subscriber", "list"],
        &["subscriber", "set", "10.10.10.27", "name=X", "--dry-run"],
    ];
    for args in reads {
        assert!(!repo.run(args).stderr.contains("interrupted"), "{args:?}");
    }
    half_way(&repo);
    for args in reads {
        let printed = repo.run(args).stderr;
        assert_eq!(printed.matches(warning).count(), 1, "{args:?}: {printed}");
    }
    let committed: [&[&str]; 3] =
        [&["check", "--rev", "HEAD"], &["render", "--rev", "HEAD"], &["subscriber", "list", "--rev", "HEAD"]];
    for args in committed {
        assert!(!repo.run(args).stderr.contains("interrupted"), "{args:?}: the files are not read");
    }
    assert_eq!(run(&repo, &["suspend", "10.10.10.25"]).code, 2, "finished");
    for args in reads {
        assert!(!repo.run(args).stderr.contains("interrupted"), "{args:?}");
    }
    assert_eq!(suspended(&repo), 3);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_at_work_was_not_cut_off() {
    use rustix::fs::{FlockOperation, flock};
    let repo = two_files();
    repo.commit("x");
    half_way(&repo);
    let lock = std::fs::File::open(repo.path().join(".git/shapeline/edit/lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    assert!(!repo.run(&["check"]).stderr.contains("interrupted"));
    drop(lock);
    assert!(repo.run(&["check"]).stderr.contains("interrupted"));
}

#[test]
fn an_edit_that_was_taken_back_is_forgotten() {
    let repo = two_files();
    repo.commit("x");
    half_way(&repo);
    repo.git(&["reset", "--hard"]);
    let next = run(&repo, &["set", "10.10.10.26", "name=Beta"]);
    assert_eq!(next.code, 0, "{next:?}");
    assert_eq!(next.stderr.matches("it is discarded; repeat it if it is still wanted").count(), 1, "{next:?}");
    let said = repo.git(&["status", "--porcelain"]);
    assert_eq!(said.trim(), "M subscribers/ispcustomer.co.zw/10.10.10.26.yaml", "nothing is left behind");
    assert!(!run(&repo, &["set", "10.10.10.26", "name="]).stderr.contains("interrupted"));
}

#[test]
fn an_import_that_finds_half_of_an_edit_finishes_it_and_stops() {
    let repo = two_files();
    repo.commit("x");
    let live = repo.run(&["render"]).stdout;
    half_way(&repo);
    repo.write("live.txt", live);
    let import = repo.run(&["import", "live.txt", "--from", "shaper"]);
    assert_eq!(import.code, 2, "{import:?}");
    assert!(import.stderr.contains("an edit of 3 files that was interrupted at 20"), "{import:?}");
    assert!(import.stderr.contains("is finished now: 2 of them were still unchanged."), "{import:?}");
    assert_eq!(suspended(&repo), 3);
}

#[test]
fn a_file_changed_meanwhile_is_not_overwritten_by_recovery() {
    let repo = two_files();
    repo.commit("x");
    half_way(&repo);
    let mine = "ip: 10.10.10.27\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    repo.write("subscribers/ispcustomer.co.zw/10.10.10.27.yaml", mine);
    let next = run(&repo, &["resume", "10.10.10.26"]);
    assert_eq!(next.code, 2, "{next:?}");
    assert!(next.stderr.contains("`subscribers/ispcustomer.co.zw/10.10.10.27.yaml` was changed since"), "{next:?}");
    assert_eq!(repo.read("subscribers/ispcustomer.co.zw/10.10.10.27.yaml"), mine);
    assert_eq!(subscribers(&repo).len(), 3, "nothing is left behind");
}

#[test]
fn an_interrupted_edit_concerns_its_own_data_repository_alone() {
    let mut killed = 0;
    for number in 1.. {
        let top = Repo::empty();
        for name in ["one", "two"] {
            let copied = Command::new("cp").arg("-r").arg(two_files().path()).arg(top.path().join(name)).status();
            assert!(copied.unwrap().success());
        }
        top.commit("both");
        let in_folder = |name: &str, args: &[&str], at_step: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
            command.current_dir(top.path().join(name)).args(args).env("SHAPELINE_AT_STEP", at_step);
            let out = command.stdin(Stdio::null()).output().unwrap();
            (out.status.code(), String::from_utf8(out.stderr).unwrap())
        };
        if in_folder("one", &EDIT, &format!("kill {number}")).0.is_some() {
            break;
        }
        killed += 1;
        let (code, said) = in_folder("two", &["subscriber", "set", "10.10.10.26", "name=Beta"], "");
        assert!(code == Some(0) && !said.contains("interrupted"), "step {number}: {said}");
        assert!(!in_folder("two", &["check"], "").1.contains("interrupted"), "step {number}");
    }
    assert!(killed >= 8, "{killed} steps");
}

/// What is elsewhere is none of the data.
#[test]
fn an_edit_is_not_finished_through_a_link() {
    let repo = two_files();
    repo.commit("x");
    half_way(&repo);
    let (folder, elsewhere) = (repo.path().join("subscribers/ispcustomer.co.zw"), repo.path().join("elsewhere"));
    std::fs::rename(&folder, &elsewhere).unwrap();
    std::os::unix::fs::symlink("../elsewhere", &folder).unwrap();
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(&elsewhere).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = files();
    let next = run(&repo, &["set", "10.10.10.26", "name=Beta"]);
    assert!(next.code == 2 && next.stderr.contains("is no ordinary folder"), "{next:?}");
    assert_eq!(files(), before);
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&elsewhere, &folder).unwrap();
    let next = run(&repo, &["set", "10.10.10.26", "name=Beta"]);
    assert!(next.stderr.contains("is finished now"), "{next:?}");
}

#[test]
fn a_journal_that_leads_elsewhere_is_not_believed() {
    let repo = two_files();
    repo.commit("x");
    let outside = repo.write("outside", "mine");
    let step =
        |path: &str, staged: &str| format!(r#"{{"path":"{path}","staged":{staged},"before":null,"after":null}}"#);
    for file in [
        step("../outside", "null"),
        step("subscribers/../../outside.yaml", "null"),
        step("/etc/passwd.yaml", "null"),
        step("outside", "null"),
        step("subscribers/x.yaml", r#""../../outside""#),
        "7".to_owned(),
    ] {
        let journal = format!(r#"{{"version":1,"decided":true,"files":[{file}]}}"#);
        repo.write(".git/shapeline/edit/journal.json", journal);
        let run = run(&repo, &["suspend", "10.10.10.25"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("journal.json is not what this program writes there"), "{run:?}");
        assert!(outside.exists());
    }
}

#[test]
fn two_at_once_both_do_their_job() {
    let repo = with_list();
    repo.commit("x");
    let children: Vec<_> = (40..52)
        .map(|host| {
            Command::new(env!("CARGO_BIN_EXE_shapeline"))
                .current_dir(repo.path())
                .args(["subscriber", "add", &format!("10.10.10.{host}"), "--plan", "30_MEG_UP_30_MEG_DOWN"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let text = repo.read(PATH);
    assert!((40..52).all(|host| text.contains(&format!("ip: 10.10.10.{host}\n"))), "{text}");
    assert!(text.starts_with(LIST));
    assert_eq!(repo.run(&["check"]).code, 0);
}

#[test]
fn a_failure_takes_back_what_was_done() {
    let mut failed = 0;
    for number in 1.. {
        let repo = two_files();
        repo.commit("x");
        let before = subscribers(&repo);
        let (out, _) = ended(&repo, &format!("fail {number}"));
        if out == Some(0) {
            break;
        }
        failed = number;
        assert_eq!(out, Some(2), "step {number}");
        assert_eq!(subscribers(&repo), before, "step {number}");
        let next = run(&repo, &["suspend", "10.10.10.25"]);
        assert!(next.code == 0 && !next.stderr.contains("interrupted"), "step {number}: {next:?}");
    }
    assert!(failed >= 8, "{failed} steps");
}

/// Changes the owner of a folder, which only the superuser may. Returns whether that succeeded.
#[cfg(unix)]
fn give(folder: &std::path::Path, owner: u32) -> bool {
    let sudo = || Command::new("sudo").args(["-n", "chown", &owner.to_string()]).arg(folder).status();
    std::os::unix::fs::chown(folder, Some(owner), None).is_ok() || sudo().is_ok_and(|status| status.success())
}

#[cfg(unix)]
#[test]
fn where_git_refuses_there_is_no_second_lock() {
    use std::os::unix::fs::MetadataExt;
    let repo = two_files();
    repo.commit("x");
    let owner = repo.path().metadata().unwrap().uid();
    if !give(repo.path(), owner + 1) || !give(&repo.path().join(".git"), owner + 1) {
        left_out("this user cannot give a folder to another one, and there is no sudo");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let shapeline = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        command.current_dir(repo.path()).args(args).env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        let out = command.env_remove("SUDO_UID").stdin(Stdio::null()).output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, printed) = shapeline(&EDIT);
    assert!(
        code == Some(2) && printed.contains("belongs to another user; if you trust it: git config --global"),
        "{printed}"
    );
    assert!(!repo.path().join(".shapeline").exists());
    assert_eq!(suspended(&repo), 0);
    assert_eq!(shapeline(&["check"]).0, Some(0), "reading is no edit");
}

#[cfg(unix)]
#[test]
fn modes_stay_and_links_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let repo = with_list();
    let path = repo.path().join(PATH);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).unwrap();
    fine(&repo, &["suspend", "acme-hq"]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o660);

    let elsewhere = tempfile::tempdir().unwrap();
    let repo = Repo::new();
    symlink(elsewhere.path(), repo.path().join("subscribers/ispcustomer.co.zw")).unwrap();
    symlink(elsewhere.path().join("x.yaml"), repo.path().join(PATH)).unwrap();
    let run = run(&repo, &["add", "10.10.10.40", "--plan", "30_MEG_UP_30_MEG_DOWN"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0, "nothing is written through a link");
}
