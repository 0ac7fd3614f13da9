//! Whether an edited text holds what the edits asked for, and nothing else.

use super::list::RecordSlot;
use super::{FileEdits, RecordEdit};
use crate::edit::value::{Fields, Value};
use crate::source::MAX_FILE_BYTES;
use crate::yaml::{self, Node, NodeKind, ScalarType};

/// Reads `text` and compares it, record by record, with what was there and what was asked for.
///
/// # Errors
/// With the first difference.
pub(super) fn check(edits: &FileEdits<'_>, order: &[RecordSlot], text: &str) -> Result<(), String> {
    if text.len() > MAX_FILE_BYTES {
        return Err(format!("the file would be larger than the {} MiB that are read", MAX_FILE_BYTES / 1024 / 1024));
    }
    let reading = yaml::read(text);
    if let Some(problem) = reading.problems.first() {
        return Err(format!("the result could not be read: {}", problem.message));
    }
    let root = reading.document.as_ref().and_then(|document| document.root(text));
    let Some(root) = root else { return Err("the result would hold nothing".into()) };
    if let [RecordSlot::Kept(None)] = order {
        return one(edits, &RecordSlot::Kept(None), root);
    }
    let mut items = root.items();
    for slot in order {
        let Some(item) = items.next() else { return Err("a record would be lost".into()) };
        one(edits, slot, item)?;
    }
    if items.next().is_some() {
        return Err("there would be a record too many".into());
    }
    Ok(())
}

fn one(edits: &FileEdits<'_>, slot: &RecordSlot, now: Node<'_>) -> Result<(), String> {
    let fine = match slot {
        RecordSlot::Kept(index) => {
            let Some(before) = edits.record(*index) else { return Err("a record is not there".into()) };
            match edits.edits.get(index) {
                Some(edit) => is_edited(before, edit, now),
                None => is_same(before, now),
            }
        }
        RecordSlot::New(at) => edits.new.get(*at).is_some_and(|fields| is_new(fields, now)),
    };
    if fine { Ok(()) } else { Err("a record would not hold what the edit asked for".into()) }
}

fn is_new(fields: &Fields, now: Node<'_>) -> bool {
    now.kind() == NodeKind::Mapping
        && now.entries().count() == fields.0.len()
        && fields.0.iter().all(|(field, value)| now.get(field).is_some_and(|found| value.is(found)))
}

fn is_edited(before: Node<'_>, edit: &RecordEdit, now: Node<'_>) -> bool {
    let untouched = before.entries().filter(|(key, _)| !edit.fields.contains_key(key.text()));
    let set: Vec<(&String, &Value)> =
        edit.fields.iter().filter_map(|(field, value)| Some((field, value.as_ref()?))).collect();
    let count = untouched.clone().count() + set.len();
    now.kind() == NodeKind::Mapping
        && now.entries().count() == count
        && set.iter().all(|(field, value)| now.get(field).is_some_and(|found| value.is(found)))
        && untouched.into_iter().all(|(key, value)| now.get(key.text()).is_some_and(|found| is_same(value, found)))
}

/// Whether two nodes hold the same; keys in the same order.
fn is_same(a: Node<'_>, b: Node<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (NodeKind::Scalar(_), NodeKind::Scalar(_)) => a.text() == b.text() && is_text(a) == is_text(b),
        (NodeKind::Sequence, NodeKind::Sequence) => {
            let (mut left, mut right) = (a.items(), b.items());
            left.by_ref().all(|a| right.next().is_some_and(|b| is_same(a, b))) && right.next().is_none()
        }
        (NodeKind::Mapping, NodeKind::Mapping) => {
            let (mut left, mut right) = (a.entries(), b.entries());
            let same = |(key, value), (other, now)| is_same(key, other) && is_same(value, now);
            left.by_ref().all(|a| right.next().is_some_and(|b| same(a, b))) && right.next().is_none()
        }
        _ => false,
    }
}

fn is_text(node: Node<'_>) -> bool {
    node.scalar_type() == ScalarType::Text
}
