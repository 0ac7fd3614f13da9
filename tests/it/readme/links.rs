//! Links between documents lead somewhere.

use std::collections::BTreeSet;

use super::{Doc, doc, docs, root};

/// The places to which lines link: `[text](place)`, and what HTML points at.
fn targets(doc: &Doc) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (number, line) in doc.prose() {
        // Code is not a link: `[a](b)` in backticks is literal.
        let outside: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let after = |mark: &'static str, end: char| {
            let places: Vec<String> =
                outside.split(mark).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0.to_owned())).collect();
            places
        };
        let places = [after("](", ')'), after("src=\"", '"'), after("href=\"", '"'), after("srcset=\"", '"')].concat();
        targets.extend(places.into_iter().map(|place| (number, place)));
    }
    targets
}

/// A heading's name in a link, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(doc: &Doc) -> BTreeSet<String> {
    doc.prose().filter(|(_, line)| line.starts_with('#')).map(|(_, line)| anchor(line)).collect()
}

/// Links of a document that lead nowhere.
fn broken(doc: &Doc) -> Vec<String> {
    let folder = root().join(&doc.path).parent().unwrap().to_owned();
    let mut broken = Vec::new();
    for (line, target) in targets(doc).into_iter().filter(|(_, target)| !target.starts_with("https://")) {
        let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
        let (path, text) = match file {
            "" => (root().join(&doc.path), Some(doc.text.clone())),
            file => (folder.join(file), std::fs::read_to_string(folder.join(file)).ok()),
        };
        let there = file.is_empty() || (path.exists() && !file.starts_with('/'));
        let known = || anchors(&Doc { path: String::new(), text: text.unwrap_or_default() }).contains(heading);
        if !there || (!heading.is_empty() && !known()) {
            broken.push(format!("{}:{line}: {target}", doc.path));
        }
    }
    broken
}

#[test]
fn links_lead_somewhere() {
    let docs: Vec<Doc> = docs().into_iter().chain(["CONTRIBUTING.md", "CHANGELOG.md"].map(doc)).collect();
    let broken: Vec<String> = docs.iter().flat_map(broken).collect();
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    assert!(docs.iter().flat_map(targets).count() > 40, "links are found");
}

#[test]
fn a_wrong_link_is_reported() {
    let broken = |text: &str| broken(&Doc { path: "docs/x.md".into(), text: format!("# One, two\n\n{text}\n") }).len();
    assert_eq!(broken("[a](#one-two) [b](rules.md) [c](../README.md) [d](rules.md#expired) `[e](nothing.md)`"), 0);
    for wrong in ["#one,-two", "rule.md", "README.md5", "rules.md#expire", "/etc/hostname", "flow.png"] {
        assert_eq!(broken(&format!("[a]({wrong})")), 1, "{wrong}");
    }
    assert_eq!(broken("<img src=\"flow.png\">"), 1);
}

#[test]
fn every_document_is_in_the_index() {
    let index = doc("docs/README.md");
    let linked: BTreeSet<String> = targets(&index).into_iter().map(|(_, target)| format!("docs/{target}")).collect();
    for doc in docs().iter().filter(|doc| doc.path != "README.md" && doc.path != index.path) {
        assert!(linked.contains(&doc.path), "docs/README.md does not link {}", doc.path);
    }
}
