//! Every rule on its fixtures and examples, and the invariants of the table.
//!
//! A fixture is a tiny data repository. Where it has no `plans` or no `domains`, the usual ones of
//! [`support::Repo::new`](crate::support::Repo::new) are put there. A change rule's fixture has a
//! `base`, a `head` and an `actor` file. What must be pointed at is marked: see [`marks`].

mod bounded;
mod change;
mod days;
mod examples;
mod marks;
mod names;
mod severities;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use shapeline::inventory::Context;
use shapeline::inventory::ReviewedChange;
use shapeline::model::Date;
use shapeline::render::template_findings;
use shapeline::repo::Repo;
use shapeline::report::{CheckReport, LocatedFinding, LocatedLabel};
use shapeline::rules::{Group, RULES};
use shapeline::tree::Tree;

use crate::support;
use marks::Mark;

/// What a check of a case found.
pub(crate) struct Found {
    offences: Vec<Mark>,
    related: BTreeSet<Mark>,
    pub(crate) text: String,
}

fn today() -> Date {
    "2026-11-21".parse().unwrap()
}

fn load(dir: &Path) -> Repo {
    Repo::load(&Tree::Work { root: dir.to_path_buf() }).unwrap()
}

/// Checks a folder, against another one if given: also against a commit of it, of which only what differs is
/// read, with the same findings.
pub(crate) fn check(head: &Path, base: Option<&Path>, actors: &[String]) -> Found {
    let found = findings(load(head), base.map(load).as_ref(), actors);
    if let Some(base) = base {
        let git = tempfile::tempdir().unwrap();
        let commit = committed(base, git.path());
        let head = load(head);
        let (all, differing) = (Repo::load(&commit).unwrap(), Repo::load_base(&commit, &head).unwrap());
        let all = findings(head.clone(), Some(&all), actors);
        assert_eq!(findings(head, Some(&differing), actors).text, all.text, "only what differs is read of the base");
    }
    found
}

/// A commit of the files of `dir`, byte for byte, in a new repository at `git`.
fn committed(dir: &Path, git: &Path) -> Tree {
    let repository = git2::Repository::init_bare(git).unwrap();
    let mut index = git2::Index::new().unwrap();
    for path in marks::files(dir) {
        let id = repository.blob(&std::fs::read(dir.join(&path)).unwrap()).unwrap();
        index.add(&crate::history::replay::entry(&path, id)).unwrap();
    }
    let tree = repository.find_tree(index.write_tree_to(&repository).unwrap()).unwrap();
    let author = git2::Signature::new("A", "a@ispcustomer.co.zw", &git2::Time::new(0, 0)).unwrap();
    let commit = repository.commit(None, &author, &author, "base", &tree, &[]).unwrap();
    Tree::Revision { git_dir: git.to_path_buf(), prefix: String::new(), commit }
}

fn findings(mut repo: Repo, base: Option<&Repo>, actors: &[String]) -> Found {
    let change = base.map(|base| ReviewedChange::new(base, &mut repo, actors));
    let repo = Arc::new(repo);
    let context = Context::new(&repo, today(), change);
    let report = CheckReport::new(&context, template_findings(&repo, &context), Duration::ZERO);
    let mut entries = report.entries();
    entries.sort_by_key(|entry| (entry.primary.path().to_owned(), entry.primary.span, entry.finding.message.clone()));
    Found {
        offences: entries.iter().map(|entry| mark(entry.finding.rule, &entry.primary)).collect(),
        related: entries.iter().flat_map(|entry| entry.related.iter().map(|at| mark(entry.finding.rule, at))).collect(),
        text: entries.iter().map(described).collect(),
    }
}

fn mark(rule: &str, at: &LocatedLabel<'_>) -> Mark {
    Mark {
        path: at.path().to_owned(),
        start: (at.start.line, at.start.column),
        end: (at.end.line, at.end.column),
        rule: rule.to_owned(),
    }
}

fn described(entry: &LocatedFinding<'_>) -> String {
    let place = |at: &LocatedLabel<'_>| format!("{}:{}:{}", at.path(), at.start.line, at.start.column);
    let LocatedFinding { finding, primary, related } = entry;
    let outside = if finding.in_change == Some(false) { " (not in this change)" } else { "" };
    let severity = finding.severity.as_str();
    let mut text = format!("{}: {severity} [{}] {}{outside}\n", place(primary), finding.rule, finding.message);
    for at in related {
        text += &format!("    {}: {}\n", place(at), at.label);
    }
    text + &finding.help.iter().map(|help| format!("    help: {help}\n")).collect::<String>()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules")
}

/// A copy of a fixture with the usual plans and domain where it has none.
fn assembled(fixture: &Path) -> support::Repo {
    let repo = support::Repo::empty();
    for path in marks::files(fixture) {
        repo.write(&path, std::fs::read(fixture.join(&path)).unwrap());
    }
    complete(&repo);
    repo
}

/// Adds the usual plans and the usual domain to a repository that has no plans or no domains.
fn complete(repo: &support::Repo) {
    let usual = support::Repo::new();
    for folder in ["plans", "domains"].into_iter().filter(|folder| !repo.path().join(folder).is_dir()) {
        for file in marks::files(&usual.path().join(folder)) {
            let path = format!("{folder}/{file}");
            repo.write(&path, usual.read(&path));
        }
    }
}

/// Checks the fixture `good` or `bad` of a rule.
fn check_fixture(dir: &Path) -> Found {
    let actor = std::fs::read_to_string(dir.join("actor")).unwrap_or_default();
    let actors: Vec<String> = actor.split_whitespace().map(ToOwned::to_owned).collect();
    if dir.join("base").is_dir() {
        let (base, head) = (assembled(&dir.join("base")), assembled(&dir.join("head")));
        check(head.path(), Some(base.path()), &actors)
    } else {
        check(assembled(dir).path(), None, &actors)
    }
}

#[test]
fn good_fixtures_are_good() {
    for rule in RULES {
        let found = check_fixture(&fixtures().join(rule.id).join("good"));
        assert_eq!(found.text, "", "{}/good", rule.id);
    }
}

#[test]
fn bad_fixtures_are_refused_at_exactly_the_marked_places() {
    let mut wrong = String::new();
    for rule in RULES {
        let dir = fixtures().join(rule.id).join("bad");
        let expected = marks::of_fixture(&dir);
        let mut found = check_fixture(&dir);
        assert!(found.offences.iter().any(|mark| mark.rule == rule.id), "{}/bad has no finding of its own", rule.id);
        found.offences.sort();
        let (offences, related) = (marks::shown(&found.offences), marks::shown(&found.related));
        let (marked, marked_related) = (marks::shown(&expected.offences), marks::shown(&expected.related));
        if (&offences, &related) != (&marked, &marked_related) {
            wrong += &format!(
                "== {}/bad\n{}-- offences marked\n{marked}-- found\n{offences}\
                 -- related marked\n{marked_related}-- found\n{related}",
                rule.id, found.text
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn findings_say_what_is_wrong_and_what_to_do() {
    let all: String = RULES
        .iter()
        .map(|rule| format!("== {}\n{}", rule.id, check_fixture(&fixtures().join(rule.id).join("bad")).text))
        .collect();
    insta::assert_snapshot!(all);
}

#[test]
fn the_table_keeps_its_promises() {
    let mut ids = BTreeSet::new();
    for rule in RULES {
        let kebab = rule.id.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
        assert!(kebab, "{} is not kebab-case", rule.id);
        assert!(ids.insert(rule.id), "{} stands twice", rule.id);
        assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{}: summary", rule.id);
        assert!(rule.why.ends_with('.') && !rule.why.contains('\n') && !rule.why.contains("  "), "{}: why", rule.id);
        assert!(rule.bad.ends_with('\n') && rule.good.ends_with('\n') && rule.bad != rule.good, "{}", rule.id);
        assert_eq!(shapeline::rules::find(rule.id).map(|rule| rule.id), Some(rule.id));
    }
    let folders: BTreeSet<String> =
        std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, ids.iter().map(|id| (*id).to_owned()).collect(), "each rule has a folder of fixtures");
}

#[test]
fn the_table_holds_the_rules_of_the_design() {
    let designed: &[(Group, &[&str])] = &[
        (Group::Reading, &["yaml-syntax", "yaml-ambiguous", "schema", "file-name"]),
        (Group::References, &["unknown-plan", "unknown-domain", "plan-not-offered", "retired-plan"]),
        (
            Group::Addresses,
            &[
                "duplicate-ip",
                "overlapping-prefix",
                "ip-outside-domain",
                "reserved-ip",
                "domain-overlap",
                "non-canonical-ip",
            ],
        ),
        (Group::Identity, &["duplicate-id", "duplicate-name", "duplicate-plan", "duplicate-attribute"]),
        (Group::Plans, &["plan-name-mismatch", "unused-plan"]),
        (Group::Commercial, &["oversubscribed", "too-many-subscribers"]),
        (Group::Time, &["ends-before-starts", "expired"]),
        (Group::Change, &["foreign-change", "plan-in-use", "retired-plan-sold"]),
        (Group::Settings, &["template", "unknown-template", "unknown-output"]),
    ];
    for (group, ids) in designed {
        let have: Vec<&str> = RULES.iter().filter(|rule| rule.group == *group).map(|rule| rule.id).collect();
        for id in *ids {
            assert!(have.contains(id), "{id} is missing among {}", group.name());
        }
    }
    let groups: Vec<Group> = RULES.iter().map(|rule| rule.group).collect();
    assert!(groups.is_sorted(), "rules of one group stand together, in the order of the groups");
}
