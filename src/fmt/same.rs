//! Whether two texts hold the same data and comments.

use std::collections::HashMap;

use super::comments::{self, Comment};
use crate::yaml::{self, Document, Node, NodeKind, ScalarType, Style};

/// Compares the formatted text with the original: the same data but for the order of keys, and the
/// same comments but for the space around them.
///
/// # Errors
/// With the first difference.
pub(super) fn check(text: &str, root: Option<Node<'_>>, comments: &[Comment], formatted: &str) -> Result<(), String> {
    let reading = yaml::read(formatted);
    if let Some(problem) = reading.problems.first() {
        return Err(format!("the result could not be read: {}", problem.message));
    }
    let again = data_root(reading.document.as_ref(), formatted);
    let same = match (root, again) {
        (Some(before), Some(after)) => same_value(before, after),
        (None, None) => true,
        _ => false,
    };
    if !same {
        return Err("the result would hold other data".into());
    }
    let after = comments::find(formatted, again)?;
    if words(text, comments) != words(formatted, &after) {
        return Err("the result would hold other comments".into());
    }
    Ok(())
}

/// The topmost node; `None` for a document of nothing (`---` alone), which is an empty file too.
pub(super) fn data_root<'a>(document: Option<&'a Document>, text: &'a str) -> Option<Node<'a>> {
    let root = document?.root(text)?;
    let nothing = root.kind() == NodeKind::Scalar(Style::Plain) && root.text().is_empty();
    (!nothing).then_some(root)
}

fn words<'a>(text: &'a str, comments: &[Comment]) -> Vec<&'a str> {
    let word = |comment: &Comment| text.get(comment.span.range()).map(|line| line.trim_start_matches('#').trim());
    let mut words: Vec<&str> = comments.iter().filter_map(word).collect();
    words.sort_unstable();
    words
}

fn same_value(a: Node<'_>, b: Node<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (NodeKind::Scalar(_), NodeKind::Scalar(_)) => is_text(a) == is_text(b) && a.text() == b.text(),
        (NodeKind::Sequence, NodeKind::Sequence) => {
            let (mut left, mut right) = (a.items(), b.items());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(a), Some(b)) if same_value(a, b) => {}
                    _ => return false,
                }
            }
        }
        (NodeKind::Mapping, NodeKind::Mapping) => {
            let after: HashMap<&str, (Node<'_>, Node<'_>)> = b.entries().map(|entry| (entry.0.text(), entry)).collect();
            let mut count = 0;
            let same = |(key, value): (Node<'_>, Node<'_>)| {
                count += 1;
                after
                    .get(key.text())
                    .is_some_and(|(name, other)| is_text(key) == is_text(*name) && same_value(value, *other))
            };
            a.entries().all(same) && count == after.len()
        }
        _ => false,
    }
}

/// Whether the value is text to every tool, or something else to some.
fn is_text(node: Node<'_>) -> bool {
    node.scalar_type() == ScalarType::Text
}
