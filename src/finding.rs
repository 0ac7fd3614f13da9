//! "Your data is wrong": a [`Finding`] says what, where, why, and what to write instead.
//!
//! Rules and schema checks name places ([`Place`]: a file, a record, a field); the reader, which
//! knows bytes, names spans. [`crate::locate`] turns the one into the other when a finding is
//! shown, so that records need not carry the place of every value they hold.

pub use crate::characters::is_steering;
use crate::source::{FileId, Span};
pub use crate::suggest::nearest;

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
pub enum PathStep {
    /// The value under a key.
    Field(String),
    /// An entry of a list, from 0.
    Index(usize),
}

/// Which part of the value is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOrValue {
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
    pub path: Vec<PathStep>,
    /// Key or value.
    pub target: KeyOrValue,
}

impl Place {
    /// A whole record.
    pub fn record(file: FileId, record: Option<u32>) -> Self {
        Self { file, record, path: Vec::new(), target: KeyOrValue::Value }
    }

    /// The value under `name` in this place.
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.path.push(PathStep::Field(name.into()));
        self
    }

    /// Entry `index` of the list in this place.
    pub fn index(mut self, index: usize) -> Self {
        self.path.push(PathStep::Index(index));
        self
    }

    /// The key instead of the value.
    pub fn key(mut self) -> Self {
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

    /// Every label, the offence first.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        std::iter::once(&self.primary).chain(&self.related)
    }
}

/// A value from the data as it may stand in a message: in backquotes, cut when long, and with
/// everything that could steer a terminal or start a new line written as an escape.
pub fn quoted(value: &str) -> String {
    format!("`{}`", harmless(&without_password(value), 60))
}

/// `text` with each password in a URL made of stars, as many as it has bytes: it is no less wrong in
/// the repository, but is not told on to whoever reads what is said about it.
pub fn without_password(text: &str) -> std::borrow::Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let authority = after.find(|c: char| c == '/' || c == '"' || c.is_whitespace()).unwrap_or(after.len());
        let (authority, rest_of_it) = after.split_at(authority);
        let password = authority.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?, host)));
        out.push_str(before);
        out.push_str("://");
        match password {
            Some(((user, password), host)) => {
                out.push_str(user);
                out.push(':');
                out.extend(std::iter::repeat_n('*', password.len()));
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = rest_of_it;
    }
    if out.is_empty() {
        return std::borrow::Cow::Borrowed(text);
    }
    out.push_str(rest);
    std::borrow::Cow::Owned(out)
}

/// The same without the quotes, cut after `longest` characters.
pub fn harmless(value: &str, longest: usize) -> String {
    let mut out = String::with_capacity(value.len().min(longest));
    for (count, c) in value.chars().enumerate() {
        if count == longest {
            out.push('…');
            break;
        }
        if c == '`' {
            out.push('\'');
        } else if c == '[' && out.ends_with("##") {
            // GitHub's runner takes `##[command]` anywhere in a line for a command.
            out.push_str("\\u{5b}");
        } else if is_steering(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A number with its noun.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_quoted_value_steers_a_terminal() {
        assert_eq!(quoted("a\n::error::b\u{1b}[31m\u{202e}`"), "`a\\n::error::b\\u{1b}[31m\\u{202e}'`");
    }

    #[test]
    fn passwords_in_urls_are_stars() {
        for (text, shown) in [
            ("sftp://user:hünter2@192.0.2.1/x", "sftp://user:********@192.0.2.1/x"),
            ("url: \"sftp://user:a:b@c@h\" # ftp://u:p@h/", "url: \"sftp://user:*****@h\" # ftp://u:*@h/"),
            ("sftp://user@192.0.2.1:2222/x", "sftp://user@192.0.2.1:2222/x"),
            ("a: b@c, no URL", "a: b@c, no URL"),
            ("http://h:80/x@y", "http://h:80/x@y"),
        ] {
            assert_eq!(without_password(text), shown);
            assert_eq!(without_password(text).len(), text.len());
        }
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 63);
    }
}
