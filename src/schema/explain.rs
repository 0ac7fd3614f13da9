//! A violation of the schema as findings: what was found, why it is wrong, what to write.

use serde_json::Value;

use super::FileKind;
use super::synonyms::{likely_choice, likely_field};
use crate::finding::{Finding, PathStep, Place, Where};
use crate::model;
use crate::model::misspelling::{Misspelling, Remedy};
use crate::text::quote::quoted;
use crate::yaml::{Node, NodeKind, ScalarType, scalar_type};

/// What a value violates.
pub(super) enum Violation<'a> {
    /// `type`
    Type,
    /// `enum`
    Choice,
    /// The form, the length, the limits of a number or of a count of entries.
    Value,
    /// `required`: the field that is missing.
    Missing(&'a str),
    /// `additionalProperties`: the field that there is not.
    UnknownField(&'a str),
    /// `propertyNames`: the key.
    Name(&'a str),
}

impl Violation<'_> {
    /// Whether it is about which keys a mapping has. Several of them may have one place.
    pub(super) fn is_about_keys(&self) -> bool {
        matches!(self, Violation::Missing(_) | Violation::UnknownField(_))
    }
}

/// A value that violates its schema.
#[derive(Clone, Copy)]
pub(super) struct WrongValue<'a> {
    /// The kind of its file.
    pub(super) kind: FileKind,
    pub(super) node: Node<'a>,
    pub(super) at: &'a Place,
    /// The schema of the value; for [`Violation::Name`] that of the key.
    pub(super) schema: &'a Value,
    /// Whether the field must be there.
    pub(super) is_required: bool,
}

impl WrongValue<'_> {
    /// What is wrong, with the way out.
    pub(super) fn finding_of(&self, violation: &Violation<'_>) -> Finding {
        match violation {
            Violation::UnknownField(name) => self.unknown_field(name),
            Violation::Missing(name) => self.missing(name),
            Violation::Name(name) => self.wrong_name(name),
            Violation::Type => self.wrong_type(),
            Violation::Choice => self.not_a_choice(),
            Violation::Value => self.wrong_text(),
        }
    }

    fn finding(&self, message: impl Into<String>) -> Finding {
        Finding::new("schema", Where::Place(self.at.clone()), message)
    }

    fn keyword(&self, keyword: &str) -> Option<&str> {
        self.schema.get(keyword)?.as_str()
    }

    /// What the schema expects, for the end of a sentence.
    fn expected(&self) -> String {
        if let Some(expected) = self.keyword("x-expected") {
            return expected.to_owned();
        }
        let mut names: Vec<&str> = required(self.schema).collect();
        if names.is_empty() {
            names = self.known_fields().take(2).collect();
        }
        let fields: Vec<String> = names.iter().map(|name| format!("{name}: …")).collect();
        format!("fields with values, such as {{{}}}", fields.join(", "))
    }

    fn known_fields(&self) -> impl Iterator<Item = &str> {
        let fields = self.schema.get("properties").and_then(Value::as_object);
        fields.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    fn unknown_field(&self, name: &str) -> Finding {
        let known: Vec<&str> = self.known_fields().collect();
        let at = Where::Place(self.at.clone().field(name).key());
        let found = Finding::new("schema", at, format!("there is no field {} in {}", quoted(name), self.holder("a")));
        if self.node.get(name).is_some_and(|value| value.text().is_empty())
            && name.starts_with(|c: char| c.is_ascii_digit())
        {
            return found.help(NO_COMMA);
        }
        match likely_field(name, &known) {
            Some(near) => found.did_you_mean(Some(near)),
            None => found.help(format!("the fields are: {}", known.join(", "))),
        }
    }

    /// The record, or the part of it, that the error is about.
    fn holder(&self, article: &str) -> String {
        match (self.at.path.is_empty(), article) {
            (true, "a") => self.kind.with_article().to_owned(),
            (true, article) => format!("{article} {}", self.kind.name()),
            (false, _) => shown_path(&self.at.path),
        }
    }

    fn missing(&self, name: &str) -> Finding {
        let message = format!("the field {} is missing in {}", quoted(name), self.holder("this"));
        let field = self.schema.get("properties").and_then(|fields| fields.get(name));
        let expected = field.and_then(|field| field.get("x-expected")).and_then(Value::as_str);
        let expected = expected.map(|expected| format!(" with {expected}")).unwrap_or_default();
        self.finding(message).help(format!("add {}{expected}", quoted(&format!("{name}: …"))))
    }

    /// A key that is not a name of the right form.
    fn wrong_name(&self, name: &str) -> Finding {
        let at = Where::Place(self.at.clone().field(name).key());
        let form = self.keyword("x-form");
        match form.and_then(|form| model::explain(form, name)) {
            Some(found) => with_remedy(Finding::new("schema", at, found.message.clone()), &found),
            None => Finding::new("schema", at, format!("{} is not a name that is allowed here", quoted(name))),
        }
    }

    fn not_a_choice(&self) -> Finding {
        let options = self.schema.get("enum").and_then(Value::as_array);
        let options: Vec<&str> = options.into_iter().flatten().filter_map(Value::as_str).collect();
        let text = self.node.text();
        if let [only] = options.as_slice() {
            let message =
                format!("{} is always {}, and cannot be {}", shown_path(&self.at.path), quoted(only), quoted(text));
            return self.finding(message).help("remove this line");
        }
        let shown = if text.is_empty() { "an empty text".to_owned() } else { quoted(text) };
        let found = self.finding(format!("{shown} is none of: {}", options.join(", ")));
        match likely_choice(text, &options) {
            Some(option) if is_read_otherwise(option) => found.help(format!("write '{option}', in quotes")),
            Some(option) => found.did_you_mean(Some(option)),
            None => {
                let options: Vec<String> = options.iter().map(|option| quoted(option)).collect();
                found.help(format!("write {}", options.join(" or ")))
            }
        }
    }

    /// A text or a number of the right type that is not allowed.
    fn wrong_text(&self) -> Finding {
        let text = self.node.text();
        let expected = self.expected();
        if !self.node.is_scalar() {
            let empty = self.node.items().next().is_none() && self.node.entries().next().is_none();
            let path = shown_path(&self.at.path);
            let message = if empty { format!("{path} is empty") } else { format!("{path} has too many entries") };
            return self.finding(message).help(self.write(&expected));
        }
        if text.is_empty() {
            return self.finding(format!("{} is empty", shown_path(&self.at.path))).help(self.write(&expected));
        }
        if text.starts_with(['“', '”', '„', '‘', '’', '«']) {
            let message = format!("{} starts with a quotation mark that is part of the value", quoted(text));
            return self.finding(message).help("remove it, or use \" or ': other quotation marks mean nothing in YAML");
        }
        if let Some(cut) = self.cut_by_comma() {
            return cut;
        }
        let form = self.keyword("x-form");
        match form.and_then(|form| model::explain(form, text)) {
            Some(Misspelling { message, remedy: Remedy::Help(help) }) => match self.at.path.last() {
                Some(PathStep::Field(name)) if form == Some("Date") => {
                    self.finding(message).help(format!("{help}; without such a day, remove {}", quoted(name)))
                }
                _ => self.finding(message).help(help),
            },
            Some(found) => with_remedy(self.finding(found.message.clone()), &found),
            None => {
                let path = shown_path(&self.at.path);
                self.finding(format!("{path} cannot be {}", quoted(text))).help(self.write(&expected))
            }
        }
    }

    /// `1,000` within braces or brackets, where a comma ends the value.
    fn cut_by_comma(&self) -> Option<Finding> {
        let rest = self.node.rest_of_line().strip_prefix(',')?;
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let cut = is_number(rest) && is_number(self.node.text());
        cut.then(|| self.finding(format!("the value {} ends at the comma", quoted(self.node.text()))).help(NO_COMMA))
    }

    /// A sentence that says what to write; an optional field may be left out.
    fn write(&self, expected: &str) -> String {
        match (self.at.path.last(), self.is_required) {
            (Some(PathStep::Field(name)), false) => format!("write {expected}; or remove {}", quoted(name)),
            _ => format!("write {expected}"),
        }
    }

    fn wrong_type(&self) -> Finding {
        let path = shown_path(&self.at.path);
        if !self.node.is_scalar() {
            return self.wrong_collection(&path);
        }
        let text = self.node.text();
        let read_as = self.node.scalar_type();
        if read_as == ScalarType::Null {
            return self.without_value(&path);
        }
        let wants_text = allows_type(self.schema, "string");
        let what = match read_as {
            ScalarType::Bool(_) | ScalarType::OldBool => "true or false",
            ScalarType::Text => "text",
            _ => "a number",
        };
        let shown = quoted(text);
        if read_as != ScalarType::Text && wants_text {
            return self.unquoted(&path, what);
        }
        if read_as == ScalarType::Text && text.parse::<i64>().is_ok() {
            return self
                .finding(format!("{shown} is in quotes, which makes it text, and {path} is a number"))
                .help("remove the quotes");
        }
        if self.node.is_scalar() && self.keyword("type") == Some("array") {
            return self.not_a_list(&path);
        }
        if self.at.path.is_empty() {
            return self
                .finding(format!("a record consists of fields such as `name: …`, and this is {what}: {shown}"))
                .help("write each field on a line of its own as `field: value`, with a space after the colon");
        }
        self.finding(format!("{path} cannot be {shown}")).help(self.write(&self.expected()))
    }

    fn wrong_collection(&self, path: &str) -> Finding {
        let is_list = self.node.kind() == NodeKind::Sequence;
        if self.at.path.is_empty() && self.kind == FileKind::Settings {
            return self
                .finding("the settings are fields such as `targets: […]`, and this is a list")
                .help("remove the dash before the first field");
        }
        if self.at.path.is_empty() {
            return self
                .finding("a record consists of fields such as `name: …`, and this is a list within a list")
                .help("start each record with a single `- `");
        }
        let is = if is_list { "a list" } else { "a group of fields" };
        let found = self.finding(format!("{path} cannot be {is}"));
        match self.node.in_brackets() && self.keyword("type") == Some("string") {
            true => found.help("remove the brackets; a text with brackets needs quotes"),
            false => found.help(self.write(&self.expected())),
        }
    }

    /// A single value where a list is expected.
    fn not_a_list(&self, path: &str) -> Finding {
        let text = self.node.text();
        let of_texts = self.schema.pointer("/items/type") == Some(&Value::from("string"));
        let found = self.finding(format!("{path} is a list, and {} is not", quoted(text)));
        match of_texts && text.len() < 200 && (!text.contains(' ') || text.contains(',')) {
            true => found.help(format!("write the entries in brackets: {}", quoted(&format!("[{text}]")))),
            false => found.help(self.write(&self.expected())),
        }
    }

    /// A field without a value. What follows a `#` is not one.
    fn without_value(&self, path: &str) -> Finding {
        let rest = self.node.rest_of_line().trim();
        if rest.starts_with('#') {
            let value = rest.replace('\'', "''");
            return self.finding(format!("{path} has no value: a `#` after a space starts a comment")).help(format!(
                "put the value in quotes: {}; or write a value before the comment",
                quoted(&format!("'{value}'")).trim_matches('`')
            ));
        }
        if !self.node.text().is_empty() {
            let text = self.node.text();
            let message = format!("{} means that {path} has no value", quoted(text));
            let is_text = self.keyword("type") == Some("string") && text != "~";
            let quotes = if is_text { format!("; or put it in quotes: '{text}'") } else { String::new() };
            return self.finding(message).help(self.write(&self.expected()) + &quotes);
        }
        self.finding(format!("{path} has no value")).help(self.write(&self.expected()))
    }

    /// A number, or a word such as `no`, where text is expected.
    fn unquoted(&self, path: &str, what: &str) -> Finding {
        let text = self.node.text();
        let is_option = |options: &Vec<Value>| options.iter().any(|option| option == text);
        match self.schema.get("enum").and_then(Value::as_array) {
            Some(options) if !is_option(options) => return self.not_a_choice(),
            _ => {}
        }
        if let Some(cut) = self.cut_by_comma() {
            return cut;
        }
        if let Some(form) = self.keyword("x-form").filter(|form| !model::may_be_quoted(form))
            && let Some(found) = model::explain(form, text)
        {
            return with_remedy(self.finding(found.message.clone()), &found);
        }
        self.finding(format!("YAML tools read {} as {what}, and {path} is text", quoted(text)))
            .help(format!("put it in quotes: '{text}'"))
    }
}

/// The fields that must be there.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether `schema` allows values of the type.
pub(super) fn allows_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        Some(one) => one == name,
        None => true,
    }
}

const NO_COMMA: &str =
    "within brackets a comma ends a value: write a number without commas, and put a text with one in quotes";

fn with_remedy(finding: Finding, found: &Misspelling) -> Finding {
    match &found.remedy {
        Remedy::Write(meant) => finding.did_you_mean(Some(meant)),
        Remedy::Help(help) => finding.help(help),
    }
}

/// Whether YAML tools read the word, without quotes, as something else.
fn is_read_otherwise(word: &str) -> bool {
    scalar_type(word) != ScalarType::Text
}

/// The way to a value: `capacity.up`, or `url` in entry 1 of `targets`.
fn shown_path(path: &[PathStep]) -> String {
    let part = |fields: &[&str], around: &str| match (fields.is_empty(), around.is_empty()) {
        (true, true) => "the record".to_owned(),
        (true, false) => around.to_owned(),
        (false, true) => quoted(&fields.join(".")),
        (false, false) => format!("{} in {around}", quoted(&fields.join("."))),
    };
    let mut fields: Vec<&str> = Vec::new();
    let mut around = String::new();
    for step in path {
        match step {
            PathStep::Field(name) => fields.push(name),
            PathStep::Index(at) => {
                around = format!("entry {} of {}", at + 1, part(&fields, &around));
                fields.clear();
            }
        }
    }
    part(&fields, &around)
}
