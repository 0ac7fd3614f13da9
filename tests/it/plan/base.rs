//! What a plan compares with.

use super::{five, json, plan};
use crate::support::Repo;

#[test]
fn the_default_base_is_the_merge_base_with_the_default_branch() {
    let repo = five();
    let base = repo.commit("start");
    repo.git(&["checkout", "-q", "-b", "change"]);
    repo.subscriber("10.10.10.31", 30);
    repo.commit("add one");
    repo.git(&["checkout", "-q", "main"]);
    repo.subscriber("10.10.10.99", 30);
    repo.commit("meanwhile");
    repo.git(&["checkout", "-q", "change"]);
    let plan = json(&repo, &[]);
    assert_eq!(plan["base"]["commit"], base.as_str());
    assert_eq!(plan["summary"]["added"], 1);
    assert_eq!(plan["summary"]["removed"], 0, "what came to main meanwhile is not our removal");
}

#[test]
fn against_a_live_file_odd_lines_are_counted_not_skipped() {
    let repo = five();
    let live = "10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN\n\
                10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN\n\
                \x2010.10.10.26 10.10.10.26@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN\n\
                10.10.10.30 10.10.10.30@ispcustomer.co.zw :=set_attribute GOLD\u{1b}[31m\n\
                10.10.10.31 10.10.10.32@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN\n\
                41.221.144.5dd x\n";
    let run = repo.run_with_input(&["plan", "--on", "2026-11-21", "--against", "-"], live);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains(
            "4 lines of the file could not be understood, so who is served is not fully known; the first is line 2"
        ),
        "{run:?}"
    );
    assert!(run.stdout.contains("NOT SAFE"), "what is not known may be removed unseen: {run:?}");
    assert!(run.stdout.contains("rate not known → 50 Mbps"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
}

#[test]
fn without_history_the_error_says_what_to_do() {
    let repo = five();
    let run = plan(&repo, &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("not in a git repository") || run.stderr.contains("--against"), "{run:?}");
    repo.git(&["init", "-q", "-b", "trunk"]);
    let fails = |args: &[&str], why: &str| {
        let run = plan(&repo, args);
        assert!(run.code == 2 && run.stderr.starts_with(&format!("shapeline: {why}")), "{run:?}");
    };
    let no_commit =
        "the git repository has no commit yet; name what to compare with: --against FILE: there is no commit";
    fails(&[], no_commit);
    repo.commit("start");
    let tried = "(tried origin/HEAD, origin/main, origin/master, main, master); name one with --base REV\n";
    fails(&[], &format!("cannot find the default branch {tried}"));
    repo.git(&["checkout", "-q", "--orphan", "main"]);
    repo.git(&["commit", "-q", "-m", "unrelated"]);
    repo.git(&["checkout", "-q", "trunk"]);
    fails(&[], "HEAD and main have no commit in common; name a revision with --base REV: ");
    fails(&["--base", "nosuch"], "there is no commit `nosuch`\n");
}

#[test]
fn a_base_that_cannot_be_read_is_never_safe_to_replace() {
    let repo = Repo::new();
    repo.write("subscribers/all.yaml", "- ip: 10.10.10.1\n  domain: [\n");
    repo.commit("broken");
    repo.write("subscribers/all.yaml", "ip: 10.10.10.1\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let plan = json(&repo, &[]);
    assert_eq!(plan["safe"], false);
    assert!(plan["reasons"][0].as_str().unwrap().contains("could not be read in 1 place:"), "{plan}");
}
