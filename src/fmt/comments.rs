//! Where the comments are.

use crate::source::Span;
use crate::yaml::Node;

/// A comment, from its `#` to the end of its line without trailing space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) span: Span,
    /// Whether nothing else stands on its line.
    pub(super) own_line: bool,
    /// How far it is indented, in bytes.
    pub(super) column: u32,
}

/// All comments of a text without problems, in order.
///
/// Comments can only be between scalars. What else is there is looked at too, so that nothing that
/// this module does not know can get lost.
///
/// # Errors
/// If something between the scalars is neither a comment nor a sign that the tree stands for.
pub(super) fn find(text: &str, root: Option<Node<'_>>) -> Result<Vec<Comment>, String> {
    let mut scalars = Vec::new();
    if let Some(root) = root {
        collect(root, &mut scalars);
    }
    let mut comments = Vec::new();
    let mut from = 0;
    for scalar in scalars {
        gap(text, from, scalar.start, &mut comments)?;
        from = scalar.end;
    }
    gap(text, from, text.len() as u32, &mut comments)?;
    Ok(comments)
}

fn collect(node: Node<'_>, scalars: &mut Vec<Span>) {
    if node.is_scalar() {
        scalars.push(node.span());
    }
    node.items().for_each(|item| collect(item, scalars));
    node.entries().for_each(|(key, value)| [key, value].into_iter().for_each(|node| collect(node, scalars)));
}

/// The comments between two scalars.
fn gap(text: &str, from: u32, to: u32, comments: &mut Vec<Comment>) -> Result<(), String> {
    let bytes = text.as_bytes();
    let (mut at, to) = (from as usize, to as usize);
    while at < to {
        match bytes[at] {
            b'#' => {
                let comment = comment(text, at);
                // Whole even where the next value starts early: a block scalar of spaces may.
                at = comment.span.end as usize;
                comments.push(comment);
            }
            // Block scalars' headers (`|2-`) are signs too, and `...` ends a document.
            b' '
            | b'\t'
            | b'\n'
            | b'\r'
            | b'-'
            | b'?'
            | b':'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'|'
            | b'>'
            | b'+'
            | b'.'
            | b'0'..=b'9' => at += 1,
            _ if at == 0 && text.starts_with('\u{feff}') => at = '\u{feff}'.len_utf8(),
            _ => return Err(format!("byte {at} is neither a value nor a comment")),
        }
    }
    Ok(())
}

fn comment(text: &str, at: usize) -> Comment {
    let start = line_start(text, at);
    let before = text.get(start..at).unwrap_or_default();
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.split(['\n', '\r']).next().unwrap_or_default().trim_end_matches([' ', '\t']);
    Comment {
        span: Span::new(at as u32, (at + line.len()) as u32),
        own_line: before.bytes().all(is_blank),
        column: before.len() as u32,
    }
}

/// Where the line that holds byte `at` starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |end| end + 1)
}

/// Whether byte `at` is the first on its line that shows, and the line above is empty.
pub(super) fn after_blank_line(text: &str, at: usize) -> bool {
    let start = line_start(text, at);
    let bytes = text.as_bytes();
    if start == 0 || !bytes[start..at].iter().copied().all(is_blank) {
        return false;
    }
    let end = if bytes[..start].ends_with(b"\r\n") { start - 2 } else { start - 1 };
    bytes[line_start(text, end)..end].iter().copied().all(is_blank)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
