//! The full reader: builds the tree from a YAML parser's events and reports what tools read
//! differently.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::document::{DocumentBuilder, NodeKind, Style};
use super::forbidden::{indenting_tab, unprintable};
use super::scalar::{ScalarType, scalar_type};
use super::{
    MAX_DEPTH, MAX_KEYS, MAX_NODES, MAX_PROBLEMS, MAX_SCALAR_BYTES, Problem, ProblemKind, Reading, mistake, problem,
};
use crate::source::Span;

/// Reads a text by the events of a full YAML parser.
pub(super) fn read(text: &str) -> Reading {
    if let Some(problem) = unprintable(text) {
        return Reading { document: None, problems: vec![problem] };
    }
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        strict_indentation: true,
        disallow_directives: true,
    };
    let mut reader = EventReader {
        text,
        builder: DocumentBuilder::for_text(text.len()),
        open: Vec::new(),
        block: Vec::new(),
        keys: Vec::new(),
        problems: Vec::new(),
        documents: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => reader.event(&event, span),
            Err(error) => Err(mistake::explain(text, &error)),
        };
        if let Err(problem) = step {
            reader.sort_problems();
            // Last, whatever its span: it explains why there are no more.
            reader.problems.push(problem);
            return Reading { document: None, problems: reader.problems };
        }
    }
    reader.sort_problems();
    let document = (!reader.builder.is_empty()).then(|| reader.builder.finish());
    Reading { document, problems: reader.problems }
}

/// What an open collection expects next.
#[derive(Clone, Copy, PartialEq)]
enum OpenCollection {
    Sequence,
    MappingKey,
    MappingValue,
}

struct EventReader<'a> {
    text: &'a str,
    builder: DocumentBuilder,
    open: Vec<OpenCollection>,
    /// Which of them are in block style, without brackets.
    block: Vec<bool>,
    /// How many keys each open collection has so far.
    keys: Vec<usize>,
    problems: Vec<Problem>,
    documents: usize,
}

/// A problem that ends the reading.
type FatalProblem = Problem;

impl EventReader<'_> {
    fn event(&mut self, event: &Event<'_>, at: granit_parser::Span) -> Result<(), FatalProblem> {
        let span = self.span(at);
        if let Some(tag) = at.tag_span() {
            let tag = self.span(tag);
            self.ambiguous(
                tag,
                "a tag changes the type of a value",
                "remove the tag; a text that starts with ! needs quotes",
            )?;
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(problem(
                        ProblemKind::Ambiguous,
                        span,
                        "a second document starts here",
                        "keep one document in a file: write several records as a list, each starting with `- `",
                    ));
                }
            }
            Event::Scalar(value, style, _, _) => self.scalar(value, *style, span)?,
            Event::SequenceStart(style, _, _) => self.start(NodeKind::Sequence, *style, span)?,
            Event::MappingStart(style, _, _) => self.start(NodeKind::Mapping, *style, span)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Anchor(_, name) => {
                let message = format!("the anchor {} gives a value a name", shown("&", name));
                self.ambiguous(
                    span,
                    message,
                    "write the value out wherever it is used; a text that starts with & needs quotes",
                )?;
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let message = format!("the alias {} refers to a value elsewhere", shown("", self.slice(span)));
                self.ambiguous(span, message, "write the value itself; a text that starts with * needs quotes")?;
                self.before_node(span)?;
                self.builder.scalar_unescaped(Style::Quoted, span, "");
                self.after_node();
            }
            _ => {}
        }
        Ok(())
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: Span) -> Result<(), FatalProblem> {
        let is_key = self.open.last() == Some(&OpenCollection::MappingKey);
        self.before_node(span)?;
        if value.len() > MAX_SCALAR_BYTES {
            let message =
                format!("one value has {} bytes, more than the {MAX_SCALAR_BYTES} that are read", value.len());
            return Err(problem(
                ProblemKind::Syntax,
                span,
                message,
                "shorten the value; if a quote is missing, add it",
            ));
        }
        if style == ScalarStyle::Plain && value == "?" {
            // Within brackets the parser reads it as a value; elsewhere it marks a key.
            self.ambiguous(span, "a lone `?` is not read as text by every tool", "put it in quotes")?;
        }
        if is_key {
            self.key(value, style, span)?;
        }
        let plain = style == ScalarStyle::Plain;
        let empty = plain && span.start == span.end;
        let kind = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let inner = if kind == Style::Quoted && span.end - span.start >= 2 {
            Span::new(span.start + 1, span.end - 1)
        } else {
            span
        };
        if empty || self.slice(inner) == value {
            self.builder.scalar_in_source(kind, span, inner);
        } else {
            self.builder.scalar_unescaped(kind, span, value);
        }
        self.after_node();
        Ok(())
    }

    fn key(&mut self, value: &str, style: ScalarStyle, span: Span) -> Result<(), FatalProblem> {
        if let Some(keys) = self.keys.last_mut() {
            *keys += 1;
            if *keys > MAX_KEYS {
                let message = format!("one mapping has more than {MAX_KEYS} keys");
                return Err(problem(
                    ProblemKind::Syntax,
                    span,
                    message,
                    "write records as a list, each starting with `- `",
                ));
            }
        }
        if style != ScalarStyle::Plain {
            return Ok(());
        }
        if span.start == span.end {
            return self.ambiguous(
                span,
                "a key is missing before this colon",
                "write the field's name before the colon",
            );
        }
        if value == "<<" {
            return self.ambiguous(span, "a merge key copies fields from elsewhere", "write the fields out here");
        }
        if scalar_type(value) != ScalarType::Text {
            let message = format!("the key {} is not read as text by every tool", shown("", value));
            return self.ambiguous(span, message, "put the key in quotes");
        }
        Ok(())
    }

    fn start(&mut self, kind: NodeKind, style: StructureStyle, span: Span) -> Result<(), FatalProblem> {
        if self.open.last() == Some(&OpenCollection::MappingKey) {
            return Err(problem(
                ProblemKind::Ambiguous,
                span,
                "a list or mapping cannot be a key",
                "write a plain word before the colon; a value that starts with `{` or `[` needs quotes",
            ));
        }
        self.before_node(span)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(mistake::too_deep(span));
        }
        // A block collection's own event is empty and has the place of its first part. That is the
        // dash, except in a list that is not indented below its key: there it is the entry.
        let below_key = self.open.last() == Some(&OpenCollection::MappingValue);
        let dash = (kind == NodeKind::Sequence && style == StructureStyle::Block && below_key)
            .then(|| self.first_dash(span.start))
            .flatten();
        self.builder.open(kind, dash.unwrap_or(span.start));
        self.open.push(if kind == NodeKind::Mapping { OpenCollection::MappingKey } else { OpenCollection::Sequence });
        self.block.push(style == StructureStyle::Block);
        self.keys.push(0);
        Ok(())
    }

    /// The first dash between the last key and `before`, past the colon and comments.
    fn first_dash(&self, before: u32) -> Option<u32> {
        let from = self.builder.last_end();
        let gap = self.text.get(from as usize..before as usize)?;
        let mut in_comment = false;
        for (at, byte) in gap.bytes().enumerate() {
            match byte {
                b'\n' | b'\r' => in_comment = false,
                _ if in_comment => {}
                b'#' => in_comment = true,
                b'-' => return Some(from + at as u32),
                b':' | b' ' | b'\t' => {}
                _ => return None,
            }
        }
        None
    }

    fn end(&mut self, span: Span) -> Result<(), FatalProblem> {
        self.open.pop();
        self.block.pop();
        self.keys.pop();
        let closing_bracket = (span.end > span.start).then_some(span.end);
        if let Some(at) = self.builder.close(closing_bracket) {
            self.duplicate_keys(at)?;
        }
        self.after_node();
        Ok(())
    }

    fn before_node(&mut self, span: Span) -> Result<(), FatalProblem> {
        if self.builder.node_count() >= MAX_NODES {
            let message = format!("the file holds more than {MAX_NODES} keys and values");
            return Err(problem(ProblemKind::Syntax, span, message, "split it into several files"));
        }
        let within = self
            .open
            .last()
            .filter(|within| self.block.last() == Some(&true) && **within != OpenCollection::MappingValue);
        match within.and_then(|within| indenting_tab(self.text, *within == OpenCollection::MappingKey, span.start)) {
            Some(tab) => {
                Err(problem(ProblemKind::Syntax, tab, "YAML allows only spaces here, not a tab", "indent with spaces"))
            }
            None => Ok(()),
        }
    }

    fn after_node(&mut self) {
        if let Some(open) = self.open.last_mut() {
            *open = match open {
                OpenCollection::MappingKey => OpenCollection::MappingValue,
                OpenCollection::MappingValue => OpenCollection::MappingKey,
                OpenCollection::Sequence => OpenCollection::Sequence,
            };
        }
    }

    /// Reports each repeated key of the mapping at `at`.
    fn duplicate_keys(&mut self, at: u32) -> Result<(), FatalProblem> {
        let mut found: Vec<(Span, Span, String)> = Vec::new();
        let mapping = self.builder.node(self.text, at);
        let few = mapping.entries().take(17).count() <= 16;
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for (index, (key, _)) in mapping.entries().enumerate() {
            let earlier = if few {
                let same = mapping.entries().take(index).find(|(other, _)| other.text() == key.text());
                same.map(|(other, _)| other.span())
            } else {
                let first = *seen.entry(key.text()).or_insert(key.span());
                (first != key.span()).then_some(first)
            };
            if let Some(first) = earlier {
                found.push((key.span(), first, shown("", key.text())));
            }
            if found.len() > MAX_PROBLEMS {
                break;
            }
        }
        // A record has each field once: several repeated ones are the start of another record.
        let is_record = matches!(self.open.as_slice(), [] | [OpenCollection::Sequence]);
        let differ = |(_, _, name): &(Span, Span, String)| found.first().is_some_and(|(_, _, first)| first != name);
        if let (true, [(second, first, _), ..]) = (is_record && found.iter().any(differ), found.as_slice()) {
            let mut another = problem(
                ProblemKind::Ambiguous,
                *second,
                "a second record seems to start here: these fields are there already",
                "start every record of a list with `- `, the first one too, and indent its other fields by two spaces; \
                 if this is one record, keep each field once",
            );
            another.related = Some((*first, "the same field"));
            return self.push(another);
        }
        for (second, first, name) in found {
            let mut repeated = problem(
                ProblemKind::Ambiguous,
                second,
                format!("the field {name} is there twice"),
                "keep one of the two; in a list, every record starts with `- `",
            );
            repeated.related = Some((first, "the first one"));
            self.push(repeated)?;
        }
        Ok(())
    }

    /// Repeated keys are found at the end of their mapping; this puts them in the order of the text.
    fn sort_problems(&mut self) {
        self.problems.sort_by_key(|problem| problem.span);
    }

    fn ambiguous(&mut self, span: Span, message: impl Into<String>, help: &'static str) -> Result<(), FatalProblem> {
        self.push(problem(ProblemKind::Ambiguous, span, message, help))
    }

    fn push(&mut self, found: Problem) -> Result<(), FatalProblem> {
        if self.problems.len() + 1 >= MAX_PROBLEMS {
            return Err(problem(
                ProblemKind::Ambiguous,
                found.span,
                format!("more than {MAX_PROBLEMS} problems: the rest of the file was not read"),
                "fix those above first",
            ));
        }
        self.problems.push(found);
        Ok(())
    }

    fn span(&self, span: granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let limit = self.text.len();
        Span::new(range.start.min(limit) as u32, range.end.min(limit) as u32)
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

fn shown(prefix: &str, name: &str) -> String {
    crate::text::quote::quoted(&format!("{prefix}{name}"))
}
