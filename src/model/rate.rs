//! Bandwidth, exact to the bit per second.

use std::fmt;
use std::str::FromStr;

use super::misspelling::{Misspelling, Misspelt};
use super::rate_spelling::{self, Usual};

/// A rate: a whole number of bit/s, at least 1.
///
/// Written as a number, one space and a unit: `30 Mbps`, `7.5 Mbps`, `64 kbps`. Units are decimal
/// (SI): 1 kbps is 1,000 bit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

/// Units, largest first, each with its power of ten in bit/s.
const UNITS: [(&str, u32); 4] = [("Gbps", 9), ("Mbps", 6), ("kbps", 3), ("bit/s", 0)];

/// Upper bound for the decimal digits of a rate in bit/s: just under 1 Pbit/s.
const MAX_DIGITS: u32 = 15;

/// The grammar of [`Rate::parse`] as a pattern for the schema: at most [`MAX_DIGITS`] digits, no
/// leading zero, no more decimals than the unit has digits, not zero.
pub(crate) const PATTERN: &str = concat!(
    r"^(?!0(?:\.0+)? )(?:",
    r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,9})? Gbps|",
    r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})? Mbps|",
    r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,3})? kbps|",
    r"[1-9][0-9]{0,14} bit/s)$"
);

impl Rate {
    /// `None` for 0 and above the upper bound.
    pub(crate) fn from_bps(bits: u64) -> Option<Self> {
        (bits > 0 && bits < 10_u64.pow(MAX_DIGITS)).then_some(Self(bits))
    }

    /// The rate in bit/s.
    pub fn bps(self) -> u64 {
        self.0
    }

    /// Why a text is not a rate.
    pub(crate) fn explain(text: &str) -> Misspelling {
        let bps = |text: &str| Self::parse(text).map(Self::bps);
        let spelt = |bits| Self::from_bps(bits).map(|rate| rate.to_string());
        rate_spelling::explain(text, Usual { bps, spelt })
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once(' ')?;
        let (_, digits) = *UNITS.iter().find(|(name, _)| *name == unit)?;
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !all_digits(whole) || leading_zero || whole.len() as u32 > MAX_DIGITS - digits {
            return None;
        }
        if fraction.is_some_and(|part| !all_digits(part) || part.len() as u32 > digits) {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let scale = 10_u64.checked_pow(digits - fraction.len() as u32)?;
        let bits = format!("{whole}{fraction}").parse::<u64>().ok()?.checked_mul(scale)?;
        Self::from_bps(bits)
    }
}

impl FromStr for Rate {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        Self::parse(text).ok_or_else(|| Misspelt::new(text, Rate::explain))
    }
}

impl fmt::Display for Rate {
    /// In the largest unit that is not larger than the rate, exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_bps(u128::from(self.0), f)
    }
}

fn fmt_bps(bits: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let fits = |digits: u32| bits >= 10_u128.pow(digits);
    let (unit, digits) = UNITS.into_iter().find(|(_, digits)| fits(*digits)).unwrap_or(("bit/s", 0));
    let scale = 10_u128.pow(digits);
    let (whole, rest) = (bits / scale, bits % scale);
    if rest == 0 {
        return write!(f, "{whole} {unit}");
    }
    let fraction = format!("{rest:0width$}", width = digits as usize);
    write!(f, "{whole}.{} {unit}", fraction.trim_end_matches('0'))
}

/// A sum of rates in bit/s. Unlike a [`Rate`] it may be 0; it is printed like one.
pub(crate) struct TotalBps(pub(crate) u128);

impl fmt::Display for TotalBps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_bps(self.0, f)
    }
}

impl serde::Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::text::FromStrVisitor::new("a rate such as `30 Mbps`"))
    }
}

impl schemars::JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": PATTERN,
            "x-expected": "a rate: a number, one space and a unit (bit/s, kbps, Mbps, Gbps), such as 30 Mbps",
            "x-form": "Rate",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_exact() {
        for (text, bits) in [
            ("7.5 Mbps", 7_500_000),
            ("30 Mbps", 30_000_000),
            ("64 kbps", 64_000),
            ("1 bit/s", 1),
            ("0.000000001 Gbps", 1),
            ("999999.999999999 Gbps", 999_999_999_999_999),
        ] {
            assert_eq!(text.parse::<Rate>().ok().map(Rate::bps), Some(bits), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "30",
            "30Mbps",
            "30  Mbps",
            "30 mbps",
            "0 Mbps",
            "0.0 Mbps",
            "1.2345678 Mbps",
            ".5 Mbps",
            "5. Mbps",
            "-1 Mbps",
            "01 Mbps",
            "1.5 bit/s",
            "1000000 Gbps",
            "1e3 kbps",
            "٣ Mbps",
            " 3 Mbps",
            "3 Mbps ",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn prints_as_it_would_be_written(bits in 1_u64..10_u64.pow(MAX_DIGITS)) {
            let rate = Rate::from_bps(bits).unwrap();
            prop_assert_eq!(rate.to_string().parse::<Rate>().ok(), Some(rate));
        }
    }
}
