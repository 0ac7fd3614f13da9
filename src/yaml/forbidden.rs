//! What YAML forbids and the parser reads over.

use super::{Problem, ProblemKind, problem};
use crate::source::Span;

/// A tab among the white space and dashes before a key, or before the dash of an entry, of which the node
/// starts at `at` (YAML 1.2.2, 6.1: no tab indents).
pub(super) fn indenting_tab(text: &str, is_key: bool, at: u32) -> Option<Span> {
    let before = text.get(..at as usize)?;
    let line = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let mut indent = &before[line..];
    if !indent.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'?')) {
        return None;
    }
    if !is_key {
        // Behind the dash a tab may separate.
        indent = &indent[..indent.rfind('-')?];
    }
    let tab = (line + indent.find('\t')?) as u32;
    Some(Span::new(tab, tab + 1))
}

/// The first character that YAML does not allow in a text (YAML 1.2.2 production 1, `c-printable`).
pub(super) fn unprintable(text: &str) -> Option<Problem> {
    let bad = |c: char| {
        matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{80}'..='\u{84}'
            | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    };
    // A byte-order mark may open a file; anywhere else it is invisible, and tools treat it differently.
    let (at, character) = text.char_indices().find(|&(at, c)| bad(c) || (c == '\u{feff}' && at > 0))?;
    let span = Span::new(at as u32, (at + character.len_utf8()) as u32);
    if character == '\u{feff}' {
        let message = "there is a byte-order mark (U+FEFF) in the middle of the file";
        return Some(problem(ProblemKind::Ambiguous, span, message, "remove this character, which does not show"));
    }
    if character == '\0' {
        let message = "the file holds NUL bytes: it is binary, or UTF-16 and not UTF-8";
        return Some(problem(
            ProblemKind::Syntax,
            span,
            message,
            "save it as UTF-8, or move it out of the data folders",
        ));
    }
    let message = format!("the control character U+{:04X} is not allowed in YAML", u32::from(character));
    Some(problem(ProblemKind::Syntax, span, message, "remove it; if the file is not a text, it does not belong here"))
}
