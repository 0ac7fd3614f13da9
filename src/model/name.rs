//! Interned names of plans and domains.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// A reference by name to a plan or a domain. The rules check that it exists.
///
/// Equal names read by one thread share their text: a million subscribers refer to a few plans. The pointer
/// to it is one word; that to a `str` would be two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<Arc<str>>);

/// Upper bound for the names that a thread interns, so that hostile data cannot exhaust memory.
const REMEMBERED: usize = 4096;

thread_local! {
    static NAMES: RefCell<HashSet<Name, RandomState>> = RefCell::default();
}

impl Name {
    pub(crate) fn new(text: &str) -> Self {
        NAMES.with_borrow_mut(|names| {
            if let Some(name) = names.get(text) {
                return name.clone();
            }
            if names.len() >= REMEMBERED {
                names.clear();
            }
            let name = Self(Arc::new(text.into()));
            names.insert(name.clone());
            name
        })
    }
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a name cannot be empty".into());
        }
        if super::text::is_longer(text, 253) {
            return Err("a name has at most 253 characters".into());
        }
        Ok(Self::new(text))
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::text::FromStrVisitor::new("a name"))
    }
}

impl schemars::JsonSchema for Name {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "x-expected": "a name"})
    }
}
