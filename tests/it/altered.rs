//! What git checks out may differ from what is committed. A clone gives the same answers as its bare
//! repository, or refuses.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;

use crate::support::{Repo, Run};
use crate::yaml_properties::cases;

#[path = "laws/checkout.rs"]
mod checkout;

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

/// Attribute files by path and text: each attribute by each kind of pattern at each place.
fn hostile() -> Vec<(String, String)> {
    let places = ["", "subscribers/", "subscribers/mine.example/", "domains/", "plans/", "templates/"];
    let attributes = [
        "ident",
        "filter=other",
        "working-tree-encoding=ASCII//TRANSLIT",
        "working-tree-encoding=UTF-16LE-BOM",
        "working-tree-encoding=ISO646-GB",
        "text eol=crlf",
        "-diff -merge",
        "export-ignore export-subst",
    ];
    let mut files = Vec::new();
    for place in places {
        for attribute in attributes {
            for pattern in ["*", "zz.yaml"] {
                files.push((format!("{place}.gitattributes"), format!("{pattern} {attribute}\n")));
            }
        }
    }
    files.extend(
        [
            "[attr]quiet ident\nzz.yaml quiet\n",
            "\"zz.yaml\" ident\n",
            "\u{feff}*.yaml ident\n",
            "# a comment\r*.yaml ident\n",
            "**/zz.yaml ident\n",
            "\t zz.yaml\tident\r\n",
            "subscribers/** ident\nsubscribers/mine.example/** -ident\n",
            "shapeline.yaml ident working-tree-encoding=ISO646-GB\n",
        ]
        .map(|text| (".gitattributes".to_owned(), text.to_owned())),
    );
    files.push(("subscribers/.GITATTRIBUTES".to_owned(), "* ident\n".to_owned()));
    files
}

/// The commands, each with what makes it read the commit in a repository without files; without, it
/// works on files alone.
const COMMANDS: [(&[&str], Option<&[&str]>); 12] = [
    (&["check", "--on", DAY, "--format", "json", "--base", "HEAD^1", "--actor", "mallory"], Some(&["--rev", "HEAD"])),
    (&["render", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["plan", "--on", DAY, "--base", "HEAD^1"], Some(&["--rev", "HEAD"])),
    (&["publish", "--dry-run", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["drift", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["log"], Some(&[])),
    (&["stat"], Some(&[])),
    (&["history", "--format", "csv"], Some(&[])),
    (&["subscriber", "list", "--format", "json", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["subscriber", "show", "10.2.0.77", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["subscriber", "set", "10.2.0.1", "plan=GOLD", "--dry-run"], None),
    (&["import", "live.txt", "--dry-run"], None),
];

#[test]
fn a_clone_answers_as_its_bare_repository_does_or_refuses() {
    let files = hostile();
    assert!(files.len() > 100);
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((path, text)) = files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    agrees(path, text);
                }
            });
        }
    });
}

fn agrees(attributes: &str, text: &str) {
    let repo = two_isps();
    let payload = if text.contains("TRANSLIT") { QUOTES } else { IDENT };
    commit_blobs(&repo, &[(attributes, text), ("subscribers/mine.example/zz.yaml", payload)]);
    let to = tempfile::tempdir().unwrap();
    let work = clone(&repo, &to.path().join("work"), &[]);
    let bare = clone(&repo, &to.path().join("bare.git"), &["--bare"]);
    let import = to.path().join("live.txt");
    std::fs::write(&import, "10.2.0.1 10.2.0.1@mine.example :=set_attribute GOLD\n").unwrap();
    let files = ["subscribers/mine.example/zz.yaml", "subscribers/mine.example/a.yaml", "shapeline.yaml"];
    let is_altered = files.iter().any(|file| {
        let blob = repo.git(&["cat-file", "-p", &format!("HEAD:{file}")]);
        std::fs::read(work.join(file))
            .map_or(true, |bytes| String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim() != blob.trim())
    });
    for (args, of_commit) in COMMANDS {
        let args: Vec<&str> =
            args.iter().map(|arg| if *arg == "live.txt" { import.to_str().unwrap() } else { arg }).collect();
        let at_desk = run(&work, &args);
        let case = format!("{attributes} {text:?}: {args:?}: {}{}", at_desk.stdout, at_desk.stderr);
        let Some(of_commit) = of_commit else {
            assert!(!is_altered || at_desk.code == 1, "{case}");
            continue;
        };
        let bare = run(&bare, &[&args[..], of_commit].concat());
        assert!(bare.code != 2 || at_desk.code == 2, "the commit can be read: {case}{}", bare.stderr);
        let agree = at_desk.code == bare.code && at_desk.stdout == bare.stdout;
        // The finding of the altered file comes on top.
        assert!(agree || at_desk.code == 1, "{case}: {}{}", bare.stdout, bare.stderr);
        let from_work = run(&work, &[&args[..], of_commit].concat());
        assert_eq!((from_work.code, &from_work.stdout), (bare.code, &bare.stdout), "by its commit, {case}");
    }
}

/// Lines of words that git knows, in any order, with what its several readers might read differently.
fn attributes() -> impl Strategy<Value = String> {
    let pattern = prop::sample::select(vec![
        "*",
        "*.yaml",
        "zz.yaml",
        "/subscribers/zz.yaml",
        "subscribers/**",
        "\"zz.yaml\"",
        "*.y?ml",
        "*.png",
        "[attr]own",
        "#",
        "z*",
    ]);
    let word = prop::sample::select(vec![
        "ident",
        "-ident",
        "!ident",
        "own",
        "filter=other",
        "text",
        "-text",
        "eol=crlf",
        "working-tree-encoding=UTF-16LE-BOM",
        "working-tree-encoding=latin-1",
        "diff",
        "binary",
    ]);
    let blank = prop::sample::select(vec![" ", "\t", "  ", " \r", "\u{b}", "\u{c}", "\0"]);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r", "", " \n"]);
    let line = (pattern, prop::collection::vec((blank, word), 0..3), end).prop_map(|(pattern, words, end)| {
        let words: String = words.into_iter().map(|(blank, word)| format!("{blank}{word}")).collect();
        format!("{pattern}{words}{end}")
    });
    prop::collection::vec(line, 0..3).prop_map(|lines| lines.concat())
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

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn git_checks_out_what_is_committed_or_is_refused(
        top in attributes(),
        below in prop_oneof![4 => Just(String::new()), 1 => attributes()],
        data in prop::sample::select(vec!["name: \"$Id: a$ b\"\n", "name: $Id$\n", "a\r\nb\n\r\n", "name: \u{fc}a\n"]),
    ) {
        checkout::agrees_or_is_refused(top.as_bytes(), below.as_bytes(), data.as_bytes());
    }
}
