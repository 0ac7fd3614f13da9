//! JSON Schemas generated from the model, and findings from their violations.

mod explain;
mod shape;
mod synonyms;
mod tidy;

pub(crate) use shape::misshapen;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use schemars::generate::SchemaSettings;
use schemars::transform::Transform;
use serde_json::{Value, json};

use crate::finding::{Finding, PathStep, Place};
use crate::model::{Domain, Plan, Settings, Subscriber};
use crate::yaml::json::{View, YamlJson};
use crate::yaml::{Node, NodeKind};
use explain::WrongValue;

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
            let required = || is_required(schema, &steps, error.schema_path().as_str());
            let value = WrongValue { kind, node, at: &at, schema: at_schema, is_required: &required };
            let findings = value.findings(error.kind());
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

/// Whether the field at the end of `steps` must be there: the schema around it, two steps up, says so.
fn is_required(schema: &Value, steps: &[String], at_schema: &str) -> bool {
    let around = schema.pointer(&parent(&parent(&parent(at_schema))));
    let required = around.and_then(|around| around.get("required")).and_then(Value::as_array);
    required.into_iter().flatten().any(|name| name.as_str() == steps.last().map(String::as_str))
}
