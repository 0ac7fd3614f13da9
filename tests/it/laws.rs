//! What holds for any text whatever: property tests and fuzz targets check the same laws.

use shapeline::fmt::{Refused, format};
use shapeline::schema::Kind as FileKind;
use shapeline::source::Span;
use shapeline::yaml::{self, Document, Kind, Node, Style};

/// Everything that a tree promises about its places.
pub fn check_places(document: &Document, text: &str) -> Result<(), String> {
    let Some(root) = document.root(text) else { return Err("a document without a root".into()) };
    check_node(root, Span::new(0, text.len() as u32), text)
}

fn check_node(node: Node<'_>, within: Span, text: &str) -> Result<(), String> {
    let span = node.span();
    let wrong = |what: &str| Err(format!("{what}: {span:?} within {within:?}, node {node:?} of {text:?}"));
    if !within.contains(span) || span.start > span.end {
        return wrong("a node lies outside what it is part of");
    }
    let Some(slice) = text.get(span.range()) else { return wrong("not on character boundaries") };
    if node.kind() == Kind::Scalar(Style::Plain) && !slice.contains(['\n', '\r']) && slice != node.text() {
        return wrong("a plain value is not what stands in the source");
    }
    let mut parts: Vec<Node<'_>> = node.items().collect();
    parts.extend(node.entries().flat_map(|(key, value)| [key, value]));
    let mut from = span.start;
    for part in parts {
        check_node(part, Span::new(from, span.end), text)?;
        from = part.span().end;
    }
    Ok(())
}

fn check_problems(problems: &[yaml::Problem], text: &str) -> Result<(), String> {
    let before_last = problems.split_last().map_or(problems, |(_, others)| others);
    if !before_last.is_sorted_by_key(|problem| problem.span) {
        return Err(format!("not in the order of the text: {problems:?}"));
    }
    for problem in problems {
        for span in std::iter::once(problem.span).chain(problem.related.map(|(span, _)| span)) {
            if text.get(span.range()).is_none() {
                return Err(format!("a problem points outside the text: {problem:?} of {text:?}"));
            }
        }
        if problem.message.is_empty() || problem.help.is_empty() {
            return Err(format!("a problem without words: {problem:?}"));
        }
    }
    Ok(())
}

/// All that holds for any text whatever.
pub fn check_text(text: &str) -> Result<(), String> {
    let full = yaml::read_full(text);
    check_problems(&full.problems, text)?;
    if let Some(document) = &full.document {
        check_places(document, text)?;
    }
    let Some(flat) = yaml::read_flat(text) else { return Ok(()) };
    if !full.problems.is_empty() {
        return Err(format!("only the full reader sees {:?} in {text:?}", full.problems));
    }
    match &full.document {
        Some(full) if *full == flat => Ok(()),
        Some(full) => Err(format!("two readings of {text:?}:\nflat {flat:?}\nfull {full:?}")),
        None => Err(format!("only the quick reader sees a document in {text:?}")),
    }
}

/// What formatting promises for any text; what it gave, if it gave something.
pub fn check_format(text: &str, kind: FileKind) -> Result<Option<String>, String> {
    let formatted = match format(text, kind) {
        Ok(formatted) => formatted,
        Err(Refused::Problems(problems)) if !problems.is_empty() => return Ok(None),
        Err(refused) => return Err(format!("{refused:?} for {text:?}")),
    };
    match format(&formatted, kind) {
        Ok(again) if again == formatted => {}
        again => return Err(format!("not settled: {text:?}\nonce  {formatted:?}\ntwice {again:?}")),
    }
    if records(text) != records(&formatted) {
        return Err(format!("other data: {text:?}\nis now {formatted:?}"));
    }
    let tidy = formatted.is_empty()
        || (formatted.ends_with('\n')
            && !formatted.starts_with(['\n', '\u{feff}'])
            && !formatted.ends_with("\n\n")
            && !formatted.contains("\r\n")
            && formatted.lines().all(|line| line.trim_end_matches([' ', '\t']) == line));
    if !tidy {
        return Err(format!("not tidy: {text:?}\nis now {formatted:?}"));
    }
    Ok(Some(formatted))
}

/// The data as JSON, keys sorted, the type of each value beside it.
fn records(text: &str) -> serde_json::Value {
    fn value(node: Node<'_>) -> serde_json::Value {
        if node.is_scalar() {
            let plain = node.kind() == Kind::Scalar(Style::Plain);
            let kind = if plain { yaml::scalar_type(node.text()) } else { yaml::ScalarType::Text };
            return serde_json::json!([node.text(), format!("{kind:?}")]);
        }
        if node.kind() == Kind::Sequence {
            return node.items().map(value).collect();
        }
        let sorted: std::collections::BTreeMap<_, _> =
            node.entries().map(|(key, item)| (key.text(), value(item))).collect();
        serde_json::json!(sorted)
    }
    let document = yaml::read_full(text).document;
    let root = document.as_ref().and_then(|document| document.root(text));
    // A document of nothing and no document at all are the same empty file.
    let nothing = |root: &Node<'_>| root.kind() == Kind::Scalar(Style::Plain) && root.text().is_empty();
    root.filter(|root| !nothing(root)).map_or(serde_json::Value::Null, value)
}
