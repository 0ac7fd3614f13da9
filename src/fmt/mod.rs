//! One style for data files. Comments survive, and so does everything that the data says.
//!
//! The text is read into the tree, each comment is hung on the field or record that it stands
//! above or behind ([`layout`]), and all of it is printed anew ([`mod@print`]). Before a result is
//! given out it is read again and compared with the original ([`same`]): the same records but for
//! the order of their keys, and the same comments, or there is no result.

mod comments;
mod layout;
mod print;
mod same;
pub(crate) mod scalar;

use crate::schema::{self, FileKind};
use crate::yaml::{self, Document, Node, NodeKind, Problem, Style};

/// Why a text was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be read, or has more than one reading.
    Problems(Vec<Problem>),
    /// The result would not have said the same: a fault of the formatter, with what differs.
    NotTheSame(String),
}

/// `text`, a file of this kind, in the one style.
///
/// # Errors
/// If the text has problems, or the result would lose or change anything.
pub fn format(text: &str, kind: FileKind) -> Result<String, Refused> {
    let reading = yaml::read(text);
    if !reading.problems.is_empty() {
        return Err(Refused::Problems(reading.problems));
    }
    let root = root(reading.document.as_ref(), text);
    let comments = comments::find(text, root).map_err(Refused::NotTheSame)?;
    let layout = layout::Layout::new(text, &comments, root, schema::record_schema(kind));
    let formatted = print::print(&layout, text);
    same::check(text, root, &comments, &formatted).map_err(Refused::NotTheSame)?;
    Ok(formatted)
}

/// The topmost node; none for a document of nothing (`---` alone), which is an empty file too.
fn root<'a>(document: Option<&'a Document>, text: &'a str) -> Option<Node<'a>> {
    let root = document?.root(text)?;
    let nothing = root.kind() == NodeKind::Scalar(Style::Plain) && root.text().is_empty();
    (!nothing).then_some(root)
}
