//! `history`: what it reports, and that the result does not depend on how it was computed.

mod cache;
pub(crate) mod replay;
mod reported;
mod revisions;

use std::process::Command;

use crate::support::Repo;

/// Commits everything as `who`, on a day of 2026 such as `03-01`, or at `03-01T12:00:00Z`.
fn commit(repo: &Repo, day: &str, who: &str, message: &str) -> String {
    git_on(repo, day, who, &["add", "-A"]);
    git_on(repo, day, who, &["commit", "-q", "--allow-empty", "-m", message]);
    repo.git(&["rev-parse", "HEAD"])
}

fn git_on(repo: &Repo, day: &str, who: &str, args: &[&str]) {
    let date = if day.contains('T') { format!("2026-{day}") } else { format!("2026-{day}T00:00:00Z") };
    let out = Command::new("git")
        .current_dir(repo.path())
        .args(["-c", "commit.gpgsign=false"])
        .args(args)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
        .envs(["AUTHOR", "COMMITTER"].map(|role| (format!("GIT_{role}_DATE"), date.clone())))
        .envs(["AUTHOR", "COMMITTER"].map(|role| (format!("GIT_{role}_NAME"), who)))
        .envs(["AUTHOR", "COMMITTER"].map(|role| (format!("GIT_{role}_EMAIL"), "noc@ispcustomer.co.zw")))
        .output()
        .expect("git is needed for the tests");
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A repository with two plans and a domain, not committed yet.
fn fresh() -> Repo {
    let repo = Repo::new();
    repo.git(&["init", "-q", "-b", "main"]);
    repo
}

/// What `history` prints, with the ids of commits as their subjects' first words.
fn shown(repo: &Repo, args: &[&str]) -> String {
    let run = history(repo, args);
    assert_eq!(run.code, 0, "{run:?}");
    let mut text = run.stdout;
    for line in repo.git(&["log", "--all", "--format=%H %s"]).lines() {
        let (id, subject) = line.split_once(' ').unwrap();
        let word = subject.split(' ').next().unwrap().to_uppercase();
        text = text.replace(id, &word).replace(&id[..12], &word);
    }
    text
}

fn history(repo: &Repo, args: &[&str]) -> crate::support::Run {
    repo.run(&[&["history"], args].concat())
}

fn json(repo: &Repo, args: &[&str]) -> serde_json::Value {
    let run = history(repo, &[args, &["--format", "json"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}
