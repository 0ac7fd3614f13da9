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
    /// `30_MEG_UP_50_MEG_DOWN`, `10M_2M` or `GOLD_7.5MEG`. `None` if the name is ambiguous.
    pub fn by_name(name: &str) -> Option<Self> {
        let parts = parts(name);
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

fn parts(name: &str) -> Vec<NamePart> {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(['_', '-', '+']).peekable();
    let mut parts = Vec::new();
    while let Some(word) = words.next() {
        let digits = word.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, unit) = word.split_at(digits);
        let part = match (number, unit) {
            ("", "up" | "upload" | "ul") => NamePart::Up,
            ("", "down" | "download" | "dl" | "dn") => NamePart::Down,
            ("", _) => NamePart::Other,
            // A spelt-out unit may be a word of its own; a single letter is ambiguous.
            (number, "") => match words.peek().and_then(|next| rate(number, next).filter(|_| next.len() > 1)) {
                Some(rate) => {
                    words.next();
                    NamePart::Rate(rate)
                }
                None => NamePart::Other,
            },
            ("2" | "3" | "4" | "5" | "6", "g") => NamePart::Other,
            (number, unit) => rate(number, unit).map_or(NamePart::Other, NamePart::Rate),
        };
        parts.push(part);
    }
    parts
}

fn rate(number: &str, unit: &str) -> Option<Rate> {
    let unit = match unit {
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
        ] {
            assert_eq!(RatesInName::by_name(name), None, "{name}");
        }
    }
}
