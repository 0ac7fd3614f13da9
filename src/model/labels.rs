//! Labels: free-form names and values on a record.

use std::collections::BTreeMap;

use super::Text;
use super::text::{is_free_text, text_type};

text_type! {
    /// A label's name.
    LabelName, Box<str>, max 63,
    pattern "^[A-Za-z0-9][A-Za-z0-9._/-]*$",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'))
        && is_free_text(text),
    expected "a label's name: letters, digits and . _ / -, at most 63"
}

/// Labels of a record, such as `labels: {ticket: "4711"}`; at most [`Labels::MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Labels(BTreeMap<LabelName, Text>);

impl Labels {
    /// Upper bound for the labels of a record.
    pub(crate) const MAX: usize = 64;

    /// Names and values, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<'de> serde::Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let labels = BTreeMap::deserialize(deserializer)?;
        if labels.len() > Self::MAX {
            return Err(serde::de::Error::invalid_length(labels.len(), &"at most 64 labels"));
        }
        Ok(Self(labels))
    }
}

impl schemars::JsonSchema for Labels {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Labels".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "maxProperties": Self::MAX,
            "propertyNames": LabelName::json_schema(generator),
            "additionalProperties": Text::json_schema(generator),
            "x-expected": "names with values, such as {ticket: \"4711\"}",
        })
    }
}
