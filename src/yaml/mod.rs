//! Text → spanned tree: the one way in which YAML is read.
//!
//! A [`Document`] is the whole file as a flat list of nodes in reading order, so that a file of
//! ten thousand records costs a few allocations and not a hundred thousand. [`Node`] is a cheap
//! handle into it.
//!
//! Two readers fill it. [`flat`] knows only the shape that nearly every data file has (flat records of
//! plain values) and gives up on anything else; [`events`] takes the events of a full YAML parser.
//! Where `flat` gives an answer, the answer is the same: a property test and a fuzz target compare
//! them.

pub mod de;
mod document;
mod events;
mod flat;
mod forbidden;
mod mistake;
mod scalar;
pub(crate) mod ser;
mod source_line;

pub use document::{Document, Node, NodeKind, Style};
pub use scalar::{ScalarType, scalar_type};

use std::borrow::Cow;

use crate::source::Span;

/// How deep mappings and lists may nest. The data format itself needs four levels.
pub const MAX_DEPTH: usize = 32;

/// How many keys, values and entries one file may have.
pub const MAX_NODES: usize = 2_000_000;

/// How many keys one mapping may have. A record has at most ten; maps by name in the settings more.
pub const MAX_KEYS: usize = 10_000;

/// The longest single value, in bytes.
pub const MAX_SCALAR_BYTES: usize = 64 * 1024;

/// How many problems of one file are reported; reading stops there.
pub const MAX_PROBLEMS: usize = 200;

/// A part of the text that is invalid, or that tools read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// The message.
    pub message: String,
    /// What to write instead.
    pub help: Cow<'static, str>,
    /// The other place involved, for example the first of two equal keys.
    pub related: Option<(Span, &'static str)>,
}

fn problem(kind: ProblemKind, span: Span, message: impl Into<String>, help: &'static str) -> Problem {
    Problem { kind, span, message: message.into(), help: help.into(), related: None }
}

/// Which of the two reading rules a [`Problem`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not YAML, or beyond a limit: nothing after this place was read.
    Syntax,
    /// Valid YAML that tools read differently: reading went on.
    Ambiguous,
}

/// The result of reading: the tree, and every problem found.
#[derive(Debug)]
pub struct Reading {
    /// The tree; `None` if the text holds no document, or not one that can be read.
    pub document: Option<Document>,
    /// Every problem, in the order of the text; last of all the one that ended the reading.
    pub problems: Vec<Problem>,
}

/// Reads a text. Never panics; bounded by the limits above in time and memory.
pub fn read(text: &str) -> Reading {
    match flat::read(text) {
        Some(document) => Reading { document: Some(document), problems: Vec::new() },
        None => read_full(text),
    }
}

/// Reads a text by the quick reader alone; `None` if the text has another shape. Public so that tests
/// can compare it with [`read_full`].
pub fn read_flat(text: &str) -> Option<Document> {
    flat::read(text)
}

/// Calls `take` with each record of a list of flat records, one after the other, and returns how many nodes
/// the list has. `None` if the text has another shape, or `take` gives up: what was taken so far does not
/// count then, and [`read`] decides.
pub fn each_flat_record(text: &str, take: impl FnMut(Node<'_>) -> Option<()>) -> Option<usize> {
    flat::each_record(text, take)
}

/// Reads a text by the full parser alone. Public so that tests can compare it with [`read`].
pub fn read_full(text: &str) -> Reading {
    events::read(text)
}
