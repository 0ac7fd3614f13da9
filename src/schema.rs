//! JSON Schemas generated from the model, and findings from their violations.

mod explain;
mod fit;
mod shape;
mod synonyms;
mod tidy;

pub(crate) use shape::misshapen;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::transform::Transform;
use serde_json::{Value, json};

use crate::finding::{Finding, Place};
use crate::model::{Domain, Plan, Settings, Subscriber};
use crate::yaml::Node;
use fit::Fit;

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

/// How many violations of one record are described.
const MAX_VIOLATIONS: usize = 100;

/// Every violation of the kind's schema in `record`, in the order of the schema; at most
/// [`MAX_VIOLATIONS`]. There is none in what reads as the typed record: a property test compares.
pub fn violations(kind: FileKind, record: Node<'_>, place: &Place) -> Vec<Finding> {
    let mut fit = Fit::new(kind, MAX_VIOLATIONS);
    fit.value(record_schema(kind), record, place, false);
    let mut found = fit.found;
    // A value may violate several keywords at once; the first says enough.
    let mut seen = BTreeSet::new();
    found.retain(|(is_about_keys, finding)| *is_about_keys || seen.insert(finding.primary.at.clone()));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// The schema of one record of this kind.
pub(crate) fn record_schema(kind: FileKind) -> &'static Value {
    static SCHEMAS: [OnceLock<Value>; 4] = [const { OnceLock::new() }; 4];
    SCHEMAS[kind as usize].get_or_init(|| kind.record_schema())
}
