//! The type that YAML tools give a plain scalar.
//!
//! YAML 1.2 and the older 1.1, which many tools still follow, disagree: `no` is a text in one and
//! `false` in the other. Whatever either of them reads as something other than text counts as
//! that here, so that a value means the same thing to everyone or is refused.
//! Sources: YAML 1.2.2 section 10.3.2; the YAML 1.1 type repository (bool, int, float, null).

/// The type that YAML gives to a plain scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarType {
    /// Text in every version of YAML.
    Text,
    /// A whole number in plain decimal digits.
    Integer(i64),
    /// A number to some version of YAML, but not a plain whole one.
    OtherNumber,
    /// `true` or `false`.
    Bool(bool),
    /// A boolean in YAML 1.1 only: `yes`, `no`, `on`, `off`, `y`, `n`.
    OldBool,
    /// `null`, `~` or nothing at all.
    Null,
}

/// The type of a plain scalar.
pub fn scalar_type(text: &str) -> ScalarType {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => ScalarType::Null,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        Some(b'~') if text == "~" => ScalarType::Null,
        // The first letters of the words that are no text; most short keys have others.
        Some(b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'y' | b'Y' | b'o' | b'O') if text.len() <= 5 => word(text),
        Some(_) => ScalarType::Text,
    }
}

fn word(text: &str) -> ScalarType {
    match text {
        "true" | "True" | "TRUE" => ScalarType::Bool(true),
        "false" | "False" | "FALSE" => ScalarType::Bool(false),
        "null" | "Null" | "NULL" => ScalarType::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => ScalarType::OldBool,
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => ScalarType::OldBool,
        _ => ScalarType::Text,
    }
}

/// Bytes that a number of any kind may have, `.inf` and `0x1F` included.
const NUMERIC: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"0123456789abcdefABCDEF_.+-:xoinIN";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

fn number(text: &str) -> ScalarType {
    // Names of plans begin with a digit, too.
    if !text.bytes().all(|byte| NUMERIC[usize::from(byte)]) {
        return ScalarType::Text;
    }
    // No number has two points, and most texts that reach this line are IPv4 addresses.
    let mut points = text.bytes().filter(|&b| b == b'.');
    if points.next().is_some() && points.next().is_some() {
        return ScalarType::Text;
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return ScalarType::Text;
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        let plain = digits.len() == 1 || !digits.starts_with('0');
        return match text.parse() {
            Ok(value) if plain && !text.starts_with('+') => ScalarType::Integer(value),
            _ => ScalarType::OtherNumber,
        };
    }
    if is_special_float(digits) || is_radix(digits) || is_float(digits) || is_sexagesimal(digits) {
        ScalarType::OtherNumber
    } else {
        ScalarType::Text
    }
}

fn is_special_float(text: &str) -> bool {
    matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

/// `0x1F`, `0o17`, `0b101`, and 1.1's digits with underscores.
fn is_radix(text: &str) -> bool {
    let digits = |rest: &str, valid: fn(u8) -> bool| !rest.is_empty() && rest.bytes().all(|b| valid(b) || b == b'_');
    if let Some(rest) = text.strip_prefix("0x") {
        return digits(rest, |b| b.is_ascii_hexdigit());
    }
    if let Some(rest) = text.strip_prefix("0o") {
        return digits(rest, |b| matches!(b, b'0'..=b'7'));
    }
    if let Some(rest) = text.strip_prefix("0b") {
        return digits(rest, |b| matches!(b, b'0' | b'1'));
    }
    text.starts_with(|c: char| c.is_ascii_digit()) && digits(text, |b| b.is_ascii_digit())
}

/// Digits with at most one point and an optional exponent.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit())
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    exponent_fits
        && digits(whole)
        && digits(fraction)
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && !mantissa.starts_with('_')
}

/// 1.1's base 60: `190:20:30`, `1:30.5`.
fn is_sexagesimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let first = parts.next().unwrap_or_default();
    let mut more = 0;
    let sixties = parts.all(|part| {
        more += 1;
        let two = part.len() == 1 || (part.len() == 2 && part.as_bytes()[0] < b'6');
        two && part.bytes().all(|b| b.is_ascii_digit())
    });
    !first.is_empty() && digits(first) && sixties && more > 0 && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for text in [
            "a",
            "10.10.10.25",
            "10.0.0.0/8",
            "2001:db8::1",
            "30 Mbps",
            "30_MEG_UP",
            "2026-12-01",
            "-",
            "+",
            "no.example",
            "1.2.3",
            "ispcustomer.co.zw",
            "0x",
            "1e",
            "e5",
            "1:99:00",
            "Nope",
        ] {
            assert_eq!(scalar_type(text), ScalarType::Text, "{text}");
        }
    }

    #[test]
    fn whole_numbers_in_plain_digits_are_integers() {
        assert_eq!(scalar_type("0"), ScalarType::Integer(0));
        assert_eq!(scalar_type("-17"), ScalarType::Integer(-17));
        assert_eq!(scalar_type("500"), ScalarType::Integer(500));
    }

    #[test]
    fn every_other_number_has_a_type_of_its_own() {
        for text in [
            "0777",
            "+5",
            "0x1F",
            "0o17",
            "0b11",
            "1_000",
            "1.5",
            ".5",
            "5.",
            "1e3",
            "-1.5E-3",
            ".inf",
            "-.INF",
            ".nan",
            "+.NaN",
            ".INF",
            "0xAbCdEf",
            "190:20:30",
            "1:2:3:4:5:6:7:8",
            "99999999999999999999",
            "00",
        ] {
            assert_eq!(scalar_type(text), ScalarType::OtherNumber, "{text}");
        }
    }

    #[test]
    fn words_of_either_version_count() {
        assert_eq!(scalar_type("true"), ScalarType::Bool(true));
        for text in ["NO", "yes", "off", "On", "y"] {
            assert_eq!(scalar_type(text), ScalarType::OldBool, "{text}");
        }
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(scalar_type(text), ScalarType::Null, "{text}");
        }
    }
}
