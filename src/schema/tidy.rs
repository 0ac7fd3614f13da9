//! What schemars derives, made fit for our readers: people who open a schema, editors that show it,
//! and the messages that `check` makes of it.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

/// An optional field is left out, never null.
#[derive(Clone, Debug)]
pub(super) struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        let is_null = |value: &Value| value.get("type") == Some(&json!("null"));
        if let Some(Value::Array(any)) = schema.get("anyOf")
            && any.iter().any(is_null)
            && let Some(Value::Object(inner)) = any.iter().find(|value| !is_null(value)).cloned()
        {
            schema.remove("anyOf");
            for (key, value) in inner {
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = types.as_slice() {
                let one = one.clone();
                schema.insert("type".into(), one);
            }
        }
        if schema.get("default") == Some(&Value::Null) {
            schema.remove("default");
        }
        transform_subschemas(self, schema);
    }
}

/// A choice between words is an `enum`: "is none of: active, suspended" says more than that no
/// branch of a `oneOf` fits. What each word means goes where editors look for it.
#[derive(Clone, Debug)]
pub(super) struct Choices;

impl Transform for Choices {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(branches)) = schema.get("oneOf")
            && branches.iter().all(|branch| branch.get("const").is_some_and(Value::is_string))
        {
            // A field may narrow the choice.
            let narrowed = schema.get("enum").and_then(Value::as_array);
            let open = |branch: &&Value| narrowed.is_none_or(|words| words.iter().any(|word| *word == branch["const"]));
            let field = |name: &str| -> Vec<Value> {
                branches.iter().filter(open).map(|branch| branch.get(name).cloned().unwrap_or_default()).collect()
            };
            let (words, meanings) = (field("const"), field("description"));
            schema.remove("oneOf");
            schema.insert("type".into(), "string".into());
            schema.insert("enum".into(), words.into());
            if meanings.iter().all(Value::is_string) {
                schema.insert("enumDescriptions".into(), meanings.into());
            }
        }
        transform_subschemas(self, schema);
    }
}

/// Leaves out the formats that are Rust's names for integers and no part of JSON Schema; the range
/// says what is meant.
#[derive(Clone, Debug)]
pub(super) struct NoFormat;

impl Transform for NoFormat {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("type") == Some(&json!("integer")) {
            schema.remove("format");
        }
        transform_subschemas(self, schema);
    }
}

/// What a person looks for first comes first.
#[derive(Clone, Debug)]
pub(super) struct Order;

const FIRST: [&str; 9] =
    ["$schema", "title", "description", "type", "enum", "enumDescriptions", "default", "required", "format"];
const LAST: [&str; 6] = ["items", "properties", "patternProperties", "propertyNames", "additionalProperties", "$defs"];

impl Transform for Order {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        let mut rest = std::mem::take(object);
        let mut take = |names: &[&str]| -> Vec<(String, Value)> {
            names.iter().filter_map(|name| rest.shift_remove_entry(*name)).collect()
        };
        let (first, last) = (take(&FIRST), take(&LAST));
        object.extend(first.into_iter().chain(rest).chain(last));
    }
}

/// Says what a pattern means in the words that editors show in its place, and leaves out the
/// keyword that only our own messages read.
#[derive(Clone, Debug)]
pub(super) struct ForEditors;

impl Transform for ForEditors {
    fn transform(&mut self, schema: &mut Schema) {
        let expected = schema.as_object_mut().and_then(|object| object.shift_remove("x-expected"));
        if let Some(Value::String(expected)) = expected
            && schema.get("pattern").is_some()
        {
            schema.insert("patternErrorMessage".into(), format!("Expected {expected}.").into());
            Order.transform(schema);
        }
        transform_subschemas(self, schema);
    }
}
