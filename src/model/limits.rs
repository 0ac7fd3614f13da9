//! How much one change may touch.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::domain::DomainName;

/// How much of a file one change may touch: a percentage of its lines, or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A percentage, 0 to 100.
    Percent(u8),
    /// A number of lines.
    Count(u32),
}

impl Limit {
    /// Whether `touched` out of `total` is more than the limit allows.
    pub fn exceeded(self, touched: usize, total: usize) -> bool {
        match self {
            Limit::Percent(percent) => touched as u128 * 100 > total as u128 * u128::from(percent),
            Limit::Count(count) => touched > count as usize,
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{} is not a limit such as 30% or 500", crate::text::quote::quoted(text));
        let canonical =
            |digits: &str| digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
        match text.strip_suffix('%') {
            Some(digits) if canonical(digits) => {
                digits.parse().ok().filter(|p| *p <= 100).map(Limit::Percent).ok_or_else(bad)
            }
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Percent(percent) => write!(f, "{percent}%"),
            Limit::Count(count) => write!(f, "{count}"),
        }
    }
}

impl serde::Serialize for Limit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Limit::Percent(_) => serializer.collect_str(self),
            Limit::Count(count) => serializer.serialize_u32(*count),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountOrPercent;
        impl serde::de::Visitor<'_> for CountOrPercent {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a percentage such as 30%, or a count")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Limit, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, count: i64) -> Result<Limit, E> {
                self.visit_u64(u64::try_from(count).unwrap_or(u64::MAX))
            }

            // serde_json, which reads the limits recorded by the last publish, calls this for counts.
            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<Limit, E> {
                u32::try_from(count)
                    .ok()
                    .filter(|count| *count <= 100_000_000)
                    .map(Limit::Count)
                    .ok_or_else(|| E::custom("expected a count from 0 to 100000000"))
            }
        }
        deserializer.deserialize_any(CountOrPercent)
    }
}

impl schemars::JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "pattern": "^(?:100|[1-9]?[0-9])%$",
            "minimum": 0,
            "maximum": 100_000_000,
            "x-expected": "a percentage such as 30%, or a count such as 500",
            "x-form": "Limit",
        })
    }
}

/// Limits for one domain or one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct DomainLimits {
    /// How many subscribers one change may give another plan or domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Most changed")]
    pub max_changed: Option<Limit>,
    /// How many subscribers one change may remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Most removed")]
    pub max_removed: Option<Limit>,
    /// Percentages count only from this number of subscribers on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "min_subscribers")]
    #[schemars(title = "From how many subscribers on", with = "u32", range(min = 0, max = 100_000_000), extend("x-expected" = "a whole number"))]
    pub min_subscribers: Option<u32>,
}

fn min_subscribers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let count: u32 = serde::Deserialize::deserialize(deserializer)?;
    if count <= 100_000_000 {
        Ok(Some(count))
    } else {
        Err(serde::de::Error::custom("expected a whole number up to 100000000"))
    }
}

/// Limits for one change. A larger change needs an acknowledgement by its fingerprint.
///
/// The defaults are those of octoDNS: 30 % of 10 or more.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Safety {
    /// How many subscribers one change may give another plan or domain. Default: 30%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Most changed")]
    pub max_changed: Option<Limit>,
    /// How many subscribers one change may remove. Default: 30%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Most removed")]
    pub max_removed: Option<Limit>,
    /// Percentages count only from this number of subscribers on. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "min_subscribers")]
    #[schemars(title = "From how many subscribers on", with = "u32", range(min = 0, max = 100_000_000), extend("x-expected" = "a whole number"))]
    pub min_subscribers: Option<u32>,
    /// Further limits for single domains, by name, on top of the general ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(title = "Domains", schema_with = "by_name::<DomainName, DomainLimits>", extend("x-expected" = "limits by domain, such as {ispcustomer.co.zw: {max_removed: 10%}}"))]
    pub domains: BTreeMap<DomainName, DomainLimits>,
}

/// Values by name. Left to itself `schemars` would keep the name's pattern and lose its length.
pub(super) fn by_name<K: schemars::JsonSchema, V: schemars::JsonSchema>(
    generator: &mut schemars::SchemaGenerator,
) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "propertyNames": K::json_schema(generator),
        "additionalProperties": generator.subschema_for::<V>(),
        "x-expected": "names with values",
    })
}
