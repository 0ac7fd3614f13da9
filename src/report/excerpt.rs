//! The few lines around each place that are shown to people.
//!
//! A file may have 16 MB, and all of it may be one line: only a small window is read, and every
//! character in it that could control a terminal is replaced.

use std::borrow::Cow;
use std::ops::Range;

use super::entry::LocatedLabel;
use super::escape;
use crate::source::{Position, SourceFile};
use crate::text::redact::without_password;

/// A longer line, in bytes, is cut around the marked part.
const LONGEST_LINE: usize = 400;

/// How many characters of a cut line are shown before the marked part, of it, and after it.
const CUT: [usize; 3] = [40, 60, 30];

const ELLIPSIS: &str = "…";

/// A marked part of up to this many lines is shown whole, a longer one by its first line.
const MOST_LINES: usize = 6;

/// Places this many lines apart are shown in one excerpt.
const NEAR: usize = 12;

/// Some lines of a file, escaped, with their marked parts.
#[derive(Debug)]
pub(super) struct Excerpt<'a> {
    /// The lines, with `\n` between them.
    pub(crate) source: String,
    /// The number of the first.
    pub(crate) first_line: usize,
    /// What is marked.
    pub(crate) marks: Vec<ExcerptMark<'a>>,
    /// Where in the file the offence is, or else the first mark.
    pub(crate) at: Position,
}

/// A marked part of an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ExcerptMark<'a> {
    /// The bytes of [`Excerpt::source`].
    pub(crate) range: Range<usize>,
    /// What is there; may be empty.
    pub(crate) label: &'a str,
    /// Whether it is the offence.
    pub(crate) primary: bool,
}

/// The excerpts of one file that show these places, the one with the offence first. The offence,
/// if it is among them, is the first place.
pub(super) fn excerpts<'a>(places: &[(&LocatedLabel<'a>, bool)]) -> Vec<Excerpt<'a>> {
    let mut sorted: Vec<Window<'_, 'a>> = places.iter().map(|&(place, primary)| Window::new(place, primary)).collect();
    sorted.sort_by_key(|window| (window.lines.start, window.place.span));
    let mut groups: Vec<Vec<Window<'_, 'a>>> = Vec::new();
    for window in sorted {
        match groups.last_mut().and_then(|group| Some((group.last()?.joins(&window), group))) {
            Some((true, group)) => group.push(window),
            _ => groups.push(vec![window]),
        }
    }
    groups.sort_by_key(|group| !group.iter().any(|window| window.primary));
    groups.iter().filter_map(|group| excerpt(group)).collect()
}

/// A place and the lines that show it.
struct Window<'l, 'a> {
    place: &'l LocatedLabel<'a>,
    primary: bool,
    /// From the first to the last, counted from 1.
    lines: Range<usize>,
    cut: bool,
}

impl<'l, 'a> Window<'l, 'a> {
    fn new(place: &'l LocatedLabel<'a>, primary: bool) -> Self {
        let (first, last) = (place.start.line, place.end.line);
        let last = if last - first < MOST_LINES { last } else { first };
        let cut = (first..=last).any(|line| is_long(place.file, line));
        let last = if cut { first } else { last };
        Self { place, primary, lines: first..last + 1, cut }
    }

    fn joins(&self, next: &Self) -> bool {
        let between = self.lines.end..next.lines.start;
        let far = between.len() > NEAR;
        !self.cut && !next.cut && !far && !between.into_iter().any(|line| is_long(self.place.file, line))
    }
}

fn is_long(file: &SourceFile, line: usize) -> bool {
    line_range(file, line).len() > LONGEST_LINE
}

/// The bytes of a line, without its end and without a byte-order mark.
fn line_range(file: &SourceFile, line: usize) -> Range<usize> {
    let starts = file.line_starts();
    let text = file.text();
    let start = starts.get(line - 1).map_or(text.len(), |&start| start as usize);
    let end = starts.get(line).map_or(text.len(), |&start| start as usize);
    let start = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start };
    let content = text.get(start..end).unwrap_or_default();
    start..start + content.trim_end_matches(['\n', '\r']).len()
}

fn excerpt<'a>(group: &[Window<'_, 'a>]) -> Option<Excerpt<'a>> {
    let first = group.first()?;
    if first.cut {
        return Some(cut_line(first));
    }
    let file = first.place.file;
    let last = group.iter().map(|window| window.lines.end).max()?;
    // Where each line is in the file, where in the excerpt, and what is shown of it.
    let mut lines: Vec<(Range<usize>, usize, Cow<'_, str>)> = Vec::new();
    let mut source = String::new();
    for line in first.lines.start..last {
        let range = line_range(file, line);
        if !lines.is_empty() {
            source.push('\n');
        }
        let masked = without_password(&file.text()[range.clone()]);
        let content = escape::source(&masked);
        lines.push((range, source.len(), masked));
        // Something must be there to mark: a file's empty last line is a line too.
        source.push_str(if content.is_empty() { " " } else { &content });
    }
    let shown = |at: usize| {
        let index = lines.partition_point(|(range, ..)| range.start <= at).saturating_sub(1);
        let Some((range, base, masked)) = lines.get(index) else { return 0 };
        let before = at.clamp(range.start, range.end) - range.start;
        base + escape::source(&masked[..before]).len()
    };
    let marks = group.iter().map(|window| {
        let span = window.place.span.range();
        let last_line = line_range(file, window.lines.end - 1);
        let range = shown(span.start)..shown(span.end.min(last_line.end));
        ExcerptMark { range, label: window.place.label, primary: window.primary }
    });
    let offence = group.iter().find(|window| window.primary).unwrap_or(first);
    let marks = marks.collect();
    Some(Excerpt { source, first_line: first.lines.start, marks, at: offence.place.start })
}

/// Shows the part of a long line around the mark, without reading the rest of it.
fn cut_line<'a>(window: &Window<'_, 'a>) -> Excerpt<'a> {
    let place = window.place;
    let text = place.file.text();
    let line = line_range(place.file, place.start.line);
    let start = (place.span.start as usize).clamp(line.start, line.end);
    let end = (place.span.end as usize).clamp(start, line.end);
    let [before, of_it, after] = CUT;
    let from =
        text[line.start..start].char_indices().rev().nth(before - 1).map_or(line.start, |(at, _)| line.start + at);
    let shown_end = nth_char(text, start..end, of_it);
    let to = if shown_end < end { shown_end } else { nth_char(text, end..line.end, after) };
    let mut source = String::new();
    if from > line.start {
        source.push_str(ELLIPSIS);
    }
    let (before, rest) = (start - from, shown_end - from);
    let masked = without_password(&text[from..to]);
    source.push_str(&escape::source(&masked[..before]));
    let mark = source.len();
    source.push_str(&escape::source(&masked[before..rest]));
    let range = mark..source.len();
    source.push_str(&escape::source(&masked[rest..]));
    if to < line.end {
        source.push_str(ELLIPSIS);
    }
    let mark = ExcerptMark { range, label: place.label, primary: window.primary };
    Excerpt { source, first_line: place.start.line, marks: vec![mark], at: place.start }
}

/// Where character `count` of a range starts; its end if it has fewer.
fn nth_char(text: &str, range: Range<usize>, count: usize) -> usize {
    text[range.clone()].char_indices().nth(count).map_or(range.end, |(at, _)| range.start + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn place(file: &SourceFile, start: usize, end: usize) -> LocatedLabel<'_> {
        let span = Span::new(start as u32, end as u32);
        let (start, end) = (file.position(span.start), file.position(span.end));
        LocatedLabel { file, span, start, end, whole_file: false, label: "" }
    }

    fn shown(text: &str, meant: &str) -> (String, String, usize) {
        let file = SourceFile::new("a.yaml", text);
        let start = text.find(meant).unwrap();
        let place = place(&file, start, start + meant.len());
        let mut all = excerpts(&[(&place, true)]);
        assert_eq!(all.len(), 1);
        let excerpt = all.remove(0);
        let marked = excerpt.source[excerpt.marks[0].range.clone()].to_owned();
        (excerpt.source, marked, excerpt.first_line)
    }

    #[test]
    fn a_line_is_shown_without_its_end_and_without_a_byte_order_mark() {
        assert_eq!(shown("\u{feff}ip: é\r\nx: y\r\n", "é"), ("ip: é".into(), "é".into(), 1));
        assert_eq!(shown("ip: é\rx: y\r", "y"), ("x: y".into(), "y".into(), 2));
    }

    #[test]
    fn a_password_is_not_shown_and_the_mark_stands_where_it_should() {
        let text = "url: \"sftp://user:h\u{1b}ünter2@192.0.2.1/x\" # no";
        let (source, marked, _) = shown(text, &text[5..text.len() - 5]);
        assert_eq!(source, "url: \"sftp://user:*********@192.0.2.1/x\" # no");
        assert_eq!(marked, "\"sftp://user:*********@192.0.2.1/x\"");
        let long = format!("{}{text}{}", "x".repeat(400), "x".repeat(1000));
        let (source, marked, _) = shown(&long, &text[5..text.len() - 5]);
        assert!(!source.contains("nter2") && marked.contains("*********@"), "{source}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}MEANT{}", "é".repeat(8_000_000), "x".repeat(1000));
        let (source, marked, line) = shown(&text, "MEANT");
        assert_eq!((marked.as_str(), line), ("MEANT", 1));
        assert_eq!(source, format!("…{}MEANT{}…", "é".repeat(40), "x".repeat(30)));
    }

    #[test]
    fn a_long_value_is_cut_too() {
        let text = format!("a: {}", "x".repeat(5000));
        let (source, marked, _) = shown(&text, &text[3..]);
        assert_eq!((source.len(), marked.len()), (3 + 60 + ELLIPSIS.len(), 60));
    }

    #[test]
    fn a_value_of_many_lines_shows_its_first() {
        let text = format!("a: [\n{}]", "  x,\n".repeat(100));
        let (source, marked, _) = shown(&text, &text[3..]);
        assert_eq!((source.as_str(), marked.as_str()), ("a: [", "["));
    }

    #[test]
    fn near_places_share_an_excerpt_and_far_ones_do_not() {
        let text = "ip: a\n".repeat(100);
        let file = SourceFile::new("a.yaml", text.as_str());
        let [first, near, far] = [0, 5, 60].map(|line| place(&file, line * 6 + 4, line * 6 + 5));
        let all = excerpts(&[(&far, true), (&near, false), (&first, false)]);
        assert_eq!(
            all.iter().map(|excerpt| (excerpt.first_line, excerpt.marks.len())).collect::<Vec<_>>(),
            [(61, 1), (1, 2)]
        );
    }

    #[test]
    fn the_end_of_a_file_can_be_marked() {
        let file = SourceFile::new("a.yaml", "a: b\n");
        let end = place(&file, 5, 5);
        let all = excerpts(&[(&end, true)]);
        assert_eq!((all[0].source.as_str(), all[0].marks[0].range.clone(), all[0].first_line), (" ", 0..0, 2));
    }
}
