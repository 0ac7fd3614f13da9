//! Links between documents lead somewhere.

use std::collections::BTreeSet;

use super::{Doc, doc, docs, root};

/// The places to which lines link: `[text](place)`, and what HTML points at.
fn targets(doc: &Doc) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (number, line) in doc.prose() {
        // Code is not a link: `[a](b)` stands for itself.
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

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut relative = 0;
    for doc in docs().into_iter().chain(["CONTRIBUTING.md", "CHANGELOG.md"].map(doc)) {
        let folder = root().join(&doc.path).parent().unwrap().to_owned();
        for (line, target) in targets(&doc) {
            if target.starts_with("https://") {
                continue;
            }
            relative += 1;
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { root().join(&doc.path) } else { folder.join(file) };
            let there = path.exists() && !file.starts_with('/');
            let known = || {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                anchors(&Doc { path: file.to_owned(), text }).contains(heading)
            };
            if !there || (!heading.is_empty() && !known()) {
                broken.push(format!("{}:{line}: {target}", doc.path));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    assert!(relative > 20, "links are found");
}

#[test]
fn every_document_is_in_the_index() {
    let index = doc("docs/README.md");
    let linked: BTreeSet<String> = targets(&index).into_iter().map(|(_, target)| format!("docs/{target}")).collect();
    for doc in docs().iter().filter(|doc| doc.path != "README.md" && doc.path != index.path) {
        assert!(linked.contains(&doc.path), "docs/README.md does not link {}", doc.path);
    }
}
