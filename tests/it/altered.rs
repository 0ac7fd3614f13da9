//! What git checks out may differ from what is committed.

mod clones;
mod place;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Repo, Run};

const DAY: &str = "2026-11-21";

/// Two ISPs. `alice` owns the victim's data, `mallory` her own.
fn two_isps() -> Repo {
    let repo = Repo::empty();
    repo.write("plans/GOLD.yaml", "name: GOLD\nup: 100 Mbps\ndown: 100 Mbps\n");
    repo.write("plans/SLOW.yaml", "name: SLOW\nup: 1 Mbps\ndown: 1 Mbps\n");
    repo.write("domains/victim.example.yaml", "name: victim.example\nprefixes: [10.1.0.0/24]\nowners: [alice]\n");
    repo.write("domains/mine.example.yaml", "name: mine.example\nprefixes: [10.2.0.0/24]\nowners: [mallory]\n");
    repo.write("subscribers/victim.example/a.yaml", "ip: 10.1.0.1\ndomain: victim.example\nplan: GOLD\n");
    repo.write("subscribers/mine.example/a.yaml", "ip: 10.2.0.1\ndomain: mine.example\nplan: SLOW\n");
    let live = repo.path().join("live/shaper.txt");
    let target = format!("targets: [{{name: hre-1, url: 'file://{}'}}]\n", live.display());
    repo.write("shapeline.yaml", format!("admins: [carol]\n{target}"));
    repo.write(".gitignore", "/live\n");
    repo.commit("two ISPs");
    repo
}

/// Git expands `$Id: …$` to one short text, and with it swallows the victim's record.
const IDENT: &str = concat!(
    r#"[{"ip":"10.2.0.77","domain":"mine.example","plan":"SLOW","name":"$Id: x"},"#,
    r#"{"ip":"10.1.0.77","domain":"victim.example","plan":"SLOW","name":"y$"}]"#,
    "\n"
);

/// The typographic quotes become plain ones, and end the string early, where git transliterates.
const QUOTES: &str = concat!(
    r#"{"ip":"10.2.0.77","domain":"mine.example","plan":"SLOW","#,
    "\"name\":\"a\u{201d},\u{201c}id\u{201d}:\u{201c}b\"}\n"
);

/// Commits files with just these bytes, whatever attributes say.
fn commit_blobs(repo: &Repo, blobs: &[(&str, &str)]) {
    let scratch = repo.path().join("live");
    std::fs::create_dir_all(&scratch).unwrap();
    for (path, bytes) in blobs {
        std::fs::write(scratch.join("blob"), bytes).unwrap();
        let id = repo.git(&["hash-object", "-w", "--no-filters", "live/blob"]);
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")]);
    }
    repo.git(&["commit", "-q", "-m", "a proposal"]);
}

/// A clone of `repo`, with a filter as a user may have set one up.
fn clone(repo: &Repo, to: &Path, options: &[&str]) -> PathBuf {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    git.args(["clone", "-q", "-c", "filter.other.smudge=sed s/10.2.0/10.2.99/", "-c", "filter.other.clean=cat"]);
    let out = git.args(options).arg(repo.path()).arg(to).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    to.to_path_buf()
}

fn run(dir: &Path, args: &[&str]) -> Run {
    let mut shapeline = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    shapeline.arg("-C").arg(dir).args(args).env("NO_COLOR", "1").stdin(Stdio::null());
    let out = shapeline.env_remove("GITHUB_ACTIONS").output().unwrap();
    Run {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
    }
}

#[test]
fn a_record_that_git_hides_on_disk_is_found_in_the_commit() {
    let repo = two_isps();
    commit_blobs(&repo, &[("subscribers/.gitattributes", "zz.yaml ident\n"), ("subscribers/zz.yaml", IDENT)]);
    let to = tempfile::tempdir().unwrap();
    let clone = clone(&repo, &to.path().join("clone"), &[]);
    let on_disk = std::fs::read_to_string(clone.join("subscribers/zz.yaml")).unwrap();
    assert!(!on_disk.contains("victim"), "git did not alter the file: {on_disk}");

    let proposal = ["--base", "HEAD^1", "--actor", "mallory"];
    let commit = run(&clone, &[&["check", "--rev", "HEAD"], &proposal[..]].concat());
    assert_eq!(commit.code, 1);
    assert!(commit.stdout.contains("`mallory` may not change subscribers of `victim.example`"), "{}", commit.stdout);
    assert!(commit.stdout.contains("[git-attributes]"), "{}", commit.stdout);
    let disk = run(&clone, &[&["check"], &proposal[..]].concat());
    assert_eq!(disk.code, 1);
    for expected in [
        "error[git-attributes]: git attributes are not allowed within the data folders",
        "--> subscribers/.gitattributes",
        "the file on disk differs from the commit: git alters it by the attribute `ident`",
        "--> subscribers/zz.yaml",
    ] {
        assert!(disk.stdout.contains(expected), "{expected}: {}", disk.stdout);
    }
    for args in [&["plan", "--base", "HEAD^1"][..], &["render"], &["subscriber", "list"]] {
        let run = run(&clone, args);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{args:?}: {}", run.stderr);
    }
}

/// Attributes that the commit does not hold, and marks in the index, alter files as well.
#[test]
fn what_the_users_own_git_alters_is_refused() {
    let alter = |prepare: &dyn Fn(&Repo)| {
        let repo = two_isps();
        repo.write("subscribers/mine.example/b.yaml", "ip: 10.2.0.2\ndomain: mine.example\nplan: SLOW\n");
        repo.commit("one more");
        assert_eq!(repo.run(&["check"]).code, 0);
        prepare(&repo);
        let run = repo.run(&["check"]);
        assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("--> subscribers/mine.example/b.yaml"), "{}", run.stdout);
        let commit = repo.run(&["check", "--rev", "HEAD"]);
        assert_eq!(commit.code, 0, "the commit is fine: {}", commit.stdout);
        run.stdout
    };
    let path = "subscribers/mine.example/b.yaml";
    let filtered = alter(&|repo| {
        repo.git(&["config", "filter.other.smudge", "sed s/10.2.0/10.2.99/"]);
        repo.git(&["config", "filter.other.clean", "sed s/10.2.99/10.2.0/"]);
        std::fs::create_dir_all(repo.path().join(".git/info")).unwrap();
        repo.write(".git/info/attributes", "b.yaml filter=other\n");
        std::fs::remove_file(repo.path().join(path)).unwrap();
        repo.git(&["checkout", "--", path]);
        assert!(repo.read(path).contains("10.2.99.2"));
    });
    assert!(filtered.contains("git alters it by the attribute `filter=other`"), "{filtered}");
    let assumed = alter(&|repo| {
        repo.git(&["update-index", "--assume-unchanged", path]);
        repo.write(path, "ip: 10.2.0.3\ndomain: mine.example\nplan: SLOW\n");
    });
    assert!(assumed.contains("git assumes that the file is unchanged"), "{assumed}");
    let sparse = alter(&|repo| {
        repo.git(&["sparse-checkout", "set", "--no-cone", "/*", "!b.yaml"]);
        assert!(!repo.path().join(path).exists());
    });
    assert!(sparse.contains("a sparse checkout leaves it out"), "{sparse}");
}

#[test]
fn edits_and_line_ends_are_no_alterations() {
    let repo = two_isps();
    repo.write(".gitattributes", "* text=auto eol=crlf\n*.png filter=lfs\n");
    repo.commit("line ends");
    let to = tempfile::tempdir().unwrap();
    let clone = clone(&repo, &to.path().join("clone"), &[]);
    std::fs::create_dir_all(clone.join(".git/info")).unwrap();
    // Makes every file be compared, and alters none of them.
    std::fs::write(clone.join(".git/info/attributes"), "nothing*.yaml ident\n").unwrap();
    let path = clone.join("subscribers/mine.example/a.yaml");
    assert!(std::fs::read_to_string(&path).unwrap().contains("\r\n"));
    assert_eq!(run(&clone, &["check"]).code, 0);
    std::fs::write(&path, "ip: 10.2.0.9\ndomain: mine.example\nplan: SLOW\n").unwrap();
    let run = run(&clone, &["render"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("10.2.0.9"));
}

#[test]
fn links_and_repositories_within_are_known_by_the_commit() {
    let repo = two_isps();
    let head = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},subscribers/more")]);
    repo.git(&["commit", "-q", "-m", "a repository within"]);
    let to = tempfile::tempdir().unwrap();
    let within = clone(&repo, &to.path().join("within"), &[]);
    std::fs::write(within.join("subscribers/more/x.yaml"), "ip: 10.2.0.5\n").unwrap();
    for args in [&["check"][..], &["check", "--rev", "HEAD"]] {
        let run = run(&within, args);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stdout.contains("this folder is a git repository of its own"), "{}", run.stdout);
    }
    let repo = two_isps();
    std::fs::write(repo.path().join("live-blob"), "../a.yaml").unwrap();
    let id = repo.git(&["hash-object", "-w", "live-blob"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{id},subscribers/link.yaml")]);
    repo.git(&["commit", "-q", "-m", "a link"]);
    let plain = clone(&repo, &to.path().join("plain"), &["-c", "core.symlinks=false"]);
    assert!(plain.join("subscribers/link.yaml").is_file());
    let run = run(&plain, &["check"]);
    assert!(run.code == 1 && run.stdout.contains("this is a symbolic link"), "{}", run.stdout);
}

#[test]
fn only_admins_change_what_steers_git() {
    for (path, text) in
        [(".gitattributes", "*.yaml -diff\n"), (".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ./x\n")]
    {
        let repo = two_isps();
        commit_blobs(&repo, &[(path, text)]);
        let check = |actor| repo.run(&["check", "--rev", "HEAD", "--base", "HEAD^1", "--actor", actor]);
        let run = check("mallory");
        assert_eq!(run.code, 1);
        assert!(
            run.stdout.contains(&format!("`mallory` may not change the git configuration `{path}`")),
            "{}",
            run.stdout
        );
        assert_eq!(check("carol").code, 0);
    }
}

#[test]
fn what_is_small_in_git_and_large_in_a_listing_is_refused() {
    let repo = two_isps();
    let mktree = |entries: String| {
        let list = repo.write("live/list", entries);
        let script = format!("git mktree < {}", list.display());
        let out = Command::new("sh").current_dir(repo.path()).args(["-c", &script]).output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    repo.write("live/readme", "x");
    let leaf = repo.git(&["hash-object", "-w", "live/readme"]);
    let names = 0..50;
    let mut tree = mktree(names.clone().map(|name| format!("100644 blob {leaf}\tREADME{name}\n")).collect());
    for _ in 0..3 {
        tree = mktree(names.clone().map(|name| format!("040000 tree {tree}\t{name:02}\n")).collect());
    }
    let plans = repo.git(&["rev-parse", "HEAD:plans"]);
    let top = mktree(format!("040000 tree {plans}\tplans\n040000 tree {tree}\tsubscribers\n"));
    let commit = repo.git(&["commit-tree", "-m", "fifty to the fourth", &top]);
    let run = repo.run(&["check", "--rev", &commit]);
    assert!(run.code == 2 && run.stderr.contains("more than 2000000 files and folders"), "{run:?}");
    let repo = two_isps();
    repo.write("live/long", "x".repeat(1 << 20));
    let long = repo.git(&["hash-object", "-w", "live/long"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{long},subscribers/long.yaml")]);
    repo.git(&["commit", "-q", "-m", "a link of a mebibyte"]);
    let run = repo.run(&["check", "--rev", "HEAD"]);
    assert!(run.code == 1 && run.stdout.contains("a target longer than any path"), "{run:?}");
}

/// A filter may have put it there, with the time of the file that it took.
#[test]
fn a_file_that_gits_index_takes_for_the_committed_one_is_compared() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    let path = "subscribers/ispcustomer.co.zw/10.10.10.25.yaml";
    let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    let dated = || std::fs::File::options().append(true).open(repo.path().join(path)).unwrap().set_modified(past);
    dated().unwrap();
    repo.write(".gitattributes", "zz.yaml ident\n");
    repo.commit("x");
    repo.write(path, repo.read(path).replace("ip: 10.10.10.25", "ip: 10.10.10.26"));
    dated().unwrap();
    let run = repo.run(&["check"]);
    assert!(run.code == 1 && run.stdout.contains("git's index considers it unchanged"), "{run:?}");
}
