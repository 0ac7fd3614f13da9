//! The most common mistakes: each is reported at its place, with what to write instead.

use std::fmt::Write;

use shapeline::source::SourceFile;
use shapeline::yaml;

/// Mistakes, with the text that must be marked; the messages are in the snapshot.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("no space after the colon", "ip:10.10.10.25\ndomain: d.example\n", ":"),
    ("no space after the colon, in a list", "- ip:10.10.10.25\n  domain: d.example\n", ":"),
    ("no colon", "ip 10.10.10.25\ndomain: d.example\n", "ip 10.10.10.25"),
    ("no colon further down", "ip: 10.10.10.25\ndomain d.example\nplan: x\n", "domain d.example"),
    ("an equals sign", "ip = 10.10.10.25\ndomain: d.example\n", "ip = 10.10.10.25"),
    ("a tab", "ip: 10.10.10.25\n\tdomain: d.example\n", "\t"),
    ("a tab below a key", "labels:\n\tticket: x\n", "\t"),
    ("a tab before a dash", "\t- {ip: 10.10.10.25}\n", "\t"),
    ("spaces and a tab below a key", "labels:\n  \ta: b\n", "\t"),
    ("a tab between a dash and a key", "-\tip: 10.10.10.25\n", "\t"),
    ("a tab, Windows line endings", "ip: a\r\ndomain: d\r\n\tplan: x\r\n", "\t"),
    ("second field too far in", "- ip: 10.10.10.25\n   domain: d.example\n", "domain"),
    ("second field not far enough in", "- ip: 10.10.10.25\n domain: d.example\n", "domain"),
    ("second field not in at all", "- ip: 10.10.10.25\ndomain: d.example\n", "domain"),
    ("second field in", "ip: a\n domain: d.example\n", "domain"),
    ("a field between two levels", "labels:\n  a: b\n c: d\n", "c"),
    ("an entry between two levels", "prefixes:\n  - a\n - b\n", "-"),
    ("a dash forgotten at the first record", "ip: a\n- ip: b\n", "-"),
    ("a dash forgotten at the last record", "- ip: a\n- ip: b\nip: c\n", "ip"),
    ("a double quote not closed", "name: \"Head office\nip: a\nplan: x\n", "\""),
    ("a single quote not closed", "name: 'Head office\nip: a\n", "'"),
    ("a quote not closed in the last line", "ip: a\nname: 'Head office\n", "'"),
    ("an apostrophe in single quotes", "name: 'it's here'\nip: a\n", "s"),
    ("text after a quoted value", "name: \"Head\" office\n", "o"),
    ("a list not closed", "prefixes: [10.0.0.0/8, 11.0.0.0/8\nname: x\n", "["),
    ("a mapping not closed", "name: x\nlabels: {a: b\nplan: x\n", "{"),
    ("a mapping not closed at the end", "{ip: a, domain: d\n", "{"),
    ("a bracket too many", "ip: [a, b]]\n", "]"),
    ("the wrong bracket", "ip: [a, b}\n", "["),
    ("text after a list", "prefixes: [a] b\n", "b"),
    ("a colon in a value", "name: Head: office\n", ":"),
    ("a value that starts with @", "owners: @alice\n", "@"),
    ("a value that starts with %", "max: %30\n", "%"),
    ("a value that starts with a backquote", "name: `x`\n", "`"),
    ("a value that starts with *", "name: *star\n", "*star"),
    ("a value that starts with &", "name: &co partners\n", "&co"),
    ("a value that starts with !", "name: !important\n", "!important"),
    ("a value that starts with a dash", "name: - a\n", "-"),
    ("a value that starts with |", "name: | x\n", "|"),
    ("a value that starts with ?", "name: ? what\n", "?"),
    ("a lone ? within brackets", "owners: [?]\n", "?"),
    ("a value that starts with a template", "name: {{ x }}\n", "{"),
    ("a no-break space after the colon", "ip:\u{a0}10.10.10.25\ndomain: d\n", "\u{a0}"),
    ("a backslash in double quotes", "name: \"C:\\Data\"\n", "\\"),
    ("a comment without a space", "name: 'a'#b\n", "#"),
    ("a merge conflict", "ip: a\n<<<<<<< HEAD\nplan: x\n=======\nplan: y\n>>>>>>> other\n", "<<<<<<< HEAD"),
    ("the same key twice", "ip: a\nplan: x\nip: b\n", "ip"),
    ("a second document", "ip: a\n---\nip: b\n", "---"),
    ("a directive", "%YAML 1.1\n---\nip: a\n", "%YAML 1.1"),
    ("a merge key", "a:\n  <<: x\n", "<<"),
    ("a key that is a boolean", "no: x\n", "no"),
    ("no key", ": x\n", ""),
    ("a control character", "name: a\u{7}b\n", "\u{7}"),
    ("a byte-order mark further in", "ip: a\n\u{feff}plan: b\n", "\u{feff}"),
];

#[test]
fn each_is_reported_at_its_place_with_what_to_write_instead() {
    let mut reported = String::new();
    let mut wrong = String::new();
    for (name, text, pointed_at) in MISTAKES {
        let problems = yaml::read(text).problems;
        let Some(problem) = problems.first() else {
            writeln!(wrong, "{name}: read without a problem").unwrap();
            continue;
        };
        let slice = &text[problem.span.range()];
        if slice != *pointed_at {
            writeln!(wrong, "{name}: points at {slice:?}, not at {pointed_at:?}: {}", problem.message).unwrap();
        }
        if problem.message.starts_with("not valid YAML") {
            writeln!(wrong, "{name}: only the parser's own words: {}", problem.message).unwrap();
        }
        let at = SourceFile::new("a.yaml", *text).position(problem.span.start);
        writeln!(reported, "{name}\n  {}:{}: {}\n  help: {}", at.line, at.column, problem.message, problem.help)
            .unwrap();
    }
    assert!(wrong.is_empty(), "{wrong}");
    insta::assert_snapshot!(reported);
}

/// Whatever the parser complains about gets words, and a place within the text.
#[test]
fn no_cut_of_a_file_is_reported_in_the_parsers_own_words_alone() {
    let text = "- ip: [10.10.10.25, '2001:db8::1']  # two\n  name: \"Head \\\"office\\\"\"\n  labels: {a: b, c: 'd'}\n  note: |\n    x\n";
    let mut unexplained = std::collections::BTreeMap::new();
    for cut in 0..text.len() {
        for insert in ["", "\t", "\"", "'", "]", "}", "[", "{", ": ", "- ", "@", "\n", "\n ", "#", "%", "\\"] {
            let broken = format!("{}{insert}{}", &text[..cut], if insert.is_empty() { "" } else { &text[cut..] });
            for problem in yaml::read(&broken).problems {
                assert!(broken.get(problem.span.range()).is_some(), "{broken:?}: {problem:?}");
                if let Some(words) = problem.message.strip_prefix("not valid YAML: ") {
                    unexplained.entry(words.to_owned()).or_insert(broken.clone());
                }
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

/// Many keys are compared by a table, few one by one.
#[test]
fn a_repeated_key_is_found_among_few_and_among_many() {
    for count in [2, 16, 17, 40] {
        let keys: String = (0..count).map(|number| format!("  l{number}: x\n")).collect();
        let reading = yaml::read(&format!("labels:\n{keys}  l1: y\n"));
        let messages: Vec<&str> = reading.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, ["the field `l1` is there twice"], "{count}");
    }
}

#[test]
fn a_mapping_has_so_many_keys_and_no_more() {
    for more in [0, 1] {
        let text: String = (0..yaml::MAX_KEYS + more).map(|number| format!("l{number}: x\n")).collect();
        let messages: Vec<String> = yaml::read(&text).problems.into_iter().map(|problem| problem.message).collect();
        assert_eq!(messages, vec!["one mapping has more than 10000 keys"; more]);
    }
}
