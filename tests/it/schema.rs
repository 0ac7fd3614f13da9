//! The JSON Schemas as editors and other validators read them, and `schema`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use shapeline::schema::{FileKind, file_schema, schema_files};

use crate::support::Repo;

/// Calls `visit` with the path and the schema of every field, at any depth.
fn each_field(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    match schema {
        Value::Object(object) => {
            for (keyword, inner) in object {
                let Value::Object(fields) = inner else {
                    each_field(inner, path, visit);
                    continue;
                };
                for (name, field) in fields {
                    let path = format!("{path}/{name}");
                    if keyword == "properties" {
                        visit(&path, field);
                    }
                    each_field(field, &path, visit);
                }
                // `items`, `then` and the like are themselves schemas.
                if !["properties", "patternProperties", "$defs"].contains(&keyword.as_str()) {
                    each_field(inner, path, visit);
                }
            }
        }
        Value::Array(branches) => branches.iter().for_each(|branch| each_field(branch, path, visit)),
        _ => {}
    }
}

#[test]
fn every_field_has_a_title_and_a_description() {
    for kind in FileKind::ALL {
        let mut fields = 0;
        each_field(&file_schema(kind), kind.name(), &mut |path, field| {
            fields += 1;
            for keyword in ["title", "description"] {
                let text = field[keyword].as_str().unwrap_or_default();
                assert!(!text.trim().is_empty(), "{path} has no {keyword}");
            }
        });
        assert!(fields >= 6, "{kind:?} has {fields} fields: the walk misses some");
    }
}

#[test]
fn every_schema_is_one_of_draft_2020_12() {
    for kind in FileKind::ALL {
        let schema = file_schema(kind);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
    assert!(jsonschema::meta::validate(&json!({"type": "texts"})).is_err(), "the metaschema is not looked at");
}

#[test]
fn nothing_of_the_inside_shows() {
    for (name, text) in schema_files() {
        for inside in ["x-expected", "x-form", "uint32", "\"null\"", "oneOf", "anyOf"] {
            assert!(!text.contains(inside), "{name} holds {inside}");
        }
    }
}

#[test]
fn a_pattern_comes_with_words() {
    fn walk(schema: &Value) {
        if let Value::Object(object) = schema {
            // A field may be called pattern; a pattern is a text.
            if object.get("pattern").is_some_and(Value::is_string) {
                let words = object.get("patternErrorMessage").and_then(Value::as_str).unwrap_or_default();
                assert!(words.starts_with("Expected "), "{schema}");
            }
            object.values().for_each(walk);
        }
    }
    FileKind::ALL.into_iter().for_each(|kind| walk(&file_schema(kind)));
}

/// What a file may hold, and what not, with the verdict.
fn instances(kind: FileKind) -> Vec<(Value, bool)> {
    let record = match kind {
        FileKind::Plan => json!({"name": "GOLD", "up": "30 Mbps", "down": "30 Mbps", "status": "retired"}),
        FileKind::Domain => json!({"name": "ispcustomer.co.zw", "prefixes": ["10.10.10.0/24"]}),
        FileKind::Subscriber => json!({"ip": "10.10.10.25", "domain": "ispcustomer.co.zw", "plan": "GOLD"}),
        FileKind::Settings => {
            return vec![
                (json!({}), true),
                (json!({"safety": {"max_removed": "30%", "max_changed": 500}}), true),
                (json!({"safety": {"max_removed": "300%"}}), false),
                (json!([{}]), false),
            ];
        }
    };
    let mut strange = record.clone();
    strange["strange"] = "x".into();
    vec![
        (record.clone(), true),
        (json!([record, record]), true),
        (json!([]), true),
        (json!([record, strange]), false),
        (strange, false),
        (json!([[record]]), false),
        (json!({}), false),
        (json!("text"), false),
        (Value::Null, false),
    ]
}

#[test]
fn one_record_or_a_list_is_accepted_and_nothing_else() {
    for kind in FileKind::ALL {
        let validator = jsonschema::validator_for(&file_schema(kind)).unwrap();
        for (instance, good) in instances(kind) {
            assert_eq!(validator.is_valid(&instance), good, "{kind:?}: {instance}");
        }
    }
}

#[test]
fn the_strict_mode_of_ajv_agrees() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !Command::new("sh").arg(root.join("scripts/fetch-npm")).arg("ajv").status().is_ok_and(|status| status.success())
    {
        return crate::support::left_out("ajv could not be fetched: scripts/fetch-npm must work");
    }
    let file = |kind: FileKind| format!("{}.schema.json", kind.name());
    let cases: Value = FileKind::ALL
        .map(|kind| (file(kind), instances(kind).into_iter().map(|(instance, _)| instance).collect::<Value>()))
        .into_iter()
        .collect();
    let mut child = Command::new("node")
        .arg(root.join("tests/tools/ajv/check.mjs"))
        .args([root.join("schemas"), root.join("target/ajv")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(cases.to_string().as_bytes()).unwrap();
    let verdicts: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    for kind in FileKind::ALL {
        let expected: Value = instances(kind).into_iter().map(|(_, good)| Value::from(good)).collect();
        assert_eq!(verdicts[file(kind)], expected, "{kind:?}");
    }
}

#[test]
fn a_wrong_word_is_answered_with_the_right_ones() {
    let repo = Repo::new();
    repo.write("plans/OLD.yaml", "name: OLD\nup: 1 Mbps\ndown: 1 Mbps\nstatus: retird\n");
    let run = repo.run(&["check"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("`retird` is none of: offered, retired"), "{}", run.stdout);
}

#[test]
fn schema_writes_what_differs_and_check_only_says_so() {
    let repo = Repo::new();
    let names: Vec<String> = schema_files().into_keys().map(|name| format!("schemas/{name}")).collect();

    let missing = repo.run(&["schema", "--check"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(names.iter().all(|name| missing.stdout.contains(name)), "{}", missing.stdout);
    assert!(!repo.path().join("schemas").exists(), "--check wrote");

    let written = repo.run(&["schema"]);
    assert_eq!((written.code, written.stdout), (0, names.join("\n") + "\n"));
    for (name, text) in schema_files() {
        assert_eq!(repo.read(&format!("schemas/{name}")), text);
    }
    let current = repo.run(&["schema", "--check"]);
    assert_eq!((current.code, current.stdout.as_str()), (0, ""));

    repo.write("schemas/plan.schema.json", "{}\n");
    let stale = repo.run(&["schema", "--check"]);
    assert_eq!(stale.code, 1);
    assert_eq!(stale.stdout, "schemas/plan.schema.json is not current; `shapeline schema` writes it\n");
    assert_eq!(repo.read("schemas/plan.schema.json"), "{}\n");
    assert_eq!(repo.run(&["schema"]).stdout, "schemas/plan.schema.json\n", "only what differs is written");
}

#[test]
fn schema_leaves_other_files_alone_and_names_what_is_in_its_way() {
    let repo = Repo::new();
    repo.write("schemas/own.json", "mine");
    assert_eq!(repo.run(&["schema"]).code, 0);
    assert_eq!(repo.read("schemas/own.json"), "mine");

    std::fs::remove_file(repo.path().join("schemas/plan.schema.json")).unwrap();
    std::fs::create_dir(repo.path().join("schemas/plan.schema.json")).unwrap();
    let blocked = repo.run(&["schema"]);
    assert_eq!(blocked.code, 2, "{blocked:?}");
    assert!(blocked.stderr.contains("plan.schema.json"), "{}", blocked.stderr);
}

#[test]
fn a_number_may_be_as_large_as_the_schema_says_and_no_larger() {
    let repo = crate::support::Repo::new();
    for (most, contention, code) in [(100_000_000, 10_000, 0), (100_000_001, 10_000, 1), (100_000_000, 10_001, 1)] {
        repo.write(
            "domains/ispcustomer.co.zw.yaml",
            format!(
                "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\nmax_subscribers: {most}\n\
                 capacity: {{up: 1 Mbps, down: 1 Mbps, contention: {contention}}}\n"
            ),
        );
        let run = repo.run(&["check"]);
        assert_eq!(run.code, code, "{most} {contention}: {run:?}");
        // What is too large is the only mistake; a mistake elsewhere makes the largest number none.
        assert_eq!(run.stdout.matches("error[schema]").count(), code as usize, "{run:?}");
        repo.write("domains/ispcustomer.co.zw.yaml", repo.read("domains/ispcustomer.co.zw.yaml") + "colour: red\n");
        let run = repo.run(&["check"]);
        assert_eq!(run.stdout.matches("error[schema]").count(), code as usize + 1, "{run:?}");
    }
}
