//! Days as tables have them.

use crate::model::Date;
use crate::text::quote::quoted;

/// A day: `2027-05-01`, also with the time `00:00:00` that databases add, or `01.05.2027`.
///
/// # Errors
/// A sentence, if it is none, or may be two: `01/05/2027` is May in one country and January in another.
pub fn day(text: &str) -> Result<Date, String> {
    let day = ["T00:00:00", " 00:00:00"].iter().find_map(|time| text.strip_suffix(time)).unwrap_or(text);
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match day.split('.').collect::<Vec<_>>().as_slice() {
        [day, month, year] if digits(day, 2) && digits(month, 2) && year.len() == 4 && digits(year, 4) => {
            format!("{year}-{month:0>2}-{day:0>2}").parse().map_err(|_| format!("there is no day {}", quoted(text)))
        }
        _ => day.parse::<Date>().map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_with_one_reading_are_read() {
        for text in ["2027-05-01", "01.05.2027", "1.5.2027", "2027-05-01 00:00:00", "2027-05-01T00:00:00"] {
            assert_eq!(day(text).unwrap().to_string(), "2027-05-01", "{text}");
        }
        assert_eq!(day("31.02.2027").unwrap_err(), "there is no day `31.02.2027`");
        let two = day("01/05/2027").unwrap_err();
        assert!(two.contains("`2027-05-01`") && two.contains("`2027-01-05`"), "{two}");
        let one = day("25/05/2027").unwrap_err();
        assert!(one.contains("`2027-05-25`") && !one.contains("2027-25"), "{one}");
        for text in ["1.5.27", "2027-05-01 12:00:00", "2027.05.01", "soon"] {
            assert!(day(text).is_err(), "{text}");
        }
        assert!(!day("1.5.27").unwrap_err().contains("there is no day"), "of which century is not known");
    }
}
