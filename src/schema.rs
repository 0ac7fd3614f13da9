//! JSON Schemas generated from the model, and findings from their violations.

mod tidy;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::generate::SchemaSettings;
use schemars::transform::Transform;
use serde_json::{Value, json};

use crate::finding::{Finding, PathStep, Place, Where};
use crate::model::{Address, Domain, DomainName, Plan, Rate, Settings, Subscriber};
use crate::text::quote::quoted;
use crate::text::suggest::nearest;
use crate::yaml::json::{View, YamlJson};
use crate::yaml::{Node, NodeKind, ScalarType, Style, scalar_type};

/// The kinds of data file, each with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `plans/**/*.yaml`
    Plan,
    /// `domains/**/*.yaml`
    Domain,
    /// `subscribers/**/*.yaml`
    Subscriber,
    /// `shapeline.yaml`
    Settings,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [FileKind; 4] = [FileKind::Plan, FileKind::Domain, FileKind::Subscriber, FileKind::Settings];

    /// The kind's name, in the singular.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Plan => "plan",
            FileKind::Domain => "domain",
            FileKind::Subscriber => "subscriber",
            FileKind::Settings => "settings",
        }
    }

    fn with_article(self) -> &'static str {
        match self {
            FileKind::Plan => "a plan",
            FileKind::Domain => "a domain",
            FileKind::Subscriber => "a subscriber",
            FileKind::Settings => "the settings",
        }
    }

    /// The folder that holds such files; `None` for the settings.
    pub(crate) fn folder(self) -> Option<&'static str> {
        match self {
            FileKind::Plan => Some("plans"),
            FileKind::Domain => Some("domains"),
            FileKind::Subscriber => Some("subscribers"),
            FileKind::Settings => None,
        }
    }

    /// The schema's file name below `schemas/`.
    pub(crate) fn schema_file(self) -> String {
        format!("{}.schema.json", self.name())
    }

    fn record_schema(self) -> Value {
        let generator = SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .with_transform(tidy::NoNull)
            .with_transform(tidy::Choices)
            .with_transform(tidy::NoFormat)
            .with_transform(tidy::Order)
            .into_generator();
        let schema = match self {
            FileKind::Plan => generator.into_root_schema_for::<Plan>(),
            FileKind::Domain => generator.into_root_schema_for::<Domain>(),
            FileKind::Subscriber => generator.into_root_schema_for::<Subscriber>(),
            FileKind::Settings => generator.into_root_schema_for::<Settings>(),
        };
        schema.to_value()
    }
}

/// The schema of a file of this kind, for editors: one record or a list of them; the settings are
/// one record.
pub fn file_schema(kind: FileKind) -> Value {
    let mut record = kind.record_schema();
    if let Ok(schema) = <&mut schemars::Schema>::try_from(&mut record) {
        tidy::ForEditors.transform(schema);
    }
    if let Some(object) = record.as_object_mut() {
        object.shift_remove("$schema");
    }
    let body = match kind.folder() {
        None => record,
        Some(folder) => json!({
            "title": format!("{} or list of {}s", kind.name(), kind.name()),
            "description": format!("A file in {folder}/: one record, or a list of records."),
            "if": {"type": "array"},
            "then": {"type": "array", "items": {"$ref": "#/$defs/record"}},
            "else": {"$ref": "#/$defs/record"},
            "$defs": {"record": record},
        }),
    };
    let mut file = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": GENERATED});
    if let (Value::Object(file), Value::Object(body)) = (&mut file, body) {
        file.extend(body);
    }
    file
}

/// The folder of a data repository that holds the schemas.
pub const FOLDER: &str = "schemas";

const GENERATED: &str = "Written by `shapeline schema`. Do not edit.";

/// Every schema file's name and text.
pub fn schema_files() -> BTreeMap<String, String> {
    let text = |kind| format!("{:#}\n", file_schema(kind));
    FileKind::ALL.into_iter().map(|kind| (kind.schema_file(), text(kind))).collect()
}

/// The compiled schema of one record.
///
/// # Errors
/// If the schema does not compile, which a test rules out.
pub fn validator(kind: FileKind) -> Result<&'static Validator<YamlJson>> {
    static COMPILED: [OnceLock<std::result::Result<Validator<YamlJson>, String>>; 4] = [const { OnceLock::new() }; 4];
    let slot = &COMPILED[kind as usize];
    let compiled = slot.get_or_init(|| {
        jsonschema::options_for::<YamlJson>()
            .should_validate_formats(true)
            .build(&kind.record_schema())
            .map_err(|error| error.to_string())
    });
    compiled.as_ref().map_err(|error| anyhow!("the built-in {} schema is broken: {error}", kind.name()))
}

/// Whether nothing is wrong with `record`.
pub(crate) fn is_valid(validator: &Validator<YamlJson>, record: Node<'_>) -> bool {
    validator.is_valid(View::Node(record))
}

/// Every violation in `record`, in the order of the schema.
pub fn violations(validator: &Validator<YamlJson>, kind: FileKind, record: Node<'_>, place: &Place) -> Vec<Finding> {
    if is_valid(validator, record) {
        return Vec::new();
    }
    let schema = record_schema(kind);
    let mut found: Vec<(bool, Finding)> = validator
        .iter_errors(View::Node(record))
        .take(100)
        .flat_map(|error| {
            let steps: Vec<String> = pointer_steps(error.instance_path().as_str());
            let (node, at) = follow(record, place, &steps);
            let at_schema = schema.pointer(&parent(error.schema_path().as_str()));
            let is_about_keys = is_about_keys(error.kind());
            let findings = describe(error.kind(), kind, node, &at, at_schema, &steps);
            findings.into_iter().map(move |finding| (is_about_keys, finding))
        })
        .collect();
    found.dedup();
    // A value may violate its type and its pattern at once; the first says enough.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|(is_about_keys, finding)| *is_about_keys || seen.insert(finding.primary.at.clone()));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Whether an error is about which keys a mapping has. Several of them may have one place.
fn is_about_keys(error: &ValidationErrorKind) -> bool {
    matches!(error, ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::Required { .. })
}

/// The schema of one record of this kind.
pub(crate) fn record_schema(kind: FileKind) -> &'static Value {
    static SCHEMAS: [OnceLock<Value>; 4] = [const { OnceLock::new() }; 4];
    SCHEMAS[kind as usize].get_or_init(|| kind.record_schema())
}

fn pointer_steps(pointer: &str) -> Vec<String> {
    let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
    pointer.split('/').skip(1).map(unescape).collect()
}

fn parent(pointer: &str) -> String {
    pointer.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned())
}

/// The node at the end of `steps`, and its place.
fn follow<'a>(record: Node<'a>, place: &Place, steps: &[String]) -> (Node<'a>, Place) {
    let mut node = record;
    let mut at = place.clone();
    for step in steps {
        let next = match node.kind() {
            NodeKind::Sequence => {
                step.parse().ok().and_then(|index| Some((PathStep::Index(index), node.items().nth(index)?)))
            }
            _ => node.get(step).map(|value| (PathStep::Field(step.clone()), value)),
        };
        let Some((step, value)) = next else { break };
        at.path.push(step);
        node = value;
    }
    (node, at)
}

fn describe(
    error: &ValidationErrorKind,
    kind: FileKind,
    node: Node<'_>,
    at: &Place,
    schema: Option<&Value>,
    steps: &[String],
) -> Vec<Finding> {
    let finding = |place: Place, message: String| Finding::new("schema", Where::Place(place), message);
    let expected = expected(schema);
    match error {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
            let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let unknown = |name: &String| {
                let what = if at.path.is_empty() { kind.with_article().to_owned() } else { shown_path(steps) };
                let found = finding(
                    at.clone().field(name.clone()).key(),
                    format!("the field {} is not known in {what}", quoted(name)),
                );
                match nearest(name, known.iter().copied()) {
                    Some(near) => found.did_you_mean(Some(near)),
                    None => found.help(format!("known fields: {}", known.join(", "))),
                }
            };
            unexpected.iter().take(100).map(unknown).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let what = if at.path.is_empty() { kind.name().to_owned() } else { shown_path(steps) };
            let help = format!("add {name}: …");
            vec![finding(at.clone(), format!("the field {} is missing in this {what}", quoted(name))).help(help)]
        }
        ValidationErrorKind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default().to_owned();
            let expected =
                schema.and_then(|schema| schema.pointer("/propertyNames/x-expected")).and_then(Value::as_str);
            let expected = expected.unwrap_or("a name that is allowed here");
            vec![finding(at.clone().field(name.clone()).key(), format!("{} is not {expected}", quoted(&name)))]
        }
        ValidationErrorKind::Type { kind: wanted } => vec![wrong_type(node, at, wanted, schema, steps)],
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let message = format!("{} is none of: {}", quoted(node.text()), options.join(", "));
            vec![finding(at.clone(), message).did_you_mean(nearest(node.text(), options.iter().copied()))]
        }
        _ => {
            let shown = if node.is_scalar() { quoted(node.text()) } else { shown_path(steps) };
            let expected = expected.map_or_else(|| format!("what is expected here: {error:?}"), ToOwned::to_owned);
            let mut found = finding(at.clone(), format!("{shown} is not {expected}"));
            if let Some(likely) = Form::of(schema).and_then(|form| form.likely_spelling(node)) {
                found = found.did_you_mean(Some(&likely));
            } else if node.text().starts_with(['“', '”', '„', '‘', '’', '«']) {
                found = found.help("these quotes are part of the value: YAML knows only \" and '");
            }
            vec![found]
        }
    }
}

/// What a schema says in its keyword `x-expected`, for messages.
fn expected(schema: Option<&Value>) -> Option<&str> {
    schema?.get("x-expected")?.as_str()
}

/// The forms of a text that have messages of their own, as the keyword `x-form` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Address,
    Date,
    DomainName,
    Limit,
    Rate,
}

impl Form {
    fn of(schema: Option<&Value>) -> Option<Self> {
        Some(match schema?.get("x-form")?.as_str()? {
            "address" => Form::Address,
            "date" => Form::Date,
            "domain-name" => Form::DomainName,
            "limit" => Form::Limit,
            "rate" => Form::Rate,
            _ => return None,
        })
    }

    /// The likely spelling of a wrong value.
    fn likely_spelling(self, node: Node<'_>) -> Option<String> {
        let text = node.text().trim();
        match self {
            Form::Rate => text.parse::<Rate>().err().and_then(|error| error.suggestion),
            Form::DomainName => {
                let lower = text.to_lowercase();
                let lower = lower.trim_start_matches('@').trim_end_matches('.');
                DomainName::is_valid(lower).then(|| lower.to_owned())
            }
            Form::Address if text != node.text() => text.parse::<Address>().ok().map(|address| address.to_string()),
            Form::Address | Form::Date | Form::Limit => None,
        }
    }
}

fn wrong_type(node: Node<'_>, at: &Place, wanted: &TypeKind, schema: Option<&Value>, steps: &[String]) -> Finding {
    let finding = |message: String| Finding::new("schema", Where::Place(at.clone()), message);
    let wants = |name: jsonschema::JsonType| match wanted {
        TypeKind::Single(one) => *one == name,
        TypeKind::Multiple(many) => many.contains(name),
    };
    let name = if steps.is_empty() { "the record".to_owned() } else { shown_path(steps) };
    let expected = expected(schema).unwrap_or("something else");
    if !node.is_scalar() {
        let is = if node.kind() == NodeKind::Mapping { "keys and values" } else { "a list" };
        if steps.is_empty() {
            return finding(format!("a record is keys and values such as `name: …`, not {is}"));
        }
        return finding(format!("{name} holds {is}; expected {expected}"));
    }
    let text = node.text();
    let read_as = match node.kind() {
        NodeKind::Scalar(Style::Plain) => scalar_type(text),
        _ => ScalarType::Text,
    };
    let what = match read_as {
        ScalarType::Null => {
            return finding(format!("{name} has no value")).help(format!("write {expected}, or remove the key"));
        }
        ScalarType::Integer(_) | ScalarType::OtherNumber => "a number",
        ScalarType::Bool(_) | ScalarType::OldBool => "true or false",
        ScalarType::Text => "a text",
    };
    let shown = quoted(text);
    // Quotes do not make a number a rate or an address.
    let has_form = Form::of(schema).is_some();
    if read_as != ScalarType::Text && wants(jsonschema::JsonType::String) && has_form {
        return finding(format!("{shown} is not {expected}"));
    }
    if read_as != ScalarType::Text && wants(jsonschema::JsonType::String) {
        return finding(format!("{shown} is read as {what} by YAML tools, and {name} is a text"))
            .help(format!("quote it: '{text}'"));
    }
    if read_as == ScalarType::Text && text.parse::<i64>().is_ok() && !wants(jsonschema::JsonType::String) {
        return finding(format!("{shown} is in quotes, which makes it a text, and {name} is a number"))
            .help("remove the quotes");
    }
    if steps.is_empty() {
        return finding(format!("a record is keys and values such as `name: …`, not {what} like {shown}"))
            .help("write each field on a line of its own as `field: value`, with a space after the colon");
    }
    finding(format!("{name} is {what}, {shown}; expected {expected}"))
}

fn shown_path(steps: &[String]) -> String {
    quoted(&steps.join("."))
}
