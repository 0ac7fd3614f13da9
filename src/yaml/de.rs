//! Deserializes typed records from the tree, by serde.
//!
//! Stricter than YAML: a scalar is text only if every tool reads it as text, a number is a whole number
//! in plain digits, and null is rejected. The schema accepts the same; a property test compares.

use serde::de::value::Error;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::{Node, NodeKind, ScalarType};

/// Reads `T` out of `node`.
///
/// # Errors
/// If the node does not fit `T`. The message names no place: the schema's violations do.
pub fn from_node<'de, T: de::Deserialize<'de>>(node: Node<'de>) -> Result<T, de::value::Error> {
    T::deserialize(NodeDeserializer(node))
}

struct NodeDeserializer<'de>(Node<'de>);

impl<'de> de::Deserializer<'de> for NodeDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.kind() {
            NodeKind::Sequence => visitor.visit_seq(ItemAccess(self.0.items())),
            NodeKind::Mapping => visitor.visit_map(EntryAccess { entries: self.0.entries(), value: None }),
            NodeKind::Scalar(_) => match self.0.scalar_type() {
                ScalarType::Text => visitor.visit_borrowed_str(self.0.text()),
                ScalarType::Integer(number) => visitor.visit_i64(number),
                ScalarType::Bool(value) => visitor.visit_bool(value),
                ScalarType::Null => visitor.visit_unit(),
                ScalarType::OtherNumber | ScalarType::OldBool => {
                    Err(de::Error::custom("not read as text by every tool: put it in quotes"))
                }
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A key that is present has a value; the inner type rejects null.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (self.0.is_scalar(), self.0.scalar_type()) {
            (true, ScalarType::Text) => visitor.visit_enum(self.0.text().into_deserializer()),
            _ => Err(de::Error::custom("expected one word")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // serde would also take a list, field by field.
        match self.0.kind() {
            NodeKind::Mapping => self.deserialize_any(visitor),
            _ => Err(de::Error::custom("expected keys and values")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

struct ItemAccess<'de>(super::document::NodeItems<'de>);

impl<'de> SeqAccess<'de> for ItemAccess<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|item| seed.deserialize(NodeDeserializer(item))).transpose()
    }
}

struct EntryAccess<'de> {
    entries: super::document::NodeEntries<'de>,
    value: Option<Node<'de>>,
}

impl<'de> MapAccess<'de> for EntryAccess<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(de::value::BorrowedStrDeserializer::new(key.text())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(NodeDeserializer(value)),
            None => Err(de::Error::custom("a value without a key")),
        }
    }
}
