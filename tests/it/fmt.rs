//! `fmt`: one style, nothing lost.

use proptest::prelude::*;
use shapeline::fmt::format;
use shapeline::schema::FileKind;

use crate::laws::check_format;
use crate::support::Repo;
use crate::yaml_properties::{cases, edited_data, near_data, soup};

/// Data in every layout that people use, with comments wherever they can be, each of them unique.
fn commented() -> impl Strategy<Value = String> {
    #[derive(Clone, Debug)]
    enum Data {
        Scalar(usize),
        List(Vec<Data>),
        Map(Vec<Data>),
    }
    const SCALARS: &[&str] = &[
        "10.10.10.25",
        "'4711'",
        "\"a b\"",
        "'it''s'",
        "true",
        "",
        "30 Mbps",
        "\"x: y\"",
        "'true'",
        "2001:db8::1",
        "\"2026-12-01\"",
        "'[x'",
        "\"\"",
        "a@b",
        "'@a/b'",
        "\"30%\"",
        "\"\\u00e9\"",
        "\"a\\nb\"",
        "é",
        "'# x'",
        "a#b",
        "'0x1F'",
        "'a, b'",
        "\"::1\"",
        "a long text that goes on and on so that the line does not fit into the width that there is",
    ];
    const KEYS: &[&str] = &["plan", "ip", "name", "capacity", "labels", "zz", "'domain'", "down", "up", "\"on\""];
    let leaf = (0..SCALARS.len()).prop_map(Data::Scalar);
    let data = leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Data::List),
            proptest::collection::vec(inner, 0..6).prop_map(Data::Map),
        ]
    });
    fn noise(choices: &mut Vec<u8>, count: &mut usize, indent: usize, out: &mut String) {
        let choice = choices.pop().unwrap_or(0);
        match choice % 8 {
            1 => out.push_str("\n\n"),
            2 | 3 => {
                *count += 1;
                let spaces = if choice > 128 { indent } else { usize::from(choice % 7) };
                out.push_str(&format!(
                    "{}#{}mark{count}.\n",
                    " ".repeat(spaces),
                    if choice.is_multiple_of(2) { " " } else { "" }
                ));
            }
            4 => out.push_str("  \n"),
            _ => {}
        }
    }
    fn behind(choices: &mut Vec<u8>, count: &mut usize, out: &mut String) {
        if choices.pop().unwrap_or(0) % 4 == 1 {
            *count += 1;
            out.push_str(&format!(" # mark{count}."));
        }
        out.push('\n');
    }
    fn write(data: &Data, choices: &mut Vec<u8>, count: &mut usize, indent: usize, flow: bool, out: &mut String) {
        let flow = flow || choices.pop().unwrap_or(0) % 4 == 1;
        let spread = flow && choices.pop().unwrap_or(0) % 3 == 1;
        let (open, close, parts) = match data {
            Data::Scalar(at) => {
                out.push_str(match (SCALARS[*at], flow) {
                    ("", true) => "''",
                    (text, _) => text,
                });
                if !flow {
                    behind(choices, count, out);
                }
                return;
            }
            Data::List(parts) => ("[", "]", parts),
            Data::Map(parts) => ("{", "}", parts),
        };
        let is_map = open == "{";
        if flow || parts.is_empty() {
            out.push_str(open);
            for (index, part) in parts.iter().enumerate() {
                if spread {
                    behind(choices, count, out);
                    noise(choices, count, indent + 1, out);
                    out.push_str(&" ".repeat(indent + 1));
                }
                if is_map {
                    out.push_str(KEYS.get(index).unwrap_or(&"x"));
                    out.push_str(": ");
                }
                write(part, choices, count, indent + 1, true, out);
                out.push_str(if index + 1 < parts.len() { "," } else { "" });
            }
            if spread {
                out.push_str(" \n");
                out.push_str(&" ".repeat(indent + 1));
            }
            out.push_str(close);
            if !flow || out.ends_with('\n') {
                behind(choices, count, out);
            }
            return;
        }
        let offset = usize::from(choices.pop().unwrap_or(0)) % KEYS.len();
        for (index, part) in parts.iter().enumerate() {
            noise(choices, count, indent, out);
            if index > 0 || out.is_empty() || out.ends_with('\n') {
                out.push_str(&" ".repeat(indent));
            }
            if is_map {
                out.push_str(KEYS[(index + offset) % KEYS.len()]);
                out.push(':');
                value(part, choices, count, indent, is_map, out);
            } else {
                out.push('-');
                value(part, choices, count, indent, is_map, out);
            }
        }
        noise(choices, count, indent, out);
    }
    fn value(part: &Data, choices: &mut Vec<u8>, count: &mut usize, indent: usize, is_map: bool, out: &mut String) {
        let choice = choices.pop().unwrap_or(0);
        let collection = matches!(part, Data::List(parts) | Data::Map(parts) if !parts.is_empty());
        // A flow value and a scalar stay on the line; a block value goes below, or beside a dash.
        let flow = choices.last().copied().unwrap_or(0) % 4 == 1;
        if !collection || flow {
            out.push(' ');
            let before = out.len();
            write(part, choices, count, indent + 2, false, out);
            if collection && !out[before..].ends_with('\n') {
                behind(choices, count, out);
            }
            return;
        }
        let unindented = is_map && matches!(part, Data::List(_)) && choice % 3 == 1;
        let step = if unindented { 0 } else { 1 + usize::from(choice % 4) };
        if !is_map && choice.is_multiple_of(2) {
            out.push_str(&" ".repeat(step));
            write(part, choices, count, indent + 1 + step, false, out);
            return;
        }
        behind(choices, count, out);
        write(part, choices, count, indent + step, false, out);
    }
    let top = prop_oneof![
        proptest::collection::vec(data.clone(), 1..6).prop_map(Data::List),
        proptest::collection::vec(data, 1..6).prop_map(Data::Map),
    ];
    (top, proptest::collection::vec(any::<u8>(), 0..400)).prop_map(|(data, mut choices)| {
        let mut out = String::new();
        let mut count = 0;
        noise(&mut choices, &mut count, 0, &mut out);
        write(&data, &mut choices, &mut count, 0, false, &mut out);
        noise(&mut choices, &mut count, 0, &mut out);
        out
    })
}

fn marks(text: &str) -> Vec<&str> {
    let mut marks: Vec<&str> = text.split("mark").skip(1).filter_map(|rest| rest.split('.').next()).collect();
    marks.sort_unstable();
    marks
}

proptest! {
    #![proptest_config(cases(4096))]

    #[test]
    fn whatever_is_formatted_keeps_its_data_and_settles(text in prop_oneof![near_data(), edited_data(), soup()], kind in 0..4_usize) {
        check_format(&text, FileKind::ALL[kind]).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn every_comment_is_kept(text in commented(), kind in 0..4_usize) {
        if let Some(formatted) = check_format(&text, FileKind::ALL[kind]).map_err(TestCaseError::fail)? {
            prop_assert_eq!(marks(&text), marks(&formatted), "{}\nis now\n{}", text, formatted);
        }
    }
}

/// Without this the property above could hold by nothing ever being formatted.
#[test]
fn most_of_the_commented_data_is_valid() {
    use proptest::strategy::ValueTree;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = commented();
    let texts: Vec<String> = (0..500).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let valid = texts.iter().filter(|text| format(text, FileKind::Domain).is_ok()).count();
    let with_comments =
        texts.iter().filter(|text| marks(text).len() > 2 && format(text, FileKind::Domain).is_ok()).count();
    println!("of 500 texts {valid} were formatted, {with_comments} of them with more than two comments");
    assert!(valid > 250 && with_comments > 50, "valid {valid}, with comments {with_comments}");
}

const UNTIDY: &str = "plan: 30_MEG_UP_30_MEG_DOWN\nip:   '10.10.10.25'  \ndomain: ispcustomer.co.zw # where\n";
const TIDY: &str = "ip: 10.10.10.25\ndomain: ispcustomer.co.zw  # where\nplan: 30_MEG_UP_30_MEG_DOWN\n";

#[test]
fn files_are_rewritten_and_named() {
    let repo = Repo::new();
    repo.write("subscribers/a.yaml", UNTIDY);
    let run = repo.run(&["fmt"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert_eq!(run.stderr, "formatted subscribers/a.yaml\n4 files: 1 formatted\n");
    assert_eq!(repo.read("subscribers/a.yaml"), TIDY);
    let again = repo.run(&["fmt"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, "4 files: 0 formatted\n"));
}

#[test]
fn check_names_files_and_writes_nothing() {
    let repo = Repo::new();
    repo.write("subscribers/a.yaml", UNTIDY);
    let run = repo.run(&["fmt", "--check"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, "subscribers/a.yaml\n"), "{run:?}");
    assert_eq!(repo.read("subscribers/a.yaml"), UNTIDY);
    repo.write("subscribers/a.yaml", TIDY);
    assert_eq!(repo.run(&["fmt", "--check"]).code, 0);
}

#[test]
fn a_broken_file_is_left_alone_and_the_others_are_not() {
    let repo = Repo::new();
    repo.write("subscribers/a.yaml", UNTIDY);
    let broken = "ip: 10.10.10.26\nip: &x 10.10.10.27\n";
    repo.write("subscribers/b.yaml", broken);
    repo.write("subscribers/c.yaml", b"name: \xff\n");
    let run = repo.run(&["fmt"]);
    assert_eq!(run.code, 1, "{run:?}");
    for said in [
        "formatted subscribers/a.yaml\n",
        "subscribers/b.yaml:2:1: ",
        "subscribers/b.yaml:2:5: ",
        "subscribers/c.yaml: ",
    ] {
        assert!(run.stderr.contains(said), "{said} in {}", run.stderr);
    }
    assert_eq!(repo.read("subscribers/a.yaml"), TIDY);
    assert_eq!(repo.read("subscribers/b.yaml"), broken);
}

#[test]
fn only_the_named_files_and_folders_are_formatted() {
    let repo = Repo::new();
    for file in ["subscribers/a.yaml", "subscribers/b/c.yaml", "subscribers/b/d.yaml", "subscribers/bb.yaml"] {
        repo.write(file, UNTIDY);
    }
    let run = repo.run(&["fmt", "subscribers/a.yaml"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, "formatted subscribers/a.yaml\n1 file: 1 formatted\n"), "{run:?}");
    let run = repo.run(&["fmt", "--check", "subscribers/b", "subscribers/b/c.yaml"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, "subscribers/b/c.yaml\nsubscribers/b/d.yaml\n"), "{run:?}");
    repo.write("notes.yaml", UNTIDY);
    assert_eq!(repo.run(&["fmt", "notes.yaml"]).code, 2);
    assert_eq!(repo.run(&["fmt", "/"]).code, 2, "what is above the repository is not all of the repository");
    assert_eq!(repo.run(&["fmt", "subscribers/missing.yaml"]).code, 2);
}

/// Every `X.yaml` in the folder, whose kind its name starts with, is formatted to `X.expected`.
#[test]
fn examples_come_out_as_written_beside_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fmt");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".yaml") {
            continue;
        }
        let kind = FileKind::ALL.into_iter().find(|kind| name.starts_with(kind.name())).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let formatted = check_format(&text, kind).unwrap().unwrap();
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &formatted).unwrap();
        }
        assert_eq!(formatted, std::fs::read_to_string(&expected).unwrap(), "{name}");
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} examples");
}
