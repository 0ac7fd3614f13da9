//! Text types with a pattern: one macro, so that the schema and the reading cannot differ.

/// The pattern of one character of free text: no control character, none that is invisible.
pub(crate) fn free_text() -> String {
    let escaped = |c: u32| if c > 0xffff { format!("\\u{{{c:x}}}") } else { format!("\\u{c:04x}") };
    let range = |(first, last): (u32, u32)| match first == last {
        true => escaped(first),
        false => format!("{}-{}", escaped(first), escaped(last)),
    };
    format!("[^{}]", crate::text::characters::STEERING.map(range).concat())
}

/// Declares a text type: its name, its maximum length in characters, the pattern for the schema, and an
/// equivalent check in Rust. A test in `schema.rs` compares the two.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $inner:ty, max $max:literal, pattern $pattern:expr, $valid:expr, expected $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether `text` is such a value.
            pub(crate) fn is_valid(text: &str) -> bool {
                let valid: fn(&str) -> bool = $valid;
                !text.is_empty() && !$crate::model::text::is_longer(text, $max) && valid(text)
            }

            /// Why `text` is no such value.
            pub(crate) fn explain(text: &str) -> $crate::model::misspelling::Misspelling {
                $crate::model::misspelling::explain_text(text, $max, Self::is_valid, $expected)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::misspelling::Misspelt;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if Self::is_valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err($crate::model::misspelling::Misspelt::new(text, Self::explain))
                }
            }
        }

        $crate::model::text::text_traits! { $name, max $max, pattern $pattern, expected $expected }
    };
}
pub(crate) use text_type;

/// What every text type can do that has `as_str` and `FromStr`: printing, reading, its schema.
macro_rules! text_traits {
    ($name:ident, max $max:expr, pattern $pattern:expr, expected $expected:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::model::text::FromStrVisitor::new($expected))
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "minLength": 1,
                    "maxLength": $max,
                    "pattern": $pattern,
                    "x-expected": $expected,
                    "x-form": stringify!($name),
                })
            }
        }
    };
}
pub(crate) use text_traits;

/// Deserializes a type that implements `FromStr` from a text.
pub(crate) struct FromStrVisitor<T> {
    expected: &'static str,
    of: std::marker::PhantomData<T>,
}

impl<T> FromStrVisitor<T> {
    pub(crate) fn new(expected: &'static str) -> Self {
        Self { expected, of: std::marker::PhantomData }
    }
}

impl<T: std::str::FromStr<Err: std::fmt::Display>> serde::de::Visitor<'_> for FromStrVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Whether `text` has more than `max` characters. Most texts have no more bytes than that, and are not
/// counted.
pub(crate) fn is_longer(text: &str, max: usize) -> bool {
    text.len() > max && text.chars().nth(max).is_some()
}

/// Whether free text contains nothing that could end a line or control a terminal.
pub(crate) fn is_free_text(text: &str) -> bool {
    !text.chars().any(crate::text::characters::is_steering)
}

text_type! {
    /// Free text on one line, without control characters.
    Text, Box<str>, max 200,
    pattern format!("^{}+$", free_text()),
    is_free_text,
    expected "text on one line, at most 200 characters"
}

/// Whether a text matches `pattern` as a validator of JSON Schema reads it.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) fn is_match(pattern: &str) -> impl Fn(&str) -> bool + use<> {
    let schema = serde_json::json!({"type": "string", "pattern": pattern});
    let validator = jsonschema::validator_for(&schema).unwrap();
    move |text| validator.is_valid(&serde_json::json!(text))
}
