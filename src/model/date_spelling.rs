//! Spellings that people use for a day, and which day they mean.

use super::misspelling::{LONGEST, Misspelling};
use crate::text::quote::quoted;

const HELP: &str = "write year-month-day, such as 2026-12-01";

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether a text is a date.
type IsDate = fn(&str) -> bool;

/// Why `text` is not a date, and what to write.
pub(super) fn explain(text: &str, is_date: IsDate) -> Misspelling {
    let shown = quoted(text);
    let plain = || Misspelling::with_help(format!("{shown} is not a date"), HELP);
    if text.len() > LONGEST {
        return plain();
    }
    let trimmed = text.trim();
    if let Some(day) = trimmed.get(..10).filter(|day| is_date(day)) {
        return match trimmed.get(10..) {
            Some("") => Misspelling::of(format!("{shown} has a space around the date"), day),
            _ => Misspelling::of(format!("{shown} has more than a day: a term starts and ends with a day"), day),
        };
    }
    let (parts, named_month) = parts(trimmed);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let not_usual = || format!("{shown} is not written as year-month-day");
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => match valid(year, month, day, is_date) {
            Some(date) => Misspelling::of(not_usual(), date),
            None => not_in_calendar(&shown, year, month, day, is_date),
        },
        [day, month, year] if named_month == Some(1) => {
            valid(year, month, day, is_date).map_or_else(plain, |date| Misspelling::of(not_usual(), date))
        }
        [month, day, year] if named_month == Some(0) => {
            valid(year, month, day, is_date).map_or_else(plain, |date| Misspelling::of(not_usual(), date))
        }
        [one, other, year] => with_year_last(&shown, one, other, year, is_date).unwrap_or_else(plain),
        [year, month] if year.len() == 4 => {
            let help = format!("add the day, such as {}", quoted(&format!("{year}-{month:0>2}-01")));
            Misspelling::with_help(format!("{shown} is a month, not a day"), help)
        }
        [digits] if digits.len() == 8 => match valid(&digits[..4], &digits[4..6], &digits[6..], is_date) {
            Some(date) => Misspelling::of(not_usual(), date),
            None => plain(),
        },
        _ => plain(),
    }
}

/// Digits and names of months, without what separates them, and which of them is a name; nothing if there
/// is something else.
fn parts(text: &str) -> (Vec<String>, Option<usize>) {
    let mut named = None;
    let mut parts = Vec::new();
    for part in text.split(['-', '.', '/', ' ', ',']).filter(|part| !part.is_empty()) {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            parts.push(part.to_owned());
            continue;
        }
        let lower = part.to_lowercase();
        match MONTHS.iter().position(|month| lower.starts_with(month)) {
            Some(month) => {
                named = Some(parts.len());
                parts.push(format!("{:02}", month + 1));
            }
            None => return (Vec::new(), None),
        }
    }
    (parts, named)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn valid(year: &str, month: &str, day: &str, is_date: IsDate) -> Option<String> {
    let date = format!("{year}-{month:0>2}-{day:0>2}");
    is_date(&date).then_some(date)
}

/// A year, a month and a day that are no day of the calendar.
fn not_in_calendar(shown: &str, year: &str, month: &str, day: &str, is_date: IsDate) -> Misspelling {
    let wrong = |why: &str, help: String| {
        Misspelling::with_help(format!("{shown} is not a day of the calendar, because {why}"), help)
    };
    let last = (28..=31).rev().find_map(|last| Some((last, valid(year, month, &last.to_string(), is_date)?)));
    match last {
        Some((last, date)) if number(day).is_some_and(|day| day > 0) => {
            wrong(&format!("that month has {last} days"), format!("write a day of that month, up to {}", quoted(&date)))
        }
        Some(_) => wrong("days count from 01", HELP.to_owned()),
        None => wrong("months are 01 to 12", HELP.to_owned()),
    }
}

/// Two numbers and a year: the day or the month may come first.
fn with_year_last(shown: &str, one: &str, other: &str, year: &str, is_date: IsDate) -> Option<Misspelling> {
    let year = match year.len() {
        2 => format!("20{year}"),
        4 => year.to_owned(),
        _ => return None,
    };
    let message = format!("{shown} is not written as year-month-day");
    match (valid(&year, other, one, is_date), valid(&year, one, other, is_date)) {
        (Some(day_first), Some(month_first)) if day_first != month_first => Some(Misspelling::with_help(
            message,
            format!("write {} if the day comes first, {} if the month does", quoted(&day_first), quoted(&month_first)),
        )),
        (Some(date), _) | (None, Some(date)) => Some(Misspelling::of(message, date)),
        (None, None) => Some(Misspelling::with_help(format!("{shown} is not a day of the calendar"), HELP)),
    }
}
