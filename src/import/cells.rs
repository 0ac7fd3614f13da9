//! What a cell of a table holds: several addresses, a rate in any spelling that has one meaning.

use crate::model::Rate;

/// The addresses in one cell.
pub fn several(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', ' ', '\n']).map(str::trim).filter(|text| !text.is_empty())
}

/// A rate in any clear spelling.
///
/// # Errors
/// A sentence, if it is none.
pub fn rate(text: &str) -> Result<Rate, String> {
    text.parse::<Rate>().or_else(|error| match error.suggestion.as_ref().and_then(|meant| meant.parse().ok()) {
        Some(rate) => Ok(rate),
        None => Err(error.to_string()),
    })
}
