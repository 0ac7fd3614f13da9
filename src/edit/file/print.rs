//! New records as text, in the style of those beside them.

use crate::edit::lines::{LineKind, column, is_first_on_line, line, line_start, next_line};
use crate::edit::record::{end_of_text, field_place, start};
use crate::edit::value::{Fields, Quotes, Value, inline, scalar};
use crate::fmt::scalar::ScalarContext;
use crate::schema::{self, FileKind};
use crate::yaml::{self, Node, NodeKind, Style};

/// Lists longer than this take a line for each entry where they may.
const LONG: usize = 100;

/// What a new record takes its style from.
pub(super) struct Beside<'b> {
    pub(super) text: &'b str,
    pub(super) record: Option<Node<'b>>,
    pub(super) schema: FileKind,
}

impl Beside<'_> {
    /// The fields in the order of the record beside; those that it lacks where the schema has them.
    fn ordered<'f>(&self, fields: &'f Fields) -> Vec<(&'f str, &'f Value)> {
        let schema = Some(schema::record_schema(self.schema));
        let place = |field: &str| field_place(schema, field).unwrap_or(usize::MAX);
        let keys: Vec<&str> =
            self.record.iter().flat_map(|record| record.entries().map(|(key, _)| key.text())).collect();
        let mut all: Vec<(&str, &Value)> = fields.0.iter().map(|(field, value)| (field.as_str(), value)).collect();
        all.sort_by_key(|(field, _)| {
            // After the last field beside that the schema has before it.
            let own = keys.iter().position(|key| key == field);
            let earlier = || keys.iter().rposition(|key| place(key) < place(field)).map_or(0, |at| at + 1);
            (own.map_or_else(|| 2 * earlier(), |at| 2 * at + 1), place(field))
        });
        all
    }

    /// The quotes that the field has beside.
    fn quotes(&self, field: &str, place: ScalarContext) -> Quotes {
        let beside = self.record.and_then(|record| record.get(field));
        let beside = beside.map(|node| node.items().next().unwrap_or(node));
        beside.and_then(|node| Quotes::chosen(node, self.text, place)).unwrap_or(Quotes::None)
    }

    fn key(&self, field: &str, place: ScalarContext) -> String {
        let first = self.record.and_then(|record| record.entries().next());
        let quotes = first.and_then(|(key, _)| Quotes::chosen(key, self.text, place)).unwrap_or(Quotes::None);
        scalar("", field, quotes, place)
    }

    fn is_flow(&self) -> bool {
        self.record.is_some_and(|record| self.text.as_bytes().get(start(record)) == Some(&b'{'))
    }
}

/// A record in braces.
pub(super) fn flow(fields: &Fields, beside: &Beside<'_>) -> String {
    let entry = |(field, value): (&str, &Value)| {
        format!(
            "{}: {}",
            beside.key(field, ScalarContext::Flow),
            inline(field, value, beside.quotes(field, ScalarContext::Flow), ScalarContext::Flow)
        )
    };
    let entries: Vec<String> = beside.ordered(fields).into_iter().map(entry).collect();
    let spaced = beside.record.is_some_and(|record| beside.text[start(record)..].starts_with("{ "));
    if spaced { format!("{{ {} }}", entries.join(", ")) } else { format!("{{{}}}", entries.join(", ")) }
}

/// A record's lines, without indentation.
fn block(fields: &Fields, beside: &Beside<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (field, value) in beside.ordered(fields) {
        let key = beside.key(field, ScalarContext::Block);
        let line = format!(
            "{key}: {}",
            inline(field, value, beside.quotes(field, ScalarContext::Block), ScalarContext::Block)
        );
        match value {
            Value::List(values) if line.chars().count() > LONG => {
                lines.push(format!("{key}:"));
                lines.extend(
                    values
                        .iter()
                        .map(|value| format!("  - {}", inline(field, value, Quotes::None, ScalarContext::Block))),
                );
            }
            _ => lines.push(line),
        }
    }
    lines
}

/// A record as an entry of a list whose dashes are at column `indent`, with a line break at the end.
/// `dash` is the column of the dash of the record beside it.
pub(super) fn behind_dash(fields: &Fields, beside: &Beside<'_>, indent: usize, dash: Option<usize>) -> String {
    let dash = dash.zip(beside.record.map(start));
    let (margin, text) = (" ".repeat(indent), beside.text);
    let same_line = |(dash, record): (usize, usize)| line_start(text, dash) == line_start(text, record);
    if beside.is_flow() {
        return format!("{margin}- {}\n", flow(fields, beside));
    }
    let lines = block(fields, beside);
    match dash {
        Some((dash, record)) if !same_line((dash, record)) && is_first_on_line(text, record) => {
            let inner = " ".repeat(column(text, record));
            format!("{margin}-\n{inner}{}\n", lines.join(&format!("\n{inner}")))
        }
        _ => {
            let gap = dash.filter(|dash| same_line(*dash)).map_or(1, |(dash, record)| record - dash - 1);
            let inner = " ".repeat(indent + 1 + gap);
            format!("{margin}-{}{}\n", " ".repeat(gap), lines.join(&format!("\n{inner}")))
        }
    }
}

/// The text of a new file with these records, as a list or as one record, in the style of `like`,
/// the text of a file beside it.
pub fn new_file(records: &[Fields], as_list: bool, kind: FileKind, like: Option<&str>) -> String {
    let text = like.unwrap_or_default();
    let reading = yaml::read(text);
    let root =
        reading.document.as_ref().filter(|_| reading.problems.is_empty()).and_then(|document| document.root(text));
    let record = root.map(|root| root.items().next().unwrap_or(root)).filter(|node| node.kind() == NodeKind::Mapping);
    // In a file of its own a record takes lines, whatever its neighbour does.
    let record = record.filter(|record| text.as_bytes().get(start(*record)) != Some(&b'{'));
    let beside = Beside { text, record, schema: kind };
    let mut out = String::new();
    for fields in records {
        let lines = block(fields, &beside);
        out += &if as_list { format!("- {}\n", lines.join("\n  ")) } else { format!("{}\n", lines.join("\n")) };
    }
    out
}

/// A file of one record as a list of it.
pub(super) fn as_list(text: &str) -> Result<String, String> {
    let reading = yaml::read(text);
    let root =
        reading.document.as_ref().filter(|_| reading.problems.is_empty()).and_then(|document| document.root(text));
    let Some(root) = root.filter(|root| root.kind() == NodeKind::Mapping) else {
        return Err("the file is neither a record nor a list".into());
    };
    let (first, last) = (start(root), end_of_text(text, root));
    if column(text, first) > 0 || has_keeping_block(root, text) {
        return Err("the file's one record cannot be made an entry of a list".into());
    }
    let mut out = text.get(..first).unwrap_or_default().to_owned();
    out.push_str("- ");
    let mut at = next_line(text, first);
    out.push_str(text.get(first..at).unwrap_or_default());
    while at < last {
        let next = next_line(text, at);
        if line(text, at) != LineKind::Blank {
            out.push_str("  ");
        }
        out.push_str(text.get(at..next).unwrap_or_default());
        at = next;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(out)
}

/// Whether a block text says by a number how far it is indented.
fn has_keeping_block(node: Node<'_>, text: &str) -> bool {
    let is = |key: Node<'_>, value: Node<'_>| {
        let gap = text.get(key.span().end as usize..start(value)).unwrap_or_default();
        value.kind() == NodeKind::Scalar(Style::Block)
            && gap.lines().next().is_some_and(|line| line.contains(|c: char| c.is_ascii_digit()))
    };
    node.entries().any(|(key, value)| is(key, value))
}
