//! Calendar dates, in UTC.

use std::fmt;
use std::str::FromStr;

use super::date_spelling;
use super::misspelling::{Misspelling, Misspelt};

/// A calendar day in UTC, written `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// Why a text is not a date.
    pub(crate) fn explain(text: &str) -> Misspelling {
        date_spelling::explain(text, |text| text.parse::<Date>().is_ok())
    }

    pub(crate) fn today() -> Self {
        Self(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date())
    }
}

impl FromStr for Date {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let bytes = text.as_bytes();
        let shape = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() });
        let parsed = shape.then(|| jiff::civil::Date::strptime("%Y-%m-%d", text).ok()).flatten();
        parsed.map(Self).ok_or_else(|| Misspelt::new(text, Date::explain))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::text::FromStrVisitor::new("a date such as 2026-12-01"))
    }
}

impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // Many validators ignore `format`; the pattern makes them check the date.
        schemars::json_schema!({
            "type": "string",
            "format": "date",
            "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
            "x-expected": "a date: year-month-day, such as 2026-12-01",
            "x-form": "Date",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar_only() {
        for text in ["2026-12-01", "2028-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Date>().ok().map(|d| d.to_string()).as_deref(), Some(text));
        }
        for text in ["2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-12-01T00:00", "", "+026-01-01"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
