//! Explains a parser's error: where the mistake is, and what to write instead.
//!
//! A parser reports the place where it cannot continue, often a line or more after the mistake. This
//! module searches the lines around that place for common mistakes.

use std::borrow::Cow;

use granit_parser::{ErrorKind, ScanError};

use super::source_line::SourceLine;
use super::{MAX_DEPTH, Problem, ProblemKind};
use crate::source::Span;
use crate::text::quote::quoted;

/// A mistake: its bytes, what is wrong, what to write instead.
type Mistake = (Span, String, Cow<'static, str>);

/// Explains the error that ended the parsing.
pub(super) fn explain(text: &str, error: &ScanError) -> Problem {
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let place = ErrorContext::new(text, at);
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(place.here("", "").0);
    }
    let (span, message, help) = place.merge_conflict().or_else(|| place.by_kind(error.kind())).unwrap_or_else(|| {
        place.here(
            format!("not valid YAML: {}", error.info()),
            "check the indentation, and the quotes and brackets above",
        )
    });
    let kind = match error.kind() {
        ErrorKind::DirectiveDisallowed => ProblemKind::Ambiguous,
        _ => ProblemKind::Syntax,
    };
    Problem { kind, span, message, help, related: None }
}

/// Lists and mappings nested beyond [`MAX_DEPTH`].
pub(super) fn too_deep(span: Span) -> Problem {
    Problem {
        kind: ProblemKind::Syntax,
        span,
        message: format!("lists and mappings nest more than {MAX_DEPTH} levels deep"),
        help: "a record needs no more than four levels; check the indentation and the brackets".into(),
        related: None,
    }
}

/// The place of an error, with the lines around it.
struct ErrorContext<'a> {
    text: &'a str,
    at: usize,
    line: SourceLine<'a>,
    /// The nearest line above with content.
    above: Option<SourceLine<'a>>,
}

impl<'a> ErrorContext<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        let line = SourceLine::at(text, at);
        Self { text, at, line, above: SourceLine::above(text, line) }
    }

    fn here(&self, message: impl Into<String>, help: impl Into<Cow<'static, str>>) -> Mistake {
        self.on(self.at, message, help)
    }

    /// A mistake of one character.
    fn on(&self, at: usize, message: impl Into<String>, help: impl Into<Cow<'static, str>>) -> Mistake {
        let next = self.text[at..].chars().next().filter(|c| !matches!(c, '\n' | '\r'));
        (Span::new(at as u32, (at + next.map_or(0, char::len_utf8)) as u32), message.into(), help.into())
    }

    /// Advice to put the value on this line in quotes, with the line as it would be.
    fn quote_it(&self) -> Cow<'static, str> {
        let from = self.line.field_column();
        let field = self.line.text[from..].split_once(": ");
        let fits = |(name, value): &(&str, &str)| {
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && value.len() <= 40
                && !value.contains('`')
                && !value.trim().is_empty()
        };
        match field.filter(fits) {
            Some((name, value)) => {
                let written = format!("{name}: '{}'", value.trim().replace('\'', "''"));
                format!("put the value in quotes: {}", quoted(&written)).into()
            }
            None => "put the value in quotes".into(),
        }
    }

    fn merge_conflict(&self) -> Option<Mistake> {
        let mark = |line: &str| ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)) || line == "=======";
        let mut start = 0;
        for line in self.text.split('\n') {
            if mark(line.trim_end()) {
                let span = Span::new(start as u32, (start + line.trim_end().len()) as u32);
                let help = "keep one of the two versions, and remove the lines of <, = and > signs";
                return Some((span, "a merge conflict was left in the file".into(), help.into()));
            }
            start += line.len() + 1;
        }
        None
    }

    fn by_kind(&self, kind: &ErrorKind) -> Option<Mistake> {
        use ErrorKind as E;
        let here = |message: &str, help| Some(self.here(message, help));
        match kind {
            E::MappingValueNotAllowed => self.unexpected_colon(),
            E::ExpectedBlockSequenceEntry | E::UnexpectedEofBlockSequence => Some((
                self.line.first_word(),
                "this is neither an entry of the list above nor a field of its last record".into(),
                "start a new record with `- `, or indent the line like the fields of the record above".into(),
            )),
            E::ExpectedBlockMappingKey | E::InvalidIndentation | E::InvalidFlowScalarIndent => self.unexpected_line(),
            E::SimpleKeyExpected | E::InvalidSimpleKey | E::UnexpectedEndOfPlainScalar => self.missing_colon(),
            E::InvalidQuotedScalarIndent | E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => {
                self.unclosed_quote()
            }
            E::InvalidTrailingSingleQuotedScalar => here(
                "text follows the quote that closes the value",
                "a ' within single quotes is written twice: 'it''s'; or put the whole value in double quotes",
            ),
            E::InvalidTrailingDoubleQuotedScalar if self.unclosed_bracket().is_some() => {
                here("a comma is missing before this", "put a comma between entries")
            }
            E::InvalidTrailingDoubleQuotedScalar => here(
                "text follows the quote that closes the value",
                "a \" within double quotes is written \\\"; or put the whole value in single quotes",
            ),
            E::UnknownQuotedScalarEscape | E::InvalidQuotedScalarHexEscape | E::InvalidUnicodeEscape => Some(self.on(
                self.bad_escape(),
                "a backslash within double quotes has a meaning of its own, and none before this character",
                "write \\\\ for a backslash, or put the value in single quotes",
            )),
            E::BlockEntryInFlowCollection | E::PlainScalarStartsWithDashFlowIndicator => here(
                "a dash cannot start an entry within brackets",
                "remove the dash; a text that starts with one needs quotes",
            ),
            E::FlowMappingValueAdjacentCollection | E::InvalidColonPlacement | E::InvalidMappingValueWhitespace => {
                here("a space is missing after this colon", "write a space after the colon")
            }
            E::UnexpectedCharacter { character } => {
                let shown = if *character == '`' { "a backquote".into() } else { quoted(&character.to_string()) };
                let message = format!("a value cannot start with {shown}");
                Some(self.here(message, self.quote_it()))
            }
            E::TabNotAllowed
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabInPlainScalar
            | E::TabAtBlockScalarStart => Some(self.tab()),
            E::BlockSequenceEntryNotAllowed => here(
                "a list cannot start on the line of its key",
                "put each entry on a line of its own below, or write [a, b]; a text that starts with `- ` needs quotes",
            ),
            E::InvalidBlockScalarHeader => here(
                "text follows the `|` or `>` that starts a block of text",
                "put the value in quotes, or start the text on the next line, indented",
            ),
            E::InvalidBlockScalarIndent => {
                here("this line of the text is indented less than its first", "indent all lines of the text alike")
            }
            E::CommentInterceptedScalar => here(
                "a comment interrupts a value of several lines",
                "move the comment, or check the indentation of the line after it",
            ),
            E::CommentNotSeparated => here(
                "a comment needs a space before its `#`",
                "write a space before the `#`, or put the value in quotes",
            ),
            E::UnclosedFlowCollection { open } => {
                let message = format!("the bracket {} that opens here is never closed", quoted(&open.to_string()));
                Some(self.here(message, "close it after the last entry"))
            }
            E::MismatchedFlowCollectionEnd { open, close } => {
                let (open, close) = (quoted(&open.to_string()), quoted(&close.to_string()));
                Some(self.here(
                    format!("the bracket {open} that opens here is closed by {close}"),
                    "close [ with ], and { with }",
                ))
            }
            E::MisplacedFlowCollectionEnd => {
                here("this bracket closes nothing", "remove it, or put the value in quotes")
            }
            E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator => {
                self.unclosed_bracket().or_else(|| {
                    Some(self.here(
                        "a comma or a closing bracket is missing before this",
                        "put a comma between entries, and a bracket after the last",
                    ))
                })
            }
            E::UnexpectedEofFlowSequence | E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => {
                self.unclosed_bracket()
            }
            E::DirectiveDisallowed => Some((
                self.line.content(),
                "a line that starts with % is a directive to YAML tools".into(),
                "remove the line".into(),
            )),
            E::MappingKeyNotAllowed => {
                Some(self.here("a `?` with a space after it is not allowed here", self.quote_it()))
            }
            E::InvalidDocumentEnd => {
                here("text follows the end of the document", "remove the `...`, or what follows it")
            }
            E::MissingAnchorOrAliasName => Some(self.here("a value cannot start with this sign", self.quote_it())),
            _ => None,
        }
    }

    /// A colon where no key can be: the parser read the line as more of the value above, or the value
    /// on this line contains a colon.
    fn unexpected_colon(&self) -> Option<Mistake> {
        let before = &self.line.text[..self.at - self.line.start];
        if before.contains(": ") || self.line.text[..self.at - self.line.start].trim_start().starts_with(['"', '\'']) {
            return Some(self.here("this value contains a second colon with a space after it", self.quote_it()));
        }
        if let Some(found) = self.above.and_then(|above| self.broken_colon(above)) {
            return Some(found);
        }
        let above = self.above?;
        if let Some(found) = self.dash_without_space(above).or_else(|| self.dash_without_space(self.line)) {
            return Some(found);
        }
        if self.line.indent() > above.field_column() {
            let message = "this line is indented further than the field above, as if it were part of that value";
            return Some((
                self.line.first_word(),
                message.into(),
                "start it in the same column as the field above".into(),
            ));
        }
        None
    }

    /// `-ip: …` in place of `- ip: …`.
    fn dash_without_space(&self, line: SourceLine<'_>) -> Option<Mistake> {
        let indent = line.indent();
        let name = line.text[indent..].strip_prefix('-')?;
        let is_field = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.contains(": ");
        let help = "write `- ` with a space before the first field of a record";
        is_field.then(|| self.on(line.start + indent, "a space is missing after this dash", help))
    }

    /// A line that should have been `key: value` and is not.
    fn broken_colon(&self, line: SourceLine<'_>) -> Option<Mistake> {
        let from = line.field_column();
        let field = &line.text[from..];
        let space = |c: char| c.is_whitespace() && c != ' ' && c != '\t';
        if let Some(at) = field.find(space) {
            let found = field[at..].chars().next()?;
            let message = format!("the character U+{:04X} only looks like a space", u32::from(found));
            let help = "write an ordinary space; the other came with a text that was copied";
            return Some(self.on(line.start + from + at, message, help));
        }
        let name = field.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let rest = &field[name..];
        if name == 0 || rest.contains(": ") || rest.ends_with(':') {
            return None;
        }
        if rest.starts_with(':') {
            let help = "write a space after the colon";
            return Some(self.on(line.start + from + name, "a space is missing after this colon", help));
        }
        let span = line.span(from, from + field.trim_end().len());
        Some((
            span,
            "this line has no colon after the field's name".into(),
            "write `field: value`, with a colon and a space".into(),
        ))
    }

    fn missing_colon(&self) -> Option<Mistake> {
        self.broken_colon(self.line)
            .or_else(|| self.above.and_then(|above| self.broken_colon(above)))
            .or_else(|| self.unclosed_bracket())
            .or_else(|| {
                let message = "this is neither a field nor more of the value above";
                let help = "write `field: value`; or indent the line further, if it belongs to the field above";
                Some((self.line.content(), message.into(), help.into()))
            })
    }

    /// A line that does not continue what is above it.
    fn unexpected_line(&self) -> Option<Mistake> {
        let before = &self.line.text[..(self.at - self.line.start).min(self.line.text.len())];
        if before.trim_end().ends_with([']', '}', '"', '\'']) {
            return Some(self.here("text follows the end of the value", "remove it, or put the whole value in quotes"));
        }
        if let Some(found) = self.unclosed_bracket() {
            return Some(found);
        }
        let is_entry = |line: &SourceLine<'_>| {
            let content = line.text.trim_matches(' ');
            content.starts_with("- ") || content == "-"
        };
        if is_entry(&self.line) {
            let indent = self.line.indent();
            let (message, help) = if self.above.as_ref().is_some_and(is_entry) {
                ("this entry is not indented like the one above", "start it in the same column as the entry above")
            } else {
                (
                    "there is a list entry where a field is expected",
                    "start every record of a list with `- `, the first one too, and indent its other fields by two spaces",
                )
            };
            return Some((self.line.span(indent, indent + 1), message.into(), help.into()));
        }
        self.broken_colon(self.line).or_else(|| {
            Some((
                self.line.first_word(),
                "this line's indentation fits no field above".into(),
                "start it in the same column as the field that it belongs beside".into(),
            ))
        })
    }

    fn unclosed_quote(&self) -> Option<Mistake> {
        let open = if self.text[self.at..].starts_with(['"', '\'']) {
            self.at
        } else {
            // The last quote that starts a value, going back from here.
            let before = &self.text[..self.at];
            let starts = |&(at, _): &(usize, &str)| {
                let head = before[..at].trim_end_matches([' ', '\t']);
                head.is_empty()
                    || (head.len() < at || head.ends_with(['[', '{', '\n']))
                        && head.ends_with([':', '-', ',', '[', '{', '\n'])
            };
            before.rmatch_indices(['"', '\'']).find(starts)?.0
        };
        let help = "close it with the same quote at the end of the value";
        Some(self.on(open, "the quote that opens here is not closed on its line", help))
    }

    /// The last bracket before here that is not closed.
    fn unclosed_bracket(&self) -> Option<Mistake> {
        let mut open: Vec<usize> = Vec::new();
        let mut quote: Option<u8> = None;
        let mut before = b'\n';
        let mut comment = false;
        for (at, &byte) in self.text.as_bytes()[..self.at].iter().enumerate() {
            let starts = matches!(before, b' ' | b'\n' | b'[' | b'{' | b',');
            match (byte, quote) {
                (b'\n' | b'\r', _) => comment = false,
                _ if comment => {}
                (_, Some(closing)) => quote = quote.filter(|_| byte != closing),
                (b'#', None) if matches!(before, b' ' | b'\n' | b'\t') => comment = true,
                (b'"' | b'\'', None) if starts => quote = Some(byte),
                (b'[' | b'{', None) if starts => open.push(at),
                (b']' | b'}', None) => drop(open.pop()),
                _ => {}
            }
            before = byte;
        }
        let at = *open.last()?;
        let help = "close it on the same line, after the last entry; a text that starts with a bracket needs quotes";
        Some(self.on(at, "the bracket that opens here is not closed", help))
    }

    /// The first backslash of a text in double quotes that starts no escape.
    fn bad_escape(&self) -> usize {
        let rest = &self.text[self.at..];
        let mut slashes = rest.match_indices('\\');
        while let Some((at, _)) = slashes.next() {
            let mut after = rest[at + 1..].chars();
            let digits = match after.next() {
                Some('x') => 2,
                Some('u') => 4,
                Some('U') => 8,
                Some('\\') => {
                    slashes.next();
                    0
                }
                Some(c) if "0abt\tnvfre \"/N_LP\r\n".contains(c) => 0,
                _ => return self.at + at,
            };
            if after.clone().take(digits).filter(char::is_ascii_hexdigit).count() < digits {
                return self.at + at;
            }
        }
        self.at
    }

    fn tab(&self) -> Mistake {
        let indent = self.line.text.len() - self.line.text.trim_start_matches([' ', '\t']).len();
        let here = self.line.text[..indent].find('\t').map(|at| self.line.start + at);
        let at = here.or_else(|| self.text[self.at..].find('\t').map(|at| self.at + at)).unwrap_or(self.at);
        self.on(at, "YAML allows only spaces here, not a tab", "indent with spaces")
    }
}
