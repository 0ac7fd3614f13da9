//! "Your data is wrong": a [`Finding`] says what, where, why, and what to write instead.
//!
//! Rules and schema checks name places ([`Place`]: a file, a record, a field); the reader, which
//! knows bytes, names spans. [`crate::locate`] turns the one into the other when a finding is
//! shown, so that records need not carry the place of every value they hold.

use crate::source::{FileId, Span};
use crate::text::quote::quoted;

/// How grave a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not looked for.
    Off,
    /// Told, but the data is accepted.
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
pub enum Step {
    /// The value under a key.
    Field(String),
    /// An entry of a list, from 0.
    Index(usize),
}

/// Which part of the value is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The value.
    Value,
    /// The key before it.
    Key,
}

/// Names a value in a file: which record, which field, and whether the key or the value is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// Which entry of a list file; `None` where the file is one record.
    pub record: Option<u32>,
    /// The way into the record; empty for the record itself.
    pub path: Vec<Step>,
    /// Key or value.
    pub target: Target,
}

impl Place {
    /// A whole record.
    pub fn record(file: FileId, record: Option<u32>) -> Self {
        Self { file, record, path: Vec::new(), target: Target::Value }
    }

    /// The value under `name` in this place.
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.path.push(Step::Field(name.into()));
        self
    }

    /// Entry `index` of the list in this place.
    pub fn index(mut self, index: usize) -> Self {
        self.path.push(Step::Index(index));
        self
    }

    /// The key instead of the value.
    pub fn key(mut self) -> Self {
        self.target = Target::Key;
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
    /// What is there; may be empty for the offence itself.
    pub text: String,
}

/// Something wrong in the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The id of the rule that says so.
    pub rule: &'static str,
    /// How grave it is, after settings.
    pub severity: Severity,
    /// What is wrong: one sentence, without a full stop.
    pub message: String,
    /// The offence.
    pub primary: Label,
    /// Its causes and whatever else is involved.
    pub related: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// Whether the change under review has to do with it; `None` where no change is looked at.
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

    /// The same with a word beside the offence.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// The same with a further place.
    pub fn related(mut self, at: Where, text: impl Into<String>) -> Self {
        self.related.push(Label { at, text: text.into() });
        self
    }

    /// The same with what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The same with a suggestion, if there is one.
    pub fn did_you_mean(self, candidate: Option<&str>) -> Self {
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
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        std::iter::once(&self.primary).chain(&self.related)
    }
}
