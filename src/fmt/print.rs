//! The layout as text.

use serde_json::Value as Schema;

use super::layout::{Block, Body, CommentLine, FileLayout, LayoutItem, key_place, part_schema};
use super::scalar::{self, ScalarContext, ScalarText};
use crate::yaml::{Node, NodeKind};

/// A list or mapping in brackets that would end beyond this column is spread over lines.
const WIDTH: usize = 100;

/// How far each level is indented.
const STEP: usize = 2;

/// The whole file.
pub(super) fn print(layout: &FileLayout<'_>, source: &str) -> String {
    let mut printer = Printer { source, out: String::with_capacity(source.len() + source.len() / 8) };
    printer.lines(&layout.header, 0);
    if layout.header_apart && !layout.header.is_empty() {
        printer.out.push('\n');
    }
    match &layout.body {
        None => {}
        Some(Body::Block(block)) => printer.block(block, 0),
        Some(Body::Inline(node, schema)) => printer.root(*node, *schema),
    }
    printer.lines(&layout.footer, 0);
    printer.out
}

struct Printer<'a> {
    source: &'a str,
    out: String,
}

impl Printer<'_> {
    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// An empty line, but never two, nor one where something begins.
    fn blank(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn lines(&mut self, lines: &[CommentLine<'_>], indent: usize) {
        self.lines_from(lines, indent, false);
    }

    /// Comments on lines of their own. The first line of a collection never has an empty one above.
    fn lines_from(&mut self, lines: &[CommentLine<'_>], indent: usize, first: bool) {
        for (index, line) in lines.iter().enumerate() {
            if line.after_blank && !(first && index == 0) {
                self.blank();
            }
            self.indent(indent);
            self.comment(line.text);
            self.out.push('\n');
        }
    }

    /// A comment with a space after its sign; `#!` and lines of signs stay as they are.
    fn comment(&mut self, text: &str) {
        let words = text.strip_prefix('#').unwrap_or(text);
        let apart = words.starts_with(|c: char| c.is_alphanumeric());
        self.out.push_str(if apart { "# " } else { "#" });
        self.out.push_str(words);
    }

    fn block(&mut self, block: &Block<'_>, indent: usize) {
        for (index, item) in block.items.iter().enumerate() {
            let first = index == 0;
            self.lines_from(&item.above, indent, first);
            if item.after_blank && !(first && item.above.is_empty()) {
                self.blank();
            }
            self.item(item, indent, block.is_list);
        }
        self.lines(&block.footer, indent);
    }

    fn item(&mut self, item: &LayoutItem<'_>, indent: usize, in_list: bool) {
        match &item.body {
            Body::Block(block) => self.spread(item, block, item.behind, indent, in_list),
            Body::Inline(node, schema) => {
                self.inline_item(item, *node, *schema, indent, in_list);
            }
        }
    }

    fn inline_item(
        &mut self,
        item: &LayoutItem<'_>,
        node: Node<'_>,
        schema: Option<&Schema>,
        indent: usize,
        in_list: bool,
    ) {
        let head = self.head(item);
        if node.is_scalar() {
            let written = scalar::written(node, self.source);
            if let (ScalarText::Block(..), Some(behind)) = (&written, item.behind) {
                self.indent(indent);
                self.comment(behind);
                self.out.push('\n');
            }
            self.indent(indent);
            self.out.push_str(&head);
            match written {
                ScalarText::Line(text) if text.is_empty() => {}
                ScalarText::Line(text) => {
                    self.out.push(' ');
                    self.out.push_str(&text);
                }
                ScalarText::Block(header, lines) => return self.literal(header, &lines, indent + STEP),
            }
            return self.behind(item.behind);
        }
        let flow = self.flow(node, schema);
        let empty = node.items().next().is_none() && node.entries().next().is_none();
        if empty || indent + head.chars().count() + 1 + flow.chars().count() <= WIDTH {
            self.indent(indent);
            self.out.push_str(&head);
            self.out.push(' ');
            self.out.push_str(&flow);
            return self.behind(item.behind);
        }
        let block = spread(node, schema);
        if in_list && let Some(behind) = item.behind {
            self.indent(indent);
            self.comment(behind);
            self.out.push('\n');
        }
        self.spread(item, &block, item.behind.filter(|_| !in_list), indent, in_list);
    }

    /// `key:` or `-`.
    fn head(&self, item: &LayoutItem<'_>) -> String {
        match item.key {
            Some(key) => format!("{}:", scalar::inline(key, self.source, ScalarContext::Block)),
            None => "-".to_owned(),
        }
    }

    fn behind(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            self.out.push_str("  ");
            self.comment(comment);
        }
        self.out.push('\n');
    }

    /// A collection over several lines: below its key, or beside its dash.
    fn spread(&mut self, item: &LayoutItem<'_>, block: &Block<'_>, behind: Option<&str>, indent: usize, in_list: bool) {
        if in_list {
            let at = self.out.len();
            self.block(block, indent + STEP);
            if self.out[at + indent + STEP..].starts_with('#') {
                // Beside the dash the comment would seem to be the record's, not the field's.
                self.out.insert_str(at, &format!("{:indent$}-\n", ""));
            } else {
                self.out.replace_range(at + indent..at + indent + 1, "-");
            }
            return;
        }
        self.indent(indent);
        let head = self.head(item);
        self.out.push_str(&head);
        self.behind(behind);
        self.block(block, indent + STEP);
    }

    fn literal(&mut self, header: &str, lines: &[String], indent: usize) {
        self.out.push(' ');
        self.out.push_str(header);
        self.out.push('\n');
        for line in lines {
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// A file that is one value, without a list or a mapping around it.
    fn root(&mut self, node: Node<'_>, schema: Option<&Schema>) {
        let flow = if node.is_scalar() {
            scalar::inline(node, self.source, ScalarContext::Block)
        } else {
            self.flow(node, schema)
        };
        let empty = node.items().next().is_none() && node.entries().next().is_none();
        if empty || flow.chars().count() <= WIDTH {
            self.out.push_str(&flow);
            self.out.push('\n');
        } else {
            self.block(&spread(node, schema), 0);
        }
    }

    /// A value in brackets on one line.
    fn flow(&self, node: Node<'_>, schema: Option<&Schema>) -> String {
        match node.kind() {
            NodeKind::Scalar(_) => scalar::inline(node, self.source, ScalarContext::Flow),
            NodeKind::Sequence => {
                let items: Vec<String> = node.items().map(|item| self.flow(item, part_schema(schema, None))).collect();
                format!("[{}]", items.join(", "))
            }
            NodeKind::Mapping => {
                let mut entries: Vec<(Node<'_>, Node<'_>)> = node.entries().collect();
                entries.sort_by_key(|(key, _)| key_place(schema, key.text()).unwrap_or(usize::MAX));
                let entry = |(key, value): &(Node<'_>, Node<'_>)| {
                    let value = self.flow(*value, part_schema(schema, Some(*key)));
                    format!("{}: {value}", self.flow(*key, None))
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A collection that was in brackets, and has no comments, spread over lines.
fn spread<'a>(node: Node<'a>, schema: Option<&'a Schema>) -> Block<'a> {
    let item = |key: Option<Node<'a>>, value: Node<'a>| LayoutItem {
        above: Vec::new(),
        after_blank: false,
        key,
        body: Body::Inline(value, part_schema(schema, key)),
        behind: None,
    };
    let mut items: Vec<LayoutItem<'a>> = node.items().map(|value| item(None, value)).collect();
    let mut entries: Vec<(Node<'a>, Node<'a>)> = node.entries().collect();
    entries.sort_by_key(|(key, _)| key_place(schema, key.text()).unwrap_or(usize::MAX));
    items.extend(entries.into_iter().map(|(key, value)| item(Some(key), value)));
    Block { is_list: node.kind() == NodeKind::Sequence, items, footer: Vec::new() }
}
