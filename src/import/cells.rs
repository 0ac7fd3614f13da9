//! What a cell of a table holds: several addresses, a rate in any spelling that has one meaning.

use crate::model::Rate;
use crate::model::misspelling::Remedy;

/// The addresses in one cell.
pub fn several(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', ' ', '\n']).map(str::trim).filter(|text| !text.is_empty())
}

/// A rate in any clear spelling.
///
/// # Errors
/// A sentence, if it is none.
pub fn rate(text: &str) -> Result<Rate, String> {
    text.parse::<Rate>().or_else(|wrong| {
        let wrong = wrong.misspelling();
        let meant = if let Remedy::Write(meant) = &wrong.remedy { meant.parse().ok() } else { None };
        meant.ok_or_else(|| wrong.to_string())
    })
}
