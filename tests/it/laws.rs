//! What holds for any text whatever: property tests and fuzz targets check the same laws.

use shapeline::edit::{Fields, FileEdits, NotEdited, Value};
use shapeline::fmt::{NotFormatted, format};
use shapeline::schema::FileKind;
use shapeline::source::Span;
use shapeline::yaml::{self, Document, Node, NodeKind, Style};

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
    if node.kind() == NodeKind::Scalar(Style::Plain) && !slice.contains(['\n', '\r']) && slice != node.text() {
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
    let flat = yaml::read_flat(text);
    check_records(flat.as_ref(), text)?;
    let Some(flat) = flat else { return Ok(()) };
    if !full.problems.is_empty() {
        return Err(format!("only the full reader sees {:?} in {text:?}", full.problems));
    }
    match &full.document {
        Some(full) if *full == flat => Ok(()),
        Some(full) => Err(format!("two readings of {text:?}:\nflat {flat:?}\nfull {full:?}")),
        None => Err(format!("only the quick reader sees a document in {text:?}")),
    }
}

/// The quick reader's records, one after the other, are those of its tree.
fn check_records(flat: Option<&Document>, text: &str) -> Result<(), String> {
    let shown = |node: Node<'_>| format!("{:?} {node:?}", node.span());
    let root = flat.and_then(|flat| flat.root(text)).filter(|root| root.kind() == NodeKind::Sequence);
    let of_tree: Option<Vec<String>> = root.map(|root| root.items().map(shown).collect());
    let mut records = Vec::new();
    let taken = yaml::each_flat_record(text, |record| {
        records.push(shown(record));
        Some(())
    });
    match taken.map(|_| records) {
        one_by_one if one_by_one == of_tree => Ok(()),
        one_by_one => Err(format!("two readings of {text:?}:\nof the tree {of_tree:?}\none by one {one_by_one:?}")),
    }
}

/// What formatting promises for any text; what it gave, if it gave something.
pub fn check_format(text: &str, kind: FileKind) -> Result<Option<String>, String> {
    let formatted = match format(text, kind) {
        Ok(formatted) => formatted,
        Err(NotFormatted::Problems(problems)) if !problems.is_empty() => return Ok(None),
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
            let plain = node.kind() == NodeKind::Scalar(Style::Plain);
            let kind = if plain { yaml::scalar_type(node.text()) } else { yaml::ScalarType::Text };
            return serde_json::json!([node.text(), format!("{kind:?}")]);
        }
        if node.kind() == NodeKind::Sequence {
            return node.items().map(value).collect();
        }
        let sorted: std::collections::BTreeMap<_, _> =
            node.entries().map(|(key, item)| (key.text(), value(item))).collect();
        serde_json::json!(sorted)
    }
    let document = yaml::read_full(text).document;
    let root = document.as_ref().and_then(|document| document.root(text));
    // A document of nothing and no document at all are the same empty file.
    let nothing = |root: &Node<'_>| root.kind() == NodeKind::Scalar(Style::Plain) && root.text().is_empty();
    root.filter(|root| !nothing(root)).map_or(serde_json::Value::Null, value)
}

/// Every edit of record `at` of any text gives a text that can be read and has as many records as it
/// should, or is refused.
pub fn check_edit(text: &str, at: Option<u32>) -> Result<(), String> {
    let fields = [("ip", "10.0.0.1"), ("domain", "d.example"), ("plan", "P # 'x': y")];
    let new = Fields(fields.into_iter().map(|(field, value)| (field.to_owned(), Value::text(value))).collect());
    let labels = Value::Map(vec![("a".into(), Value::text("b"))]);
    let list = Value::List(vec![Value::text("10.0.0.1"), Value::text("::1")]);
    type Edit<'e> = &'e dyn Fn(&mut FileEdits<'_>);
    let edits: [(Edit<'_>, isize); 6] = [
        (&|edits| edits.set(at, "name", &Value::text("x: y\n- z")), 0),
        (&|edits| edits.unset(at, "ip"), 0),
        (&|edits| edits.remove(at), -1),
        (&|edits| edits.insert(&new), 1),
        (&|edits| edits.set(at, "labels", &labels), 0),
        (&|edits| edits.set(at, "ip", &list), 0),
    ];
    for (edit, change) in edits {
        let Ok(mut file) = FileEdits::new(text, FileKind::Subscriber) else { return Ok(()) };
        edit(&mut file);
        let result = match file.finish() {
            Ok(Some(result)) => result,
            Ok(None) | Err(NotEdited::Record(_) | NotEdited::NotMeant(_)) => continue,
            Err(NotEdited::Problems(problems)) => return Err(format!("{problems:?} only after the edit of {text:?}")),
        };
        let count = |text: &str| {
            let reading = yaml::read_full(text);
            let root = reading.document.as_ref().filter(|_| reading.problems.is_empty())?.root(text)?;
            let nothing = root.is_scalar() && root.text().is_empty();
            Some(if root.kind() == NodeKind::Sequence { root.items().count() } else { usize::from(!nothing) })
        };
        let expected = count(text).unwrap_or_default().checked_add_signed(change);
        if count(&result) != expected {
            return Err(format!("{text:?} became {result:?}"));
        }
    }
    Ok(())
}
