//! Fetching: which clones are accepted, and what is never printed.

use super::{Host, line, run, three};

#[test]
fn a_bare_clone_will_do() {
    let host = Host::new("");
    host.git(&["clone", "--quiet", "--bare", "server", "bare"]);
    host.git(&["clone", "--quiet", "--mirror", "server", "mirror"]);
    host.author.subscriber("10.10.10.4", 30);
    host.push("second");
    for clone in ["bare", "mirror"] {
        let first = host.git(&["-C", clone, "rev-parse", "refs/heads/main"]);
        let round = run(host.sync_in(clone, &["--once"]));
        assert_eq!(round.code, 0, "{}", round.stderr);
        assert_eq!(host.live(), three() + &line(4, 30));
        assert_eq!(host.git(&["-C", clone, "rev-parse", "refs/heads/main"]), first, "no branch of its own moves");
    }
}

#[test]
fn a_shallow_clone_is_deepened() {
    let host = Host::new("");
    host.once(0, &[]);
    host.author.subscriber("10.10.10.4", 30);
    host.push("second");
    let url = format!("file://{}", host.path("server").display());
    host.git(&["clone", "--quiet", "--depth=1", &url, "shallow"]);
    host.author.subscriber("10.10.10.5", 30);
    host.push("third");
    let round = run(host.sync_in("shallow", &["--once"]));
    assert_eq!(round.code, 0, "{}", round.stderr);
    assert_eq!(host.live(), three() + &line(4, 30) + &line(5, 30));

    // The server's own history is cut: the order of commits cannot be determined.
    std::fs::rename(host.path("server"), host.path("whole")).unwrap();
    let whole = format!("file://{}", host.path("whole").display());
    host.git(&["clone", "--quiet", "--bare", "--depth=1", &whole, "server"]);
    host.git(&["clone", "--quiet", "--depth=1", &url, "cut"]);
    let round = run(host.sync_in("cut", &["--once"]));
    assert_eq!(round.code, 2, "{}", round.stderr);
    assert!(round.stderr.contains("is a shallow clone"), "{}", round.stderr);
}

#[test]
fn a_password_in_the_url_is_never_printed() {
    let host = Host::new("");
    host.once(0, &[]);
    // Nothing listens there.
    host.git(&["-C", "clone", "remote", "set-url", "origin", "http://alice:s3cret@127.0.0.1:9/isp.git"]);
    let mut sync = host.sync(&["--once"]);
    // git itself omits the password, but not in a trace.
    sync.env("GIT_TRACE", "1");
    let round = run(sync);
    assert_eq!(round.code, 2, "{}", round.stderr);
    assert!(
        round.stderr.contains("cannot fetch main from origin") && round.stderr.contains("127.0.0.1"),
        "{}",
        round.stderr
    );
    for text in [&round.stderr, &round.stdout, &host.read("status.json")] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert!(round.stderr.contains("***@127.0.0.1"), "{}", round.stderr);
    assert_eq!(host.live(), three());
}

#[test]
fn only_what_is_asked_for_is_fetched() {
    let host = Host::new("");
    let first = host.author.git(&["rev-parse", "HEAD"]);
    host.author.git(&["tag", "v1"]);
    host.git(&["-C", "clone", "config", "remote.origin.fetch", "+refs/*:refs/*"]);
    host.git(&["-C", "clone", "config", "remote.origin.tagOpt", "--tags"]);
    host.author.subscriber("10.10.10.4", 30);
    let second = host.push("second");
    let replace = format!("HEAD:refs/replace/{first}");
    host.author.git(&["push", "--quiet", "origin", "v1", &replace, "HEAD:refs/heads/other"]);
    host.once(0, &[]);
    let refs = host.git(&["-C", "clone", "for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main\nrefs/remotes/origin/HEAD\nrefs/remotes/origin/main\nrefs/shapeline/synced");
    assert_eq!(host.git(&["-C", "clone", "rev-parse", "origin/main"]), second);
}

#[test]
fn the_environment_names_no_other_repository() {
    let host = Host::new("");
    host.git(&["init", "--quiet", "elsewhere"]);
    let mut sync = host.sync(&["--once"]);
    sync.env("GIT_DIR", host.path("elsewhere/.git")).env("GIT_WORK_TREE", host.path("elsewhere"));
    let round = run(sync);
    assert_eq!(round.code, 0, "{}", round.stderr);
    assert_eq!(host.live(), three());
}

#[test]
fn a_remote_may_be_a_path_from_the_clone() {
    let host = Host::new("");
    host.git(&["-C", "clone", "remote", "set-url", "origin", "../server"]);
    host.once(0, &[]);
    assert_eq!(host.live(), three());
}

/// Otherwise the clone would grow by a file or more with each push.
#[test]
fn what_piles_up_is_packed_before_it_ends() {
    let host = Host::new("");
    for (name, value) in [("fetch.unpackLimit", "1"), ("gc.auto", "1"), ("gc.autoPackLimit", "1")] {
        host.git(&["-C", "clone", "config", name, value]);
    }
    for number in 4..=6 {
        host.author.subscriber(&format!("10.10.10.{number}"), 30);
        host.push("one more");
        host.once(0, &[]);
    }
    let count = host.git(&["-C", "clone", "count-objects", "-v"]);
    assert!(count.starts_with("count: 0\n") && count.contains("\npacks: 1\n"), "{count}");
}

/// Replaced objects and grafts would show git another history than the one that is published.
#[test]
fn git_takes_objects_for_what_they_are() {
    let host = Host::new("");
    host.script("git", &format!("env >> {}; PATH=$OLD exec git \"$@\"", host.path("environment").display()));
    let path = std::env::var("PATH").unwrap();
    let mut sync = host.sync(&["--once"]);
    sync.env("OLD", &path).env("PATH", format!("{}:{path}", host.path("").display()));
    assert_eq!(run(sync).code, 0);
    let environment = host.read("environment");
    let count = |line: &str| environment.lines().filter(|set| *set == line).count();
    let runs = count("GIT_TERMINAL_PROMPT=0");
    assert!(runs > 0, "{environment}");
    assert_eq!([count("GIT_NO_REPLACE_OBJECTS=1"), count("GIT_GRAFT_FILE=/dev/null")], [runs; 2], "{environment}");
}

/// The system's ssh never prompts.
#[test]
fn ssh_does_not_prompt_unless_configured_to() {
    let host = Host::new("");
    let ssh = host.script("ssh", &format!("echo \"$0 $*\" >> {}; exit 1", host.path("called").display()));
    host.git(&["-C", "clone", "remote", "set-url", "origin", "ssh://git@192.0.2.1/isp.git"]);
    let path = format!("{}:{}", host.path("").display(), std::env::var("PATH").unwrap());
    let called = |set: &[(&str, &str)]| {
        let _ = std::fs::remove_file(host.path("called"));
        let mut sync = host.sync(&["--once"]);
        sync.env("PATH", &path).env_remove("GIT_SSH_COMMAND").env_remove("GIT_SSH").envs(set.iter().copied());
        assert_eq!(run(sync).code, 2);
        host.read("called")
    };
    assert!(called(&[]).contains("-o BatchMode=yes"), "{}", called(&[]));
    let own = format!("{} -i key", ssh.display());
    let set = called(&[("GIT_SSH_COMMAND", &own)]);
    assert!(set.contains("-i key") && !set.contains("BatchMode"), "{set}");
    host.git(&["-C", "clone", "config", "core.sshCommand", &format!("{} -i other", ssh.display())]);
    let configured = called(&[]);
    assert!(configured.contains("-i other") && !configured.contains("BatchMode"), "{configured}");
}

#[test]
fn what_cannot_be_synced_is_reported_at_once() {
    let host = Host::new("");
    std::fs::create_dir(host.path("empty")).unwrap();
    for (clone, more, why) in [
        ("empty", &[][..], "is not in a git repository"),
        ("clone", &["--remote", "upstream"], "has no remote `upstream`"),
        ("clone", &["--remote=--upload-pack=touch"], "cannot be the name of a remote"),
        ("clone", &["--branch", "a..b"], "cannot be the name of a branch"),
        ("clone", &["--interval", "0s"], "is not a time from 1s to 24h"),
        ("clone", &["--require-signature"], "--allowed-signers"),
    ] {
        let round = run(host.sync_in(clone, &[&["--once"], more].concat()));
        assert_eq!(round.code, 2, "{more:?}");
        assert!(round.stderr.contains(why), "{more:?}: {}", round.stderr);
    }
    let branch = host.once(2, &["--branch", "no-such"]);
    assert!(branch.stderr.contains("cannot fetch no-such from origin"), "{}", branch.stderr);
    let mut sync = host.sync(&["--once"]);
    sync.arg("--status-file").arg("/no/such/folder/status.json");
    assert_eq!(run(sync).code, 2);
}

/// Someone has pulled in the clone.
#[test]
fn a_clone_that_is_ahead_of_the_last_round_is_read_as_it_is() {
    let host = Host::new("");
    host.once(0, &[]);
    assert_eq!(host.shapeline("clone", &["drift"]).code, 0);
    host.author.subscriber("10.10.10.4", 50);
    host.push("second");
    host.git(&["-C", "clone", "pull", "--quiet"]);
    let drift = host.shapeline("clone", &["drift"]);
    assert!(drift.code == 3 && drift.stdout.contains("10.10.10.4"), "{drift:?}");
}
