//! "Your data is wrong": a [`Finding`] says what, where, why, and what to write instead.
//!
//! Rules and schema checks name places ([`Place`]: a file, a record, a field); the reader, which knows
//! bytes, names spans. [`crate::locate`] turns places into spans when a finding is printed, so that
//! records need not store the span of every value.

use crate::source::{FileId, Span};
use crate::text::quote::quoted;

/// The severity of a rule or a finding.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The rule does not run.
    Off,
    /// Reported, and the data is accepted.
    Warning,
    /// The data is refused.
    Error,
}

impl Severity {
    /// The word as written in settings and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One step into a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PathStep {
    /// The value under a key.
    Field(String),
    /// An entry of a list, from 0.
    Index(usize),
}

/// Whether a place is the value or its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyOrValue {
    /// The value.
    Value,
    /// The key before it.
    Key,
}

/// A value in a file: its record, the path into it, and whether the value or its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub(crate) file: FileId,
    /// Which entry of a list file; `None` where the file is one record.
    pub(crate) record: Option<u32>,
    /// The way into the record; empty for the record itself.
    pub(crate) path: Vec<PathStep>,
    /// Key or value.
    pub(crate) target: KeyOrValue,
}

impl Place {
    /// A whole record.
    pub fn record(file: FileId, record: Option<u32>) -> Self {
        Self { file, record, path: Vec::new(), target: KeyOrValue::Value }
    }

    /// The value under `name` in this place.
    pub(crate) fn field(mut self, name: impl Into<String>) -> Self {
        self.path.push(PathStep::Field(name.into()));
        self
    }

    /// Entry `index` of the list in this place.
    pub(crate) fn index(mut self, index: usize) -> Self {
        self.path.push(PathStep::Index(index));
        self
    }

    /// The key instead of the value.
    pub(crate) fn key(mut self) -> Self {
        self.target = KeyOrValue::Key;
        self
    }
}

/// Where a label points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Where {
    /// The file as a whole.
    File(FileId),
    /// A value, named.
    Place(Place),
    /// A range of bytes.
    Span(FileId, Span),
}

impl Where {
    /// The file pointed into.
    pub fn file(&self) -> FileId {
        match self {
            Where::File(file) | Where::Span(file, _) => *file,
            Where::Place(place) => place.file,
        }
    }
}

/// One place involved, with what it has to do with the finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Where.
    pub at: Where,
    pub(crate) text: String,
}

/// Something wrong in the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How grave it is, after settings.
    pub severity: Severity,
    /// What is wrong: one sentence, without a full stop.
    pub message: String,
    /// The offence.
    pub primary: Label,
    /// Its causes and other places involved.
    pub(crate) related: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// Whether it belongs to the change under review; `None` without a change.
    pub in_change: Option<bool>,
}

impl Finding {
    /// A finding of `rule` at a place. Its severity is the rule's once [`crate::rules`] has it.
    pub fn new(rule: &'static str, at: Where, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { at, text: String::new() },
            related: Vec::new(),
            help: None,
            in_change: None,
        }
    }

    /// Adds a label to the offence.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds a related place.
    pub fn related(mut self, at: Where, text: impl Into<String>) -> Self {
        self.related.push(Label { at, text: text.into() });
        self
    }

    /// Adds what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds a suggestion, if there is one.
    pub(crate) fn did_you_mean(self, candidate: Option<&str>) -> Self {
        match candidate {
            Some(candidate) => self.help(format!("did you mean {}?", quoted(candidate))),
            None => self,
        }
    }

    /// The order in which findings are listed: those of the change under review first, then by place.
    /// Without a change all are alike in that.
    pub(crate) fn order(&self) -> (bool, FileId, &Where, &'static str, &str) {
        let at = &self.primary.at;
        (self.in_change == Some(false), at.file(), at, self.rule, &self.message)
    }

    /// Every label, the offence first.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &Label> {
        std::iter::once(&self.primary).chain(&self.related)
    }
}
