//! How a value is written: as it was, but for quotes that nothing needs.

use crate::text::characters::is_steering;
use crate::yaml::{Node, NodeKind, ScalarType, Style, scalar_type};

/// A text longer than this that was a block stays one, in lines of this length.
const LONG: usize = 80;

/// Where a value is: inside brackets fewer characters need no quotes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum ScalarContext {
    Block,
    Flow,
}

/// A value as it is printed.
pub(super) enum ScalarText {
    /// On one line.
    Line(String),
    /// As a block: its header, such as `|-`, and its lines.
    Block(&'static str, Vec<String>),
}

/// A scalar as it is printed, where one line is not a must.
pub(super) fn written(node: Node<'_>, source: &str) -> ScalarText {
    let value = node.text();
    if node.kind() == NodeKind::Scalar(Style::Block) {
        if let Some((header, lines)) = folded(value) {
            return ScalarText::Block(header, lines);
        }
        if let Some(header) = literal_header(value) {
            return ScalarText::Block(header, value.lines().map(ToOwned::to_owned).collect());
        }
    }
    ScalarText::Line(inline(node, source, ScalarContext::Block))
}

/// A long text without line breaks, which was a block, as lines of a folded one.
fn folded(value: &str) -> Option<(&'static str, Vec<String>)> {
    let body = value.strip_suffix('\n').unwrap_or(value);
    let odd = body.contains("  ") || body.trim() != body || body.chars().any(is_steering);
    if odd || body.chars().count() <= LONG {
        return None;
    }
    let mut lines = vec![String::new()];
    for word in body.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LONG => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    Some((if value.ends_with('\n') { ">" } else { ">-" }, lines))
}

/// A scalar on one line.
pub(super) fn inline(node: Node<'_>, source: &str, place: ScalarContext) -> String {
    let value = node.text();
    let slice = source.get(node.span().range()).unwrap_or_default();
    let one_line = !slice.contains(['\n', '\r']);
    let plain = node.kind() == NodeKind::Scalar(Style::Plain);
    // These are values within a line, but not where they may come to the start of one.
    let mark = slice.starts_with("---") || slice.starts_with("...");
    if plain && one_line && !mark {
        return slice.to_owned();
    }
    if needs_no_quotes(value, place) {
        return value.to_owned();
    }
    if one_line && node.kind() == NodeKind::Scalar(Style::Quoted) {
        return slice.to_owned();
    }
    double_quoted(value)
}

/// Whether a text means the same to every tool without quotes. On the careful side.
pub(crate) fn needs_no_quotes(value: &str, place: ScalarContext) -> bool {
    let mut chars = value.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_') || c.is_alphabetic());
    let plain = |c: char| {
        let sign =
            matches!(c, ' ' | '.' | '_' | '-' | '/' | '+' | '@' | '=' | '(' | ')' | ':' | '%' | '!' | '*' | '&' | ';')
                || (place == ScalarContext::Block && matches!(c, ',' | '\''));
        sign || c.is_alphanumeric() && !is_steering(c)
    };
    // 1.1 knows dates; in quotes they are texts to everyone.
    let date = value.len() >= 6 && value.as_bytes()[4] == b'-' && value.bytes().take(4).all(|b| b.is_ascii_digit());
    let after_colon = |c: char| c.is_ascii_alphanumeric() || c == '/' || (c == ':' && place == ScalarContext::Block);
    let colons = value.match_indices(':').all(|(at, _)| value[at + 1..].starts_with(after_colon));
    starts
        && colons
        && !date
        && !value.ends_with(' ')
        && value.chars().all(plain)
        && scalar_type(value) == ScalarType::Text
}

/// The header of a literal block that says `value`, if one can say it plainly.
fn literal_header(value: &str) -> Option<&'static str> {
    let body = value.strip_suffix('\n').unwrap_or(value);
    let first = body.chars().next()?;
    let odd = |line: &str| line.ends_with([' ', '\t']) || line.chars().any(|c| is_steering(c) && c != '\t');
    // A single line needs no block. The lines are indented by us, so none of them may seem to be.
    if !value.contains('\n')
        || body.is_empty()
        || body.ends_with('\n')
        || matches!(first, ' ' | '\t' | '\n')
        || body.split('\n').any(odd)
    {
        return None;
    }
    Some(if value.ends_with('\n') { "|" } else { "|-" })
}

pub(crate) fn double_quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_steering(c) && u32::from(c) <= 0xff => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_steering(c) && u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if is_steering(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
