//! The modules form layers: `src/lib.rs` lists them bottom first, and a module imports only from
//! those above it in that list. Within a room, no two files import each other, directly or by way of
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules of a text in order, each with what is said of it.
fn modules(text: &str) -> Vec<(String, String)> {
    let declared = Regex::new(r"(?m)^((?:// .*\n)*)(?:#\[.*\]\n)*(?:pub(?:\(.*?\))? )?mod (\w+);").unwrap();
    declared.captures_iter(text).map(|found| (found[2].to_owned(), found[1].trim().to_owned())).collect()
}

/// Every source file: its modules from the top, and its text without comments and unit tests.
fn files() -> Vec<(Vec<String>, String)> {
    let comment = Regex::new(r"(?m)^\s*//.*$").unwrap();
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(source()).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let inside = path.strip_prefix(source()).unwrap().with_extension("");
        let mut parts: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\n").next().unwrap();
        files.push((parts, comment.replace_all(text, "").into_owned()));
    }
    files
}

/// The paths that a text names, from the top: `crate::a::b`, and `super::b` as seen from `here`.
fn named(here: &[String], text: &str) -> Vec<Vec<String>> {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(crate|super)((?:::\w+)*)(?:::\{((?:[^{}]|\{[^{}]*\})*)\})?").unwrap());
    static FIRST: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|,)\s*(\w+)((?:::\w+)*)").unwrap());
    let mut all = Vec::new();
    for found in PATH.captures_iter(text) {
        let mut steps: Vec<String> = if &found[1] == "crate" { Vec::new() } else { here[..here.len() - 1].to_vec() };
        for step in found[2].split("::").filter(|step| !step.is_empty()) {
            match step {
                "super" => drop(steps.pop()),
                step => steps.push(step.to_owned()),
            }
        }
        match found.get(3) {
            None => all.push(steps),
            Some(several) => all.extend(FIRST.captures_iter(several.as_str()).map(|one| {
                let more = one[2].split("::").filter(|step| !step.is_empty());
                steps.iter().cloned().chain([one[1].to_owned()]).chain(more.map(ToOwned::to_owned)).collect()
            })),
        }
    }
    all
}

/// What breaks the order: `module imports other`.
fn upward(order: &[String], files: &[(Vec<String>, String)]) -> BTreeSet<String> {
    let level = |module: &str| order.iter().position(|one| one == module);
    let mut wrong = BTreeSet::new();
    for (parts, text) in files.iter().filter(|(parts, _)| !["main", "lib"].contains(&parts[0].as_str())) {
        for path in named(parts, text) {
            let Some((own, other)) = path.first().and_then(|first| Some((level(&parts[0]), level(first)?))) else {
                continue;
            };
            if own.is_none_or(|own| other > own) {
                wrong.insert(format!("src/{}.rs imports {}", parts.join("/"), path.join("::")));
            }
        }
    }
    wrong
}

#[test]
fn imports_point_down() {
    let text = std::fs::read_to_string(source().join("lib.rs")).unwrap();
    let modules = modules(&text);
    let order: Vec<String> = modules.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len(), "a module is listed twice");
    for (name, said) in &modules {
        assert!(said.ends_with('.') && said.lines().count() == 1, "{name} has no sentence of one line in lib.rs");
    }
    let files = files();
    let tops: BTreeSet<&str> = files.iter().map(|(parts, _)| parts[0].as_str()).collect();
    for top in tops.iter().filter(|top| !["lib", "main"].contains(*top)) {
        assert!(order.iter().any(|one| one == top), "lib.rs does not list {top}");
    }
    let wrong = upward(&order, &files);
    assert!(wrong.is_empty(), "these import from above:\n{wrong:#?}");
    // The test would notice: with two modules exchanged, or one import turned round.
    let mut turned = order.clone();
    turned.swap(0, 2);
    assert!(!upward(&turned, &files).is_empty());
    let up = (vec!["text".to_owned(), "hex".to_owned()], "use crate::plan::{self, Plan};".to_owned());
    assert_eq!(upward(&order, &[up]).len(), 2);
    let within = (vec!["sync".to_owned(), "a".to_owned()], "use super::super::cli::X;".to_owned());
    assert_eq!(upward(&order, &[within]).len(), 1);
}

/// For every room, which of its files import which others. What the room itself gives on counts for
/// the file that it comes from.
fn rooms(files: &[(Vec<String>, String)]) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let given_on = Regex::new(r"(?s)\bpub(?:\(.*?\))? use (?:self::)?(\w+)::(?:\{(.*?)\}|(\w+));").unwrap();
    let word = Regex::new(r"\w+").unwrap();
    let mut sources: BTreeMap<Vec<String>, BTreeMap<String, String>> = BTreeMap::new();
    let children: BTreeSet<&Vec<String>> = files.iter().map(|(parts, _)| parts).collect();
    for (parts, text) in files {
        for found in given_on.captures_iter(text) {
            let names = found.get(2).or(found.get(3)).unwrap().as_str();
            for name in word.find_iter(names) {
                sources.entry(parts.clone()).or_default().insert(name.as_str().to_owned(), found[1].to_owned());
            }
        }
    }
    let mut rooms: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (parts, text) in files {
        for path in named(parts, text) {
            // In each room on the way down to this file.
            for depth in 1..parts.len() {
                if path.len() <= depth || path[..depth] != parts[..depth] {
                    continue;
                }
                let room = parts[..depth].to_vec();
                let named = &path[depth];
                let other = sources.get(&room).and_then(|given| given.get(named)).unwrap_or(named);
                let is_file = children.iter().any(|child| child.starts_with(&room) && child.get(depth) == Some(other));
                if is_file && *other != parts[depth] {
                    let edges = rooms.entry(room.join("/")).or_default();
                    edges.entry(parts[depth].clone()).or_default().insert(other.clone());
                }
            }
        }
    }
    rooms
}

/// A way from a file back to itself.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        edges: &BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        let here = way.last()?.clone();
        for next in edges.get(&here).into_iter().flatten() {
            if let Some(start) = way.iter().position(|step| step == next) {
                return Some(way[start..].iter().chain([next]).cloned().collect());
            }
            if !done.contains(next) {
                way.push(next.clone());
                if let Some(found) = walk(edges, way, done) {
                    return Some(found);
                }
                way.pop();
            }
        }
        done.insert(here);
        None
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| walk(edges, &mut vec![start.clone()], &mut done))
}

#[test]
fn no_room_has_a_circle() {
    let rooms = rooms(&files());
    let circles: Vec<String> =
        rooms.iter().filter_map(|(room, edges)| Some(format!("src/{room}: {}", circle(edges)?.join(" -> ")))).collect();
    assert!(circles.is_empty(), "{circles:#?}");
    // The test would notice.
    let file = |name: &str, text: &str| (vec!["a".to_owned(), name.to_owned()], text.to_owned());
    let round = [
        (vec!["a".to_owned()], "pub use b::X;".to_owned()),
        file("b", "use super::c::Y;"),
        file("c", "use crate::a::X;"),
    ];
    let found = circle(&super::layers::rooms(&round)["a"]).unwrap();
    assert_eq!(found, ["b", "c", "b"]);
}

/// Where a room below the commands may name an option, and why. `/` at the end: in all files of the room.
const OPTIONS_BELOW_COMMANDS: [(&str, &str, &str); 7] = [
    ("edit/commit", "git config --global", "git's option"),
    ("git", "git config --global", "git's option"),
    ("import/recognise", "make a dump without --xml", "mysqldump's option"),
    ("import/sql/tables", "--no-data", "mysqldump's options"),
    ("report/junit", "--base REV", "the words for a rule that was skipped, in a report of `check` alone"),
    ("rules/", "--", "the texts of `explain`: what a rule needs of `check`"),
    ("tree/checkout", "check", "the help of a finding of `check`"),
];

/// The sentences of a text that name an option outside a whole command such as `git fetch --unshallow`.
fn sentences_with_options(text: &str) -> Vec<String> {
    let literal = Regex::new(r##"(?s)b?'(?:"|\\")'|r#"(.*?)"#|"((?:[^"\\]|\\.)*)""##).unwrap();
    let command = Regex::new(r"`(?:shapeline|git|gpg|mysqldump) [^`]*`").unwrap();
    let option = Regex::new(r"(?:^|[^\w-])--[a-z]").unwrap();
    let sentences = literal.captures_iter(text).filter_map(|found| Some(found.get(1).or(found.get(2))?.as_str()));
    let names = |sentence: &&str| sentence.contains(' ') && option.is_match(&command.replace_all(sentence, ""));
    sentences.filter(names).map(ToOwned::to_owned).collect()
}

/// Which options there are, only the command line knows: below it, what an option would do is a value.
#[test]
fn only_commands_name_options() {
    let order = modules(&std::fs::read_to_string(source().join("lib.rs")).unwrap());
    let below = order.iter().take_while(|(name, _)| name != "completion");
    let below: BTreeSet<&str> = below.map(|(name, _)| name.as_str()).collect();
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (parts, text) in files().iter().filter(|(parts, _)| below.contains(parts[0].as_str())) {
        let file = parts.join("/");
        for sentence in sentences_with_options(text) {
            let is_exempt = |(place, words, _): &(&str, &str, &str)| {
                (file == *place || place.ends_with('/') && file.starts_with(place)) && sentence.contains(words)
            };
            match OPTIONS_BELOW_COMMANDS.iter().position(is_exempt) {
                Some(at) => drop(used.insert(at)),
                None => wrong.push(format!("src/{file}.rs: {sentence}")),
            }
        }
    }
    assert!(wrong.is_empty(), "return a value, and word it in src/commands:\n{wrong:#?}");
    assert_eq!(used.len(), OPTIONS_BELOW_COMMANDS.len(), "an exception is not needed any more");
    // The test would notice.
    let found = |text: &str| sentences_with_options(text).len();
    assert_eq!(found("bail!(\"name one with --target\"); if c == '\"' { \"--rate names {}\" }"), 2);
    assert_eq!(found("[\"--quiet\", \"fetch\"]; \"see `git fetch --unshallow`\"; \"a--b\""), 0);
}
