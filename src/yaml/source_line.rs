//! One line of a text, for the search for a mistake around a parser's error.

use crate::source::Span;

/// A line without its end.
#[derive(Clone, Copy)]
pub(super) struct SourceLine<'a> {
    pub(super) start: usize,
    pub(super) text: &'a str,
}

impl<'a> SourceLine<'a> {
    pub(super) fn at(text: &'a str, at: usize) -> Self {
        let is_end = |c: char| matches!(c, '\n' | '\r');
        let start = text[..at].rfind(is_end).map_or(0, |end| end + 1);
        let end = text[at..].find(is_end).map_or(text.len(), |end| at + end);
        Self { start, text: &text[start..end] }
    }

    pub(super) fn above(text: &'a str, mut line: SourceLine<'a>) -> Option<Self> {
        while line.start > 0 {
            line = Self::at(text, line.start - 1);
            let content = line.text.trim();
            if !content.is_empty() && !content.starts_with('#') {
                return Some(line);
            }
        }
        None
    }

    pub(super) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Where the fields on this line start: after the dash of a list's entry.
    pub(super) fn field_column(&self) -> usize {
        let rest = &self.text[self.indent()..];
        match rest.strip_prefix("- ") {
            Some(field) => self.text.len() - field.trim_start_matches(' ').len(),
            None => self.indent(),
        }
    }

    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        Span::new((self.start + from) as u32, (self.start + to) as u32)
    }

    /// The line without the spaces around it.
    pub(super) fn content(&self) -> Span {
        self.span(self.indent(), self.text.trim_end().len().max(self.indent()))
    }

    /// The field's name, or else the first word.
    pub(super) fn first_word(&self) -> Span {
        let from = self.field_column();
        let rest = &self.text[from..];
        let len = rest.find([':', ' ', '\t']).unwrap_or(rest.len());
        self.span(from, from + len.max(rest.chars().next().map_or(0, char::len_utf8)))
    }
}
