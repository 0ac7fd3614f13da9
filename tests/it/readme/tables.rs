//! Tables of docs/data-format.md and docs/settings.md, compared with the code.

use std::collections::BTreeMap;

use serde_json::Value;
use shapeline::model::TARGET_KINDS;
use shapeline::repo::MAX_FINDINGS_A_FILE;
use shapeline::schema::{FileKind, file_schema};
use shapeline::source::MAX_FILE_BYTES;
use shapeline::tree::MAX_FOLDERS;
use shapeline::yaml::{MAX_DEPTH, MAX_KEYS, MAX_NODES, MAX_PROBLEMS, MAX_SCALAR_BYTES};

use super::examples::found;
use super::{codes, copy_of_the_data, doc};

/// `1000000` as people write it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Every field of a schema by its path, such as `capacity.up`, with whether it is required.
fn fields(schema: &Value, above: &str, into: &mut BTreeMap<String, (bool, Value)>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, field) in properties {
        let path = format!("{above}{name}");
        let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
        // Rules are settings by the dozen, with a document of their own.
        if path != "rules" {
            fields(field, &format!("{path}."), into);
            fields(&field["items"], &format!("{path}."), into);
            fields(&field["additionalProperties"], &format!("{path}.NAME."), into);
        }
        into.insert(path, (required, field.clone()));
    }
}

/// How much of it there may be, as the schema says.
fn bounds(field: &Value) -> Vec<u64> {
    if !field.is_object() {
        return Vec::new();
    }
    let limits = ["maxLength", "maxItems", "maxProperties", "maximum"];
    let nested = [&field["items"], &field["propertyNames"], &field["additionalProperties"]];
    let own = limits.iter().filter_map(|limit| field[*limit].as_u64());
    let of_a_name = |length: &u64| *length != 253 || field["pattern"].is_string();
    own.chain(nested.into_iter().flat_map(bounds)).filter(of_a_name).collect()
}

#[test]
fn every_field_is_documented() {
    for (kind, path) in [
        (FileKind::Plan, "docs/data-format.md"),
        (FileKind::Domain, "docs/data-format.md"),
        (FileKind::Subscriber, "docs/data-format.md"),
        (FileKind::Settings, "docs/settings.md"),
    ] {
        let schema = file_schema(kind);
        let record = schema.pointer("/$defs/record").unwrap_or(&schema);
        let mut expected = BTreeMap::new();
        fields(record, "", &mut expected);
        let document = doc(path);
        let rows = document.table(&format!("fields: {}", kind.name()));
        let mut documented = BTreeMap::new();
        for row in &rows {
            let [field, value, without] = row[..] else { panic!("{path}: three cells: {row:?}") };
            documented.insert(field.trim_matches('`').to_owned(), (value, without));
        }
        let names = |map: Vec<&String>| map.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(names(documented.keys().collect()), names(expected.keys().collect()), "{path}: {}", kind.name());
        for (name, (required, field)) in &expected {
            let (value, without) = documented[name];
            assert_eq!(without == "required", *required, "{path}: {name}");
            for bound in bounds(field) {
                assert!(value.contains(&grouped(bound)), "{path}: {name} does not say {}", grouped(bound));
            }
            for word in field["enum"].as_array().into_iter().flatten() {
                assert!(codes(value).any(|code| code == word), "{path}: {name} does not say {word}");
            }
        }
    }
}

#[test]
fn kinds_of_targets_are_those_of_the_code() {
    let document = doc("docs/settings.md");
    let rows = document.table("fields: settings");
    let value = |field: &str| {
        let row = rows.iter().find(|row| row[0].trim_matches('`') == field);
        row.unwrap_or_else(|| panic!("docs/settings.md has no row {field}"))[1]
    };
    let urls: Vec<&str> =
        codes(value("targets.url")).filter_map(|url| url.split_once("://")).map(|(name, _)| name).collect();
    assert_eq!(urls, TARGET_KINDS.each_ref().map(|kind| kind.name));
    for key in TARGET_KINDS.iter().flat_map(|kind| kind.settings) {
        let (kinds, _) = value(&format!("targets.{key}")).split_once(':').unwrap();
        let users = TARGET_KINDS.iter().filter(|kind| kind.settings.contains(key)).map(|kind| kind.name);
        assert_eq!(codes(kinds).collect::<Vec<_>>(), users.collect::<Vec<_>>(), "{key}");
    }
}

#[test]
fn limits_are_those_of_the_code() {
    let document = doc("docs/data-format.md");
    let documented: Vec<&str> = document.table("limits").iter().map(|row| row[1]).collect();
    let mib = MAX_FILE_BYTES as u64 / 1024 / 1024;
    let expected = [
        format!("{mib} MiB"),
        grouped(MAX_DEPTH as u64),
        grouped(MAX_NODES as u64),
        grouped(MAX_KEYS as u64),
        format!("{} bytes", grouped(MAX_SCALAR_BYTES as u64)),
        grouped(MAX_PROBLEMS as u64),
        grouped(MAX_FINDINGS_A_FILE as u64),
        grouped(MAX_FOLDERS as u64),
    ];
    assert_eq!(documented.len(), expected.len());
    for (documented, expected) in documented.iter().zip(&expected) {
        let value = documented.split_once(", ").map_or(*documented, |(value, _)| value);
        assert_eq!(value, expected);
    }
    assert_eq!(MAX_FILE_BYTES as u64, mib * 1024 * 1024);
}

/// Checks a subscriber that has `line`, in a copy of the data.
fn with_field(line: &str) -> Vec<String> {
    let repo = copy_of_the_data();
    let mut text = "domain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n".to_owned();
    if !line.starts_with("ip:") {
        text += "ip: 10.10.10.99\n";
    }
    repo.write("subscribers/ispcustomer.co.zw/a.yaml", format!("{text}{line}\n"));
    found(&repo)
}

fn code(cell: &str) -> &str {
    codes(cell).next().unwrap_or_else(|| panic!("no code in {cell}"))
}

#[test]
fn what_is_called_ambiguous_is_refused() {
    for row in doc("docs/data-format.md").table("ambiguous") {
        assert!(!with_field(code(row[0])).is_empty(), "accepted: {}", row[0]);
        assert_eq!(with_field(code(row[2])), [""; 0], "{}", row[2]);
    }
}

#[test]
fn addresses_have_one_spelling() {
    for row in doc("docs/data-format.md").table("spellings") {
        let (refused, right) = (code(row[0]), code(row[1]));
        assert!(!with_field(&format!("ip: '{refused}'")).is_empty(), "accepted: {refused}");
        // Only the spelling is looked at: the address may be taken, or lie elsewhere.
        let found = with_field(&format!("ip: '{right}'"));
        let of_spelling = ["schema", "non-canonical-ip", "reserved-ip"];
        assert!(!found.iter().any(|rule| of_spelling.contains(&rule.as_str())), "{right}: {found:?}");
    }
}

#[test]
fn units_are_those_of_rates() {
    for row in doc("docs/data-format.md").table("units") {
        let rate: shapeline::model::Rate = format!("1 {}", code(row[0])).parse().unwrap();
        assert_eq!(grouped(rate.bps()), row[1]);
    }
}

#[test]
fn files_are_read_as_documented() {
    for row in doc("docs/data-format.md").table("files") {
        let repo = copy_of_the_data();
        // If this file is read, the address is given out twice.
        repo.write(code(row[0]), repo.read("subscribers/ispcustomer.co.zw/10.10.10.25.yaml"));
        let expected: &[&str] = match row[1] {
            "read" => &["duplicate-ip"],
            "ignored" => &[],
            "refused" => &["file-name"],
            other => panic!("{other}"),
        };
        assert_eq!(found(&repo), expected, "{}", row[0]);
    }
}
