//! Adapts what schemars derives for its readers: people, editors, and the messages of `check`.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

/// Removes null: an optional field without a value is absent.
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

/// Removes formats such as `uint32`, which JSON Schema does not define; the range says the same.
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

/// Puts the keywords that matter most to a reader first.
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

/// Explains a pattern in the words that editors show in its place, and removes the keywords that only
/// our own messages read.
#[derive(Clone, Debug)]
pub(super) struct ForEditors;

impl Transform for ForEditors {
    fn transform(&mut self, schema: &mut Schema) {
        let mut take = |keyword| schema.as_object_mut().and_then(|object| object.shift_remove(keyword));
        let (expected, _) = (take("x-expected"), take("x-form"));
        if let Some(Value::String(expected)) = expected
            && schema.get("pattern").is_some()
        {
            schema.insert("patternErrorMessage".into(), format!("Expected {expected}.").into());
            Order.transform(schema);
        }
        transform_subschemas(self, schema);
    }
}
