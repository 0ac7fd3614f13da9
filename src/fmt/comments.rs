//! Finding the comments.

use crate::source::Span;
use crate::yaml::Node;

/// A comment, from its `#` to the end of its line without trailing space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) span: Span,
    /// Whether nothing else is on its line.
    pub(super) own_line: bool,
    /// How far it is indented, in bytes.
    pub(super) column: u32,
}

/// All comments of a text without problems, in order.
///
/// Comments can only be between scalars. All other text there is examined too, so that nothing
/// unknown to this module is lost.
///
/// # Errors
/// If text between the scalars is neither a comment nor a sign of YAML's structure.
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

/// Where the line that holds byte `at` starts. Looks at all of it up to there: for many places on one
/// line there is [`LineIndex`].
fn line_start(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |end| end + 1)
}

/// The lines of a text, so that each of a hundred thousand values on one line is placed at once.
pub(super) struct LineIndex(Vec<IndexedLine>);

#[derive(Clone, Copy)]
struct IndexedLine {
    start: u32,
    /// Its first byte that shows, or else its line break.
    shows: u32,
    is_blank: bool,
}

impl LineIndex {
    pub(super) fn new(text: &str) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        loop {
            let rest = text.as_bytes().get(start..).unwrap_or_default();
            let shows = rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len());
            let is_blank = matches!(rest.get(shows), None | Some(b'\n' | b'\r'));
            lines.push(IndexedLine { start: start as u32, shows: (start + shows) as u32, is_blank });
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else { return Self(lines) };
            start += end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        }
    }

    fn at(&self, byte: u32) -> usize {
        self.0.partition_point(|line| line.start <= byte).saturating_sub(1)
    }

    /// Where the line that holds a byte starts.
    pub(super) fn start(&self, byte: u32) -> u32 {
        self.0.get(self.at(byte)).map_or(0, |line| line.start)
    }

    /// Whether a byte is the first on its line that shows, and the line above is empty.
    pub(super) fn after_blank(&self, byte: u32) -> bool {
        let at = self.at(byte);
        let above = at.checked_sub(1).and_then(|above| self.0.get(above));
        above.is_some_and(|above| above.is_blank) && self.0.get(at).is_some_and(|line| byte <= line.shows)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
