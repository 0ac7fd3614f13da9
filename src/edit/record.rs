//! Changes within one record: values replaced, fields put in and taken out.
//!
//! A list or mapping that changes in part keeps the text of the rest.

use serde_json::Value as Schema;

use super::lines::{LineKind, column, is_first_on_line, line, line_above, line_end, line_start, next_line, past_blank};
use super::splice::Splices;
use super::value::{Quotes, Value, inline, scalar};
use crate::fmt::scalar::ScalarContext;
use crate::yaml::{Node, NodeKind, Style};

/// A field with its new value; `None` removes it.
pub(super) type WantedField<'v> = (&'v str, Option<&'v Value>);

/// Makes replacements in the text of one file.
pub(super) struct Editor<'t> {
    pub(super) text: &'t str,
    pub(super) eol: &'static str,
    pub(super) splices: Splices<'t>,
}

/// The place of a part of a collection.
struct ListPart<'n> {
    start: usize,
    end: usize,
    node: Node<'n>,
}

/// What comments above the first field of a mapping are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    /// The record, or the file.
    OfRecord,
    /// That field.
    OfFirst,
}

impl<'t> Editor<'t> {
    /// Changes fields of a mapping. New ones go where `schema` has them.
    ///
    /// # Errors
    /// A sentence, if the text does not allow it.
    pub(super) fn mapping(
        &mut self,
        node: Node<'_>,
        schema: Option<&Schema>,
        wanted: &[WantedField<'_>],
    ) -> Result<(), String> {
        let entries: Vec<(Node<'_>, Node<'_>)> = node.entries().collect();
        let mut removed = vec![false; entries.len()];
        let mut new: Vec<(&str, &Value)> = Vec::new();
        let flow = self.is_flow(node);
        for &(field, value) in wanted {
            let found = entries.iter().position(|(key, _)| key.text() == field);
            match (found, value) {
                (Some(at), Some(value)) => self.value(entries[at], value, flow)?,
                (Some(at), None) => removed[at] = true,
                (None, Some(value)) => new.push((field, value)),
                (None, None) => {}
            }
        }
        if removed.iter().all(|removed| *removed) && (!removed.is_empty() || !new.is_empty()) {
            return Err("no field would be left of what is there".into());
        }
        let place = |field: &str| field_place(schema, field).unwrap_or(usize::MAX);
        new.sort_by_key(|(field, _)| place(field));
        // Behind the kept field that comes last of those that the schema has before the new one.
        let before = |field: &str| {
            let own = place(field);
            let earlier = |(_, (key, _)): &(usize, &(Node<'_>, Node<'_>))| own == usize::MAX || place(key.text()) < own;
            let kept = entries.iter().enumerate().filter(|(at, _)| !removed[*at]);
            kept.filter(earlier).max_by_key(|(at, (key, _))| (place(key.text()), *at)).map(|(at, _)| at)
        };
        let new: Vec<(Option<usize>, &str, &Value)> =
            new.into_iter().map(|(field, value)| (before(field), field, value)).collect();
        if flow {
            let parts: Vec<(usize, usize)> = entries.iter().map(|(key, value)| (start(*key), end(*value))).collect();
            let first = entries.first().map(|(key, _)| *key);
            let text = |(after, field, value): &(Option<usize>, &str, &Value)| {
                (
                    *after,
                    format!(
                        "{}: {}",
                        self.key(field, first, ScalarContext::Flow),
                        inline(field, value, Quotes::None, ScalarContext::Flow)
                    ),
                )
            };
            let inserted = new.iter().map(text).collect();
            self.flow_parts(&parts, &removed, inserted);
            return Ok(());
        }
        // Below the key of a mapping in a record, a comment is about the field that follows.
        let top = if schema.is_some() { Top::OfRecord } else { Top::OfFirst };
        self.block_fields(&entries, &removed, &new, top)
    }

    /// Removes and adds lines of a mapping with one field a line.
    fn block_fields(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        removed: &[bool],
        new: &[(Option<usize>, &str, &Value)],
        top: Top,
    ) -> Result<(), String> {
        let Some((first, _)) = entries.first() else { return Err("the record has no field".into()) };
        let indent = column(self.text, start(*first));
        let kept = removed.iter().position(|removed| !removed).unwrap_or(entries.len());
        // The first field may follow a dash; the next one then takes its place there.
        let lead = if kept > 0 && !is_first_on_line(self.text, start(*first)) { kept } else { 0 };
        if lead > 0 {
            let (last, next) = (entries[lead - 1].1, entries[lead].0);
            let line_of_next = line_start(self.text, start(next));
            let between = self.text.get(self.fields_end(indent, last)..line_of_next).unwrap_or_default();
            if between.trim().is_empty() && !between.contains('#') {
                self.splices.replace(start(*first)..start(next), "");
            } else {
                let dash = self.text[..start(*first)].trim_end_matches(' ').len();
                self.splices.replace(dash..line_end(self.text, end(last)), "");
            }
        }
        for (at, (key, value)) in entries.iter().enumerate().skip(lead).filter(|(at, _)| removed[*at]) {
            let limit = match at.checked_sub(1) {
                Some(before) => self.fields_end(indent, entries[before].1),
                None if top == Top::OfRecord => line_start(self.text, start(*key)),
                None => 0,
            };
            let from = self.comments_above(line_start(self.text, start(*key)), limit, indent);
            self.splices.remove_lines(from..self.fields_end(indent, *value));
        }
        for (after, field, value) in new {
            let name = self.key(field, Some(*first), ScalarContext::Block);
            let line = format!("{name}: {}{}", inline(field, value, Quotes::None, ScalarContext::Block), self.eol);
            match after {
                Some(at) => {
                    let at = self.fields_end(indent, entries[*at].1);
                    self.splices.insert_lines(at, &format!("{}{line}", " ".repeat(indent)));
                }
                None => {
                    let at = start(entries[kept].0);
                    self.splices.insert(at, format!("{line}{}", " ".repeat(indent)));
                }
            }
        }
        Ok(())
    }

    /// Where the lines of a field end, with comments that are indented further than its key.
    fn fields_end(&self, indent: usize, value: Node<'_>) -> usize {
        self.lines_end(end_of_text(self.text, value), indent)
    }

    /// Where the line that holds `at` ends, and comments below it that are indented further than
    /// `indent`.
    pub(super) fn lines_end(&self, at: usize, indent: usize) -> usize {
        let mut end = next_line(self.text, at);
        loop {
            let next = past_blank(self.text, end);
            match line(self.text, next) {
                LineKind::Comment(column) if next < self.text.len() && column > indent => {
                    end = next_line(self.text, next)
                }
                _ => return end,
            }
        }
    }

    /// Where the comments start that are directly above the line at `start`, not before `limit`,
    /// and not indented further than `indent`.
    pub(super) fn comments_above(&self, start: usize, limit: usize, indent: usize) -> usize {
        let mut from = start;
        while let Some(above) = line_above(self.text, from).filter(|above| *above >= limit) {
            match line(self.text, above) {
                LineKind::Comment(column) if column <= indent => from = above,
                _ => break,
            }
        }
        from
    }

    /// Replaces the value of an entry, in part where it is a collection and so is the new one.
    fn value(&mut self, (key, old): (Node<'_>, Node<'_>), new: &Value, in_flow: bool) -> Result<(), String> {
        if new.is(old) {
            return Ok(());
        }
        match (old.kind(), new) {
            (NodeKind::Mapping, Value::Map(entries))
                if old.entries().any(|(key, _)| entries.iter().any(|(k, _)| k == key.text())) =>
            {
                let gone = old.entries().map(|(key, _)| key.text()).filter(|key| entries.iter().all(|(k, _)| k != key));
                let gone = gone.map(|key| (key, None));
                let wanted: Vec<WantedField<'_>> =
                    gone.chain(entries.iter().map(|(key, value)| (key.as_str(), Some(value)))).collect();
                self.mapping(old, None, &wanted)
            }
            (NodeKind::Sequence, Value::List(values)) if self.list(key.text(), old, values) => Ok(()),
            (NodeKind::Scalar(Style::Plain | Style::Quoted), Value::Text(_) | Value::Whole(_))
                if start(old) < end(old) =>
            {
                let place = if in_flow { ScalarContext::Flow } else { ScalarContext::Block };
                let quotes = Quotes::chosen(old, self.text, place).unwrap_or(Quotes::None);
                self.splices.replace(start(old)..end(old), inline(key.text(), new, quotes, place));
                Ok(())
            }
            _ => self.whole(key, old, new, in_flow),
        }
    }

    /// Replaces a value as a whole.
    fn whole(&mut self, key: Node<'_>, old: Node<'_>, new: &Value, in_flow: bool) -> Result<(), String> {
        let place = if in_flow { ScalarContext::Flow } else { ScalarContext::Block };
        let new = inline(key.text(), new, Quotes::None, place);
        let (key_end, old_start) = (end(key), start(old));
        let gap = self.text.get(key_end..old_start.max(key_end)).unwrap_or_default();
        let Some(colon) = gap.find(':').or_else(|| (old_start == key_end).then_some(0)) else {
            return Err("the colon behind a key is not where it is looked for".into());
        };
        let behind = gap.get(colon + 1..).unwrap_or_default();
        let broken = behind.find(['\n', '\r']);
        let header = old.kind() == NodeKind::Scalar(Style::Block);
        if start(old) == end(old) && !header {
            self.splices.insert(key_end + colon + 1, format!(" {new}"));
        } else if let Some(broken) = broken {
            // A comment behind the key stays there.
            let comment = behind.get(..broken).and_then(|line| line.find('#').and_then(|at| line.get(at..)));
            let comment = comment.map(|comment| format!(" {}", comment.trim_end())).unwrap_or_default();
            let shown = end_of_text(self.text, old);
            // A comment behind the last entry of a list was about that entry.
            let to = if old.kind() == NodeKind::Sequence { line_end(self.text, shown) } else { shown };
            self.splices.replace(key_end + colon + 1..to, format!(" {new}{comment}"));
        } else {
            self.splices.replace(old_start..end(old), new);
        }
        Ok(())
    }

    /// Changes a list of plain entries, keeping the text of those that stay. Returns whether it could.
    fn list(&mut self, field: &str, node: Node<'_>, values: &[Value]) -> bool {
        let flow = self.is_flow(node);
        let Some(parts) = self.parts(node, flow) else { return false };
        let simple = |node: Node<'_>| matches!(node.kind(), NodeKind::Scalar(Style::Plain | Style::Quoted));
        let texts: Option<Vec<&String>> =
            values.iter().map(|value| if let Value::Text(text) = value { Some(text) } else { None }).collect();
        let Some(texts) = texts.filter(|_| !parts.is_empty() && parts.iter().all(|part| simple(part.node))) else {
            return false;
        };
        let mut removed = vec![true; parts.len()];
        let mut new: Vec<(Option<usize>, &str)> = Vec::new();
        let (mut from, mut last) = (0, None);
        for text in texts {
            match parts.iter().skip(from).position(|part| Value::text(text.as_str()).is(part.node)) {
                Some(ahead) => {
                    (last, from) = (Some(from + ahead), from + ahead + 1);
                    removed[from - 1] = false;
                }
                None => new.push((last, text)),
            }
        }
        if removed.iter().all(|removed| *removed) {
            return false;
        }
        let place = if flow { ScalarContext::Flow } else { ScalarContext::Block };
        let quotes = parts.iter().find_map(|part| Quotes::chosen(part.node, self.text, place)).unwrap_or(Quotes::None);
        let new = new.into_iter().map(|(after, text)| (after, scalar(field, text, quotes, place)));
        let spans: Vec<(usize, usize)> = parts.iter().map(|part| (part.start, part.end)).collect();
        if flow {
            self.flow_parts(&spans, &removed, new.collect());
        } else {
            self.block_items(&spans, &removed, new.collect());
        }
        true
    }

    /// The places of the entries of a list, each from its dash if that begins a line.
    fn parts<'n>(&self, node: Node<'n>, flow: bool) -> Option<Vec<ListPart<'n>>> {
        let mut from = start(node);
        let mut parts = Vec::new();
        for node in node.items() {
            let dash = if flow { start(node) } else { dash(self.text, from, start(node))? };
            if !flow && !is_first_on_line(self.text, dash) {
                return None;
            }
            from = end(node);
            parts.push(ListPart { start: dash, end: end(node), node });
        }
        Some(parts)
    }

    /// Removes and adds lines of a list with one entry a line.
    fn block_items(&mut self, parts: &[(usize, usize)], removed: &[bool], new: Vec<(Option<usize>, String)>) {
        let Some(indent) = parts.first().map(|(start, _)| column(self.text, *start)) else { return };
        for (at, (from, to)) in parts.iter().enumerate().filter(|(at, _)| removed[*at]) {
            let own = line_start(self.text, *from);
            let limit = at.checked_sub(1).map_or(own, |before| self.lines_end(parts[before].1, indent));
            let from = self.comments_above(own, limit, indent);
            self.splices.remove_lines(from..self.lines_end(*to, indent));
        }
        let first = removed.iter().position(|removed| !removed).unwrap_or_default();
        for (after, text) in new {
            let line = format!("{}- {text}{}", " ".repeat(indent), self.eol);
            let at = match after {
                Some(at) => self.lines_end(parts[at].1, indent),
                None => line_start(self.text, parts[first].0),
            };
            self.splices.insert_lines(at, &line);
        }
    }

    /// Removes and adds parts in brackets. At least one stays.
    pub(super) fn flow_parts(&mut self, parts: &[(usize, usize)], removed: &[bool], new: Vec<(Option<usize>, String)>) {
        let first = removed.iter().position(|removed| !removed).unwrap_or_default();
        for (after, text) in new {
            match after {
                Some(at) => self.splices.insert(parts[at].1, format!(", {text}")),
                None => self.splices.insert(parts[first].0, format!("{text}, ")),
            }
        }
        if first > 0 {
            self.splices.replace(parts[0].0..parts[first].0, "");
        }
        let mut at = first;
        while at < parts.len() {
            let run = removed[at..].iter().take_while(|removed| **removed).count();
            if run > 0 {
                self.splices.replace(parts[at - 1].1..parts[at + run - 1].1, "");
            }
            at += run.max(1);
        }
    }

    /// A key, in quotes where those beside it are.
    fn key(&self, field: &str, beside: Option<Node<'_>>, place: ScalarContext) -> String {
        let quotes = beside.and_then(|key| Quotes::chosen(key, self.text, place)).unwrap_or(Quotes::None);
        scalar("", field, quotes, place)
    }

    /// Whether a collection is written in brackets.
    pub(super) fn is_flow(&self, node: Node<'_>) -> bool {
        matches!(self.text.as_bytes().get(start(node)), Some(b'[' | b'{'))
    }
}

/// The index of a field in its schema.
pub(super) fn field_place(schema: Option<&Schema>, field: &str) -> Option<usize> {
    schema?.get("properties")?.as_object()?.keys().position(|name| name == field)
}

/// The first dash in a gap, comments aside.
pub(super) fn dash(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut in_comment = false;
    let found = text.as_bytes().get(from..to)?.iter().position(|byte| {
        match byte {
            b'\n' | b'\r' => in_comment = false,
            b'#' => in_comment = true,
            _ => {}
        }
        *byte == b'-' && !in_comment
    });
    found.map(|at| from + at)
}

pub(super) fn start(node: Node<'_>) -> usize {
    node.span().start as usize
}

pub(super) fn end(node: Node<'_>) -> usize {
    node.span().end as usize
}

/// Where what shows of a node ends: a block text may end in empty lines.
pub(super) fn end_of_text(text: &str, node: Node<'_>) -> usize {
    let shown = text.get(node.span().range()).unwrap_or_default();
    start(node) + shown.trim_end_matches(['\n', '\r', ' ', '\t']).len()
}
