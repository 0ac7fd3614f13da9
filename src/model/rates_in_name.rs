//! Rates that a plan's name states, such as `30_MEG_UP_50_MEG_DOWN`.

use super::Rate;

/// The rates stated by a plan's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatesInName {
    /// Rates with their directions.
    Directions {
        /// From the subscriber.
        up: Option<Rate>,
        /// To the subscriber.
        down: Option<Rate>,
    },
    /// One rate without a direction.
    One(Rate),
    /// Two rates without directions.
    Two(Rate, Rate),
}

impl RatesInName {
    /// Reads the rates from a plan's name: numbers with MEG, Mbps, M, K or G, such as
    /// `30_MEG_UP_50_MEG_DOWN`, `10M_2M` or `GOLD_7.5MEG`. `None` if the name has more than one reading:
    /// each number in it must be a rate, or the generation of a network.
    pub fn by_name(name: &str) -> Option<Self> {
        let parts = parts(name)?;
        let clear: Vec<NamePart> = parts.iter().copied().filter(|part| *part != NamePart::Other).collect();
        match clear.as_slice() {
            [NamePart::Rate(rate)] => Some(Self::One(*rate)),
            // With a word between them, one may be a burst rate or a minimum.
            [NamePart::Rate(one), NamePart::Rate(other)] if adjacent(&parts) => Some(Self::Two(*one, *other)),
            [NamePart::Rate(rate), NamePart::Up] | [NamePart::Up, NamePart::Rate(rate)] if adjacent(&parts) => {
                Some(Self::Directions { up: Some(*rate), down: None })
            }
            [NamePart::Rate(rate), NamePart::Down] | [NamePart::Down, NamePart::Rate(rate)] if adjacent(&parts) => {
                Some(Self::Directions { up: None, down: Some(*rate) })
            }
            [NamePart::Rate(up), NamePart::Up, NamePart::Rate(down), NamePart::Down]
            | [NamePart::Rate(down), NamePart::Down, NamePart::Rate(up), NamePart::Up]
            | [NamePart::Up, NamePart::Rate(up), NamePart::Down, NamePart::Rate(down)]
            | [NamePart::Down, NamePart::Rate(down), NamePart::Up, NamePart::Rate(up)] => {
                Some(Self::Directions { up: Some(*up), down: Some(*down) })
            }
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NamePart {
    Rate(Rate),
    Up,
    Down,
    Other,
}

/// Whether the parts that state a rate or a direction follow each other without another word.
fn adjacent(parts: &[NamePart]) -> bool {
    let clear = |part: &NamePart| *part != NamePart::Other;
    let (first, last) = (parts.iter().position(clear), parts.iter().rposition(clear));
    first.zip(last).is_some_and(|(first, last)| parts[first..=last].iter().all(clear))
}

/// The parts of a name; `None` if one of them has a number that may mean something else.
fn parts(name: &str) -> Option<Vec<NamePart>> {
    let words: Vec<&str> = name.split(['_', '-', '+']).collect();
    let of_time = words.iter().any(|word| TIME.iter().any(|time| word.eq_ignore_ascii_case(time)));
    let mut words = words.into_iter().peekable();
    let mut parts = Vec::new();
    while let Some(word) = words.next() {
        // A spelt-out unit may be a word of its own; a single letter is ambiguous.
        let unit = words.peek().filter(|next| next.len() > 1 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        if let Some(rate) = unit.and_then(|unit| rate(word, unit)) {
            words.next();
            parts.push(NamePart::Rate(rate));
            continue;
        }
        if of_time && word.ends_with(['m', 'M']) && word.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        parts.extend(directed(word)?.into_iter().flatten());
    }
    Some(parts)
}

/// Words beside which `12M` may be twelve months.
const TIME: &[&str] = &["contract", "month", "months", "monthly", "mth", "mths", "term"];

/// The parts of a word: a direction, a rate, both as in `UP10M`, or neither.
fn directed(word: &str) -> Option<[Option<NamePart>; 2]> {
    let lower = word.to_ascii_lowercase();
    if !word.bytes().any(|b| b.is_ascii_digit()) || is_generation(&lower) {
        return Some([Some(direction(&lower).unwrap_or(NamePart::Other)), None]);
    }
    let before = lower.bytes().take_while(u8::is_ascii_alphabetic).count();
    if before > 0 {
        let rate = NamePart::Rate(number_and_unit(&word[before..])?);
        return Some([Some(direction(&lower[..before])?), Some(rate)]);
    }
    if let Some(rate) = number_and_unit(word) {
        return Some([Some(NamePart::Rate(rate)), None]);
    }
    let (start, part) = DIRECTIONS.iter().find_map(|(end, part)| Some((lower.strip_suffix(end)?.len(), *part)))?;
    Some([Some(NamePart::Rate(number_and_unit(&word[..start])?)), Some(part)])
}

/// The longer words first: each is also looked for at the end of a word.
const DIRECTIONS: [(&str, NamePart); 7] = [
    ("download", NamePart::Down),
    ("upload", NamePart::Up),
    ("down", NamePart::Down),
    ("up", NamePart::Up),
    ("dl", NamePart::Down),
    ("dn", NamePart::Down),
    ("ul", NamePart::Up),
];

fn direction(lower: &str) -> Option<NamePart> {
    DIRECTIONS.iter().find(|(word, _)| *word == lower).map(|(_, part)| *part)
}

/// Whether it is a generation of mobile networks.
fn is_generation(lower: &str) -> bool {
    matches!(lower, "2g" | "3g" | "4g" | "5g" | "6g")
}

fn number_and_unit(word: &str) -> Option<Rate> {
    let digits = word.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = word.split_at(digits);
    // 2024M names a year; 2000M and 2048M are sold.
    let year = number.len() == 4 && number.starts_with("20") && !["2000", "2048"].contains(&number);
    if year && unit.eq_ignore_ascii_case("m") { None } else { rate(number, unit) }
}

fn rate(number: &str, unit: &str) -> Option<Rate> {
    // `MBps` is bytes; all of it in capitals, it is as good as always bits.
    if unit.ends_with("Bps") {
        return None;
    }
    let unit = match unit.to_ascii_lowercase().as_str() {
        "k" | "kbps" | "kbit" | "kbits" => "kbps",
        "m" | "meg" | "megs" | "mbps" | "mbit" | "mbits" => "Mbps",
        "g" | "gig" | "gigs" | "gbps" | "gbit" | "gbits" => "Gbps",
        _ => return None,
    };
    format!("{number} {unit}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directions(up: &str, down: &str) -> Option<RatesInName> {
        Some(RatesInName::Directions { up: up.parse().ok(), down: down.parse().ok() })
    }

    fn one(rate: &str) -> Option<RatesInName> {
        Some(RatesInName::One(rate.parse().unwrap()))
    }

    #[test]
    fn clear_names_are_read() {
        assert_eq!(RatesInName::by_name("30_MEG_UP_50_MEG_DOWN"), directions("30 Mbps", "50 Mbps"));
        assert_eq!(RatesInName::by_name("50M-down-7.5m-up"), directions("7.5 Mbps", "50 Mbps"));
        assert_eq!(RatesInName::by_name("UP_512K_DOWN_1G"), directions("512 kbps", "1 Gbps"));
        assert_eq!(RatesInName::by_name("HOME_20MBPS_DOWN"), directions("", "20 Mbps"));
        assert_eq!(RatesInName::by_name("GOLD_7.5MEG"), one("7.5 Mbps"));
        assert_eq!(RatesInName::by_name("10M"), one("10 Mbps"));
        assert_eq!(RatesInName::by_name("1G_BUSINESS"), one("1 Gbps"));
        assert_eq!(RatesInName::by_name("5G_HOME_100M"), one("100 Mbps"));
        assert_eq!(RatesInName::by_name("2048M"), one("2048 Mbps"));
        assert_eq!(RatesInName::by_name("10MBPS_MONTHLY"), one("10 Mbps"));
        assert_eq!(RatesInName::by_name("UP10M_DOWN5M"), directions("10 Mbps", "5 Mbps"));
        assert_eq!(RatesInName::by_name("10Mup_5Mdownload"), directions("10 Mbps", "5 Mbps"));
        assert_eq!(
            RatesInName::by_name("10M_2M"),
            Some(RatesInName::Two("10 Mbps".parse().unwrap(), "2 Mbps".parse().unwrap()))
        );
    }

    #[test]
    fn other_names_say_nothing() {
        for name in [
            "GOLD",
            "GOLD_30",
            "5G_HOME",
            "4G",
            "10GB_DAILY",
            "500MB",
            "10M_BURST_20M",
            "30_UP_50_DOWN",
            "PLAN_4_G",
            "MEGA_30X",
            "10M_20M_30M",
            "007M",
            "1..5M",
            "UP",
            "10M_FOR_SIGN_UP",
            // Each of these has a reading that the first number alone would hide.
            "7_5MEG",
            "GOLD_7_5MEG",
            "UP10M_5M",
            "2024M",
            "12M_CONTRACT",
            "12M_Term",
            "10MBps",
            "10MB_ps",
            "HOME2_10M",
            "10M_2",
            "10MX_5M",
            "U10M_5M",
        ] {
            assert_eq!(RatesInName::by_name(name), None, "{name}");
        }
    }
}
