//! All edits of one file, gathered, and made in its text in one pass.
//!
//! Edits replace spans; what they do not touch stays byte for byte. New text takes the style of
//! what stands beside it. The result is read again and compared with what was meant ([`meant`]):
//! a fault of this module becomes a refusal, never a wrong file.

mod list;
mod meant;
mod print;

use std::collections::BTreeMap;
use std::fmt;

use super::lines::{ends_within_line, line_break, line_end};
use super::record::{Editor, Wanted};
use super::splice::Splices;
use super::value::{Fields, Value};
use crate::schema::{self, FileKind};
use crate::source::SourceFile;
use crate::yaml::{self, Document, Node, NodeKind, Problem};

pub use print::new_file;

const MARK: &str = "\u{feff}";

/// Why a file is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be read, or has more than one reading.
    Problems(Vec<Problem>),
    /// There is no such record, or it is none: a sentence.
    Record(String),
    /// The result would not have said what was meant: a fault of the editor, with what differs.
    NotMeant(String),
}

impl Refused {
    /// The reasons, each on a line that starts with where it is.
    pub fn told(&self, path: &str, text: &str) -> String {
        let shown = crate::text::quote::harmless(path, 200);
        match self {
            Refused::Problems(problems) => {
                let source = SourceFile::new(path, text);
                let line = |problem: &Problem| {
                    let at = source.position(problem.span.start);
                    format!("{shown}:{}:{}: {}; {}", at.line, at.column, problem.message, problem.help)
                };
                problems.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Refused::Record(why) => format!("{shown}: {why}"),
            Refused::NotMeant(why) => format!(
                "{shown} is left alone, because the edit would have gone wrong: {why}; \
                 please report this with the file, and edit it by hand"
            ),
        }
    }
}

/// What becomes of one record.
#[derive(Default)]
struct RecordEdit {
    removed: bool,
    fields: BTreeMap<String, Option<Value>>,
}

/// What is to become of one file.
pub struct FileEdits<'t> {
    /// A byte-order mark, which stays in front of everything.
    mark: &'static str,
    text: &'t str,
    kind: FileKind,
    document: Option<Document>,
    /// The records of a list; the one of a file that is a record is not among them.
    items: Vec<u32>,
    edits: BTreeMap<Option<u32>, RecordEdit>,
    new: Vec<Fields>,
}

impl fmt::Debug for FileEdits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} edits and {} new records", self.edits.len(), self.new.len())
    }
}

impl<'t> FileEdits<'t> {
    /// Edits of `text`, a file of this kind. An empty text is a file that is not there yet.
    ///
    /// # Errors
    /// If the text has problems: what cannot be read in one way only cannot be edited.
    pub fn new(text: &'t str, kind: FileKind) -> Result<Self, Refused> {
        let mut reading = yaml::read(text);
        if !reading.problems.is_empty() {
            return Err(Refused::Problems(reading.problems));
        }
        let mut mark = "";
        let text = text.strip_prefix(MARK).map_or(text, |text| {
            mark = MARK;
            reading = yaml::read(text);
            text
        });
        let document = reading.document.filter(|document| document.root(text).is_some_and(|root| !is_nothing(root)));
        let root = document.as_ref().and_then(|document| document.root(text));
        let items = root.map(|root| root.items().map(|item| item.id()).collect()).unwrap_or_default();
        Ok(Self { mark, text, kind, document, items, edits: BTreeMap::new(), new: Vec::new() })
    }

    /// Gives a field of a record a value; `index` is its place in a list, `None` the file's one
    /// record.
    pub fn set(&mut self, index: Option<u32>, field: &str, value: &Value) {
        let value = self.kept_list(index, field, value).unwrap_or_else(|| value.clone());
        self.edits.entry(index).or_default().fields.insert(field.to_owned(), Some(value));
    }

    /// Of a list with comments one entry stays: as a list of one, so that its comments stay as well.
    fn kept_list(&self, index: Option<u32>, field: &str, value: &Value) -> Option<Value> {
        let old = self.record(index)?.get(field).filter(|old| old.kind() == NodeKind::Sequence)?;
        let (from, to) = (old.span().start as usize, old.span().end as usize);
        let lines = self.text.get(from..line_end(self.text, to))?;
        let kept = !lines.starts_with('[') && lines.contains('#') && old.items().any(|item| value.is(item));
        kept.then(|| Value::List(vec![value.clone()]))
    }

    /// Takes a field out of a record.
    pub fn unset(&mut self, index: Option<u32>, field: &str) {
        self.edits.entry(index).or_default().fields.insert(field.to_owned(), None);
    }

    /// Takes a record out.
    pub fn remove(&mut self, index: Option<u32>) {
        self.edits.entry(index).or_default().removed = true;
    }

    /// Puts a record in: where it belongs by its address if the file is in that order, else last.
    pub fn insert(&mut self, record: &Fields) {
        self.new.push(record.clone());
    }

    /// What a field of a record holds now.
    pub fn value(&self, index: Option<u32>, field: &str) -> Option<Value> {
        Value::of(self.record(index)?.get(field)?)
    }

    /// Whether any record has this text in this field.
    pub fn any_has(&self, field: &str, text: &str) -> bool {
        let records = self.records().filter_map(|index| self.record(index));
        records.filter_map(|record| record.get(field)).any(|value| value.text() == text)
    }

    /// The text with all edits made; nothing if its last record is gone, and with it the file.
    ///
    /// # Errors
    /// If a record is not there, or the result would not hold what was meant.
    pub fn finish(self) -> Result<Option<String>, Refused> {
        let mark = self.mark;
        Ok(self.edited()?.map(|text| format!("{mark}{text}")))
    }

    fn edited(mut self) -> Result<Option<String>, Refused> {
        for (index, edit) in &self.edits {
            let is_record = self.record(*index).is_some_and(|record| record.kind() == NodeKind::Mapping);
            if !is_record && (!edit.removed || self.record(*index).is_none()) {
                let which = index.map_or_else(|| "a record".to_owned(), |index| format!("record {}", index + 1));
                return Err(Refused::Record(format!("{which} is not there, or has no fields")));
            }
        }
        if self.root().is_none_or(|root| root.kind() != NodeKind::Sequence) && !self.new.is_empty() {
            return self.into_list();
        }
        let kept = self.records().filter(|index| !self.is_removed(*index)).count();
        if kept == 0 && self.new.is_empty() {
            return Ok(None);
        }
        list::sort(&mut self.new);
        let mut editor = Editor { text: self.text, eol: line_break(self.text), splices: Splices::new(self.text) };
        let schema = schema::record_schema(self.kind);
        for (index, edit) in self.edits.iter().filter(|(_, edit)| !edit.removed) {
            let Some(node) = self.record(*index) else { continue };
            let wanted: Vec<Wanted<'_>> =
                edit.fields.iter().map(|(field, value)| (field.as_str(), value.as_ref())).collect();
            editor.mapping(node, Some(schema), &wanted).map_err(Refused::NotMeant)?;
        }
        let order = list::edit(&mut editor, &self).map_err(Refused::NotMeant)?;
        let overlap = || Refused::NotMeant("two edits are in each other's way".into());
        let text = editor.splices.apply().ok_or_else(overlap)?;
        meant::check(&self, &order, &text).map_err(Refused::NotMeant)?;
        Ok(Some(text))
    }

    /// A file that is no list gets records: it becomes one.
    fn into_list(mut self) -> Result<Option<String>, Refused> {
        let new = std::mem::take(&mut self.new);
        let kind = self.kind;
        let eol = line_break(self.text);
        let records = |mut new: Vec<Fields>| {
            list::sort(&mut new);
            new_file(&new, true, kind, None).replace('\n', eol)
        };
        match self.root().map(|root| root.kind()) {
            Some(NodeKind::Mapping) => {}
            Some(_) => return Err(Refused::Record("the file holds neither a record nor a list of them".into())),
            // There may be comments, which stay above.
            None => {
                let gap = if ends_within_line(self.text) { eol } else { "" };
                let text = format!("{}{gap}{}", self.text, records(new.clone()));
                let read = yaml::read(&text);
                let root = read.document.as_ref().and_then(|document| document.root(&text));
                if !read.problems.is_empty() || root.is_none_or(|root| root.items().count() != new.len()) {
                    return Err(Refused::NotMeant("nothing can be written below what is there".into()));
                }
                return Ok(Some(text));
            }
        }
        let Some(text) = self.edited()? else {
            return Ok(Some(records(new)));
        };
        let text = print::as_list(&text).map_err(Refused::NotMeant)?;
        let fault = |_| Refused::NotMeant("the file's one record does not read the same as an entry of a list".into());
        let mut list = FileEdits::new(&text, kind).map_err(fault)?;
        list.new = new;
        list.edited()
    }

    fn root(&self) -> Option<Node<'_>> {
        self.document.as_ref().and_then(|document| document.root(self.text))
    }

    /// The record with this index.
    fn record(&self, index: Option<u32>) -> Option<Node<'_>> {
        let root = self.root()?;
        match index {
            Some(index) => root.with_id(*self.items.get(index as usize)?),
            None => Some(root).filter(|root| root.kind() == NodeKind::Mapping),
        }
    }

    /// The indices of all records, in order.
    fn records(&self) -> impl Iterator<Item = Option<u32>> {
        let single = self.record(None).map(|_| None);
        single.into_iter().chain((0..self.items.len() as u32).map(Some))
    }

    fn is_removed(&self, index: Option<u32>) -> bool {
        self.edits.get(&index).is_some_and(|edit| edit.removed)
    }
}

/// A document of nothing, such as `---` alone.
fn is_nothing(root: Node<'_>) -> bool {
    root.kind() == NodeKind::Scalar(yaml::Style::Plain) && root.text().is_empty()
}
