//! Records taken out of and put into a list.

use std::ops::Range;

use super::FileEdits;
use super::print::{self, Beside};
use crate::edit::lines::{LineKind, column, is_first_on_line, line, line_above, line_start, past_blank};
use crate::edit::record::{Editor, dash, end, end_of_text, start};
use crate::edit::value::{Fields, Value};
use crate::model::Address;
use crate::yaml::{Node, NodeKind};

/// A record of the result: one that was there, or a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordSlot {
    Kept(Option<u32>),
    New(usize),
}

type Key = (bool, u128, u8);

/// Adds and removes whole records. Returns the records of the result, in order.
///
/// # Errors
/// Says why it cannot be done in this text.
pub(super) fn edit(editor: &mut Editor<'_>, edits: &FileEdits<'_>) -> Result<Vec<RecordSlot>, String> {
    let Some(root) = edits.root().filter(|root| root.kind() == NodeKind::Sequence) else {
        return Ok(edits.records().map(RecordSlot::Kept).collect());
    };
    let removed: Vec<bool> = edits.records().map(|index| edits.is_removed(index)).collect();
    let nodes: Vec<Node<'_>> = edits.records().filter_map(|index| edits.record(index)).collect();
    let places = places(&nodes, &edits.new);
    let mut order: Vec<RecordSlot> = Vec::with_capacity(nodes.len() + edits.new.len());
    let mut new = places.iter().enumerate().peekable();
    for (at, removed) in removed.iter().enumerate() {
        while let Some((number, _)) = new.next_if(|(_, place)| **place <= at) {
            order.push(RecordSlot::New(number));
        }
        if !removed {
            order.push(RecordSlot::Kept(Some(at as u32)));
        }
    }
    order.extend(new.map(|(number, _)| RecordSlot::New(number)));
    if !removed.contains(&true) && edits.new.is_empty() {
        return Ok(order);
    }
    let list = ListEdit { editor, nodes, removed, new: &edits.new, places, kind: edits.kind };
    if list.nodes.is_empty() {
        list.into_empty(root)?;
    } else if list.editor.is_flow(root) {
        list.flow();
    } else {
        list.block(root)?;
    }
    Ok(order)
}

/// New records by address, those without one last.
pub(super) fn sort(new: &mut [Fields]) {
    new.sort_by_key(|fields| (key_of_fields(fields).is_none(), key_of_fields(fields)));
}

fn key_of_fields(fields: &Fields) -> Option<Key> {
    let first = match fields.get("ip")? {
        Value::List(values) => values.first()?,
        value => value,
    };
    if let Value::Text(text) = first { key(text) } else { None }
}

fn key_of(record: Node<'_>) -> Option<Key> {
    let ip = record.get("ip")?;
    key(if ip.kind() == NodeKind::Sequence { ip.items().next()?.text() } else { ip.text() })
}

fn key(text: &str) -> Option<Key> {
    text.parse::<Address>().ok().map(|address| address.sort_key())
}

/// Before which record each of the new ones goes: by address if the records are in that order.
fn places(nodes: &[Node<'_>], new: &[Fields]) -> Vec<usize> {
    if new.is_empty() {
        return Vec::new();
    }
    let keys: Option<Vec<Key>> = nodes.iter().map(|node| key_of(*node)).collect();
    let keys = keys.filter(|keys| keys.is_sorted());
    let place = |fields: &Fields| match (&keys, key_of_fields(fields)) {
        (Some(keys), Some(own)) => keys.partition_point(|key| *key <= own),
        _ => nodes.len(),
    };
    let mut places: Vec<usize> = new.iter().map(place).collect();
    // In a file without order all go last; among themselves they are in order anyway.
    places.sort_unstable();
    places
}

struct ListEdit<'e, 't, 'n> {
    editor: &'e mut Editor<'t>,
    nodes: Vec<Node<'n>>,
    removed: Vec<bool>,
    new: &'e [Fields],
    places: Vec<usize>,
    kind: crate::schema::FileKind,
}

impl ListEdit<'_, '_, '_> {
    /// `[]`, or a list of nothing else.
    fn into_empty(self, root: Node<'_>) -> Result<(), String> {
        let text = self.editor.text;
        let records = print::new_file(self.new, true, self.kind, None).replace('\n', self.editor.eol);
        if column(text, start(root)) > 0 {
            return Err("the empty list is not at the start of a line".into());
        }
        // A comment behind the brackets stays behind the first record's last field.
        let records = records.trim_end_matches(['\n', '\r']);
        self.editor.splices.replace(start(root)..end(root), records);
        Ok(())
    }

    /// Which record's style a new one at `place` takes.
    fn beside(&self, place: usize) -> Option<usize> {
        let is_record = |at: &usize| self.nodes[*at].kind() == NodeKind::Mapping;
        (0..place).rev().find(is_record).or_else(|| (place..self.nodes.len()).find(is_record))
    }

    /// For each place, the last record before it that stays.
    fn kept_before(&self) -> Vec<Option<usize>> {
        let mut last = None;
        let mut before = vec![None];
        for (at, removed) in self.removed.iter().enumerate() {
            last = if *removed { last } else { Some(at) };
            before.push(last);
        }
        before
    }

    /// Records in brackets.
    fn flow(self) {
        let text = self.editor.text;
        let parts: Vec<(usize, usize)> = self.nodes.iter().map(|node| (start(*node), end(*node))).collect();
        let separator = |at: usize| {
            let (from, to) = (parts.get(at)?.1, parts.get(at + 1)?.0);
            text.get(from..to).filter(|gap| !gap.contains('#'))
        };
        let any = separator(0).unwrap_or(", ").to_owned();
        let printed: Vec<String> = self
            .places
            .iter()
            .zip(self.new)
            .map(|(place, fields)| {
                print::flow(
                    fields,
                    &Beside { text, record: self.beside(*place).map(|at| self.nodes[at]), schema: self.kind },
                )
            })
            .collect();
        let Some(first) = self.removed.iter().position(|removed| !removed) else {
            // Every record makes place for the new ones.
            let (from, to) = (parts[0].0, parts[parts.len() - 1].1);
            self.editor.splices.replace(from..to, printed.join(&any));
            return;
        };
        let kept = self.kept_before();
        for (place, record) in self.places.iter().zip(printed) {
            match kept[*place] {
                Some(before) => self.editor.splices.insert(parts[before].1, format!("{any}{record}")),
                None => self.editor.splices.insert(parts[first].0, format!("{record}{any}")),
            }
        }
        self.editor.flow_parts(&parts, &self.removed, Vec::new());
    }

    /// Records behind dashes.
    fn block(self, root: Node<'_>) -> Result<(), String> {
        let text = self.editor.text;
        let mut dashes = Vec::with_capacity(self.nodes.len());
        let mut from = start(root);
        for node in &self.nodes {
            let dash = dash(text, from, start(*node)).ok_or("a dash is not where it is looked for")?;
            from = end(*node);
            dashes.push(dash);
        }
        let indent = column(text, dashes[0]);
        let whole = RecordLines { nodes: &self.nodes, dashes: &dashes, indent, editor: self.editor };
        let mut taken: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while at < self.nodes.len() {
            let run = self.removed[at..].iter().take_while(|removed| **removed).count();
            if run > 0 {
                taken.push(whole.run(at, at + run - 1)?);
            }
            at += run.max(1);
        }
        let kept = self.kept_before();
        let first = self.removed.iter().position(|removed| !removed).unwrap_or_default();
        let mut put: Vec<(usize, String)> = Vec::new();
        for (place, fields) in self.places.iter().zip(self.new) {
            let beside = self.beside(*place);
            let style = Beside { text, record: beside.map(|at| self.nodes[at]), schema: self.kind };
            let dash = beside.map(|at| dashes[at]);
            let record = print::behind_dash(fields, &style, indent, dash).replace('\n', self.editor.eol);
            put.push(match kept[*place] {
                Some(before) => (whole.end(before), format!("{}{record}", whole.blank_after(before))),
                None => (whole.start(first)?, format!("{record}{}", whole.blank_after(first))),
            });
        }
        let all_removed = self.removed.iter().all(|removed| *removed);
        for (at, lines) in put {
            // If every record is removed, the new ones go where the first of them was.
            let at = if all_removed { taken.first().map_or(at, |range| range.start) } else { at };
            self.editor.splices.insert_lines(at, &lines);
        }
        for range in taken {
            self.editor.splices.remove_lines(range);
        }
        Ok(())
    }
}

/// The lines of records, with their comments.
struct RecordLines<'w, 't, 'n> {
    editor: &'w Editor<'t>,
    nodes: &'w [Node<'n>],
    dashes: &'w [usize],
    indent: usize,
}

impl RecordLines<'_, '_, '_> {
    /// Where the lines of a record start, with the comments directly above it; but the text at
    /// the top of the file is about the file.
    fn start(&self, at: usize) -> Result<usize, String> {
        let text = self.editor.text;
        let own = line_start(text, self.dashes[at]);
        if !is_first_on_line(text, self.dashes[at]) {
            return Err("a record does not start on a line of its own".into());
        }
        let limit = at.checked_sub(1).map_or(0, |before| self.end(before));
        let from = self.editor.comments_above(own, limit, self.indent);
        let above = text[..from].trim();
        let top = at == 0
            && (above.is_empty() || line_above(text, from).is_some_and(|above| text[above..from].starts_with("---")));
        Ok(if top { own } else { from })
    }

    /// Where the lines of a record end, with the comments that are indented as part of it.
    fn end(&self, at: usize) -> usize {
        let text = self.editor.text;
        self.editor.lines_end(end_of_text(text, self.nodes[at]).max(self.dashes[at] + 1), self.indent)
    }

    /// The blank lines around a new record beside this one: those between
    /// records here.
    fn blank_after(&self, at: usize) -> String {
        let blank = |at: usize| {
            let end = self.end(at);
            self.editor.text[end..past_blank(self.editor.text, end)].to_owned()
        };
        match () {
            () if at + 1 < self.nodes.len() => blank(at),
            () if at > 0 => blank(at - 1),
            () => String::new(),
        }
    }

    /// The lines of the records from `first` to `last`, with the blank lines that would be left
    /// over.
    fn run(&self, first: usize, last: usize) -> Result<Range<usize>, String> {
        let text = self.editor.text;
        let (start, end) = (self.start(first)?, self.end(last));
        let past = past_blank(text, end);
        if last + 1 == self.nodes.len() {
            // What separated them from those before goes; what follows stays.
            let before = first.checked_sub(1).map(|before| self.end(before));
            let start = before.filter(|before| text[*before..start].trim().is_empty()).unwrap_or(start);
            return Ok(start..end);
        }
        let after_blank = line_above(text, start).is_none_or(|above| line(text, above) == LineKind::Blank);
        let below_header = first == 0 && !matches!(line(text, past), LineKind::Comment(_));
        Ok(start..if after_blank || below_header { past } else { end })
    }
}
