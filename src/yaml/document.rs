//! The tree: a flat list of nodes in reading order, and handles into it.

use super::scalar::{ScalarType, scalar_type};
use crate::source::Span;

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A value without parts.
    Scalar(Style),
    /// A list.
    Sequence,
    /// Keys and values. Keys are always scalars.
    Mapping,
}

/// How a scalar was written. Only a plain one can be a number, a boolean or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// As a block below `|` or `>`. The node's span covers the lines without the header.
    Block,
}

/// Where a scalar's value is: in the source, or in the buffer of unescaped values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScalarText {
    start: u32,
    len: u32,
    unescaped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NodeData {
    span: Span,
    text: ScalarText,
    /// The index just after this node and all its descendants.
    next: u32,
    kind: NodeKind,
}

/// A file's tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Document {
    nodes: Vec<NodeData>,
    unescaped: String,
}

impl Document {
    /// The root node. `source` must be the text that the document was read from.
    pub fn root<'a>(&'a self, source: &'a str) -> Option<Node<'a>> {
        (!self.nodes.is_empty()).then_some(Node { document: self, source, at: 0 })
    }
}

/// A handle on one node: cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    source: &'a str,
    at: u32,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind() {
            NodeKind::Scalar(Style::Plain) => write!(f, "{}", self.text()),
            NodeKind::Scalar(_) => write!(f, "{:?}", self.text()),
            NodeKind::Sequence => f.debug_list().entries(self.items()).finish(),
            NodeKind::Mapping => f.debug_map().entries(self.entries()).finish(),
        }
    }
}

impl<'a> Node<'a> {
    fn data(&self) -> &'a NodeData {
        &self.document.nodes[self.at as usize]
    }

    fn sibling(&self, at: u32) -> Node<'a> {
        Node { at, ..*self }
    }

    /// The node's kind.
    pub fn kind(&self) -> NodeKind {
        self.data().kind
    }

    /// The node's span: a scalar with its quotes, a collection from its first part to its last.
    pub fn span(&self) -> Span {
        self.data().span
    }

    /// A number unique within the document.
    pub(crate) fn id(&self) -> u32 {
        self.at
    }

    /// The node with this [`Node::id`].
    pub(crate) fn with_id(&self, id: u32) -> Option<Node<'a>> {
        ((id as usize) < self.document.nodes.len()).then(|| self.sibling(id))
    }

    /// A scalar's value, unquoted and unescaped; the empty text for a collection.
    pub fn text(&self) -> &'a str {
        let text = self.data().text;
        let from = if text.unescaped { self.document.unescaped.as_str() } else { self.source };
        let start = text.start as usize;
        from.get(start..start + text.len as usize).unwrap_or_default()
    }

    /// The type of a scalar: text, but for a plain one that YAML tools read otherwise.
    pub fn scalar_type(&self) -> ScalarType {
        match self.kind() {
            NodeKind::Scalar(Style::Plain) => scalar_type(self.text()),
            _ => ScalarType::Text,
        }
    }

    /// What follows the node on its line; for a value that is not there, what follows the colon of its key.
    pub(crate) fn rest_of_line(&self) -> &'a str {
        let rest = self.source.get(self.span().end as usize..).unwrap_or_default();
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        line.strip_prefix(':').unwrap_or(line)
    }

    /// Whether this is a list or a mapping that is written in brackets.
    pub(crate) fn in_brackets(&self) -> bool {
        !self.is_scalar() && self.source.get(self.span().range()).is_some_and(|text| text.starts_with(['[', '{']))
    }

    /// Whether this is a scalar.
    pub fn is_scalar(&self) -> bool {
        matches!(self.kind(), NodeKind::Scalar(_))
    }

    /// The entries of a list; empty for any other node.
    pub fn items(&self) -> NodeItems<'a> {
        let data = self.data();
        let end = if data.kind == NodeKind::Sequence { data.next } else { self.at };
        NodeItems { node: *self, at: self.at + 1, end }
    }

    /// Keys and values of a mapping; empty for any other node.
    pub fn entries(&self) -> NodeEntries<'a> {
        let data = self.data();
        let end = if data.kind == NodeKind::Mapping { data.next } else { self.at };
        NodeEntries(NodeItems { node: *self, at: self.at + 1, end })
    }

    /// A mapping's value under `key`.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A mapping's key and value under `key`.
    pub(crate) fn entry(&self, key: &str) -> Option<(Node<'a>, Node<'a>)> {
        self.entries().find(|(name, _)| name.text() == key)
    }
}

/// The entries of a list, in order.
#[derive(Clone)]
pub struct NodeItems<'a> {
    node: Node<'a>,
    at: u32,
    end: u32,
}

impl<'a> Iterator for NodeItems<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        if self.at >= self.end {
            return None;
        }
        let item = self.node.sibling(self.at);
        self.at = item.data().next;
        Some(item)
    }
}

/// The keys and values of a mapping, in order.
#[derive(Clone)]
pub struct NodeEntries<'a>(NodeItems<'a>);

impl<'a> Iterator for NodeEntries<'a> {
    type Item = (Node<'a>, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

/// Fills a [`Document`] from left to right.
#[derive(Debug, Default)]
pub(crate) struct DocumentBuilder {
    document: Document,
    open: Vec<u32>,
    /// Where the node that was added or closed last ends.
    last_part_end: u32,
}

impl DocumentBuilder {
    /// A builder with room for about as many nodes as a text of `bytes` bytes has.
    pub(crate) fn for_text(bytes: usize) -> Self {
        let mut builder = Self::default();
        builder.document.nodes.reserve(bytes / 11 + 8);
        builder
    }

    /// How many nodes there are so far.
    pub(crate) fn node_count(&self) -> usize {
        self.document.nodes.len()
    }

    /// Whether there is no node yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.document.nodes.is_empty()
    }

    /// Begins anew, in the same memory.
    pub(crate) fn clear(&mut self) {
        self.document.nodes.clear();
        self.document.unescaped.clear();
    }

    /// Where the node added last ends.
    pub(crate) fn last_end(&self) -> u32 {
        self.document.nodes.last().map_or(0, |node| node.span.end)
    }

    /// Adds a scalar whose value is a slice of the source.
    pub(crate) fn scalar_in_source(&mut self, style: Style, span: Span, text: Span) {
        self.push(
            NodeKind::Scalar(style),
            span,
            ScalarText { start: text.start, len: text.end - text.start, unescaped: false },
        );
    }

    /// Adds a scalar whose value is not a slice of the source, such as one with escapes.
    pub(crate) fn scalar_unescaped(&mut self, style: Style, span: Span, value: &str) {
        let start = self.document.unescaped.len() as u32;
        self.document.unescaped.push_str(value);
        self.push(NodeKind::Scalar(style), span, ScalarText { start, len: value.len() as u32, unescaped: true });
    }

    /// Opens a list or a mapping that starts at `start`.
    pub(crate) fn open(&mut self, kind: NodeKind, start: u32) {
        self.open.push(self.document.nodes.len() as u32);
        self.push(kind, Span::new(start, start), ScalarText { start: 0, len: 0, unescaped: false });
    }

    /// Closes the innermost collection. `end` is where its closing bracket ends; without one the
    /// collection ends where its last part does. Returns the index of the collection.
    pub(crate) fn close(&mut self, end: Option<u32>) -> Option<u32> {
        let at = self.open.pop()?;
        let next = self.document.nodes.len() as u32;
        // Without an end of its own it ends with its last part, and that is what was added or closed last.
        self.last_part_end = end.unwrap_or(self.last_part_end);
        let node = &mut self.document.nodes[at as usize];
        node.next = next;
        node.span.end = self.last_part_end;
        Some(at)
    }

    /// The node at `at`, in the tree built so far.
    pub(crate) fn node<'a>(&'a self, source: &'a str, at: u32) -> Node<'a> {
        Node { document: &self.document, source, at }
    }

    /// The finished tree. Collections still open are closed where their last part ends.
    pub(crate) fn finish(mut self) -> Document {
        while self.close(None).is_some() {}
        self.document
    }

    fn push(&mut self, kind: NodeKind, span: Span, text: ScalarText) {
        let next = self.document.nodes.len() as u32 + 1;
        self.last_part_end = span.end;
        self.document.nodes.push(NodeData { span, text, next, kind });
    }
}
