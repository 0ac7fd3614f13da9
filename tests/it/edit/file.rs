//! Edits of one file, as people write such files.

use shapeline::edit::{Fields, FileEdits, NotEdited, Value};
use shapeline::schema::FileKind;

pub fn fields(ip: &str, plan: &str) -> Fields {
    let fields = [("ip", ip), ("domain", "d.example"), ("plan", plan)];
    Fields(fields.into_iter().map(|(field, value)| (field.to_owned(), Value::text(value))).collect())
}

fn edited(text: &str, edit: impl FnOnce(&mut FileEdits<'_>)) -> String {
    let mut edits = FileEdits::new(text, FileKind::Subscriber).unwrap();
    edit(&mut edits);
    edits.finish().unwrap_or_else(|error| panic!("{error:?}\n{text}")).expect("the file stays")
}

fn set(text: &str, index: Option<u32>, field: &str, value: &str) -> String {
    edited(text, |edits| edits.set(index, field, &Value::text(value)))
}

fn unset(text: &str, index: Option<u32>, field: &str) -> String {
    edited(text, |edits| edits.unset(index, field))
}

const ONE: &str = "# ACME\nip: 10.0.0.1   # first\nplan: 'GOLD' # until May\n\nname: \"A, B\"\ndomain: d.example\n";

#[test]
fn one_value_is_replaced_and_nothing_else() {
    assert_eq!(set(ONE, None, "plan", "SILVER"), ONE.replace("GOLD", "SILVER"));
    assert_eq!(set(ONE, None, "ip", "10.0.0.9"), ONE.replace("10.0.0.1", "10.0.0.9"));
    assert_eq!(set(ONE, None, "name", "C"), ONE.replace("A, B", "C"), "quotes stay");
    let needed = ONE.replace("\"A, B\"", "'4711'");
    assert_eq!(set(&needed, None, "name", "C"), ONE.replace("\"A, B\"", "C"), "quotes that only the old value needed");
    assert_eq!(set(ONE, None, "ip", "10.0.0.1"), ONE, "the same value");
}

#[test]
fn line_ends_and_marks_stay() {
    for text in [
        ONE.replace('\n', "\r\n"),
        ONE.replace('\n', "\r"),
        ONE.trim_end().to_owned(),
        format!("\u{feff}{ONE}"),
        format!("---\n{ONE}"),
    ] {
        assert_eq!(set(&text, None, "plan", "SILVER"), text.replace("GOLD", "SILVER"));
        let suspended = set(&text, None, "status", "suspended");
        assert!(suspended.len() > text.len());
        assert_eq!(unset(&suspended, None, "status"), text);
    }
}

#[test]
fn a_new_field_goes_where_the_schema_has_it() {
    let text = "ip: 10.0.0.1\ndomain: d.example\nplan: GOLD # c\nlabels: {a: b}\n";
    let suspended = "ip: 10.0.0.1\ndomain: d.example\nplan: GOLD # c\nstatus: suspended\nlabels: {a: b}\n";
    assert_eq!(set(text, None, "status", "suspended"), suspended);
    assert_eq!(unset(suspended, None, "status"), text);
    let list = "- ip: 10.0.0.1\n  plan: GOLD\n  domain: d.example\n";
    assert_eq!(set(list, Some(0), "id", "x"), "- ip: 10.0.0.1\n  plan: GOLD\n  id: x\n  domain: d.example\n");
    let reordered = "- plan: GOLD\n  ends: 2027-01-01\n  domain: d.example\n";
    assert_eq!(
        set(reordered, Some(0), "ip", "10.0.0.1"),
        "- ip: 10.0.0.1\n  plan: GOLD\n  ends: 2027-01-01\n  domain: d.example\n"
    );
}

#[test]
fn the_field_behind_the_dash_can_go() {
    let text = "- name: x\n  ip: 10.0.0.1\n- name: x\n  # c\n  ip: 10.0.0.2\n";
    assert_eq!(unset(text, Some(0), "name"), "- ip: 10.0.0.1\n- name: x\n  # c\n  ip: 10.0.0.2\n");
    assert_eq!(unset(text, Some(1), "name"), "- name: x\n  ip: 10.0.0.1\n-\n  # c\n  ip: 10.0.0.2\n");
}

#[test]
fn the_comment_above_a_field_goes_with_it() {
    let text = "ip: 10.0.0.1\ndomain: d.example\nplan: GOLD\n# not paid\nstatus: suspended # since May\n# footer\n";
    assert_eq!(unset(text, None, "status"), "ip: 10.0.0.1\ndomain: d.example\nplan: GOLD\n# footer\n");
}

#[test]
fn braces_stay_braces() {
    let text = "- {ip: 10.0.0.1, plan: GOLD}  # a\n- { plan: GOLD, \"ip\": 10.0.0.2 }\n";
    assert_eq!(set(text, Some(0), "plan", "SILVER"), text.replacen("GOLD", "SILVER", 1));
    let with = "- {ip: 10.0.0.1, plan: GOLD, status: suspended}  # a\n- { plan: GOLD, \"ip\": 10.0.0.2 }\n";
    assert_eq!(set(text, Some(0), "status", "suspended"), with);
    assert_eq!(unset(with, Some(0), "status"), text);
    assert_eq!(unset(text, Some(1), "plan"), "- {ip: 10.0.0.1, plan: GOLD}  # a\n- { \"ip\": 10.0.0.2 }\n");
    let json = "[\n  {\"ip\": \"10.0.0.1\", \"domain\": \"d.example\", \"plan\": \"GOLD\"},\n  {\"ip\": \"10.0.0.3\", \"domain\": \"d.example\", \"plan\": \"GOLD\"}\n]\n";
    let more = edited(json, |edits| edits.insert(&fields("10.0.0.2", "GOLD")));
    let new = "{\"ip\": \"10.0.0.2\", \"domain\": \"d.example\", \"plan\": \"GOLD\"}";
    assert_eq!(more, json.replace("},\n", &format!("}},\n  {new},\n")));
    assert_eq!(edited(&more, |edits| edits.remove(Some(1))), json);
    assert_eq!(
        edited(json, |edits| edits.remove(Some(0))),
        "[\n  {\"ip\": \"10.0.0.3\", \"domain\": \"d.example\", \"plan\": \"GOLD\"}\n]\n"
    );
}

const LIST: &str = "\
# Subscribers of d.example
# kept by the NOC

# the first
- ip: 10.0.0.1
  domain: d.example
  plan: GOLD
  # its last comment

- ip: 10.0.0.5  # behind
  domain: d.example
  plan: 'GOLD'

# footer
";

#[test]
fn a_record_goes_with_its_comments_and_one_gap() {
    let without_first = "# Subscribers of d.example\n# kept by the NOC\n\n- ip: 10.0.0.5  # behind\n  domain: d.example\n  plan: 'GOLD'\n\n# footer\n";
    assert_eq!(edited(LIST, |edits| edits.remove(Some(0))), without_first);
    let without_last = "# Subscribers of d.example\n# kept by the NOC\n\n# the first\n- ip: 10.0.0.1\n  domain: d.example\n  plan: GOLD\n  # its last comment\n\n# footer\n";
    assert_eq!(edited(LIST, |edits| edits.remove(Some(1))), without_last);
}

#[test]
fn comments_at_the_top_are_about_the_file() {
    let text = "# all of d.example\n- ip: 10.0.0.1\n- ip: 10.0.0.2\n";
    assert_eq!(edited(text, |edits| edits.remove(Some(0))), "# all of d.example\n- ip: 10.0.0.2\n");
    let text = "---\n# all of d.example\n- ip: 10.0.0.1\n- ip: 10.0.0.2\n";
    assert_eq!(edited(text, |edits| edits.remove(Some(0))), "---\n# all of d.example\n- ip: 10.0.0.2\n");
}

#[test]
fn a_new_record_goes_where_its_address_belongs() {
    let middle = edited(LIST, |edits| edits.insert(&fields("10.0.0.3", "GOLD")));
    let new = "\n- ip: 10.0.0.3\n  domain: d.example\n  plan: GOLD\n";
    assert_eq!(middle, LIST.replace("last comment\n", &format!("last comment\n{new}")));
    assert_eq!(edited(&middle, |edits| edits.remove(Some(1))), LIST);
    let last = edited(LIST, |edits| edits.insert(&fields("10.0.0.9", "GOLD")));
    let quoted = "\n- ip: 10.0.0.9\n  domain: d.example\n  plan: 'GOLD'\n";
    assert_eq!(last, LIST.replace("'GOLD'\n", &format!("'GOLD'\n{quoted}")), "quotes as beside");
    assert_eq!(edited(&last, |edits| edits.remove(Some(2))), LIST);
    let first = edited(LIST, |edits| edits.insert(&fields("10.0.0.0", "GOLD")));
    assert_eq!(
        first,
        LIST.replace("# the first\n", "- ip: 10.0.0.0\n  domain: d.example\n  plan: GOLD\n\n# the first\n")
    );
    assert_eq!(edited(&first, |edits| edits.remove(Some(0))), LIST);
    let unordered = "- ip: 10.0.0.5\n- ip: 10.0.0.1\n";
    let more = edited(unordered, |edits| edits.insert(&fields("10.0.0.3", "GOLD")));
    assert_eq!(more, format!("{unordered}- ip: 10.0.0.3\n  domain: d.example\n  plan: GOLD\n"));
}

#[test]
fn a_new_record_has_the_style_of_its_neighbour() {
    let text = "  -   plan: \"GOLD\"\r\n      ip: '10.0.0.1'\r\n      domain: d.example";
    let more = edited(text, |edits| edits.insert(&fields("10.0.0.2", "SILVER")));
    assert_eq!(more, format!("{text}\r\n  -   plan: \"SILVER\"\r\n      ip: '10.0.0.2'\r\n      domain: d.example"));
    assert_eq!(edited(&more, |edits| edits.remove(Some(1))), text);
    let alone = "-\n   ip: 10.0.0.1\n   domain: d.example\n";
    let more = edited(alone, |edits| edits.insert(&fields("10.0.0.2", "GOLD")));
    assert_eq!(more, format!("{alone}-\n   ip: 10.0.0.2\n   domain: d.example\n   plan: GOLD\n"));
}

#[test]
fn a_file_of_one_record_becomes_a_list() {
    let text = "# ours\nip: 10.0.0.1\nlabels:\n  # t\n  a: b\n\n  c: d\ndomain: d.example # x\n# end\n";
    let more = edited(text, |edits| edits.insert(&fields("10.0.0.2", "GOLD")));
    let list = "# ours\n- ip: 10.0.0.1\n  labels:\n    # t\n    a: b\n\n    c: d\n  domain: d.example # x\n- ip: 10.0.0.2\n  domain: d.example\n  plan: GOLD\n# end\n";
    assert_eq!(more, list);
    let new = edited("", |edits| edits.insert(&fields("10.0.0.2", "GOLD")));
    assert_eq!(new, "- ip: 10.0.0.2\n  domain: d.example\n  plan: GOLD\n");
    let below = edited("# none yet", |edits| edits.insert(&fields("10.0.0.2", "GOLD")));
    assert_eq!(below, format!("# none yet\n{new}"));
    let empty = edited("# none yet\n[]\n", |edits| edits.insert(&fields("10.0.0.2", "GOLD")));
    assert_eq!(empty, "# none yet\n- ip: 10.0.0.2\n  domain: d.example\n  plan: GOLD\n");
}

#[test]
fn the_last_record_takes_the_file_with_it() {
    for (text, index) in [("- ip: 10.0.0.1\n", Some(0)), (ONE, None), ("[{ip: a}]", Some(0))] {
        let mut edits = FileEdits::new(text, FileKind::Subscriber).unwrap();
        edits.remove(index);
        assert_eq!(edits.finish().unwrap(), None);
    }
}

#[test]
fn lists_and_labels_change_in_part() {
    let text = "ip:\n  # the office\n  - 10.0.0.1  # a\n  - 10.0.0.2\nlabels:  # l\n  a: b # c\n  e: f\n";
    let ips = |ips: &[&str]| Value::List(ips.iter().map(|ip| Value::text(*ip)).collect());
    let both = edited(text, |edits| {
        edits.set(None, "ip", &ips(&["10.0.0.1", "10.0.0.3"]));
        edits.set(None, "labels", &Value::Map(vec![("a".into(), Value::text("x")), ("g".into(), Value::text("no"))]));
    });
    assert_eq!(both, "ip:\n  # the office\n  - 10.0.0.1  # a\n  - 10.0.0.3\nlabels:  # l\n  a: x # c\n  g: 'no'\n");
    let one = set(text, None, "ip", "10.0.0.7");
    assert_eq!(one, "ip: 10.0.0.7\nlabels:  # l\n  a: b # c\n  e: f\n");
    let flow = "ip: [10.0.0.1, 10.0.0.2] # two\n";
    assert_eq!(
        edited(flow, |edits| edits.set(None, "ip", &ips(&["10.0.0.2", "2001:db8::5"]))),
        "ip: [10.0.0.2, '2001:db8::5'] # two\n"
    );
    assert_eq!(set(flow, None, "ip", "10.0.0.2"), "ip: 10.0.0.2 # two\n");
}

#[test]
fn a_comment_stays_with_the_entry_that_it_is_about() {
    let text = "ip:\n- 10.1.0.4 # four\n# the fifth\n- 10.1.0.5 # five\nplan: GOLD # gold\n";
    assert_eq!(set(text, None, "ip", "10.1.0.4"), "ip:\n- 10.1.0.4 # four\nplan: GOLD # gold\n");
    assert_eq!(set(text, None, "ip", "10.1.0.5"), "ip:\n# the fifth\n- 10.1.0.5 # five\nplan: GOLD # gold\n");
    assert_eq!(set(text, None, "ip", "10.1.0.6"), "ip: 10.1.0.6\nplan: GOLD # gold\n");
    let plain = "ip:\n- 10.1.0.4\n- 10.1.0.5\nplan: GOLD # gold\n";
    assert_eq!(set(plain, None, "ip", "10.1.0.5"), "ip: 10.1.0.5\nplan: GOLD # gold\n");
}

#[test]
fn the_first_label_goes_with_the_comment_above_it() {
    let text = "plan: GOLD\n# about all labels\nlabels:\n  # why\n  ticket: '1' # t1\n  # where\n  site: x\n";
    let only = |name: &str, value: &str| Value::Map(vec![(name.into(), Value::text(value))]);
    let first_gone = edited(text, |edits| edits.set(None, "labels", &only("site", "x")));
    assert_eq!(first_gone, "plan: GOLD\n# about all labels\nlabels:\n  # where\n  site: x\n");
    let second_gone = edited(text, |edits| edits.set(None, "labels", &only("ticket", "1")));
    assert_eq!(second_gone, "plan: GOLD\n# about all labels\nlabels:\n  # why\n  ticket: '1' # t1\n");
}

#[test]
fn a_block_text_is_replaced_with_its_header() {
    let text = "name: >-  # folded\n  a\n  # b\nip: 10.0.0.1\n";
    assert_eq!(set(text, None, "name", "c"), "name: c # folded\nip: 10.0.0.1\n");
    let list = "- name: |\n    a\n    # no comment\n- ip: 10.0.0.1\n";
    assert_eq!(edited(list, |edits| edits.remove(Some(1))), "- name: |\n    a\n    # no comment\n");
}

#[test]
fn what_cannot_be_read_is_not_edited() {
    for text in ["a: &x b\nc: *x\n", "a: [\n", "a: 1\na: 2\n", "\u{0}"] {
        let refused = FileEdits::new(text, FileKind::Subscriber).unwrap_err();
        assert!(matches!(refused, NotEdited::Problems(_)), "{refused:?}");
    }
    let mut edits = FileEdits::new("- ip: 10.0.0.1\n- x\n", FileKind::Subscriber).unwrap();
    edits.set(Some(1), "plan", &Value::text("GOLD"));
    assert!(matches!(edits.finish(), Err(NotEdited::Record(_))));
    let mut edits = FileEdits::new("- ip: 10.0.0.1\n", FileKind::Subscriber).unwrap();
    edits.remove(Some(7));
    assert!(matches!(edits.finish(), Err(NotEdited::Record(_))));
}

#[test]
fn a_large_file_takes_many_edits_in_one_pass() {
    let record =
        |n: u32| format!("- ip: 10.{}.{}.{}\n  domain: d.example\n  plan: GOLD\n", n >> 16, n >> 8 & 255, n & 255);
    // Every other address, so that each new one has a place of its own.
    let text: String = (0..20_000).map(|n| record(2 * n)).collect();
    let all: String = (0..40_000).map(record).collect();
    let more = edited(&text, |edits| {
        for n in 0..20_000_u32 {
            let n = 2 * n + 1;
            edits.insert(&fields(&format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255), "GOLD"));
        }
    });
    assert!(more == all, "in order");
    assert!(edited(&more, |edits| (0..20_000).for_each(|n| edits.remove(Some(2 * n + 1)))) == text);
    let other = edited(&text, |edits| {
        (0..20_000).for_each(|n| edits.remove(Some(n)));
        (0..20_000_u32).for_each(|n| edits.insert(&fields(&format!("172.16.{}.{}", n >> 8, n & 255), "GOLD")));
    });
    assert_eq!(other.lines().count(), 60_000);
}
