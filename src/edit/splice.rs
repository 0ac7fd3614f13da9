//! Replacements in a text, collected and then made in one pass.

use std::ops::Range;

use super::lines::{ends_within_line, line_break, without_break};

/// Replacements that do not overlap.
pub(super) struct Splices<'a> {
    text: &'a str,
    all: Vec<(Range<usize>, String)>,
    /// Whether the last line, which has no line break, got one.
    is_continued: bool,
}

impl<'a> Splices<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, all: Vec::new(), is_continued: false }
    }

    pub(super) fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.all.push((range, with.into()));
    }

    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Inserts whole lines before the line that starts at `at`, or after the last one.
    pub(super) fn insert_lines(&mut self, at: usize, lines: &str) {
        if at == self.text.len() && ends_within_line(self.text) && !self.is_continued {
            self.is_continued = true;
            self.insert(at, line_break(self.text));
        }
        self.insert(at, lines);
    }

    /// Removes whole lines.
    pub(super) fn remove_lines(&mut self, range: Range<usize>) {
        self.replace(range, "");
    }

    /// The text with everything replaced; `None` if two replacements overlap, which is a fault of the
    /// caller.
    pub(super) fn apply(mut self) -> Option<String> {
        // Replacements at one place keep their order, an insertion before a removal.
        self.all.sort_by_key(|(range, _)| (range.start, range.end));
        let grown: usize = self.all.iter().map(|(_, with)| with.len()).sum();
        let mut out = String::with_capacity(self.text.len() + grown);
        let mut from = 0;
        for (range, with) in &self.all {
            out.push_str(self.text.get(from..range.start)?);
            out.push_str(with);
            from = range.end;
        }
        out.push_str(self.text.get(from..)?);
        // A text that ended without a line break does so again.
        if ends_within_line(self.text) {
            out.truncate(without_break(&out, out.len()));
        }
        Some(out)
    }
}
