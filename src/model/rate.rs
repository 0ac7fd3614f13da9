//! Bandwidth, exact to the bit per second.

use std::fmt;
use std::str::FromStr;

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

/// A text that is not a rate, with its likely spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateError {
    text: String,
    /// The likely spelling, for "did you mean".
    pub(crate) suggestion: Option<String>,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = crate::text::quote::quoted(&self.text);
        write!(f, "{text} is not a rate such as `30 Mbps`, `7.5 Mbps` or `64 kbps`")
    }
}

impl std::error::Error for RateError {}

impl Rate {
    /// `None` for 0 and above the upper bound.
    pub(crate) fn from_bps(bits: u64) -> Option<Self> {
        (bits > 0 && bits < 10_u64.pow(MAX_DIGITS)).then_some(Self(bits))
    }

    /// The rate in bit/s.
    pub fn bps(self) -> u64 {
        self.0
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

    /// The likely spelling of `text`: adds a missing space, corrects the case, accepts short and long
    /// forms of a unit.
    fn suggestion(text: &str) -> Option<String> {
        let text = text.trim().replace(',', ".");
        let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = text.split_at(at);
        let number = match number.split_once('.') {
            Some((whole, fraction)) => {
                let whole = whole.trim_start_matches('0');
                let fraction = fraction.trim_end_matches('0');
                let dot = if fraction.is_empty() { "" } else { "." };
                format!("{}{dot}{fraction}", if whole.is_empty() { "0" } else { whole })
            }
            None => number.trim_start_matches('0').to_owned(),
        };
        // No guess for `MB`: it means bytes, eight times as much. `MBPS`, all in capitals, still means
        // bits.
        let unit = unit.trim();
        if unit.contains('B') && !unit.ends_with("BPS") && !unit.ends_with("BIT") {
            return None;
        }
        let unit = match unit.to_lowercase().as_str() {
            "g" | "gb" | "gbit" | "gbit/s" | "gbps" | "gbits" | "gig" => "Gbps",
            "m" | "mb" | "mbit" | "mbit/s" | "mbps" | "mbits" | "meg" => "Mbps",
            "k" | "kb" | "kbit" | "kbit/s" | "kbps" | "kbits" => "kbps",
            "b" | "bit" | "bits" | "bps" | "bit/s" => "bit/s",
            _ => return None,
        };
        let meant = format!("{number} {unit}");
        Self::parse(&meant).map(|_| meant)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        Self::parse(text).ok_or_else(|| RateError { suggestion: Self::suggestion(text), text: text.to_owned() })
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
            "x-form": "rate",
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
            assert_eq!(text.parse::<Rate>().map(Rate::bps), Ok(bits), "{text}");
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

    #[test]
    fn suggests_what_was_meant() {
        let meant = |text: &str| text.parse::<Rate>().err().and_then(|e| e.suggestion);
        assert_eq!(meant("30Mbps").as_deref(), Some("30 Mbps"));
        assert_eq!(meant("30 mbit/s").as_deref(), Some("30 Mbps"));
        assert_eq!(meant("7,50M").as_deref(), Some("7.5 Mbps"));
        assert_eq!(meant("1G").as_deref(), Some("1 Gbps"));
        for bytes in ["30 MBps", "30 MB", "1GB", "64 KB", "30 MB/s"] {
            assert_eq!(meant(bytes), None, "bytes are not bits: {bytes}");
        }
        assert_eq!(meant("30 MBPS").as_deref(), Some("30 Mbps"));
        assert_eq!(meant("fast"), None);
    }

    proptest! {
        #[test]
        fn prints_as_it_would_be_written(bits in 1_u64..10_u64.pow(MAX_DIGITS)) {
            let rate = Rate::from_bps(bits).unwrap();
            prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
        }
    }
}
