//! The tree with its comments: what is printed, in the order in which it is printed.

use serde_json::Value as Schema;

use super::comments::{Comment, LineIndex};
use crate::yaml::{Node, NodeKind};

/// A comment on a line of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommentLine<'a> {
    pub(super) text: &'a str,
    pub(super) after_blank: bool,
}

/// A file.
pub(super) struct FileLayout<'a> {
    /// The comments above everything: they stay on top, whichever field comes first.
    pub(super) header: Vec<CommentLine<'a>>,
    /// Whether an empty line follows them.
    pub(super) header_apart: bool,
    /// The data; nothing if there is none.
    pub(super) body: Option<Body<'a>>,
    /// The comments below everything, if the data is not a collection that has them.
    pub(super) footer: Vec<CommentLine<'a>>,
}

/// A value.
pub(super) enum Body<'a> {
    /// On one line, if it fits: a scalar, or a list or mapping in brackets.
    Inline(Node<'a>, Option<&'a Schema>),
    /// One line or more for each part.
    Block(Block<'a>),
}

/// A list or mapping, spread over lines.
pub(super) struct Block<'a> {
    pub(super) is_list: bool,
    pub(super) items: Vec<LayoutItem<'a>>,
    /// Comments after the last part, indented like the parts.
    pub(super) footer: Vec<CommentLine<'a>>,
}

/// An entry of a list, or a key with its value.
pub(super) struct LayoutItem<'a> {
    pub(super) above: Vec<CommentLine<'a>>,
    pub(super) after_blank: bool,
    pub(super) key: Option<Node<'a>>,
    pub(super) body: Body<'a>,
    /// Behind a value on one line, or behind the key of one that takes several.
    pub(super) behind: Option<&'a str>,
}

/// What all steps of laying out need.
struct Source<'a> {
    text: &'a str,
    lines: LineIndex,
}

impl<'a> FileLayout<'a> {
    /// Attaches each comment to what it belongs to, and sorts keys by the schema.
    pub(super) fn new(text: &'a str, comments: &[Comment], root: Option<Node<'a>>, record: &'a Schema) -> Self {
        let source = Source { text, lines: LineIndex::new(text) };
        let mut layout = Self { header: Vec::new(), header_apart: false, body: None, footer: Vec::new() };
        let Some(root) = root else {
            layout.header = source.lines(comments);
            return layout;
        };
        let collection = root.entries().next().is_some() || root.items().next().is_some();
        if !collection || is_flow(text, root) && !has_comment(comments, root) {
            let (before, after) = split(comments, root.span().start);
            layout.header = source.lines(before);
            layout.footer = source.lines(after);
            layout.body = Some(Body::Inline(root, Some(record)));
            return layout;
        }
        let flow = is_flow(text, root);
        let (inside, after) = if flow { split(comments, root.span().end) } else { (comments, &comments[..0]) };
        let mut block = source.block(root, root.span().start, inside, flow, Some(record));
        block.footer.extend(source.lines(after));
        if root.kind() == NodeKind::Mapping
            && let Some(top) = block.items.iter_mut().min_by_key(|item| item.key.map(|key| key.span().start))
        {
            layout.header = std::mem::take(&mut top.above);
            layout.header_apart = std::mem::take(&mut top.after_blank);
        }
        layout.body = Some(Body::Block(block));
        layout
    }
}

impl<'a> Source<'a> {
    fn line(&self, comment: &Comment) -> CommentLine<'a> {
        let text = self.text.get(comment.span.range()).unwrap_or_default();
        CommentLine { text, after_blank: self.lines.after_blank(comment.span.start) }
    }

    fn lines(&self, comments: &[Comment]) -> Vec<CommentLine<'a>> {
        comments.iter().map(|comment| self.line(comment)).collect()
    }

    /// The parts of a collection with the comments among them. `from` is where the first part may
    /// begin: for a list, where the search for its first dash starts.
    fn block(
        &self,
        node: Node<'a>,
        from: u32,
        mut comments: &[Comment],
        flow: bool,
        schema: Option<&'a Schema>,
    ) -> Block<'a> {
        let parts = self.parts(node, from, flow);
        let mut items: Vec<LayoutItem<'a>> = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let (above, rest) = split(comments, part.start);
            let until = parts.get(index + 1).map_or(u32::MAX, |next| next.start);
            let (mine, _) = split(rest, until);
            let schema = part_schema(schema, part.key);
            let (item, taken) = self.item(part, self.lines(above), mine, flow, schema);
            comments = &rest[taken..];
            items.push(item);
        }
        if node.kind() == NodeKind::Mapping {
            let place =
                |item: &LayoutItem<'_>| item.key.and_then(|key| key_place(schema, key.text())).unwrap_or(usize::MAX);
            items.sort_by_key(place);
        }
        Block { is_list: node.kind() == NodeKind::Sequence, items, footer: self.lines(comments) }
    }

    /// One part, with how many of the comments up to the next part belong to it.
    fn item(
        &self,
        part: &LayoutPart<'a>,
        mut above: Vec<CommentLine<'a>>,
        comments: &[Comment],
        flow: bool,
        schema: Option<&'a Schema>,
    ) -> (LayoutItem<'a>, usize) {
        let value = part.value;
        let after_blank = self.lines.after_blank(part.start);
        let item = |above, body, behind| LayoutItem { above, after_blank, key: part.key, body, behind };
        let flow_value = flow || is_flow(self.text, value);
        let (within, after) = split(comments, self.end(value));
        let holds_parts = value.items().next().is_some() || value.entries().next().is_some();
        if !holds_parts || flow_value && !has_comment(comments, value) {
            above.extend(self.lines(within));
            let behind = after.first().filter(|comment| self.same_line(value, comment));
            let taken = within.len() + usize::from(behind.is_some());
            let behind = behind.map(|comment| self.line(comment).text);
            return (item(above, Body::Inline(value, schema), behind), taken);
        }
        // Behind the key; or, behind a closing bracket that will be no more.
        let head_end = part.key.map_or(part.start, |key| key.span().end);
        let mut behind = comments.first().filter(|first| {
            let line = self.lines.start(first.span.start);
            !first.own_line && first.span.start < value.span().start && line <= head_end
        });
        let mut inside = &comments[usize::from(behind.is_some())..];
        let mut taken = comments.len() - inside.len();
        if part.key.is_none() {
            // Behind a dash: of the whole record, not of its first field.
            above.extend(behind.take().map(|comment| self.line(comment)));
        }
        if flow_value {
            let (before, rest) = split(inside, value.span().start);
            let (bracketed, after) = split(rest, value.span().end);
            above.extend(self.lines(before));
            inside = bracketed;
            taken += before.len() + bracketed.len();
            if let Some(closing) = after.first().filter(|comment| self.same_line(value, comment)) {
                taken += 1;
                if behind.is_none() && part.key.is_some() {
                    behind = Some(closing);
                } else {
                    above.push(self.line(closing));
                }
            }
        } else {
            // As long as they are indented at least as far as the parts, they belong to them; below
            // a list that is not indented under its key, further than that.
            let column = self.column(value);
            let unindented = part.key.is_some_and(|key| self.column(key) >= column);
            let column = column + u32::from(unindented);
            let belongs = |comment: &&Comment| {
                comment.span.start < value.span().end || !comment.own_line || comment.column >= column
            };
            inside = &inside[..inside.iter().take_while(belongs).count()];
            taken += inside.len();
        }
        let from = if flow_value { value.span().start } else { head_end };
        let block = self.block(value, from, inside, flow_value, schema);
        let behind = behind.map(|comment| self.line(comment).text);
        (item(above, Body::Block(block), behind), taken)
    }

    fn parts(&self, node: Node<'a>, from: u32, flow: bool) -> Vec<LayoutPart<'a>> {
        if node.kind() == NodeKind::Mapping {
            let part =
                |(key, value): (Node<'a>, Node<'a>)| LayoutPart { start: key.span().start, key: Some(key), value };
            return node.entries().map(part).collect();
        }
        let mut from = from.max(node.span().start);
        let mut parts = Vec::new();
        for value in node.items() {
            let own = value.span().start;
            let start = if flow { own } else { self.dash(from, own).unwrap_or(own) };
            parts.push(LayoutPart { start, key: None, value });
            from = value.span().end;
        }
        parts
    }

    /// The first dash in a gap, comments aside.
    fn dash(&self, from: u32, to: u32) -> Option<u32> {
        let mut in_comment = false;
        let gap = self.text.as_bytes().get(from as usize..to as usize)?;
        let found = gap.iter().position(|byte| {
            match byte {
                b'\n' | b'\r' => in_comment = false,
                b'#' => in_comment = true,
                _ => {}
            }
            *byte == b'-' && !in_comment
        });
        found.map(|at| from + at as u32)
    }

    /// Where a value ends, without the line breaks that a block scalar ends in.
    fn end(&self, value: Node<'_>) -> u32 {
        let span = value.span();
        let text = self.text.get(span.range()).unwrap_or_default();
        span.start + text.trim_end_matches(['\n', '\r', ' ', '\t']).len() as u32
    }

    fn same_line(&self, value: Node<'_>, comment: &Comment) -> bool {
        self.lines.start(comment.span.start) <= self.end(value)
    }

    fn column(&self, value: Node<'_>) -> u32 {
        let start = value.span().start;
        let line = self.lines.start(start);
        let bom = if line == 0 && self.text.starts_with('\u{feff}') { 3 } else { 0 };
        start.saturating_sub(line + bom)
    }
}

struct LayoutPart<'a> {
    start: u32,
    key: Option<Node<'a>>,
    value: Node<'a>,
}

/// The comments before byte `at`, and the others.
fn split(comments: &[Comment], at: u32) -> (&[Comment], &[Comment]) {
    comments.split_at(comments.partition_point(|comment| comment.span.start < at))
}

fn has_comment(comments: &[Comment], node: Node<'_>) -> bool {
    let (_, from) = split(comments, node.span().start);
    from.first().is_some_and(|comment| comment.span.start < node.span().end)
}

/// Whether a collection is written in brackets; what is inside such a one counts as well.
fn is_flow(text: &str, node: Node<'_>) -> bool {
    matches!(text.as_bytes().get(node.span().start as usize), Some(b'[' | b'{'))
}

/// Where among its record's keys the schema has `key`.
pub(super) fn key_place(schema: Option<&Schema>, key: &str) -> Option<usize> {
    let properties = schema?.get("properties")?.as_object()?;
    properties.keys().position(|name| name == key)
}

/// The schema of a part: of the value under a key, or of a list's entries.
pub(super) fn part_schema<'a>(schema: Option<&'a Schema>, key: Option<Node<'_>>) -> Option<&'a Schema> {
    let schema = schema?;
    match key {
        Some(key) => {
            let own = schema.get("properties").and_then(|properties| properties.get(key.text()));
            own.or_else(|| schema.get("additionalProperties"))
        }
        // A file may be a list of records.
        None => schema.get("items").or_else(|| schema.get("properties").map(|_| schema)),
    }
}
