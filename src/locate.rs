//! Places → spans: the one function that turns a place into a range of bytes.
//!
//! Records do not store the spans of their values; a file is read again when a finding in it is
//! printed. Findings are few, records are many.

use std::collections::HashMap;

use crate::finding::{KeyOrValue, PathStep, Place, Where};
use crate::source::{FileId, Sources, Span};
use crate::yaml::{self, Document, Node, NodeKind};

struct IndexedDocument {
    document: Document,
    /// The entries of each list that was searched, so that the ten-thousandth is found at once.
    lists: HashMap<u32, Vec<u32>>,
}

impl IndexedDocument {
    fn entry<'n>(lists: &mut HashMap<u32, Vec<u32>>, list: Node<'n>, index: usize) -> Option<Node<'n>> {
        let entries = lists.entry(list.id()).or_insert_with(|| list.items().map(|item| item.id()).collect());
        list.with_id(*entries.get(index)?)
    }
}

/// Finds spans; keeps the trees of the files it has read.
pub(crate) struct Locator<'a> {
    sources: &'a Sources,
    trees: HashMap<FileId, Option<IndexedDocument>>,
}

impl<'a> Locator<'a> {
    /// A locator over these texts.
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self { sources, trees: HashMap::new() }
    }

    /// The span of a place. Of a whole file, its start; of a missing value, the nearest part around it
    /// that exists.
    pub(crate) fn span(&mut self, at: &Where) -> Span {
        match at {
            Where::File(_) => Span::default(),
            Where::Span(_, span) => *span,
            Where::Place(place) => self.place(place).unwrap_or_default(),
        }
    }

    fn place(&mut self, place: &Place) -> Option<Span> {
        let text = self.sources.file(place.file).text();
        let tree = self.trees.entry(place.file).or_insert_with(|| {
            let document = yaml::read(text).document?;
            Some(IndexedDocument { document, lists: HashMap::new() })
        });
        let IndexedDocument { document, lists } = tree.as_mut()?;
        let root = document.root(text)?;
        let record = match place.record {
            Some(index) => IndexedDocument::entry(lists, root, index as usize)?,
            None => root,
        };
        Some(span(record, &place.path, place.target, |list, index| IndexedDocument::entry(lists, list, index)))
    }
}

/// The span of what `path` names within a record.
pub(crate) fn span_in(record: Node<'_>, path: &[PathStep], target: KeyOrValue) -> Span {
    span(record, path, target, |list, index| list.items().nth(index))
}

/// Like [`span_in`], with a function that finds an entry of a list.
fn span<'n>(
    record: Node<'n>,
    path: &[PathStep],
    target: KeyOrValue,
    mut entry: impl FnMut(Node<'n>, usize) -> Option<Node<'n>>,
) -> Span {
    let mut node = record;
    let mut key: Option<Node<'n>> = None;
    let mut found = true;
    for step in path {
        let next = match step {
            PathStep::Field(name) => node.entry(name).map(|(name, value)| (Some(name), value)),
            PathStep::Index(0) if node.is_scalar() => Some((key, node)),
            PathStep::Index(index) => entry(node, *index).map(|item| (None, item)),
        };
        match next {
            Some((name, value)) => (key, node) = (name, value),
            None => {
                found = false;
                break;
            }
        }
    }
    let whole_record = !found || path.is_empty();
    match (target, key) {
        (KeyOrValue::Key, Some(key)) => key.span(),
        // A whole record is too much to underline: its first field identifies it.
        _ if whole_record && node.kind() == NodeKind::Mapping => match node.entries().next() {
            Some((key, value)) => Span::new(key.span().start, value.span().end.max(key.span().end)),
            None => node.span(),
        },
        // A missing value (`key:`) has no width: underline the key.
        (KeyOrValue::Value, Some(key)) if node.span().start == node.span().end => key.span(),
        _ => node.span(),
    }
}
