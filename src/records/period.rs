//! A part of a log: from when to when.

use crate::model::Date;
use crate::records::log::LogEntry;
use crate::records::moment::Moment;

/// From when to when, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Period {
    from: Option<Moment>,
    to: Option<Moment>,
}

/// Why two texts are no period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeriodError {
    /// The first is neither a day nor a moment: a sentence.
    From(String),
    /// The second is neither.
    To(String),
    /// The first is later than the second: nothing could lie between.
    Reversed(Moment, Moment),
}

impl Period {
    /// From the start of a day, or a moment, to the end of a day, or a moment.
    ///
    /// # Errors
    /// If one is neither, or nothing could lie between.
    pub(crate) fn of(from: Option<&str>, to: Option<&str>) -> Result<Period, PeriodError> {
        let from = from.map(|text| moment(text, Moment::start_of)).transpose().map_err(PeriodError::From)?;
        let to = to.map(|text| moment(text, Moment::end_of)).transpose().map_err(PeriodError::To)?;
        match (from, to) {
            (Some(from), Some(to)) if from > to => Err(PeriodError::Reversed(from, to)),
            (from, to) => Ok(Period { from, to }),
        }
    }

    /// Whether an entry is in it.
    pub(crate) fn holds(&self, entry: &LogEntry) -> bool {
        self.from.is_none_or(|from| from <= entry.time) && self.to.is_none_or(|to| entry.time <= to)
    }
}

fn moment(text: &str, of_day: fn(Date) -> Result<Moment, String>) -> Result<Moment, String> {
    match text.parse::<Date>() {
        Ok(date) => of_day(date),
        Err(_) => text.parse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_nothing_is_reversed() {
        assert!(Period::of(Some("2026-11-21"), Some("2026-11-21")).is_ok());
        assert!(Period::of(Some("2026-11-21T12:00:00Z"), Some("2026-11-21")).is_ok());
        assert!(matches!(Period::of(Some("2026-11-22"), Some("2026-11-21")), Err(PeriodError::Reversed(..))));
        assert!(matches!(Period::of(Some("soon"), None), Err(PeriodError::From(_))));
        assert!(matches!(Period::of(None, Some("")), Err(PeriodError::To(_))));
    }
}
