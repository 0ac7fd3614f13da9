//! Lines of a text, by byte. `\n`, `\r\n` and a lone `\r` end a line, as in YAML.

/// Where the line that holds byte `at` starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |end| end + 1)
}

/// The end of the line that holds byte `at`, without its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(text.len(), |n| at + n)
}

/// Where the line after the one that holds byte `at` starts; the end of the text after the last.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    end + break_at(text, end)
}

/// Where the line above the one that starts at `start` starts; nothing above the first.
pub(super) fn line_above(text: &str, start: usize) -> Option<usize> {
    (start > 0).then(|| line_start(text, without_break(text, start)))
}

/// `end`, or where the line break that ends there begins.
pub(super) fn without_break(text: &str, end: usize) -> usize {
    let before = &text.as_bytes()[..end];
    if before.ends_with(b"\r\n") {
        end - 2
    } else if before.ends_with(b"\n") || before.ends_with(b"\r") {
        end - 1
    } else {
        end
    }
}

/// How long the line break at byte `at` is; 0 where there is none.
fn break_at(text: &str, at: usize) -> usize {
    match text.as_bytes().get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The kinds of line that an edit distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Blank,
    /// A comment, indented so far.
    Comment(usize),
    Other,
}

/// The kind of the line that starts at `start`.
pub(super) fn line(text: &str, start: usize) -> LineKind {
    let line = text.get(start..line_end(text, start)).unwrap_or_default();
    let indent = line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match line.as_bytes().get(indent) {
        None => LineKind::Blank,
        Some(b'#') => LineKind::Comment(indent),
        Some(_) => LineKind::Other,
    }
}

/// Where the first line from `start` on starts that is not blank.
pub(super) fn past_blank(text: &str, start: usize) -> usize {
    let mut at = start;
    while at < text.len() && line(text, at) == LineKind::Blank {
        at = next_line(text, at);
    }
    at
}

/// Whether only spaces are on the line before byte `at`.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    text.as_bytes()[line_start(text, at)..at].iter().all(|b| matches!(b, b' ' | b'\t'))
}

/// How far byte `at` is from the start of its line.
pub(super) fn column(text: &str, at: usize) -> usize {
    at - line_start(text, at)
}

/// How lines of this text end.
pub(super) fn line_break(text: &str) -> &'static str {
    match text.as_bytes().iter().position(|b| matches!(b, b'\n' | b'\r')) {
        Some(at) if text.as_bytes()[at..].starts_with(b"\r\n") => "\r\n",
        Some(at) if text.as_bytes()[at] == b'\r' => "\r",
        _ => "\n",
    }
}

/// Whether the text ends within a line.
pub(super) fn ends_within_line(text: &str) -> bool {
    !text.is_empty() && !text.ends_with(['\n', '\r'])
}
