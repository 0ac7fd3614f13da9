//! Where the data is: below git's top, in the commit, and not where a proposal says.

use std::process::Command;

use super::{DAY, two_isps};
use crate::support::{Repo, Run};

#[test]
fn attributes_above_the_data_count_and_are_named_from_gits_top() {
    let repo = Repo::empty();
    let data = two_isps();
    std::fs::rename(data.path(), repo.path().join("net")).unwrap();
    std::fs::remove_dir_all(repo.path().join("net/.git")).unwrap();
    repo.write(".gitattributes", "*.yaml ident\n");
    repo.commit("a larger repository");
    for rev in [&[][..], &["--rev", "HEAD"]] {
        let args = [&["-C", "net", "check", "--format", "github"], rev].concat();
        let run = repo.run(&args);
        assert_eq!(run.code, 1);
        assert!(run.stdout.contains("file=.gitattributes,line=1,endLine=1,col=8"), "{}", run.stdout);
    }
    repo.write(".gitattributes", "*.png ident\n");
    assert_eq!(repo.run(&["-C", "net", "check"]).code, 0);
}

/// A data repository in `net`, below git's top.
fn below_the_top() -> Repo {
    let (repo, data) = (Repo::empty(), two_isps());
    std::fs::remove_dir_all(data.path().join(".git")).unwrap();
    std::fs::rename(data.path(), repo.path().join("net")).unwrap();
    repo.commit("base");
    repo
}

const STOLEN: &str = "ip: 10.1.0.77\ndomain: victim.example\nplan: GOLD\n";

#[test]
fn the_place_of_the_data_is_not_for_a_proposal_to_choose() {
    let check = |repo: &Repo, args: &[&str]| {
        let args = [args, &["check", "--rev", "HEAD", "--base", "HEAD^1", "--actor", "mallory"]].concat();
        repo.run(&args)
    };
    // A link to other data.
    let repo = below_the_top();
    repo.git(&["mv", "net", "other"]);
    std::os::unix::fs::symlink("other", repo.path().join("net")).unwrap();
    repo.write("other/subscribers/victim.example/x.yaml", STOLEN);
    repo.commit("a link");
    let run = check(&repo, &["-C", "net"]);
    assert_ne!(run.code, 0, "{run:?}");
    let plan = repo.run(&["-C", "net", "plan", "--rev", "HEAD", "--base", "HEAD^1"]);
    assert_ne!(plan.code, 0, "{plan:?}");
    let run = check(&repo, &["-C", "other"]);
    assert!(run.code == 2 && run.stderr.contains("the base has no folder `other`"), "{run:?}");
    // A folder that looks like a repository with a history of its own.
    let repo = below_the_top();
    let own = two_isps();
    own.commit("a harmless change");
    repo.git(&["clone", "-q", "--bare", own.path().to_str().unwrap(), "bare"]);
    for name in ["HEAD", "config", "objects", "refs", "packed-refs"] {
        let _ = std::fs::rename(repo.path().join("bare").join(name), repo.path().join("net").join(name));
    }
    std::fs::remove_dir_all(repo.path().join("bare")).unwrap();
    repo.write("net/refs/keep", "");
    repo.write("net/subscribers/victim.example/x.yaml", STOLEN);
    repo.commit("a repository within");
    let run = check(&repo, &["-C", "net"]);
    assert!(run.code == 1 && run.stdout.contains("`mallory` may not change subscribers"), "{run:?}");
    // Data further up, of which a folder within is not a part.
    let repo = below_the_top();
    std::fs::remove_file(repo.path().join("net/shapeline.yaml")).unwrap();
    repo.commit("no settings");
    repo.write("shapeline.yaml", "");
    repo.write("subscribers/x.yaml", STOLEN);
    repo.commit("settings further up");
    let within =
        Command::new(env!("CARGO_BIN_EXE_shapeline")).current_dir(repo.path().join("net")).arg("render").output();
    let within = within.unwrap();
    let run = Run {
        code: within.status.code().unwrap(),
        stdout: String::from_utf8(within.stdout).unwrap(),
        stderr: String::from_utf8(within.stderr).unwrap(),
    };
    assert!(run.code == 0 && run.stdout.contains("10.1.0.1 ") && !run.stdout.contains("10.1.0.77"), "{run:?}");
}

/// What lies on disk neither goes live nor keeps the commit from going live.
#[test]
fn publish_and_the_records_read_the_commit_alone() {
    let repo = two_isps();
    let settings = repo.read("shapeline.yaml");
    repo.write("shapeline.yaml", settings.replace("hre-1", "other").replace("shaper.txt", "other.txt"));
    std::fs::create_dir_all(repo.path().join("live")).unwrap();
    repo.write("subscribers/mine.example/a.yaml", "ip: 10.2.0.66\ndomain: mine.example\nplan: GOLD\n");
    let run = repo.run(&["publish", "--on", DAY]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("hre-1: 2 added"), "{}", run.stdout);
    let note = "note: the commit is read, not the files on disk; not committed: shapeline.yaml and 1 more\n";
    assert!(run.stderr.contains(note), "{}", run.stderr);
    assert!(repo.read("live/shaper.txt").contains("10.2.0.1 "));
    for args in [&["drift"][..], &["log"], &["stat"], &["rollback", "--target", "hre-1", "--to", "1"]] {
        let run = repo.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}{}", run.stdout, run.stderr);
        assert!(!repo.path().join("live/other.txt").exists());
    }
}
