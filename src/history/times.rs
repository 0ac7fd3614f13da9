//! When a commit took effect, with dates from clocks that may be wrong.
//!
//! Commits have an order, and dates from their committers' clocks. If the two contradict each other, the
//! order counts, and as few dates as possible are taken to be wrong: a commit with a wrong date took
//! effect with the last one before it that has a right date.

use jiff::Timestamp;
use jiff::civil::Date as CivilDate;

use crate::model::Date;
use crate::text::quote::quoted;

/// Seconds since 1970, UTC.
pub type Seconds = i64;

const DAY: Seconds = 24 * 60 * 60;

/// When each of the commits took effect, never earlier than the one before; and how many dates were
/// taken to be wrong.
pub fn effective(dates: &[Seconds]) -> (Vec<Seconds>, usize) {
    let right = longest_rising(dates);
    let mut last = right.iter().position(|right| *right).map_or(0, |first| dates[first]);
    let took = dates.iter().zip(&right).map(|(date, right)| {
        if *right {
            last = *date;
        }
        last
    });
    let took = took.collect();
    (took, right.iter().filter(|right| !**right).count())
}

/// Which of the dates are in a longest run that never falls.
fn longest_rising(dates: &[Seconds]) -> Vec<bool> {
    // Patience sorting: for each length the run that ends lowest, and from each date the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(dates.len());
    for (at, date) in dates.iter().enumerate() {
        let length = ends.partition_point(|&end| dates[end] <= *date);
        before.push(length.checked_sub(1).map(|length| ends[length]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut right = vec![false; dates.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        right[at] = true;
        next = before[at];
    }
    right
}

/// A moment in RFC 3339; beyond the calendar, the calendar's end.
pub fn shown(seconds: Seconds) -> String {
    let end = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::from_second(seconds).unwrap_or(end);
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// The first second of a day.
pub fn start_of(date: Date) -> Seconds {
    let parsed = date.to_string().parse::<CivilDate>().ok();
    let days = parsed.and_then(|date| CivilDate::constant(1970, 1, 1).until(date).ok());
    days.map_or(0, |days| Seconds::from(days.get_days()) * DAY)
}

/// A stretch of time: from the first second up to, not including, the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// The first second.
    pub from: Seconds,
    /// The first second after it; `None` if it goes on.
    pub until: Option<Seconds>,
}

impl TimeSpan {
    /// All of time.
    pub const ALL: TimeSpan = TimeSpan { from: Seconds::MIN, until: None };

    /// The part in both; `None` if there is none.
    pub fn and(self, other: TimeSpan) -> Option<TimeSpan> {
        let until = match (self.until, other.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let from = self.from.max(other.from);
        until.is_none_or(|until| from < until).then_some(TimeSpan { from, until })
    }
}

/// Parses a day, which is all of its seconds, or a moment.
///
/// # Errors
/// If it is neither.
pub fn when(text: &str) -> Result<TimeSpan, String> {
    if let Ok(date) = text.parse::<Date>() {
        let from = start_of(date);
        return Ok(TimeSpan { from, until: Some(from + DAY) });
    }
    let moment = text.parse::<Timestamp>().map_err(|_| {
        format!("{} is neither a day such as 2026-11-01 nor a moment such as 2026-11-01T12:00:00Z", quoted(text))
    })?;
    Ok(TimeSpan { from: moment.as_second(), until: Some(moment.as_second().saturating_add(1)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_clock_moves_no_other_commit() {
        assert_eq!(effective(&[1, 2, 3]), (vec![1, 2, 3], 0));
        assert_eq!(effective(&[1, 2, 99, 3, 4]), (vec![1, 2, 2, 3, 4], 1));
        assert_eq!(effective(&[5, 6, 0, 7, 8]), (vec![5, 6, 6, 7, 8], 1));
        assert_eq!(effective(&[99, 1, 2, 3]), (vec![1, 1, 2, 3], 1));
        assert_eq!(effective(&[i64::MAX, i64::MIN, 3, 3]), (vec![i64::MIN, i64::MIN, 3, 3], 1));
        assert_eq!(effective(&[]), (vec![], 0));
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut dates = Vec::new();
        for n in 0..1000_i64 {
            dates.push((n * 7919) % 1000);
        }
        assert!(effective(&dates).0.is_sorted());
    }

    #[test]
    fn every_moment_can_be_shown() {
        assert_eq!(shown(0), "1970-01-01T00:00:00Z");
        for beyond in [i64::MIN, i64::MAX, 1 << 40, -(1 << 40)] {
            assert!(shown(beyond).ends_with('Z'), "{beyond}");
        }
        for (day, start) in [("1970-01-02", 86400), ("0001-01-01", -62_135_596_800), ("9999-12-31", 253_402_214_400)] {
            assert_eq!(day.parse().ok().map(start_of), Some(start), "{day}");
        }
    }

    #[test]
    fn a_day_is_all_of_it() {
        assert_eq!(when("1970-01-01"), Ok(TimeSpan { from: 0, until: Some(DAY) }));
        assert_eq!(when("1970-01-01T00:00:05Z"), Ok(TimeSpan { from: 5, until: Some(6) }));
        assert!(when("yesterday\u{1b}").unwrap_err().contains("neither a day"));
    }
}
