//! One style for data files. Comments survive, and so does everything that the data says.
//!
//! The text is read into the tree, each comment is attached to the field or record below or before it
//! ([`layout`]), and the file is printed anew ([`mod@print`]). The result is read again and compared
//! with the original ([`same`]): the same records but for the order of their keys, and the same
//! comments, or there is no result.

mod comments;
mod layout;
mod print;
mod same;
pub(crate) mod scalar;

use crate::schema::{self, FileKind};
use crate::yaml::{self, Problem};

/// Why a text is not formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFormatted {
    /// It cannot be read, or has more than one reading.
    Problems(Vec<Problem>),
    /// The result would hold other data, which is a fault of the formatter; with the difference.
    NotTheSame(String),
}

/// `text`, a file of this kind, in the one style.
///
/// # Errors
/// If the text has problems, or the result would lose or change anything.
pub fn format(text: &str, kind: FileKind) -> Result<String, NotFormatted> {
    let reading = yaml::read(text);
    if !reading.problems.is_empty() {
        return Err(NotFormatted::Problems(reading.problems));
    }
    let root = same::data_root(reading.document.as_ref(), text);
    let comments = comments::find(text, root).map_err(NotFormatted::NotTheSame)?;
    let layout = layout::FileLayout::new(text, &comments, root, schema::record_schema(kind));
    let formatted = print::print(&layout, text);
    same::check(text, root, &comments, &formatted).map_err(NotFormatted::NotTheSame)?;
    Ok(formatted)
}
