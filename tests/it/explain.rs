//! `explain`, and the page of the documentation that it writes.

use crate::support::Repo;

#[test]
fn the_documentation_is_current() {
    let page = Repo::empty().run(&["explain", "--format", "markdown"]);
    assert_eq!(page.code, 0, "{page:?}");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page.stdout, "write it anew: cargo run -- explain --format markdown > docs/rules.md");
}

#[test]
fn one_rule_is_explained_anywhere() {
    let run = Repo::empty().run(&["explain", "duplicate-ip"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn the_list_has_every_rule_once() {
    let run = Repo::empty().run(&["explain"]);
    for rule in shapeline::rules::RULES {
        let line = run.stdout.lines().filter(|line| line.starts_with(&format!("  {} ", rule.id)));
        let line: Vec<&str> = line.collect();
        assert!(matches!(line.as_slice(), [line] if line.ends_with(rule.summary)), "{}: {line:?}", rule.id);
    }
}

#[test]
fn json_is_versioned_and_complete() {
    let parse = |args: &[&str]| -> serde_json::Value {
        let run = Repo::empty().run(args);
        assert_eq!(run.code, 0, "{run:?}");
        serde_json::from_str(&run.stdout).unwrap()
    };
    let all = parse(&["explain", "--format", "json"]);
    assert_eq!(all["version"], 1);
    let ids: Vec<&str> = all["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, shapeline::rules::RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    let one = parse(&["explain", "duplicate-ip", "--format", "json"]);
    assert_eq!(one["rules"].as_array().unwrap().len(), 1);
    let mut fields: Vec<&String> = one["rules"][0].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["bad", "fixed", "good", "group", "id", "severity", "summary", "why"]);
    assert_eq!(one["rules"][0]["fixed"], true);
}

#[test]
fn an_unknown_rule_is_a_usage_error() {
    let run = Repo::empty().run(&["explain", "duplicate-id\u{1b}[31m"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    let run = Repo::empty().run(&["explain", "dupplicate-ip"]);
    assert_eq!(run.stderr, "shapeline: there is no rule `dupplicate-ip`; did you mean `duplicate-ip`?\n");
    let run = Repo::empty().run(&["explain", "gold"]);
    assert_eq!(run.stderr, "shapeline: there is no rule `gold`; `shapeline explain` lists them all\n");
}

/// The list that `init` puts into the README is the one that the program prints.
#[test]
fn the_set_up_is_listed() {
    let repo = Repo::empty();
    let run = repo.run(&["explain", "setup"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    for needed in [
        "code owners",
        "up to date",
        "SHAPELINE_TOOL",
        ".github/shapeline.env",
        "`admins`",
        "`owners`",
        ".gitattributes",
    ] {
        assert!(run.stdout.contains(needed), "{needed}");
    }
    assert_eq!(repo.run(&["init"]).code, 0);
    assert!(repo.read("README.md").ends_with(&run.stdout));
    assert_eq!(repo.run(&["explain", "setup", "--format", "json"]).code, 2);
}
