//! Files that hold something else than records of their kind: one finding on the file, in place of several on
//! every record.

use serde_json::Value;

use super::{FileKind, record_schema};
use crate::finding::{Finding, Place, Where};
use crate::source::FileId;
use crate::text::quote::quoted;
use crate::yaml::{Node, NodeKind};

/// What a file holds in place of records of `kind`, if that is clear.
pub(crate) fn misshapen(kind: FileKind, root: Node<'_>) -> Option<Finding> {
    if kind == FileKind::Settings {
        return None;
    }
    match root.kind() {
        NodeKind::Mapping => of_another_kind(kind, root, None).or_else(|| below_a_word(kind, root)),
        NodeKind::Sequence => {
            let first = root.items().next()?;
            let all_are_of_another = root.items().all(|item| another_kind(kind, item).is_some());
            let of_another = if all_are_of_another { of_another_kind(kind, first, Some(0)) } else { None };
            of_another.or_else(|| dash_for_each_field(kind, root))
        }
        NodeKind::Scalar(_) => None,
    }
}

fn finding(index: Option<u32>, message: String) -> Finding {
    Finding::new("schema", Where::Place(Place::record(FileId::default(), index)), message)
}

/// The fields that every record of a kind has.
fn required(kind: FileKind) -> impl Iterator<Item = &'static str> {
    record_schema(kind).get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_field(kind: FileKind, name: &str) -> bool {
    record_schema(kind).get("properties").is_some_and(|fields| fields.get(name).is_some())
}

/// The other kind whose fields a record has. Without a look at all of it: nearly every record has the first
/// field that its kind requires.
fn another_kind(kind: FileKind, record: Node<'_>) -> Option<FileKind> {
    let has_all = |kind: FileKind| required(kind).all(|field| record.get(field).is_some());
    if record.kind() != NodeKind::Mapping || required(kind).any(|field| field != "name" && record.get(field).is_some())
    {
        return None;
    }
    [FileKind::Plan, FileKind::Domain, FileKind::Subscriber].into_iter().find(|other| *other != kind && has_all(*other))
}

fn of_another_kind(kind: FileKind, record: Node<'_>, index: Option<u32>) -> Option<Finding> {
    let other = another_kind(kind, record)?;
    let message = format!("this is {}, in the folder of {}s", other.with_article(), kind.name());
    Some(finding(index, message).help(format!("move the file to {}", quoted(&format!("{}/", other.folder()?)))))
}

/// Records under a word such as `subscribers:`, or each under its name.
fn below_a_word(kind: FileKind, root: Node<'_>) -> Option<Finding> {
    let (word, first) = root.entries().next()?;
    if root.entries().any(|(name, value)| value.is_scalar() || is_field(kind, name.text())) {
        return None;
    }
    let word = quoted(&format!("{}:", word.text()));
    let (message, help) = match first.kind() {
        NodeKind::Sequence => (
            format!("the records are below the word {word}, and a file has nothing around its records"),
            format!("remove the line {word}, and start every record with `- ` in the first column"),
        ),
        _ => (
            format!("the fields are below the word {word}, and a file has nothing around its records"),
            format!(
                "remove the line {word}, and start the fields in the first column; several records are a list, each \
                 starting with `- `"
            ),
        ),
    };
    Some(finding(None, message).help(help))
}

/// A list in which every field has a dash.
fn dash_for_each_field(kind: FileKind, root: Node<'_>) -> Option<Finding> {
    let only = |item: Node<'_>| {
        let mut entries = item.entries();
        let first = entries.next().filter(|_| item.kind() == NodeKind::Mapping)?;
        entries.next().is_none().then(|| first.0.text().to_owned()).filter(|name| is_field(kind, name))
    };
    let mut items = root.items();
    let (one, other) = (only(items.next()?)?, only(items.next()?)?);
    let differs = one != other && items.all(|item| only(item).is_some());
    differs.then(|| {
        finding(Some(0), "every field has a dash, and so each is a record of its own".to_owned())
            .help("write `- ` before the first field of a record only, and indent its other fields by two spaces")
    })
}
