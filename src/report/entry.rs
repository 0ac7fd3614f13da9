//! Findings with their places resolved, in the order of the report.

use super::escape;
use crate::finding::{Finding, Label, Severity, Where};
use crate::locate::Locator;
use crate::source::{Position, SourceFile, Sources, Span};

/// A label with its place resolved.
#[derive(Clone, Debug)]
pub struct LocatedLabel<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// The span, without trailing line ends.
    pub span: Span,
    /// The start of the span.
    pub start: Position,
    /// The end of the span: the column after the last.
    pub end: Position,
    /// Whether the label is about the whole file: there is no place in it to show.
    pub(crate) whole_file: bool,
    /// What is there; may be empty.
    pub label: &'a str,
}

impl<'a> LocatedLabel<'a> {
    /// The file's path.
    pub fn path(&self) -> &'a str {
        self.file.path()
    }

    /// The place as `path:line:column`, or as the path for a whole file. `path` is the file's path from
    /// the reader's point of view.
    pub(super) fn shown(&self, path: &str) -> String {
        let path = escape::plain(path);
        match self.whole_file {
            true => path.into_owned(),
            false => format!("{path}:{}:{}", self.start.line, self.start.column),
        }
    }

    fn new(label: &'a Label, sources: &'a Sources, locator: &mut Locator<'a>) -> Self {
        let file = sources.file(label.at.file());
        let span = within(locator.span(&label.at), file.text());
        let whole_file = matches!(label.at, Where::File(_));
        let (start, end) = (file.position(span.start), file.position(span.end));
        Self { file, span, start, end, whole_file, label: &label.text }
    }
}

/// A finding with its places resolved.
#[derive(Clone, Debug)]
pub struct LocatedFinding<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The offence.
    pub primary: LocatedLabel<'a>,
    /// The other places involved.
    pub related: Vec<LocatedLabel<'a>>,
}

impl LocatedFinding<'_> {
    /// Whether it is outside the change under review.
    pub(crate) fn outside_change(&self) -> bool {
        self.finding.in_change == Some(false)
    }

    /// Sorts findings of the change first, then errors.
    pub(super) fn urgency(&self) -> (bool, bool) {
        (self.outside_change(), self.finding.severity != Severity::Error)
    }
}

pub(super) fn locate<'a>(sources: &'a Sources, findings: &'a [Finding]) -> Vec<LocatedFinding<'a>> {
    let mut locator = Locator::new(sources);
    let mut entries: Vec<LocatedFinding<'a>> = findings
        .iter()
        .map(|finding| LocatedFinding {
            finding,
            primary: LocatedLabel::new(&finding.primary, sources, &mut locator),
            related: finding.related.iter().map(|label| LocatedLabel::new(label, sources, &mut locator)).collect(),
        })
        .collect();
    entries.sort_by(|a, b| order(a).cmp(&order(b)));
    entries
}

fn order<'a>(entry: &LocatedFinding<'a>) -> (bool, &'a str, Span, &'static str, &'a str) {
    let LocatedFinding { finding, primary, .. } = entry;
    (entry.outside_change(), primary.path(), primary.span, finding.rule, &finding.message)
}

/// The span as far as it lies in the text, on whole characters, without the line ends at its end: an
/// underline that reached into the next line would point at another value.
fn within(span: Span, text: &str) -> Span {
    let boundary = |at: u32| {
        let at = (at as usize).min(text.len());
        (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
    };
    let start = boundary(span.start);
    let end = boundary(span.end).max(start);
    let meant = text.get(start..end).unwrap_or_default();
    let end = start + meant.trim_end_matches(['\n', '\r']).len();
    Span::new(start as u32, end as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_end_before_the_line_does_and_within_the_text() {
        assert_eq!(within(Span::new(0, 4), "ab\r\ncd"), Span::new(0, 2));
        assert_eq!(within(Span::new(1, 99), "é"), Span::new(0, 2));
        assert_eq!(within(Span::new(9, 3), "ab"), Span::new(2, 2));
    }
}
