//! The quick reader: flat records of plain values, as nearly every data file has them.
//!
//! ```yaml
//! - ip: 10.10.10.25        # one record a dash, or one record a file
//!   domain: ispcustomer.co.zw
//!   name: "Head office"
//!   prefixes: [10.10.10.0/24, 10.10.11.0/24]
//! ```
//!
//! It accepts a small subset of YAML and gives up (`None`) on the first byte outside it, which
//! costs nothing but the time so far: the full reader then decides. It never reports a problem.

use super::document::{Document, DocumentBuilder, Node, NodeKind, Style};
use super::scalar::{ScalarType, scalar_type};
use super::{MAX_NODES, MAX_SCALAR_BYTES};
use crate::source::Span;

/// How many keys a record may have here: the check for a repeated one is quadratic.
const MAX_KEYS: usize = 16;

/// Reads a text of the flat shape; `None` if it has any other.
pub(super) fn read(text: &str) -> Option<Document> {
    let (mut lines, line) = start(text)?;
    let mut builder = DocumentBuilder::for_text(text.len());
    if line.first(&lines) == b'-' {
        builder.open(NodeKind::Sequence, line.start as u32);
        list(&mut lines, line, &mut builder, text, |_| Some(()))?;
        builder.close(None);
    } else {
        builder.open(NodeKind::Mapping, line.start as u32);
        let after = record(&mut lines, line, 0, &mut builder, text)?;
        if after.is_some() {
            return None;
        }
        builder.close(None);
    }
    (builder.node_count() <= MAX_NODES).then(|| builder.finish())
}

/// Calls `take` with each record of a list of the flat shape. The tree holds one record at a time, and so
/// stays in the processor's cache. Returns how many nodes the whole has; `None` if the text has another shape,
/// or `take` gives up: then what was taken so far does not count.
pub(super) fn each_record(text: &str, mut take: impl FnMut(Node<'_>) -> Option<()>) -> Option<usize> {
    let (mut lines, line) = start(text)?;
    if line.first(&lines) != b'-' {
        return None;
    }
    let mut nodes = 1;
    list(&mut lines, line, &mut DocumentBuilder::default(), text, |builder| {
        take(builder.node(text, 0))?;
        nodes += builder.node_count();
        builder.clear();
        (nodes <= MAX_NODES).then_some(())
    })?;
    Some(nodes)
}

/// The lines of a text, and the first with content.
fn start(text: &str) -> Option<(FlatLines<'_>, FlatLine)> {
    // Some 11 bytes a node, at the least 2: no text that passes here has more nodes than that.
    if text.len() / 2 > MAX_NODES * 4 {
        return None;
    }
    let mut lines = FlatLines { text: text.as_bytes(), at: 0 };
    let mut line = lines.next_content()?;
    // A marker only at the start of its line; indented, it is a value.
    if line.indent == 0 && line.rest(&lines) == b"---" {
        line = lines.next_content()?;
    }
    (line.indent == 0).then_some((lines, line))
}

/// `- key: value` and the lines below it, again and again. Calls `done` after each record.
fn list(
    lines: &mut FlatLines<'_>,
    first: FlatLine,
    builder: &mut DocumentBuilder,
    text: &str,
    mut done: impl FnMut(&mut DocumentBuilder) -> Option<()>,
) -> Option<()> {
    let mut line = first;
    loop {
        if line.indent != 0 || !lines.text[line.start..line.end].starts_with(b"- ") {
            return None;
        }
        let spaces = lines.text[line.start + 1..line.end].iter().take_while(|&&b| b == b' ').count();
        let start = line.start + 1 + spaces;
        let head = FlatLine { start, indent: 1 + spaces, ..line };
        builder.open(NodeKind::Mapping, start as u32);
        let next = record(lines, head, 1 + spaces, builder, text)?;
        builder.close(None);
        done(builder)?;
        match next {
            Some(next) => line = next,
            None => return Some(()),
        }
    }
}

/// The `key: value` lines of one record, all at `indent`. Returns the first line after them.
fn record(
    lines: &mut FlatLines<'_>,
    first: FlatLine,
    indent: usize,
    builder: &mut DocumentBuilder,
    text: &str,
) -> Option<Option<FlatLine>> {
    let mut keys: [&[u8]; MAX_KEYS] = [&[]; MAX_KEYS];
    let mut count = 0;
    let mut line = first;
    loop {
        let bytes = lines.text;
        let key_end = line.start + bytes[line.start..line.end].iter().take_while(|b| is_key(**b)).count();
        let key = &bytes[line.start..key_end];
        if key.is_empty() || key.len() > 64 || bytes.get(key_end..key_end + 2) != Some(b": ") {
            return None;
        }
        let name = text.get(line.start..key_end)?;
        let known = keys[..count].contains(&key) || count == MAX_KEYS;
        if known || (key.len() <= 5 && scalar_type(name) != ScalarType::Text) {
            return None;
        }
        keys[count] = key;
        count += 1;
        let span = Span::new(line.start as u32, key_end as u32);
        builder.scalar_in_source(Style::Plain, span, span);
        value(bytes, key_end + 2, line.end, builder)?;
        match lines.next_content() {
            None => return Some(None),
            Some(next) if next.indent == indent && next.first(lines) != b'-' => line = next,
            Some(next) if next.indent == 0 => return Some(Some(next)),
            Some(_) => return None,
        }
    }
}

/// The value after `key: `, up to the end of the line.
fn value(bytes: &[u8], from: usize, end: usize, builder: &mut DocumentBuilder) -> Option<()> {
    let start = from + bytes[from..end].iter().take_while(|&&b| b == b' ').count();
    let after = match bytes[start..end].first()? {
        b'\'' | b'"' => quoted(bytes, start, end, builder)?,
        b'[' => flow_list(bytes, start, end, builder)?,
        _ => {
            let span = plain(bytes, start, end, false)?;
            builder.scalar_in_source(Style::Plain, span, span);
            span.end as usize
        }
    };
    only_comment(bytes, after, end)
}

/// A quoted text without escapes, doubled quotes or line breaks.
fn quoted(bytes: &[u8], start: usize, end: usize, builder: &mut DocumentBuilder) -> Option<usize> {
    let quote = bytes[start];
    let inner = bytes[start + 1..end].iter().take_while(|&&b| b != quote && b != b'\\' && is_text(b)).count();
    let close = start + 1 + inner;
    if close >= end || bytes[close] != quote || bytes.get(close + 1) == Some(&quote) || inner > MAX_SCALAR_BYTES {
        return None;
    }
    let span = Span::new(start as u32, close as u32 + 1);
    builder.scalar_in_source(Style::Quoted, span, Span::new(start as u32 + 1, close as u32));
    Some(close + 1)
}

/// `[a, b]` of plain values on one line.
fn flow_list(bytes: &[u8], start: usize, end: usize, builder: &mut DocumentBuilder) -> Option<usize> {
    builder.open(NodeKind::Sequence, start as u32);
    let mut at = start + 1;
    loop {
        at += bytes[at..end].iter().take_while(|&&b| b == b' ').count();
        at = match bytes[at..end].first()? {
            b'\'' | b'"' => quoted(bytes, at, end, builder)?,
            _ => {
                let span = plain(bytes, at, end, true)?;
                builder.scalar_in_source(Style::Plain, span, span);
                span.end as usize
            }
        };
        at += bytes[at..end].iter().take_while(|&&b| b == b' ').count();
        match bytes[at..end].first()? {
            b',' => at += 1,
            b']' => {
                builder.close(Some(at as u32 + 1));
                return Some(at + 1);
            }
            _ => return None,
        }
    }
}

/// A plain scalar that starts at `start`: a letter or digit (or `/`, `.`, `_`), then safe bytes.
fn plain(bytes: &[u8], start: usize, end: usize, in_flow: bool) -> Option<Span> {
    let first = *bytes[start..end].first()?;
    if !(first.is_ascii_alphanumeric() || matches!(first, b'/' | b'_')) {
        return None;
    }
    let mut at = start;
    let mut last = start;
    loop {
        let plain = bytes[at..end].iter().take_while(|byte| PLAIN[usize::from(**byte)]).count();
        at += plain;
        if plain > 0 {
            last = at;
        }
        let safe = match bytes[at..end] {
            [b' ', next, ..] => next != b'#',
            [b' '] => true,
            [b':', next, ..] => next.is_ascii_alphanumeric() || next == b'/' || (!in_flow && next == b':'),
            [b',', ..] => !in_flow,
            _ => false,
        };
        if !safe {
            break;
        }
        at += 1;
        if bytes[at - 1] != b' ' {
            last = at;
        }
    }
    if last - start > MAX_SCALAR_BYTES {
        return None;
    }
    Some(Span::new(start as u32, last as u32))
}

/// Nothing but spaces and a comment may follow a value.
fn only_comment(bytes: &[u8], from: usize, end: usize) -> Option<()> {
    let spaces = bytes[from..end].iter().take_while(|&&b| b == b' ').count();
    let rest = &bytes[from + spaces..end];
    let fits = rest.is_empty() || (spaces > 0 && rest[0] == b'#' && rest.iter().all(|&b| is_text(b)));
    fits.then_some(())
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Bytes of a plain scalar that are safe wherever they stand. A table: most of a file is read by it.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(byte as u8, b'.' | b'_' | b'-' | b'/' | b'+' | b'@' | b'=' | b'(' | b')');
        byte += 1;
    }
    table
};

/// Printable ASCII.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// A line with something on it: from its first byte that is not a space to its end.
#[derive(Clone, Copy)]
struct FlatLine {
    start: usize,
    end: usize,
    indent: usize,
}

impl FlatLine {
    fn first(&self, lines: &FlatLines<'_>) -> u8 {
        lines.text[self.start]
    }

    fn rest<'a>(&self, lines: &FlatLines<'a>) -> &'a [u8] {
        &lines.text[self.start..self.end]
    }
}

struct FlatLines<'a> {
    text: &'a [u8],
    at: usize,
}

impl FlatLines<'_> {
    /// The next line that is neither empty nor a comment. A comment outside printable ASCII is returned
    /// as content, which fits nowhere and so ends the quick reading.
    fn next_content(&mut self) -> Option<FlatLine> {
        while self.at < self.text.len() {
            let from = self.at;
            let end = memchr::memchr(b'\n', &self.text[from..]).map_or(self.text.len(), |n| from + n);
            self.at = end + 1;
            let indent = self.text[from..end].iter().take_while(|&&b| b == b' ').count();
            let start = from + indent;
            let comment = start < end && self.text[start] == b'#' && self.text[start..end].iter().all(|&b| is_text(b));
            if start < end && !comment {
                return Some(FlatLine { start, end, indent });
            }
        }
        None
    }
}
