//! Presents the tree to the JSON Schema validator without building JSON.
//!
//! A scalar that is not text, a whole number or a boolean in every YAML tool appears as null, which no
//! schema here allows: see [`super::ScalarType`].

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{self, Json, JsonNumber, NodeIdentity};
use serde_json::{Number, Value};

use super::document::{NodeEntries, NodeItems};
use super::{Node, NodeKind, ScalarType, Style, scalar_type};

/// Marks [`View`] as a representation of JSON.
pub struct YamlJson;

/// A node, or a bare text such as a key.
#[derive(Clone, Copy)]
pub enum View<'a> {
    /// A node of the tree.
    Node(Node<'a>),
    /// A key.
    Key(&'a str),
}

impl View<'_> {
    fn scalar_type(&self) -> ScalarType {
        match self {
            View::Node(node) if node.kind() == NodeKind::Scalar(Style::Plain) => scalar_type(node.text()),
            _ => ScalarType::Text,
        }
    }
}

impl Json for YamlJson {
    type Node<'a> = View<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(View<'_>) -> T) -> T {
        f(View::Key(string))
    }
}

/// A whole number.
pub struct WholeNumber(i64);

impl JsonNumber for WholeNumber {
    fn as_u64(&self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    fn as_i64(&self) -> Option<i64> {
        Some(self.0)
    }

    fn as_f64(&self) -> Option<f64> {
        Some(self.0 as f64)
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.0.to_string())
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(Number::from(self.0))
    }

    fn is_integer(&self) -> bool {
        true
    }
}

impl<'a> json::Node<'a, YamlJson> for View<'a> {
    type Object = MappingView<'a>;
    type Array = SequenceView<'a>;
    type Number = WholeNumber;

    fn as_object(&self) -> Option<MappingView<'a>> {
        match self {
            View::Node(node) if node.kind() == NodeKind::Mapping => Some(MappingView(*node)),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<SequenceView<'a>> {
        match self {
            View::Node(node) if node.kind() == NodeKind::Sequence => Some(SequenceView(*node)),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            View::Key(text) => Some(Cow::Borrowed(text)),
            View::Node(node) if node.is_scalar() && self.scalar_type() == ScalarType::Text => {
                Some(Cow::Borrowed(node.text()))
            }
            View::Node(_) => None,
        }
    }

    fn as_number(&self) -> Option<WholeNumber> {
        match self.scalar_type() {
            ScalarType::Integer(number) => Some(WholeNumber(number)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.scalar_type() {
            ScalarType::Bool(value) => Some(value),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.json_type() == JsonType::Null
    }

    fn json_type(&self) -> JsonType {
        let View::Node(node) = self else {
            return JsonType::String;
        };
        match node.kind() {
            NodeKind::Mapping => JsonType::Object,
            NodeKind::Sequence => JsonType::Array,
            NodeKind::Scalar(_) => match self.scalar_type() {
                ScalarType::Text => JsonType::String,
                ScalarType::Integer(_) => JsonType::Number,
                ScalarType::Bool(_) => JsonType::Boolean,
                ScalarType::Null | ScalarType::OtherNumber | ScalarType::OldBool => JsonType::Null,
            },
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match expected {
            Value::String(text) => self.as_string().is_some_and(|own| own == text.as_str()),
            other => *self.to_value() == *other,
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match (self, self.json_type()) {
            (View::Key(text), _) => Value::String((*text).to_owned()),
            (View::Node(node), JsonType::Object) => node
                .entries()
                .map(|(key, value)| (key.text().to_owned(), View::Node(value).to_value().into_owned()))
                .collect(),
            (View::Node(node), JsonType::Array) => {
                node.items().map(|item| View::Node(item).to_value().into_owned()).collect()
            }
            (View::Node(node), JsonType::String) => Value::String(node.text().to_owned()),
            (_, JsonType::Number) => self.as_number().map_or(Value::Null, |n| n.0.into()),
            (_, JsonType::Boolean) => self.as_boolean().map_or(Value::Null, Value::Bool),
            _ => Value::Null,
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            View::Node(node) => Some(NodeIdentity::tagged(node.document_address(), node.id())),
            View::Key(_) => None,
        }
    }
}

/// A mapping as a JSON object.
pub struct MappingView<'a>(Node<'a>);

impl<'a> json::Object<'a, YamlJson> for MappingView<'a> {
    type Node = View<'a>;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        self.0.entries().count()
    }

    fn get(&self, key: &String) -> Option<View<'a>> {
        self.0.get(key).map(View::Node)
    }

    fn members(&self) -> Members<'a> {
        Members(self.0.entries())
    }
}

/// The members of an object.
pub struct Members<'a>(NodeEntries<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, View<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key.text(), View::Node(value)))
    }
}

/// A list as a JSON array.
pub struct SequenceView<'a>(Node<'a>);

impl<'a> json::Array<'a, YamlJson> for SequenceView<'a> {
    type Node = View<'a>;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        self.0.items().count()
    }

    fn elements(&self) -> Elements<'a> {
        Elements(self.0.items())
    }
}

/// The elements of an array.
pub struct Elements<'a>(NodeItems<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = View<'a>;

    fn next(&mut self) -> Option<View<'a>> {
        self.0.next().map(View::Node)
    }
}
