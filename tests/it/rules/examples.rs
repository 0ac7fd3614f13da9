//! The examples of the rule table are data: the bad ones are refused, the good ones are not.

use std::path::PathBuf;

use shapeline::rules::{Group, RULES, Rule};

use super::{check, complete};
use crate::support;

/// An example, taken apart.
struct Example {
    base: support::Repo,
    head: support::Repo,
    actors: Vec<String>,
}

fn example(text: &str) -> Example {
    let mut example = Example { base: support::Repo::empty(), head: support::Repo::empty(), actors: Vec::new() };
    let mut files: Vec<(&str, PathBuf, String)> = Vec::new();
    for line in text.lines() {
        let heading = line.strip_prefix("# ");
        match heading.map(|heading| heading.split_once(": ").unwrap_or(("", heading))) {
            Some(("by", actor)) => example.actors.push(actor.to_owned()),
            Some((when, path)) => files.push((when, path.into(), String::new())),
            None => *files.last_mut().map(|(_, _, text)| text).expect("a heading") += &format!("{line}\n"),
        }
    }
    for (when, path, text) in files {
        let path = path.to_str().unwrap();
        if when != "after" {
            example.base.write(path, &text);
        }
        if when != "before" {
            example.head.write(path, &text);
        }
    }
    complete(&example.base);
    complete(&example.head);
    example
}

fn run(rule: &Rule, text: &str) -> super::Found {
    let Example { base, head, actors } = example(text);
    let base = (rule.group == Group::Change).then(|| base.path().to_path_buf());
    check(head.path(), base.as_deref(), &actors)
}

#[test]
fn bad_examples_are_refused() {
    for rule in RULES {
        let found = run(rule, rule.bad);
        assert!(found.offences.iter().any(|mark| mark.rule == rule.id), "{}: {}", rule.id, found.text);
    }
}

#[test]
fn good_examples_are_good() {
    for rule in RULES {
        assert_eq!(run(rule, rule.good).text, "", "{}", rule.id);
    }
}
