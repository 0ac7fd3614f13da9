//! The pause between two rounds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::text::quote::quoted;

/// Upper bound of the pause after failures, unless the interval itself is longer.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The time from one round to the next, written `60s`, `5m` or `1h`: a second to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(Duration);

impl Interval {
    pub(crate) fn seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// The pause after so many failures in a row: twice as long for each.
    pub(crate) fn after(self, failures: u64) -> Duration {
        let times = 1 << failures.min(20);
        self.0.saturating_mul(times).min(LONGEST).max(self.0)
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{} is not a time from 1s to 24h, such as 60s, 5m or 1h", quoted(text));
        let units = [("s", 1), ("m", 60), ("h", 3600)];
        let (digits, unit) =
            units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).ok_or_else(bad)?;
        let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = digits.parse().ok().filter(|_| plain).ok_or_else(bad)?;
        let seconds = count.checked_mul(unit).filter(|seconds| (1..=86_400).contains(seconds)).ok_or_else(bad)?;
        Ok(Interval(Duration::from_secs(seconds)))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (count, unit) = match seconds {
            _ if seconds.is_multiple_of(3600) => (seconds / 3600, 'h'),
            _ if seconds.is_multiple_of(60) => (seconds / 60, 'm'),
            _ => (seconds, 's'),
        };
        write!(f, "{count}{unit}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_from_a_second_to_a_day() {
        for (text, seconds) in [("1s", 1), ("60s", 60), ("5m", 300), ("24h", 86_400)] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!(interval.seconds(), seconds);
            assert_eq!(interval.to_string().parse(), Ok(interval));
        }
        for text in ["", "s", "0s", "60", "1d", "25h", "-1s", "+1s", "1.5m", "01s", "99999999999999999999h"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_failure_doubles_the_pause_up_to_a_quarter_of_an_hour() {
        let minute: Interval = "60s".parse().unwrap();
        let pauses: Vec<u64> = [0, 1, 2, 3, 4, 40, u64::MAX].map(|failures| minute.after(failures).as_secs()).into();
        assert_eq!(pauses, [60, 120, 240, 480, 900, 900, 900]);
        let hour: Interval = "1h".parse().unwrap();
        assert_eq!(hour.after(7).as_secs(), 3600, "never shorter than asked for");
    }
}
