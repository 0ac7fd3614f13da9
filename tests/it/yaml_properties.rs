//! Invariants of reading any text: no panic, places that exist, and two readers that agree.

use proptest::prelude::*;
use proptest::sample::select;
use shapeline::yaml;

use crate::laws::{check_format, check_text};

fn token() -> impl Strategy<Value = String> {
    let tokens = [
        "- ",
        "-",
        "? ",
        "?",
        ": ",
        ":",
        ", ",
        ",",
        "[",
        "]",
        "{",
        "}",
        "#",
        " #",
        "&a",
        " *a",
        "!",
        "!!str ",
        "|",
        ">",
        "|-\n",
        "'",
        "\"",
        "''",
        "\\",
        "%YAML 1.2\n",
        "@",
        "`",
        "---",
        "...",
        "\n",
        "\n\n",
        "\n  ",
        "\n    ",
        "\r\n",
        "\r",
        "\t",
        " ",
        "  ",
        "a",
        "ip",
        "b: c",
        "é",
        "名",
        "\u{feff}",
        "\u{a0}",
        "\u{2028}",
        "\u{85}",
        "1",
        "null",
        "~",
        "<<",
        "=",
        "--- ",
        "- - ",
        "a: ",
        "\n- ",
        "\na: ",
        "\n---\n",
        "\n...\n",
        "\0",
        "\u{7f}",
    ];
    prop_oneof![9 => select(tokens.to_vec()).prop_map(str::to_owned), 1 => any::<char>().prop_map(|c| c.to_string())]
}

pub fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(token(), 0..40).prop_map(|tokens| tokens.concat())
}

fn pick(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(of).prop_map(str::to_owned)
}

/// Values that are nearly, or just not, what the quick reader takes.
fn value() -> impl Strategy<Value = String> {
    let whole: &[&str] = &[
        "10.10.10.25",
        "2001:db8::1",
        "::1",
        "2001:db8::/48",
        "a:b",
        "a: b",
        "a:",
        ":a",
        "a::",
        "a:: b",
        "a #b",
        "a#b",
        "a  #  b",
        "#a",
        "30 Mbps",
        "7.5 Mbps",
        "true",
        "no",
        "null",
        "~",
        "007",
        "1e3",
        "''",
        "\"\"",
        "'a'",
        "\"a\"",
        "'it''s'",
        "\"a\\n\"",
        "'a",
        "\"a",
        "'a' b",
        "'a'#b",
        "'a' #b",
        "'a': b",
        "[a, b]",
        "[a,b]",
        "[a , b ]",
        "[a]",
        "[]",
        "[a, ]",
        "[,]",
        "[a: b]",
        "[a:b]",
        "[a::b]",
        "[2001:db8::/32, ::]",
        "[2001:db8::/32]",
        "[a b, c]",
        "[a #b]",
        "[a, # b",
        "[a] b",
        "[a]#b",
        "[a] # b",
        "[[a]]",
        "['a']",
        "[\"a, b\"]",
        "[a",
        "a]",
        "{a: b}",
        "-",
        "- a",
        "-a",
        "--- a",
        "---",
        "...",
        "|",
        "> ",
        "*a",
        "&a b",
        "!a b",
        "@a",
        "a@b",
        "%a",
        "`a",
        "a, b",
        "a {b",
        "a [b",
        "é",
        "a é",
        "a\tb",
        "a\t",
        "a ",
        "a  ",
        "(a)",
        "a=b",
        "=",
        "<<",
        "a'b",
        "a\"b",
        "_",
        "/a",
        "a/b:c",
        "http://a/b",
        "a:/b",
        "a:-b",
        "a:.b",
        "a:'b'",
        "[a:-b]",
        "[a:/b]",
        "[a:'b']",
        "[a/b]",
        "[-a]",
        "[.a]",
        "[a-]",
        "[a:]",
        "a \u{a0}#b",
        "1.5",
        "2026-12-01",
        "12:30:45",
        "0x1F",
        "y",
        "a - b",
        "a -b",
        "a ? b",
        "a! b",
        "[a? b]",
    ];
    prop_oneof![12 => pick(&["10.10.10.25", "2001:db8::1", "a b", "'a'", "[a, b]"]), 6 => pick_owned(whole), 2 => "[ a-z0-9:#.,@/'\\[\\]-]{0,12}", 1 => "\\PC{0,6}"]
}

fn pick_owned(of: &[&str]) -> impl Strategy<Value = String> + use<> {
    select(of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => pick(&["ip", "domain", "plan", "name", "id", "up", "down", "labels", "_x", "Status"]),
        1 => pick(&["y", "no", "null", "true", "1", "a b", "a-b", "'ip'", "\"ip\"", "? a", "", "<<", "é", "a.b", "ip ", "on", "~", "[a]"]),
        1 => "[A-Za-z_]{1,70}",
    ]
}

fn line_end() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => Just("\n".to_owned()),
        1 => pick(&["\n\n", "\n \n", "\n   \n", "  \n", "\r\n", "\r", "\t\n", " # c\n", "  # é\n", "#c\n", " #\n", "\n# c\n", "\n  # c\n",
                    "\n    # c: d\n", "\n #\n\n", "\n\t\n", "\n\t# c\n", "", " ", "\n---\n", "\n...\n", "\n  more\n", "\nmore\n", "\n- \n", "\n -\n"]),
    ]
}

fn field() -> impl Strategy<Value = (String, String, String, String)> {
    let colon = prop_oneof![15 => Just(": ".to_owned()), 2 => pick(&[":  ", ":", " : ", ":   ", ":\t", "", ":\n    ", ": \n", ":\n"])];
    (key(), colon, value(), line_end())
}

fn record() -> impl Strategy<Value = Vec<(String, String, String, String)>> {
    proptest::collection::vec(field(), 1..6)
}

/// Texts in the shape of data files, with here and there something that is not.
pub fn near_data() -> impl Strategy<Value = String> {
    let start = prop_oneof![
        10 => Just(String::new()),
        2 => pick(&["---\n", "--- \n", " ---\n", "---", "--- # c\n", "# c\n", "\n", "  \n", "# c\n---\n", "---\n---\n", "\u{feff}", "%YAML 1.2\n---\n", "-\n", "  # c\n"]),
    ];
    let dash = prop_oneof![12 => Just("- ".to_owned()), 1 => pick(&["-  ", "-   ", " - ", "-", "-\n  ", "- - ", "  - ", "-\t", "- # c\n  "])];
    let nudge = prop_oneof![20 => Just(0_i32), 1 => -2..=3_i32];
    let list = proptest::collection::vec((dash, record(), proptest::collection::vec(nudge, 6)), 1..5);
    let end =
        prop_oneof![10 => Just(String::new()), 1 => pick(&["...", "...\n", "---", "# end", " ", "\n\n", "x", "]"])];
    let body = prop_oneof![
        list.prop_map(|items| items
            .into_iter()
            .map(|(dash, fields, nudges)| item(&dash, &fields, &nudges))
            .collect::<String>()),
        (record(), proptest::collection::vec(prop_oneof![20 => Just(0_i32), 1 => 0..=2_i32], 6))
            .prop_map(|(fields, nudges)| item("", &fields, &nudges)),
    ];
    (start, body, end, 0..4_usize).prop_map(|(start, body, end, cut)| {
        let mut text = format!("{start}{body}{end}");
        if cut == 0 && text.ends_with('\n') {
            text.pop();
        }
        text
    })
}

fn item(dash: &str, fields: &[(String, String, String, String)], nudges: &[i32]) -> String {
    let indent = dash.rsplit('\n').next().unwrap_or(dash).chars().count() as i32;
    let mut text = dash.to_owned();
    for (index, (key, colon, value, end)) in fields.iter().enumerate() {
        if index > 0 {
            text.push_str(&" ".repeat((indent + nudges.get(index).copied().unwrap_or(0)).max(0) as usize));
        }
        text.extend([key.as_str(), colon, value, end]);
    }
    text
}

/// Clean data with a few small edits: one wrong byte in a file that is otherwise right.
pub fn edited_data() -> impl Strategy<Value = String> {
    let value = pick(&[
        "10.10.10.25",
        "2001:db8::1",
        "30 Mbps",
        "ispcustomer.co.zw",
        "'4711'",
        "\"Head office\"",
        "[a, b]",
        "a:b",
        "x # y",
    ]);
    let end = prop_oneof![8 => Just("\n".to_owned()), 1 => pick(&["  # c\n", "\n\n", "\n# c\n", "  \n"])];
    let field = (value, end);
    let list = proptest::collection::vec(proptest::collection::vec(field, 1..5), 1..4);
    let text = (list, any::<bool>()).prop_map(|(records, listed)| {
        let mut text = String::new();
        for fields in records.iter().take(if listed { 9 } else { 1 }) {
            for (index, ((value, end), key)) in fields.iter().zip(["ip", "domain", "plan", "name", "id"]).enumerate() {
                text.push_str(if !listed {
                    ""
                } else if index == 0 {
                    "- "
                } else {
                    "  "
                });
                text.extend([key, ": ", value, end]);
            }
        }
        text
    });
    let edit = (any::<proptest::sample::Index>(), token(), 0..3_u8);
    (text, proptest::collection::vec(edit, 0..3)).prop_map(|(mut text, edits)| {
        for (at, token, how) in edits {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            if places.is_empty() {
                break;
            }
            let at = *at.get(&places);
            if how > 0 {
                text.remove(at);
            }
            if how < 2 {
                text.insert_str(at, &token);
            }
        }
        text
    })
}

/// How many cases to try: more by `PROPTEST_CASES`.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(4096))]

    #[test]
    fn any_text_is_read_without_a_panic_and_with_places_that_exist(text in "\\PC{0,60}|(?s).{0,60}") {
        check_text(&text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn so_is_a_soup_of_what_means_something_in_yaml(text in soup()) {
        check_text(&text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn one_wrong_byte_does_not_part_the_two_readers(text in edited_data()) {
        check_text(&text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn the_quick_reader_agrees_with_the_full_one(text in near_data()) {
        check_text(&text).map_err(TestCaseError::fail)?;
    }
}

/// Without this the properties above could hold by the quick reader never taking anything.
#[test]
fn the_quick_reader_takes_much_of_what_is_generated_near_it() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    fn taken(strategy: impl Strategy<Value = String>) -> usize {
        let mut runner = TestRunner::deterministic();
        let texts = (0..1000).map(|_| strategy.new_tree(&mut runner).unwrap().current());
        texts.filter(|text| yaml::read_flat(text).is_some()).count()
    }
    let (near, edited) = (taken(near_data()), taken(edited_data()));
    println!("of 1000 texts each the quick reader took {near} and {edited}");
    assert!(near > 20 && edited > 200, "near {near}, edited {edited}");
}

/// Texts that once went wrong, most of them found by fuzzing: every law holds for each of them.
#[test]
fn what_once_went_wrong_does_not_again() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/yaml");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        check_text(&text).unwrap_or_else(|broken| panic!("{}: {broken}", path.display()));
        for kind in shapeline::schema::FileKind::ALL {
            check_format(&text, kind).unwrap_or_else(|broken| panic!("{}: {broken}", path.display()));
        }
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} texts");
}
