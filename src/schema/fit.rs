//! Whether a record fits its schema, keyword by keyword.
//!
//! Knows the keywords that the schemas of the model have, as JSON Schema 2020-12 defines them, and no
//! others: a test fails when a schema gets one more, and a property test compares the verdict with that of
//! a complete validator. A `pattern` is checked by the Rust code of the type that it belongs to, which
//! `x-form` names.

use serde_json::Value;

use super::FileKind;
use super::explain::{Violation, WrongValue, allows_type, required};
use crate::finding::{Finding, Place};
use crate::model;
use crate::yaml::{Node, NodeKind, ScalarType};

/// The violations found so far.
pub(super) struct Fit {
    kind: FileKind,
    room: usize,
    /// Each with whether it is about which keys a mapping has: several of these may have one place.
    pub(super) found: Vec<(bool, Finding)>,
}

impl Fit {
    /// For one record. After `room` violations it looks for no more.
    pub(super) fn new(kind: FileKind, room: usize) -> Self {
        Self { kind, room, found: Vec::new() }
    }

    /// Looks at one value. `is_required`: the field must be there.
    pub(super) fn value(&mut self, schema: &Value, node: Node<'_>, at: &Place, is_required: bool) {
        let wrong = WrongValue { kind: self.kind, node, at, schema, is_required };
        if !has_type(schema, node) {
            return self.report(&wrong, &Violation::Type);
        }
        match node.kind() {
            NodeKind::Scalar(_) => {
                if let Some(violation) = of_scalar(schema, node) {
                    self.report(&wrong, &violation);
                }
            }
            NodeKind::Sequence => self.list(&wrong),
            NodeKind::Mapping => self.mapping(&wrong),
        }
    }

    fn report(&mut self, wrong: &WrongValue<'_>, violation: &Violation<'_>) {
        if self.found.len() < self.room {
            self.found.push((violation.is_about_keys(), wrong.finding_of(violation)));
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.room
    }

    fn list(&mut self, wrong: &WrongValue<'_>) {
        if !is_within(wrong.schema, "minItems", "maxItems", || wrong.node.items().count()) {
            self.report(wrong, &Violation::Value);
        }
        let Some(schema) = wrong.schema.get("items") else { return };
        for (index, item) in wrong.node.items().enumerate() {
            if self.is_full() {
                return;
            }
            self.value(schema, item, &wrong.at.clone().index(index), false);
        }
    }

    fn mapping(&mut self, wrong: &WrongValue<'_>) {
        if !is_within(wrong.schema, "minProperties", "maxProperties", || wrong.node.entries().count()) {
            self.report(wrong, &Violation::Value);
        }
        for name in required(wrong.schema).filter(|name| wrong.node.get(name).is_none()) {
            self.report(wrong, &Violation::Missing(name));
        }
        let fields = wrong.schema.get("properties");
        for (key, value) in wrong.node.entries() {
            if self.is_full() {
                return;
            }
            let name = key.text();
            match fields.and_then(|fields| fields.get(name)).or_else(|| wrong.schema.get("additionalProperties")) {
                Some(Value::Bool(false)) => self.report(wrong, &Violation::UnknownField(name)),
                Some(schema) => {
                    let is_required = required(wrong.schema).any(|field| field == name);
                    self.value(schema, value, &wrong.at.clone().field(name), is_required);
                }
                None => {}
            }
            if let Some(schema) = wrong.schema.get("propertyNames").filter(|schema| !is_form(schema, name)) {
                self.report(&WrongValue { schema, ..*wrong }, &Violation::Name(name));
            }
        }
    }
}

/// Whether `schema` allows values of the type that YAML tools agree on for `node`. One that they read
/// differently has none of the types.
fn has_type(schema: &Value, node: Node<'_>) -> bool {
    let found = match (node.kind(), node.scalar_type()) {
        (NodeKind::Mapping, _) => "object",
        (NodeKind::Sequence, _) => "array",
        (_, ScalarType::Text) => "string",
        (_, ScalarType::Integer(_)) => "integer",
        (_, ScalarType::Bool(_)) => "boolean",
        (_, ScalarType::Null | ScalarType::OtherNumber | ScalarType::OldBool) => return false,
    };
    allows_type(schema, found)
}

fn of_scalar(schema: &Value, node: Node<'_>) -> Option<Violation<'static>> {
    let text = node.text();
    let options = schema.get("enum").and_then(Value::as_array);
    if options.is_some_and(|options| !options.iter().any(|option| option == text)) {
        return Some(Violation::Choice);
    }
    let fits = match node.scalar_type() {
        ScalarType::Integer(number) => {
            let limit = |keyword| schema.get(keyword).and_then(Value::as_i64);
            limit("minimum").is_none_or(|min| min <= number) && limit("maximum").is_none_or(|max| number <= max)
        }
        _ => is_form(schema, text),
    };
    (!fits).then_some(Violation::Value)
}

/// Whether a text has the length and the form that `schema` wants.
fn is_form(schema: &Value, text: &str) -> bool {
    match schema.get("x-form").and_then(Value::as_str) {
        Some(form) => model::is_form(form, text),
        None => is_within(schema, "minLength", "maxLength", || text.chars().count()),
    }
}

/// Whether a count, taken only if needed, is within the limits that `schema` may have.
fn is_within(schema: &Value, min: &str, max: &str, count: impl Fn() -> usize) -> bool {
    let limit = |keyword| schema.get(keyword).and_then(Value::as_u64);
    let (min, max) = (limit(min), limit(max));
    let count = if min.is_some() || max.is_some() { count() as u64 } else { 0 };
    min.is_none_or(|min| min <= count) && max.is_none_or(|max| count <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keywords that are checked here, those that say nothing about what is valid, and those that `x-form`
    /// stands for.
    const KNOWN: [&str; 28] = [
        "type",
        "enum",
        "minimum",
        "maximum",
        "items",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "required",
        "properties",
        "propertyNames",
        "additionalProperties",
        "minLength",
        "maxLength",
        "x-form",
        "$schema",
        "title",
        "description",
        "default",
        "enumDescriptions",
        "x-expected",
        "pattern",
        "format",
        "examples",
        "$comment",
        "deprecated",
        "readOnly",
    ];

    fn each(schema: &Value, visit: &mut dyn FnMut(&Value)) {
        visit(schema);
        let below = ["items", "propertyNames", "additionalProperties"].into_iter().filter_map(|name| schema.get(name));
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|fields| fields.values());
        below.chain(fields).for_each(|schema| each(schema, visit));
    }

    #[test]
    fn no_schema_has_a_keyword_that_is_not_checked() {
        for kind in FileKind::ALL {
            each(super::super::record_schema(kind), &mut |schema| {
                let Some(object) = schema.as_object() else {
                    assert_eq!(schema, &Value::Bool(false), "{kind:?}: a schema that allows anything");
                    return;
                };
                let unknown: Vec<&String> = object.keys().filter(|key| !KNOWN.contains(&key.as_str())).collect();
                assert!(unknown.is_empty(), "{kind:?}: {unknown:?} in {schema}");
                let form = schema.get("x-form").and_then(Value::as_str);
                assert!(form.is_none_or(model::is_known_form), "{kind:?}: the form {form:?} has no code");
                assert!(
                    form.is_some() || schema.get("pattern").is_none(),
                    "{kind:?}: a pattern without a form: {schema}"
                );
            });
        }
    }
}
