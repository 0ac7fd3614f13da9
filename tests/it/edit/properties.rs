//! Laws of editing, over generated files as people may write them.

use proptest::prelude::*;
use shapeline::edit::{FileEdits, Value};
use shapeline::schema::FileKind;
use shapeline::yaml;

use super::file::fields;
use crate::laws::check_edit;
use crate::yaml_properties::{cases, edited_data, near_data, soup};

/// A record and how it is written.
#[derive(Clone, Debug)]
struct Written {
    /// The address's last number.
    host: u8,
    plan: &'static str,
    quote: &'static str,
    name: Option<usize>,
    labels: usize,
    many: usize,
    order: usize,
    flow: bool,
    comments: u8,
}

/// Names as written in files, one of them over several lines.
const NAMES: [&str; 6] = ["ACME", "'4711'", "\"A: b\"", "O'Hara, # 5", "'it''s'", "|-\n@one\n@  # two\n@three"];

#[derive(Clone, Debug)]
struct Style {
    eol: &'static str,
    indent: usize,
    gap: usize,
    blank: usize,
    header: usize,
    footer: bool,
    final_break: bool,
    mark: bool,
    start: bool,
    sorted: bool,
}

fn written() -> impl Strategy<Value = Written> {
    let plan = prop::sample::select(vec!["GOLD", "SILVER", "30_MEG_UP_30_MEG_DOWN"]);
    let quote = prop::sample::select(vec!["", "", "'", "\""]);
    let name = prop::option::of(0..NAMES.len());
    let odds = (0..3_usize, 0..3_usize, 0..4_usize, prop::bool::weighted(0.2), any::<u8>());
    (any::<u8>(), plan, quote, name, odds).prop_map(
        |(host, plan, quote, name, (labels, many, order, flow, comments))| Written {
            host,
            plan,
            quote,
            name,
            labels,
            many,
            order,
            flow,
            comments,
        },
    )
}

fn style() -> impl Strategy<Value = Style> {
    let eol = prop::sample::select(vec!["\n", "\n", "\r\n", "\r"]);
    let bools = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.1), any::<bool>());
    (eol, 0..3_usize, 1..4_usize, 0..3_usize, 0..4_usize, bools).prop_map(
        |(eol, indent, gap, blank, header, (footer, final_break, mark, start, sorted))| Style {
            eol,
            indent,
            gap,
            blank,
            header,
            footer,
            final_break,
            mark,
            start,
            sorted,
        },
    )
}

/// Comments are numbered after the record that they belong to: `# r3 above`.
fn text(style: &Style, records: &mut [Written]) -> String {
    if style.sorted {
        records.sort_by_key(|record| record.host);
    }
    let mut lines: Vec<String> = Vec::new();
    if style.start {
        lines.push("---".into());
    }
    lines.extend((0..style.header).map(|n| format!("# header {n}")));
    if style.header == 3 {
        lines.push(String::new());
    }
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            lines.extend((0..style.blank).map(|_| String::new()));
        }
        one(style, at, record, &mut lines);
    }
    if style.footer {
        lines.push(String::new());
        lines.push("# footer".into());
    }
    let mark = if style.mark { "\u{feff}" } else { "" };
    let end = if style.final_break { style.eol } else { "" };
    format!("{mark}{}{end}", lines.join(style.eol))
}

fn one(style: &Style, at: usize, record: &Written, lines: &mut Vec<String>) {
    let has = |bit: u8| record.comments & (1 << bit) != 0;
    let margin = " ".repeat(style.indent);
    let inner = " ".repeat(style.indent + 1 + style.gap);
    // At the very top it would be the file's.
    if has(0) && (at > 0 || style.header == 3) {
        lines.push(format!("{margin}# r{at} above"));
    }
    let q = record.quote;
    let ip = format!("{q}10.0.0.{}{q}", record.host);
    let plan = format!("{q}{}{q}", record.plan);
    if record.flow {
        let behind = if has(1) { format!(" # r{at} behind") } else { String::new() };
        lines.push(format!("{margin}-{}{{ip: {ip}, domain: d.example, plan: {plan}}}{behind}", " ".repeat(style.gap)));
        return;
    }
    let ip = match record.many {
        1 => format!("ip: [{ip}, '2001:db8::{at:x}']"),
        2 => format!("ip:\n@  # r{at} ips\n@  - {ip}\n@  - '2001:db8::{at:x}'"),
        _ => format!("ip: {ip}"),
    };
    let mut fields = vec![ip, "domain: d.example".to_owned(), format!("plan: {plan}")];
    fields.extend(record.name.map(|name| format!("name: {}", NAMES[name].replace('@', "@  "))));
    match record.labels {
        1 => fields.push("labels: {a: b, c: '1'}".into()),
        2 => fields.push(format!("labels:\n@  a: b # r{at} label\n@\n@  c: '1'")),
        _ => {}
    }
    let turn = record.order % fields.len();
    fields.rotate_left(turn);
    let mut first = true;
    for (number, field) in fields.iter().enumerate() {
        if has(2) && number == 1 {
            lines.push(format!("{inner}# r{at} within"));
        }
        let one_line = !field.contains('\n') && number == 2;
        let behind = if has(3) && one_line { format!("   # r{at} behind") } else { String::new() };
        for part in format!("{field}{behind}").split('\n') {
            let part = part.replace('@', &inner);
            let part = if part.trim().is_empty() { String::new() } else { part };
            lines.push(if first {
                format!("{margin}-{}{part}", " ".repeat(style.gap))
            } else if part.starts_with(' ') || part.is_empty() {
                part
            } else {
                format!("{inner}{part}")
            });
            first = false;
        }
    }
    if has(4) {
        lines.push(format!("{inner}# r{at} last"));
    }
}

fn edited(text: &str, edit: impl FnOnce(&mut FileEdits<'_>)) -> String {
    let mut edits = FileEdits::new(text, FileKind::Subscriber).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    edit(&mut edits);
    edits.finish().unwrap_or_else(|error| panic!("{error:?}\n{text}")).expect("the file stays")
}

/// The lines, whatever ends them.
fn lines(text: &str) -> Vec<&str> {
    text.trim_start_matches('\u{feff}').split("\r\n").flat_map(|part| part.split(['\n', '\r'])).collect()
}

fn is_subsequence(part: &[&str], whole: &[&str]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|line| rest.any(|other| other == line))
}

fn file() -> impl Strategy<Value = (String, Vec<Written>)> {
    (style(), prop::collection::vec(written(), 1..6))
        .prop_map(|(style, mut records)| (text(&style, &mut records), records))
}

proptest! {
    #![proptest_config(cases(700))]

    #[test]
    fn a_value_set_and_set_back_gives_the_same_bytes((text, records) in file(), at in any::<prop::sample::Index>()) {
        let at = at.index(records.len());
        let other = edited(&text, |edits| edits.set(Some(at as u32), "plan", &Value::text("BRONZE-7")));
        prop_assert_eq!(lines(&other).len(), lines(&text).len());
        let differ = lines(&other).iter().zip(lines(&text)).filter(|(a, b)| **a != *b).count();
        prop_assert_eq!(differ, 1, "one line differs");
        let back = edited(&other, |edits| edits.set(Some(at as u32), "plan", &Value::text(records[at].plan)));
        prop_assert_eq!(back, text);
    }

    #[test]
    fn a_field_put_in_and_taken_out_gives_the_same_bytes((text, records) in file(), at in any::<prop::sample::Index>()) {
        let at = Some(at.index(records.len()) as u32);
        for field in ["id", "status", "ends"] {
            let with = edited(&text, |edits| edits.set(at, field, &Value::text("2027-01-01")));
            prop_assert!(with.len() > text.len());
            prop_assert_eq!(edited(&with, |edits| edits.unset(at, field)), text.clone());
        }
    }

    #[test]
    fn a_record_put_in_and_taken_out_gives_the_same_bytes((text, records) in file(), host in any::<u8>()) {
        let with = edited(&text, |edits| edits.insert(&fields(&format!("10.0.0.{host}"), "NEW")));
        let document = yaml::read_full(&with).document.unwrap();
        let items: Vec<_> = document.root(&with).unwrap().items().collect();
        prop_assert_eq!(items.len(), records.len() + 1);
        let new: Vec<usize> = (0..items.len()).filter(|at| items[*at].get("plan").unwrap().text() == "NEW").collect();
        prop_assert_eq!(new.len(), 1);
        prop_assert!(is_subsequence(&lines(&text), &lines(&with)), "{}\n---\n{}", text, with);
        let hosts: Vec<u8> = records.iter().map(|record| record.host).collect();
        if hosts.is_sorted() {
            prop_assert_eq!(new[0], hosts.iter().filter(|other| **other <= host).count(), "by address");
        } else {
            prop_assert_eq!(new[0], records.len());
        }
        prop_assert_eq!(edited(&with, |edits| edits.remove(Some(new[0] as u32))), text);
    }

    #[test]
    fn what_is_removed_takes_its_own_comments_and_no_others((text, records) in file(), which in prop::collection::vec(any::<bool>(), 6)) {
        let gone: Vec<usize> = (0..records.len()).filter(|at| which[*at]).collect();
        if gone.len() == records.len() {
            return Ok(());
        }
        let rest = edited(&text, |edits| gone.iter().for_each(|at| edits.remove(Some(*at as u32))));
        prop_assert!(is_subsequence(&lines(&rest), &lines(&text)), "{}\n---\n{}", text, rest);
        for line in lines(&text) {
            let Some((_, comment)) = line.split_once("# ") else { continue };
            let owner = comment.strip_prefix('r').and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
            let stays = owner.is_none_or(|owner| !gone.contains(&owner));
            if owner.is_some() || comment.starts_with("header") || comment.starts_with("footer") {
                prop_assert_eq!(rest.contains(&format!("# {comment}")), stays, "{}\n{}\n---\n{}", comment, text, rest);
            }
        }
        let ends_alike = text.ends_with(['\n', '\r']) == rest.ends_with(['\n', '\r']);
        prop_assert!(ends_alike, "the end of the file stays as it is");
    }

    #[test]
    fn many_edits_at_once_are_the_same_as_one_after_the_other((text, records) in file(), host in any::<u8>()) {
        if records.len() < 2 {
            return Ok(());
        }
        let new = fields(&format!("10.0.0.{host}"), "NEW");
        let change = |edits: &mut FileEdits<'_>| edits.set(Some(0), "plan", &Value::text("OTHER"));
        let at_once = edited(&text, |edits| {
            change(edits);
            edits.remove(Some(1));
            edits.insert(&new);
        });
        let step = edited(&text, |edits| edits.remove(Some(1)));
        let step = edited(&step, change);
        let step = edited(&step, |edits| edits.insert(&new));
        let plans = |text: &str| {
            let document = yaml::read_full(text).document.unwrap();
            let root = document.root(text).unwrap();
            root.items().map(|item| item.get("plan").unwrap().text().to_owned()).collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(plans(&at_once), plans(&step));
        prop_assert_eq!(lines(&at_once).iter().filter(|line| line.contains("# header")).count(), lines(&text).iter().filter(|line| line.contains("# header")).count());
    }

    #[test]
    fn no_value_breaks_out_of_its_field((text, records) in file(), value in hostile(), at in any::<prop::sample::Index>()) {
        let at = at.index(records.len());
        for field in ["name", "plan", "id"] {
            let with = edited(&text, |edits| edits.set(Some(at as u32), field, &Value::text(value.as_str())));
            let reading = yaml::read_full(&with);
            prop_assert!(reading.problems.is_empty(), "{:?}", reading.problems);
            let document = reading.document.unwrap();
            let items: Vec<_> = document.root(&with).unwrap().items().collect();
            prop_assert_eq!(items.len(), records.len());
            let found = items[at].get(field).unwrap();
            prop_assert_eq!(found.text(), value.as_str());
            if found.kind() == yaml::NodeKind::Scalar(yaml::Style::Plain) {
                prop_assert_eq!(yaml::scalar_type(found.text()), yaml::ScalarType::Text);
            }
            for (other, item) in items.iter().enumerate().filter(|(other, _)| *other != at) {
                prop_assert_eq!(item.get("plan").unwrap().text(), records[other].plan);
            }
        }
        let new = edited(&text, |edits| edits.insert(&fields("10.0.0.1", &value)));
        let document = yaml::read_full(&new).document.unwrap();
        let found = document.root(&new).unwrap().items().any(|item| item.get("plan").unwrap().text() == value);
        prop_assert!(found);
    }

    #[test]
    fn whatever_the_text_an_edit_is_right_or_refused(
        parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..14),
        at in prop::option::of(0..3_u32),
    ) {
        check_edit(&parts.concat(), at).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn the_same_of_texts_that_are_nearly_data(text in prop_oneof![near_data(), edited_data(), soup()], at in prop::option::of(0..3_u32)) {
        check_edit(&text, at).map_err(TestCaseError::fail)?;
    }
}

/// Pieces of which YAML of every kind is made.
const PARTS: [&str; 27] = [
    "- ",
    "-\n",
    "ip: 10.0.0.1\n",
    "  plan: P\n",
    "plan: P\n",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "a: b",
    "# c\n",
    "\n",
    "  ",
    "\r\n",
    "name: |\n",
    "   x\n",
    "'q'",
    "\"d\"",
    "---\n",
    "...\n",
    "labels:\n",
    "    a: 1\n",
    "\u{feff}",
    "? ",
    ": ",
    "\t",
];

fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "a\nb",
        "a\r\nb",
        "\n",
        " ",
        "",
        "a: b",
        "a #b",
        "# a",
        "- a",
        "[a",
        "{a",
        "]",
        "}",
        ",",
        "'",
        "\"",
        "\\",
        "\\n",
        "a'b\"c",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "~",
        "null",
        "no",
        "on",
        "1",
        "1.5",
        "0x1f",
        "1:30",
        "2027-01-01",
        "---",
        "...",
        "\u{feff}",
        "\u{202e}x",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "\u{1b}[31m",
        "a\tb",
        "\ta",
        "a ",
        " a",
        "é",
        "日本",
        "?",
        "? a",
        ":",
        "a:",
        "<<",
        "=",
        "a, b",
        "a]",
        "a}",
        "'a",
        "a'",
        "\"a\"",
        "- ip: 10.0.0.9",
        "x\n- ip: 10.0.0.9\n  domain: d.example\n  plan: P",
    ]);
    prop_oneof![known.prop_map(str::to_owned), ".{0,60}", Just("long ".repeat(3000))]
}
