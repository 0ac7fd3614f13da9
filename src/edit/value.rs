//! What is written into a record: values without a place, and how they look as YAML.

use anyhow::{Result, bail};
use serde::Serialize;

use crate::fmt::scalar::{ScalarContext, double_quoted, needs_no_quotes};
use crate::model::Date;
use crate::text::characters::is_steering;
use crate::yaml::{Node, NodeKind, ScalarType, Style};

/// A value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, whatever is in it.
    Text(String),
    /// A whole number, written without quotes.
    Whole(i64),
    /// A list.
    List(Vec<Value>),
    /// Keys and values.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// What a node of the tree holds, if every tool reads it as that.
    pub(super) fn of(node: Node<'_>) -> Option<Value> {
        Some(match node.kind() {
            NodeKind::Scalar(_) => match node.scalar_type() {
                ScalarType::Text => Value::text(node.text()),
                ScalarType::Integer(number) => Value::Whole(number),
                _ => return None,
            },
            NodeKind::Sequence => Value::List(node.items().map(Value::of).collect::<Option<_>>()?),
            NodeKind::Mapping => {
                let entry = |(key, value): (Node<'_>, Node<'_>)| Some((key.text().to_owned(), Value::of(value)?));
                Value::Map(node.entries().map(entry).collect::<Option<_>>()?)
            }
        })
    }

    /// Whether a node holds this value; the order of keys means nothing.
    pub(super) fn is(&self, node: Node<'_>) -> bool {
        match (self, node.kind()) {
            (Value::Text(text), NodeKind::Scalar(_)) => text == node.text() && node.scalar_type() == ScalarType::Text,
            (Value::Whole(number), NodeKind::Scalar(_)) => node.scalar_type() == ScalarType::Integer(*number),
            (Value::List(values), NodeKind::Sequence) => {
                let mut items = node.items();
                values.iter().all(|value| items.next().is_some_and(|item| value.is(item))) && items.next().is_none()
            }
            (Value::Map(values), NodeKind::Mapping) => {
                node.entries().count() == values.len()
                    && values.iter().all(|(key, value)| node.get(key).is_some_and(|found| value.is(found)))
            }
            _ => false,
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Value::Text(text) => text.as_str().into(),
            Value::Whole(number) => (*number).into(),
            Value::List(values) => values.iter().map(Value::json).collect(),
            Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value.json())).collect(),
        }
    }

    fn of_json(json: serde_json::Value) -> Result<Value> {
        use serde_json::Value as Json;
        Ok(match json {
            Json::String(text) => Value::Text(text),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Whole(whole),
                None => bail!("{number} is no whole number"),
            },
            Json::Array(values) => Value::List(values.into_iter().map(Value::of_json).collect::<Result<_>>()?),
            Json::Object(map) => {
                let entry = |(key, value)| Ok((key, Value::of_json(value)?));
                Value::Map(map.into_iter().map(entry).collect::<Result<_>>()?)
            }
            Json::Null | Json::Bool(_) => bail!("no field holds {json}"),
        })
    }
}

/// The fields of a record, in the order in which they are written where nothing else says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, Value)>);

impl Fields {
    /// The fields of a record of the model, in the order of its schema.
    ///
    /// # Errors
    /// If the record holds something that no data file can.
    pub fn of<T: Serialize>(record: &T) -> Result<Fields> {
        match Value::of_json(serde_json::to_value(record)?)? {
            Value::Map(fields) => Ok(Fields(fields)),
            _ => bail!("a record has fields"),
        }
    }

    /// The record of the model with these fields.
    ///
    /// # Errors
    /// If they are not those of one.
    pub fn record<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_value(Value::Map(self.0.clone()).json())?)
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }
}

/// How a text was quoted where nothing made it need quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Single,
    Double,
}

impl Quotes {
    /// The quotes that a node has by choice: nothing for one that needs them, or is no text.
    pub(super) fn chosen(node: Node<'_>, source: &str, place: ScalarContext) -> Option<Quotes> {
        match (node.kind(), source.as_bytes().get(node.span().start as usize)) {
            (NodeKind::Scalar(Style::Plain), _) => Some(Quotes::None),
            (NodeKind::Scalar(Style::Quoted), _) if !needs_no_quotes(node.text(), place) => None,
            (NodeKind::Scalar(Style::Quoted), Some(b'\'')) => Some(Quotes::Single),
            (NodeKind::Scalar(Style::Quoted), _) => Some(Quotes::Double),
            _ => None,
        }
    }
}

/// A text on one line that means the same to every tool.
pub(super) fn scalar(field: &str, text: &str, quotes: Quotes, place: ScalarContext) -> String {
    let date = matches!(field, "starts" | "ends") && text.parse::<Date>().is_ok();
    match quotes {
        Quotes::None if date || needs_no_quotes(text, place) => text.to_owned(),
        Quotes::Double => double_quoted(text),
        _ if text.chars().any(|c| is_steering(c) || c == '\t') => double_quoted(text),
        _ => format!("'{}'", text.replace('\'', "''")),
    }
}

/// A value on one line.
pub(super) fn inline(field: &str, value: &Value, quotes: Quotes, place: ScalarContext) -> String {
    match value {
        Value::Text(text) => scalar(field, text, quotes, place),
        Value::Whole(number) => number.to_string(),
        Value::List(values) => {
            let values: Vec<String> =
                values.iter().map(|value| inline(field, value, quotes, ScalarContext::Flow)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(String, Value)| {
                let key = scalar("", key, Quotes::None, ScalarContext::Flow);
                format!("{key}: {}", inline("", value, Quotes::None, ScalarContext::Flow))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}
