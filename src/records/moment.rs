//! A moment, to the second, in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::model::Date;

/// A moment, written `2026-11-21T07:23:15Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl Moment {
    /// The clock of this machine, to the second. Clocks go wrong and backwards: nothing may follow
    /// from the order of two moments.
    pub fn now() -> Moment {
        let now = Timestamp::now();
        Moment(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }

    /// The first second of a day.
    ///
    /// # Errors
    /// If the day is beyond the calendar.
    pub fn start_of(date: Date) -> Result<Moment, String> {
        format!("{date}T00:00:00Z").parse()
    }

    /// The last second of a day.
    ///
    /// # Errors
    /// If the day is beyond the calendar.
    pub fn end_of(date: Date) -> Result<Moment, String> {
        format!("{date}T23:59:59Z").parse()
    }

    /// For the name of a file: `20261121T072315Z`.
    pub fn compact(self) -> String {
        self.to_string().replace([':', '-'], "")
    }

    /// So much later, as far as the calendar goes.
    pub fn after(self, time: std::time::Duration) -> Moment {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let later = self.0.as_second().saturating_add(seconds);
        Moment(Timestamp::from_second(later).unwrap_or(Timestamp::MAX))
    }

    /// Milliseconds since 1970.
    pub fn milliseconds(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Seconds from `earlier` to this; nothing if the clock went backwards.
    pub fn seconds_since(self, earlier: Moment) -> u64 {
        u64::try_from(self.0.as_second() - earlier.0.as_second()).unwrap_or_default()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Moment).map_err(|_| {
            format!(
                "{} is neither a day such as 2026-11-21 nor a moment such as 2026-11-21T07:23:15Z (UTC)",
                crate::text::quote::quoted(text)
            )
        })
    }
}

impl serde::Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
