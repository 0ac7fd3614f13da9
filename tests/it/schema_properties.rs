//! Typed reading, the messages about the schema, and a complete validator that reads the published schema
//! accept and refuse the same records.
//!
//! What only some of them refuse would be shown as wrong by an editor and published all the same, or be
//! reported to the user without a place.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use shapeline::finding::Place;
use shapeline::model::{Domain, Plan, Settings, Subscriber};
use shapeline::schema::{self, FileKind};
use shapeline::source::FileId;
use shapeline::yaml::{self, Node, NodeKind, ScalarType};

use crate::yaml_properties::cases;

/// Whether a record is accepted, if both sides agree.
fn verdict(kind: FileKind, text: &str) -> Result<Option<bool>, String> {
    let reading = yaml::read(text);
    let Some(root) = reading.document.as_ref().and_then(|document| document.root(text)) else { return Ok(None) };
    if !reading.problems.is_empty() {
        return Ok(None);
    }
    let place = Place::record(FileId::default(), None);
    let violations = schema::violations(kind, root, &place);
    let typed = match kind {
        FileKind::Plan => typed::<Plan>(root),
        FileKind::Domain => typed::<Domain>(root),
        FileKind::Subscriber => typed::<Subscriber>(root),
        FileKind::Settings => typed::<Settings>(root),
    };
    let published = published(kind).is_valid(&as_json(root));
    match (violations.is_empty(), &typed, published) {
        (true, Ok(()), true) => Ok(Some(true)),
        (false, Err(_), false) => Ok(Some(false)),
        _ => Err(format!(
            "the published schema accepts: {published}; reading: {typed:?}; violations: {violations:?}\n{text}"
        )),
    }
}

/// A validator of the schema that editors get, which is for a record or a list of records.
fn published(kind: FileKind) -> &'static jsonschema::Validator {
    static COMPILED: [OnceLock<jsonschema::Validator>; 4] = [const { OnceLock::new() }; 4];
    COMPILED[kind as usize]
        .get_or_init(|| jsonschema::options().should_validate_formats(true).build(&schema::file_schema(kind)).unwrap())
}

/// A record as JSON. What YAML tools read differently is null, which no schema allows; a list, which is not a
/// record, is one within a list of records.
fn as_json(root: Node<'_>) -> Value {
    fn value(node: Node<'_>) -> Value {
        match node.kind() {
            NodeKind::Mapping => node.entries().map(|(key, of)| (key.text().to_owned(), value(of))).collect(),
            NodeKind::Sequence => node.items().map(value).collect(),
            NodeKind::Scalar(_) => match node.scalar_type() {
                ScalarType::Text => node.text().into(),
                ScalarType::Integer(number) => number.into(),
                ScalarType::Bool(truth) => truth.into(),
                ScalarType::Null | ScalarType::OtherNumber | ScalarType::OldBool => Value::Null,
            },
        }
    }
    let record = value(root);
    if record.is_array() { Value::Array(vec![record]) } else { record }
}

fn typed<'a, T: serde::Deserialize<'a>>(node: Node<'a>) -> Result<(), String> {
    yaml::de::from_node::<T>(node).map(|_| ()).map_err(|error| error.to_string())
}

type Text = BoxedStrategy<String>;

fn pick(of: &[&str]) -> Text {
    select(of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).boxed()
}

fn quote(text: String) -> String {
    serde_json::to_string(&text).unwrap()
}

/// Anything, where something else is wanted.
fn odd() -> Text {
    prop_oneof![
        6 => pick(&["", "~", "null", "true", "no", "5", "-5", "1.5", "1e3", "0x1F", "007", "[]", "{}", "[a]", "{a: b}", "''", "' '", "\"\\n\"",
            "\"a\\nb\"", "\"\\u202e\"", "\"a\\u0000\"", "\"\\u00ad\"", "\"\\ufeff\"", "\"é\"", "\"名\"", "'5'", "'true'", "|\n    a\n", "[[a]]",
            "\"a\\u2028b\"", "\"\\u0085\"", "99999999999999999999", "-0", "+5", ".5", "\"\\t\"", "'a '", "' a'", "\"\\U0001f600\""]),
        1 => any::<String>().prop_map(quote),
        1 => (1..300_usize).prop_map(|count| "a".repeat(count)),
        1 => select(vec![62_usize, 63, 64, 65, 127, 128, 129, 199, 200, 201, 252, 253, 254, 255, 256]).prop_map(|count| "a".repeat(count)),
        1 => select(vec![63_usize, 64, 128, 129, 199, 200, 201, 253, 254]).prop_map(|count| "é".repeat(count)),
    ]
    .boxed()
}

fn usually(usual: Text) -> Text {
    prop_oneof![30 => usual, 1 => odd()].boxed()
}

fn v4() -> Text {
    let part = prop_oneof![4 => (0..256_u32).prop_map(|n| n.to_string()), 1 => pick(&["256", "00", "01", "010", "", "1000", "a", "+1", "٣"])];
    proptest::collection::vec(part, 3..=5).prop_map(|parts| parts.join(".")).boxed()
}

fn v6() -> Text {
    let group = prop_oneof![8 => "[0-9a-fA-F]{1,4}", 1 => pick(&["", "00000", "12345", "g", "0000", ":", "1.2.3.4", "010.0.0.1"])];
    let groups = |count| proptest::collection::vec(group.clone(), count).prop_map(|groups| groups.join(":"));
    prop_oneof![
        2 => any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
        3 => (groups(0..=8), groups(0..=8)).prop_map(|(a, b)| format!("{a}::{b}")),
        2 => groups(6..=9),
        2 => (groups(0..=7), v4()).prop_map(|(a, b)| format!("{a}:{b}")),
        2 => (groups(0..=6), groups(0..=6), v4()).prop_map(|(a, b, c)| format!("{a}::{b}:{c}")),
        1 => (groups(0..=7), v4()).prop_map(|(a, b)| format!("{a}::{b}")),
        1 => pick(&["::", "::1", ":::", "1::2::3", "::ffff:1.2.3.4", "::1.2.3.4", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5::1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::1:2:3:4:5:6:1.2.3.4", "::1:2:3:4:5:1.2.3.4"]),
    ]
    .boxed()
}

fn address() -> Text {
    let length = prop_oneof![4 => Just(String::new()), 3 => (0..135_u32).prop_map(|n| format!("/{n}")), 1 => pick(&["/", "/00", "/08", "/+8", "/-1", "/ 8", "/8/8", "/032", "/a"])];
    let plain = prop_oneof![
        12 => pick(&["10.10.10.25", "10.10.10.0/24", "2001:db8::1", "2001:db8::/48", "0.0.0.0/0", "::/0"]),
        2 => (v4(), length.clone()).prop_map(|(ip, length)| ip + &length),
        3 => (v6(), length).prop_map(|(ip, length)| ip + &length),
    ];
    usually((plain, any::<bool>()).prop_map(|(text, quoted)| if quoted { quote(text) } else { text }).boxed())
}

fn list(of: Text) -> Text {
    let items = proptest::collection::vec(of, 1..4);
    prop_oneof![12 => items.prop_map(|items| format!("[{}]", items.join(", "))), 1 => odd()].boxed()
}

/// Lists at the limits of how long they may be.
fn long_list(item: &'static str, limits: &[usize]) -> Text {
    select(limits.to_vec()).prop_map(move |count| format!("[{}]", vec![item; count].join(", "))).boxed()
}

fn rate() -> Text {
    let number = prop_oneof![
        12 => "[1-9][0-9]{0,3}(\\.[0-9]{1,3})?",
        3 => "[0-9]{0,16}(\\.[0-9]{0,10})?",
        1 => pick(&["0", "0.0", "0.000000001", "999999.999999999", "999999999999999", "1000000000000000", "00", ".", "-1", "+1", "1e3", "1,5", "٣", "0.0000000001", "1000000"]),
    ];
    let space = prop_oneof![12 => Just(" ".to_owned()), 1 => pick(&["", "  ", "\u{a0}", "\\t"])];
    let unit = prop_oneof![12 => pick(&["bit/s", "kbps", "Mbps", "Gbps"]), 1 => pick(&["mbps", "MBps", "Tbps", "bps", "", "Mbps ", "Mbit/s"])];
    usually((number, space, unit).prop_map(|(number, space, unit)| format!("\"{number}{space}{unit}\"")).boxed())
}

fn date() -> Text {
    let valid = (1..=9999_u32, 1..=12_u32, 1..=31_u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let near = (0..10_001_u32, 0..14_u32, 0..33_u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let edge = pick(&[
        "2026-02-29",
        "2028-02-29",
        "1900-02-29",
        "2000-02-29",
        "2100-02-29",
        "2026-04-31",
        "0000-01-01",
        "0000-02-29",
        "9999-12-31",
        "2026-1-1",
        "26-01-01",
        "+2026-01-01",
        "-2026-01-01",
        "2026-01-01T00:00:00",
        "2026-12-00",
        "2026-00-12",
        "２０２６-01-01",
        "2026-01-01 ",
        "2026/01/01",
        "2026-01-32",
        "1582-10-10",
        "10000-01-01",
    ]);
    usually(prop_oneof![3 => valid, 2 => near, 2 => edge].prop_map(quote).boxed())
}

fn name() -> Text {
    let near = prop_oneof![6 => "[A-Za-z0-9][A-Za-z0-9._-]{0,12}", 1 => "[ -~]{0,8}", 1 => "\\PC{0,4}"]
        .prop_map(quote)
        .boxed();
    usually(
        prop_oneof![
            pick(&[
                "30_MEG_UP_30_MEG_DOWN",
                "ispcustomer.co.zw",
                "shaper",
                "omit",
                "alice",
                "'@ispcustomer/noc'",
                "templates/a.j2"
            ]),
            near
        ]
        .boxed(),
    )
}

fn domain_name() -> Text {
    let near = prop_oneof![
        16 => "[a-z0-9]{1,5}(\\.[a-z0-9]{1,5}){0,4}",
        4 => "[a-z0-9-]{1,5}(\\.[a-z0-9-]{0,5}){0,4}",
        1 => "[A-Za-z0-9._ é-]{0,12}",
        1 => select(vec![62_usize, 63, 64]).prop_map(|count| format!("{}.zw", "a".repeat(count))),
        1 => select(vec![61_usize, 62, 63]).prop_map(|count| format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(count))),
        1 => pick(&["localhost", "a.b.", ".a", "a..b", "-a.b", "a-.b", "xn--e1afmkfd.zw", "a_b.c", "1.2.3.4", "a"]),
    ];
    usually(near.prop_map(quote).boxed())
}

fn owner() -> Text {
    usually(
        prop_oneof![12 => "@?[A-Za-z0-9][A-Za-z0-9_.-]{0,5}", 4 => "@?[A-Za-z0-9][A-Za-z0-9_.-]{0,5}(/[A-Za-z0-9_.-]{0,5})?", 1 => "[@/a-z. -]{0,6}"]
            .prop_map(quote)
            .boxed(),
    )
}

fn labels() -> Text {
    let name = prop_oneof![
        8 => "[A-Za-z0-9][A-Za-z0-9._/-]{0,6}".prop_map(quote),
        1 => "[ -~é]{0,5}".prop_map(quote),
        1 => select(vec![62_usize, 63, 64]).prop_map(|count| "a".repeat(count)),
    ];
    let value = usually(pick(&["'4711'", "a", "some words", "'é'"]));
    let some = proptest::collection::btree_map(name, value, 0..4).prop_map(|entries| {
        format!("{{{}}}", entries.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(", "))
    });
    let many = select(vec![63_usize, 64, 65])
        .prop_map(|count| format!("{{{}}}", (0..count).map(|n| format!("a{n}: b")).collect::<Vec<_>>().join(", ")));
    usually(prop_oneof![8 => some, 1 => many].boxed())
}

fn count() -> Text {
    usually(pick(&[
        "0",
        "1",
        "20",
        "9999",
        "10000",
        "10001",
        "100000",
        "100001",
        "100000000",
        "100000001",
        "-1",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "1.0",
        "'5'",
        "0x10",
        "010",
        "1_000",
        "+5",
        "-0",
    ]))
}

fn limit() -> Text {
    usually(
        prop_oneof![
            pick(&[
                "30%",
                "100%",
                "101%",
                "0%",
                "00%",
                "030%",
                "%",
                "-1%",
                "1.5%",
                "30 %",
                "0",
                "500",
                "100000000",
                "100000001",
                "-1",
                "'500'",
                "1e2",
                "'٣%'",
                "256%",
                "300%",
                "4294967296%"
            ]),
            (0..120_u32).prop_map(|n| format!("{n}%")),
        ]
        .boxed(),
    )
}

/// A mapping in brackets with these fields, now and then one more or one less.
fn mapping(fields: Vec<(&'static str, u32, Text)>) -> Text {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(key, weight, value)| {
            prop_oneof![weight => value.prop_map(move |value| Some((key, value))), 1 => Just(None)].boxed()
        })
        .collect();
    let extra = prop_oneof![
        16 => Just(None),
        1 => (pick(&["zz", "Ip", "''", "'ip '", "nme", "x-y"]), odd()).prop_map(Some),
    ];
    (fields, extra)
        .prop_map(|(fields, extra)| {
            let mut out: Vec<String> =
                fields.into_iter().flatten().map(|(key, value)| format!("{key}: {value}")).collect();
            out.extend(extra.map(|(key, value)| format!("{key}: {value}")));
            format!("{{{}}}", out.join(", "))
        })
        .boxed()
}

fn subscriber() -> Text {
    let ip =
        prop_oneof![4 => address(), 3 => list(address()), 1 => long_list("10.0.0.1", &[0, 1, 255, 256, 257])].boxed();
    mapping(vec![
        ("ip", 20, ip),
        ("domain", 20, name()),
        ("plan", 20, name()),
        ("id", 1, name()),
        ("name", 1, usually(name())),
        ("status", 1, usually(pick(&["active", "suspended", "Active", "offered", "'active'"]))),
        ("starts", 1, date()),
        ("ends", 1, date()),
        ("labels", 1, labels()),
    ])
}

fn plan() -> Text {
    mapping(vec![
        ("name", 20, name()),
        ("up", 20, rate()),
        ("down", 20, rate()),
        ("status", 1, usually(pick(&["offered", "retired", "active", "OFFERED"]))),
        (
            "attribute",
            1,
            usually(
                prop_oneof![
                    pick(&["'\"Plan\"=GOLD_30'", "'a b'", "'é'", "\"\\x7f\"", "'~'", "'!'"]),
                    "[!-~]{1,20}".prop_map(quote)
                ]
                .boxed(),
            ),
        ),
        ("description", 1, usually(pick(&["some words", "'é: #'"]))),
    ])
}

fn domain() -> Text {
    let prefixes = prop_oneof![20 => list(address()), 1 => long_list("10.0.0.1", &[0, 9999, 10_000, 10_001])].boxed();
    let owners = prop_oneof![20 => list(owner()), 1 => long_list("a", &[0, 999, 1000, 1001])].boxed();
    let capacity = usually(mapping(vec![("up", 20, rate()), ("down", 20, rate()), ("contention", 1, count())]));
    mapping(vec![
        ("name", 20, domain_name()),
        ("prefixes", 20, prefixes),
        ("reserved", 1, list(pick(&["10.0.0.1", "'2001:db8::/56'"]))),
        ("plans", 1, list(name())),
        ("capacity", 2, capacity),
        ("max_subscribers", 1, count()),
        ("owners", 1, owners),
    ])
}

fn settings() -> Text {
    let limits = |more| {
        let mut fields =
            vec![("max_changed", 1, limit()), ("max_removed", 1, limit()), ("min_subscribers", 1, count())];
        fields.extend(more);
        usually(mapping(fields))
    };
    let named = |name: Text, value: Text| {
        let one = (name, value).prop_map(|(name, value)| format!("{{{name}: {value}}}"));
        usually(prop_oneof![8 => one, 1 => Just("{}".to_owned())].boxed())
    };
    let template = usually(
        prop_oneof![
            pick(&[
                "shaper",
                "templates/a.j2",
                "templates/../a.j2",
                "templates/a/b.j2",
                "/etc/a.j2",
                "templates/.j2",
                "templates/.a.j2",
                "templates//a.j2",
                "templates/a.j2/",
                "templates/-.j2",
                "templates/_.j2",
                "templates/j2",
                "Shaper",
                "templates/a.J2"
            ]),
            "templates/[a-z_./-]{0,8}\\.j2".prop_map(quote),
        ]
        .boxed(),
    );
    let file = usually(
        prop_oneof![pick(&["all.txt", "a/b", "..", ".a", "-a", "_", "a b"]), "[a-z._-]{1,6}".prop_map(quote)].boxed(),
    );
    let words =
        prop_oneof![list(usually(pick(&["'{file}'", "a", "'a b'"]))), long_list("a", &[0, 99, 100, 101])].boxed();
    let target = usually(mapping(vec![
        ("name", 20, name()),
        ("url", 20, usually(pick(&["file:///srv/a.txt", "a"]))),
        ("output", 1, name()),
        ("check", 1, words.clone()),
        ("reload", 1, words),
        ("keep", 1, count()),
        ("safety", 1, limits(Vec::new())),
    ]));
    let rule = pick(&[
        "yaml-syntax",
        "schema",
        "unused-plan",
        "retired-plan",
        "duplicate-ip",
        "no-such-rule",
        "YAML-SYNTAX",
        "yaml-ambiguous",
    ]);
    mapping(vec![
        ("outputs", 1, named(name(), usually(mapping(vec![("template", 20, template), ("file", 1, file)])))),
        (
            "targets",
            1,
            prop_oneof![12 => list(target), 1 => long_list("{name: a, url: b}", &[0, 999, 1000, 1001])].boxed(),
        ),
        ("safety", 1, limits(vec![("domains", 1, named(domain_name(), limits(Vec::new())))])),
        ("suspended", 1, name()),
        ("admins", 1, list(owner())),
        ("rules", 1, named(rule, usually(pick(&["error", "warning", "off", "Error", "info"])))),
    ])
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn of_subscribers(text in subscriber()) {
        verdict(FileKind::Subscriber, &text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn of_plans(text in plan()) {
        verdict(FileKind::Plan, &text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn of_domains(text in domain()) {
        verdict(FileKind::Domain, &text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn of_settings(text in settings()) {
        verdict(FileKind::Settings, &text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn of_a_single_address(address in address()) {
        let text = format!("ip: {address}\ndomain: a\nplan: b\n");
        verdict(FileKind::Subscriber, &text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn of_a_single_rate_and_date(rate in rate(), date in date()) {
        verdict(FileKind::Plan, &format!("name: a\nup: {rate}\ndown: 1 Mbps\n")).map_err(TestCaseError::fail)?;
        verdict(FileKind::Subscriber, &format!("ip: ::1\ndomain: a\nplan: b\nends: {date}\n")).map_err(TestCaseError::fail)?;
    }
}

/// Without this the properties above could hold by everything being refused.
#[test]
fn a_fair_share_of_the_records_is_valid() {
    use proptest::strategy::ValueTree;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for (kind, strategy) in FileKind::ALL.into_iter().zip([plan(), domain(), subscriber(), settings()]) {
        let mut verdicts = (0..400).filter_map(|_| {
            let text = strategy.new_tree(&mut runner).unwrap().current();
            verdict(kind, &text).ok().flatten()
        });
        let valid = verdicts.by_ref().filter(|valid| *valid).count();
        println!("{}: {valid} of 400 records are valid", kind.name());
        assert!((20..380).contains(&valid), "{}: {valid}", kind.name());
    }
}
