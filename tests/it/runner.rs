//! No line that a command prints is a command for a build server, whatever its origin.

use crate::support::Repo;

fn assert_quiet(text: &str, what: &str) {
    assert!(!text.contains("##["), "{what}: {text}");
    for line in text.split(['\n', '\r']) {
        assert!(!line.trim_start().starts_with("::"), "{what}: {line:?} in {text}");
    }
}

fn repo() -> Repo {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    repo.commit("start");
    repo
}

/// A shaper file in which every field begins a command.
const LIVE: &str = "10.10.10.77 10.10.10.77@::error::x :=set_attribute ::error::plan\n\
                    10.10.10.78 10.10.10.78@##[add-mask]x :=set_attribute ##[add-mask]y\n\
                    ::error::whole line\n##[add-mask]whole line\n";

#[test]
fn a_live_file_gives_no_commands() {
    let repo = repo();
    repo.write("live.txt", LIVE);
    repo.write("target/live.txt", LIVE);
    let url = format!("file://{}/target/live.txt", repo.path().display());
    repo.write("shapeline.yaml", format!("targets:\n- {{name: hre-1, url: '{url}'}}\n"));
    repo.commit("target");
    for format in ["text", "markdown", "json"] {
        for arguments in [["--against", "live.txt"], ["--live", "hre-1"]] {
            let run = repo.run(&[&["plan", "--format", format], &arguments[..]].concat());
            assert_eq!(run.code, 0, "{run:?}");
            assert!(run.stdout.contains("error"), "the live names are shown: {run:?}");
            assert_quiet(&(run.stdout + &run.stderr), &format!("plan {arguments:?} as {format}"));
            let run = repo.run(&[&["plan", "--format", format, "-o", "plan.out"], &arguments[..]].concat());
            assert_eq!(run.code, 0, "{run:?}");
            assert_quiet(&repo.read("plan.out"), &format!("plan -o as {format}"));
        }
    }
    for arguments in [
        &["drift"][..],
        &["drift", "--format", "json"],
        &["publish"],
        &["publish", "--dry-run"],
        &["log"],
        &["log", "--format", "json"],
        &["log", "--format", "csv"],
        &["stat"],
        &["stat", "--format", "json"],
    ] {
        let run = repo.run(arguments);
        assert_quiet(&(run.stdout + &run.stderr), &format!("{arguments:?}"));
    }
}

#[test]
fn a_source_of_an_import_gives_no_commands() {
    let repo = Repo::new();
    repo.write("source.txt", LIVE);
    for format in ["text", "json"] {
        let run =
            repo.run(&["import", "source.txt", "--from", "shaper", "--dry-run", "--skip-bad", "--format", format]);
        assert!(run.stdout.contains("add-mask") || run.stderr.contains("add-mask"), "{run:?}");
        assert_quiet(&(run.stdout + &run.stderr), format);
    }
}

#[test]
fn names_in_git_give_no_commands() {
    let repo = repo();
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(repo.path()).args(["-c", "user.name=::error::x ##[add-mask]y"]);
        command.args(["-c", "user.email=::error::z", "-c", "commit.gpgsign=false"]).args(arguments);
        assert!(command.output().unwrap().status.success());
    };
    repo.subscriber("10.10.10.25", 50);
    git(&["commit", "-qam", "::error::subject ##[add-mask]z"]);
    for arguments in [
        &["history"][..],
        &["history", "10.10.10.25"],
        &["history", "--format", "json"],
        &["history", "--format", "csv"],
        &["subscriber", "show", "10.10.10.25"],
    ] {
        let run = repo.run(arguments);
        assert_quiet(&(run.stdout + &run.stderr), &format!("{arguments:?}"));
    }
}

#[test]
fn an_argument_is_never_a_second_line() {
    let repo = repo();
    for bad in ["x\n::error::y", "x\r::error::y", "x\u{1b}[2Jy", "x\u{2028}::error::y", "::error::y", "##[add-mask]y"] {
        for arguments in [
            &["check", "--base", bad][..],
            &["check", "--rev", bad],
            &["check", "--on", bad],
            &["check", "--actor", bad, "--base", bad],
            &["plan", "--base", bad],
            &["plan", "--against", bad],
            &["plan", "--live", bad],
            &["publish", "--target", bad],
            &["rollback", "--target", "hre-1", "--to", bad],
            &["render", bad],
            &["-C", bad, "check"],
            &["history", bad],
            &["subscriber", "show", bad],
            &["import", bad],
            &[bad],
            &["check", bad],
        ] {
            let run = repo.run(arguments);
            assert!(run.code != 0 || arguments[0] == "history", "{run:?}");
            assert_quiet(&(run.stdout.clone() + &run.stderr), &format!("{arguments:?}"));
            assert!(!run.stderr.contains(['\u{1b}', '\r', '\u{2028}']), "{run:?}");
        }
    }
}
