//! All edits of one file, collected and made in its text in one pass.
//!
//! Edits replace spans; the rest stays byte for byte. New text takes the style of the
//! text beside it. The result is read again and compared with the edits ([`meant`]), so a fault of
//! this module is a refusal and never a wrong file.

mod list;
mod meant;
mod print;

use std::collections::BTreeMap;
use std::fmt;

use super::lines::{ends_within_line, line_break, line_end};
use super::record::{Editor, WantedField};
use super::splice::Splices;
use super::value::{Fields, Value};
use crate::schema::{self, FileKind};
use crate::source::SourceFile;
use crate::yaml::{self, Document, Node, NodeKind, Problem};

pub use print::new_file;

const MARK: &str = "\u{feff}";

/// Why a file is not edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotEdited {
    /// It cannot be read, or has more than one reading.
    Problems(Vec<Problem>),
    /// A sentence: there is no such record, or it is no record.
    Record(String),
    /// The result would differ from the edits, which is a fault of the editor; with the difference.
    NotMeant(String),
}

impl NotEdited {
    /// The reasons, each on a line that starts with its place.
    pub fn message(&self, path: &str, text: &str) -> String {
        let shown = crate::text::quote::harmless(path, 200);
        match self {
            NotEdited::Problems(problems) => {
                let source = SourceFile::new(path, text);
                let line = |problem: &Problem| {
                    let at = source.position(problem.span.start);
                    format!("{shown}:{}:{}: {}; {}", at.line, at.column, problem.message, problem.help)
                };
                problems.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            NotEdited::Record(why) => format!("{shown}: {why}"),
            NotEdited::NotMeant(why) => format!(
                "{shown} is left alone, because the edit would have gone wrong: {why}; \
                 please report this with the file, and edit it by hand"
            ),
        }
    }
}

/// The edits of one record.
#[derive(Default)]
struct RecordEdit {
    removed: bool,
    fields: BTreeMap<String, Option<Value>>,
}

/// The edits of one file.
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
    /// No edits yet of `text`, a file of this kind. An empty text is a new file.
    ///
    /// # Errors
    /// If the text cannot be read, or could be read in more than one way.
    pub fn new(text: &'t str, kind: FileKind) -> Result<Self, NotEdited> {
        let mut reading = yaml::read(text);
        if !reading.problems.is_empty() {
            return Err(NotEdited::Problems(reading.problems));
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

    /// Sets a field of a record; `index` is its index in a list, `None` the file's one record.
    pub fn set(&mut self, index: Option<u32>, field: &str, value: &Value) {
        let value = self.kept_list(index, field, value).unwrap_or_else(|| value.clone());
        self.edits.entry(index).or_default().fields.insert(field.to_owned(), Some(value));
    }

    /// The value as a list of one, if that keeps the comments of the list it replaces.
    fn kept_list(&self, index: Option<u32>, field: &str, value: &Value) -> Option<Value> {
        let old = self.record(index)?.get(field).filter(|old| old.kind() == NodeKind::Sequence)?;
        let (from, to) = (old.span().start as usize, old.span().end as usize);
        let lines = self.text.get(from..line_end(self.text, to))?;
        let kept = !lines.starts_with('[') && lines.contains('#') && old.items().any(|item| value.is(item));
        kept.then(|| Value::List(vec![value.clone()]))
    }

    /// Removes a field of a record.
    pub fn unset(&mut self, index: Option<u32>, field: &str) {
        self.edits.entry(index).or_default().fields.insert(field.to_owned(), None);
    }

    /// Removes a record.
    pub fn remove(&mut self, index: Option<u32>) {
        self.edits.entry(index).or_default().removed = true;
    }

    /// Adds a record: by its address if the file is in that order, else last.
    pub fn insert(&mut self, record: &Fields) {
        self.new.push(record.clone());
    }

    /// The present value of a field.
    pub fn value(&self, index: Option<u32>, field: &str) -> Option<Value> {
        Value::of(self.record(index)?.get(field)?)
    }

    /// Whether any record has this text in this field.
    pub fn any_has(&self, field: &str, text: &str) -> bool {
        let records = self.records().filter_map(|index| self.record(index));
        records.filter_map(|record| record.get(field)).any(|value| value.text() == text)
    }

    /// The text with all edits made; `None` if no record is left, and so no file.
    ///
    /// # Errors
    /// If a record is not there, or the result would not hold what the edit asked for.
    pub fn finish(self) -> Result<Option<String>, NotEdited> {
        let mark = self.mark;
        Ok(self.edited()?.map(|text| format!("{mark}{text}")))
    }

    fn edited(mut self) -> Result<Option<String>, NotEdited> {
        for (index, edit) in &self.edits {
            let is_record = self.record(*index).is_some_and(|record| record.kind() == NodeKind::Mapping);
            if !is_record && (!edit.removed || self.record(*index).is_none()) {
                let which = index.map_or_else(|| "a record".to_owned(), |index| format!("record {}", index + 1));
                return Err(NotEdited::Record(format!("{which} is not there, or has no fields")));
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
            let wanted: Vec<WantedField<'_>> =
                edit.fields.iter().map(|(field, value)| (field.as_str(), value.as_ref())).collect();
            editor.mapping(node, Some(schema), &wanted).map_err(NotEdited::NotMeant)?;
        }
        let order = list::edit(&mut editor, &self).map_err(NotEdited::NotMeant)?;
        let overlap = || NotEdited::NotMeant("two edits are in each other's way".into());
        let text = editor.splices.apply().ok_or_else(overlap)?;
        meant::check(&self, &order, &text).map_err(NotEdited::NotMeant)?;
        Ok(Some(text))
    }

    /// Turns a file of one record, or of none, into a list with the new records.
    fn into_list(mut self) -> Result<Option<String>, NotEdited> {
        let new = std::mem::take(&mut self.new);
        let kind = self.kind;
        let eol = line_break(self.text);
        let records = |mut new: Vec<Fields>| {
            list::sort(&mut new);
            new_file(&new, true, kind, None).replace('\n', eol)
        };
        match self.root().map(|root| root.kind()) {
            Some(NodeKind::Mapping) => {}
            Some(_) => return Err(NotEdited::Record("the file holds neither a record nor a list of them".into())),
            // There may be comments, which stay above.
            None => {
                let gap = if ends_within_line(self.text) { eol } else { "" };
                let text = format!("{}{gap}{}", self.text, records(new.clone()));
                let read = yaml::read(&text);
                let root = read.document.as_ref().and_then(|document| document.root(&text));
                if !read.problems.is_empty() || root.is_none_or(|root| root.items().count() != new.len()) {
                    return Err(NotEdited::NotMeant("nothing can be written below what is there".into()));
                }
                return Ok(Some(text));
            }
        }
        let Some(text) = self.edited()? else {
            return Ok(Some(records(new)));
        };
        let text = print::as_list(&text).map_err(NotEdited::NotMeant)?;
        let fault =
            |_| NotEdited::NotMeant("the file's one record does not read the same as an entry of a list".into());
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
