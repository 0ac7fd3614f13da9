//! YAML examples are what they claim to be.

use super::{Block, Doc, copy_of_the_data, written_docs};
use crate::support::Repo;

/// The rules whose findings are of reading alone.
const READING: [&str; 4] = ["yaml-syntax", "yaml-ambiguous", "schema", "file-name"];

/// The rules that find something in the copy, sorted, each once.
pub(super) fn found(repo: &Repo) -> Vec<String> {
    let run = repo.run(&["check", "--format", "json", "--on", "2026-11-21"]);
    assert!(run.code < 2, "{}", run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let mut rules: Vec<String> = findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn path_of(block: &Block) -> Option<&str> {
    let path = block.text.lines().next()?.strip_prefix("# ")?;
    let is_path = !path.contains(' ') && (path.contains('/') || path.ends_with(".yml"));
    is_path.then_some(path)
}

/// What is wrong with an example.
fn wrong(block: &Block) -> Option<String> {
    let path = path_of(block);
    let of_ci = path.is_some_and(|path| path.starts_with('.'));
    if of_ci {
        let read = serde_yaml::from_str::<serde_yaml::Value>(&block.text);
        return read.err().map(|error| format!("not YAML: {error}"));
    }
    let repo = copy_of_the_data();
    // The comment for yaml-language-server is on the first line of a file of any kind.
    let record = block.text.starts_with("# yaml-language-server").then_some("subscribers/ispcustomer.co.zw/a.yaml");
    repo.write(path.or(record).unwrap_or("shapeline.yaml"), &block.text);
    let mut found = found(&repo);
    // Settings name templates and plans that this repository has not.
    if path.or(record).is_none() {
        found.retain(|rule| READING.contains(&rule.as_str()));
    }
    let expected: Vec<&str> = block.marks.strip_prefix("finds=").into_iter().collect();
    (found != expected).then(|| format!("rules found {found:?}, expected {expected:?}"))
}

fn all_wrong(doc: &Doc) -> Vec<String> {
    let blocks = doc.blocks().into_iter().filter(|block| block.language == "yaml");
    blocks.filter_map(|block| Some(format!("{}:{}: {}", doc.path, block.line, wrong(&block)?))).collect()
}

#[test]
fn yaml_examples_are_what_they_claim_to_be() {
    let docs = written_docs();
    let wrong: Vec<String> = docs.iter().flat_map(all_wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let examples = docs.iter().flat_map(Doc::blocks).filter(|block| block.language == "yaml").count();
    assert!(examples > 8, "examples are found");
}

#[test]
fn a_wrong_example_is_reported() {
    let wrong = |text: &str| all_wrong(&Doc { path: "x.md".into(), text: format!("```yaml{text}\n```\n") }).len();
    let record = "\n# subscribers/a.yaml\nip: 10.10.10.77\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN";
    assert_eq!(wrong(record), 0);
    assert_eq!(wrong(&record.replace(".77", ".25")), 1);
    assert_eq!(wrong(&format!(" finds=duplicate-ip{}", record.replace(".77", ".25"))), 0);
    assert_eq!(wrong(&format!(" finds=duplicate-ip{record}")), 1);
    assert_eq!(wrong("\nsuspended: omit"), 0);
    assert_eq!(wrong("\nsuspend: omit"), 1);
}
