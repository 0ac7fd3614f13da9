//! Spellings that people use for a rate, and which rate they mean.

use super::misspelling::{LONGEST, Misspelling};
use crate::text::quote::quoted;

const HELP: &str = "write a number, one space and a unit (bit/s, kbps, Mbps, Gbps), such as `30 Mbps`";

/// What is known of rates in the usual spelling.
#[derive(Clone, Copy)]
pub(super) struct Usual {
    /// The bits per second of a rate.
    pub(super) bps: fn(&str) -> Option<u64>,
    /// The spelling of a rate in bits per second.
    pub(super) spelt: fn(u64) -> Option<String>,
}

/// Why `text` is not a rate, and what to write.
pub(super) fn explain(text: &str, usual: Usual) -> Misspelling {
    let shown = quoted(text);
    let plain = || Misspelling::with_help(format!("{shown} is not a rate"), HELP);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Misspelling::with_help("an empty text is not a rate", HELP);
    }
    if text.len() > LONGEST {
        return plain();
    }
    if ["unlimited", "max", "maximum", "none", "full", "infinite"].contains(&trimmed.to_lowercase().as_str()) {
        let help = "every plan has a rate: write the most that the line carries, such as `10 Gbps`";
        return Misspelling::with_help(format!("{shown} is not a rate"), help);
    }
    if trimmed.split_once('/').is_some_and(|(one, other)| is_rate_like(one) && is_rate_like(other)) {
        let help = "write one rate here; a plan has its upload rate in `up` and its download rate in `down`";
        return Misspelling::with_help(format!("{shown} names two rates"), help);
    }
    let (number, unit) = split(trimmed);
    let readings = readings(number);
    let Some(first) = readings.first() else { return plain() };
    if first.bytes().all(|b| matches!(b, b'0' | b'.')) {
        return Misspelling::with_help(
            format!("{shown} is less than the least rate, 1 bit/s"),
            "write a rate above 0; to stop the service of a subscriber, give the subscriber `status: suspended`",
        );
    }
    if unit.is_empty() {
        let help = format!("add the unit after a space, such as `{} Mbps`", readings[0]);
        return Misspelling::with_help(format!("{shown} is a number without a unit"), help);
    }
    match (known_unit(unit), readings.as_slice()) {
        (Unit::Bits(unit), readings) => of_bits(&shown, readings, unit, usual),
        (Unit::Bytes(unit), [number]) => Misspelling::with_help(
            format!("{shown} counts bytes, and a rate counts bits"),
            match times_eight(number, unit, usual) {
                Some(bits) => format!("write `{bits}`, which is as much, or `{number} {unit}` if bits are meant"),
                None => HELP.to_owned(),
            },
        ),
        (Unit::Unknown, _) if unit.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Misspelling::with_help(format!("{shown} is not a rate, because {} is not a unit", quoted(unit)), HELP)
        }
        _ => plain(),
    }
}

/// A number with a unit of bits.
fn of_bits(shown: &str, readings: &[String], unit: &'static str, usual: Usual) -> Misspelling {
    let spelt: Vec<String> = readings.iter().map(|number| format!("{number} {unit}")).collect();
    let valid: Vec<&String> = spelt.iter().filter(|text| (usual.bps)(text).is_some()).collect();
    match (readings, spelt.as_slice()) {
        ([..], [thousands, decimal]) if valid.len() == 2 => Misspelling::with_help(
            format!("{shown} can be read in two ways"),
            format!("write `{thousands}` if the comma separates thousands, `{decimal}` if it separates decimals"),
        ),
        ([number, ..], _) => match valid.first() {
            Some(meant) => Misspelling::of(format!("{shown} is not how a rate is written"), meant.as_str()),
            None if has_room(number, unit) => Misspelling::with_help(
                format!("{shown} is not a whole number of bit/s"),
                "write fewer decimals, or a smaller unit",
            ),
            None => Misspelling::with_help(
                format!("{shown} is too large: a rate is below 1000000 Gbps"),
                "write a smaller rate",
            ),
        },
        _ => Misspelling::with_help(format!("{shown} is not a rate"), HELP),
    }
}

fn is_rate_like(text: &str) -> bool {
    let (number, unit) = split(text.trim());
    !readings(number).is_empty() && (unit.is_empty() || !matches!(known_unit(unit), Unit::Unknown))
}

/// The number at the start of a text, and the rest without the space between.
fn split(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_digit() || ".,'_ \u{a0}\u{202f}".contains(c);
    let (number, unit) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
    (number.trim_end_matches(|c: char| !c.is_ascii_digit()), unit.trim())
}

/// The plain decimal numbers that a written number may mean: none, one, or two where a comma could separate
/// thousands or decimals; then thousands come first.
fn readings(number: &str) -> Vec<String> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let in_thousands = |number: &str, separator: char| {
        let groups: Vec<&str> = number.split(separator).collect();
        let first = groups.first().is_some_and(|first| is_digits(first) && first.len() <= 3 && !first.starts_with('0'));
        let rest = groups.len() > 1 && groups.iter().skip(1).all(|group| is_digits(group) && group.len() == 3);
        (first && rest).then(|| groups.concat())
    };
    let decimal = |number: &str, point: char| {
        let (whole, fraction) = number.split_once(point).unwrap_or((number, "0"));
        (is_digits(whole) && is_digits(fraction)).then(|| plain_number(whole, fraction))
    };
    // With both signs, the last is the decimal one.
    for (separator, point) in [(',', '.'), ('.', ',')] {
        if let Some((whole, fraction)) = number.rsplit_once(point)
            && let Some(whole) = in_thousands(whole, separator)
        {
            return decimal(&format!("{whole}.{fraction}"), '.').into_iter().collect();
        }
    }
    let spaced =
        [' ', '\'', '_', '\u{a0}', '\u{202f}'].into_iter().find_map(|separator| in_thousands(number, separator));
    let dots = || in_thousands(number, '.').filter(|_| number.matches('.').count() > 1);
    let by_comma = || in_thousands(number, ',').into_iter().chain(decimal(number, ',')).collect();
    match spaced.or_else(dots).or_else(|| decimal(number, '.')) {
        Some(one) => vec![one],
        None => by_comma(),
    }
}

/// A number without zeros that say nothing.
fn plain_number(whole: &str, fraction: &str) -> String {
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{}{dot}{fraction}", if whole.is_empty() { "0" } else { whole })
}

enum Unit {
    /// Of bits, as it is spelt in the data.
    Bits(&'static str),
    /// Of bytes; the unit of as many bits.
    Bytes(&'static str),
    Unknown,
}

fn known_unit(unit: &str) -> Unit {
    // `MB` means bytes. `MBPS`, all in capitals, still means bits.
    let bytes = unit.contains('B') && !unit.ends_with("BPS") && !unit.to_lowercase().contains("bit");
    let unit = match unit.to_lowercase().trim_end_matches('.') {
        "g" | "gb" | "gb/s" | "gbit" | "gbit/s" | "gbps" | "gbits" | "gbits/s" | "gig" => "Gbps",
        "m" | "mb" | "mb/s" | "mbit" | "mbit/s" | "mbps" | "mbits" | "mbits/s" | "meg" => "Mbps",
        "k" | "kb" | "kb/s" | "kbit" | "kbit/s" | "kbps" | "kbits" | "kbits/s" => "kbps",
        "b" | "bit" | "bits" | "bps" | "bit/s" | "bits/s" => "bit/s",
        _ => return Unit::Unknown,
    };
    if bytes { Unit::Bytes(unit) } else { Unit::Bits(unit) }
}

fn times_eight(number: &str, unit: &str, usual: Usual) -> Option<String> {
    (usual.spelt)((usual.bps)(&format!("{number} {unit}"))?.checked_mul(8)?)
}

/// Whether a number in this unit is below the upper bound.
fn has_room(number: &str, unit: &str) -> bool {
    let digits = match unit {
        "Gbps" => 6,
        "Mbps" => 9,
        "kbps" => 12,
        _ => 15,
    };
    number.split('.').next().is_some_and(|whole| whole.len() <= digits)
}
