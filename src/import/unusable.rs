//! Why a source is refused as a whole, as a value: each caller says in its own words what to do about it.

use std::fmt;

use super::found::{DumpTable, without_steering};

/// Why a source as a whole is refused, such as one that is truncated or of another kind than it is said to be.
/// Nothing of it is imported, whatever the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Only another source helps; with what to do.
    Source(String),
    /// Its kind is not recognised, and not given.
    UnknownKind,
    /// It knows no domains, and none is given.
    NoDomains,
    /// These databases of a dump have the tables, and none is given.
    SeveralDatabases(Vec<String>),
    /// These sheets of a workbook have cells, and none is given.
    SeveralSheets(Vec<String>),
    /// A dump does not say the order of the table's columns, and it is not given.
    NoColumnOrder(DumpTable),
    /// Two columns are given for the field.
    MappedTwice(&'static str),
    /// No column is called like the field, and none is given.
    NoColumn {
        /// What the column would hold.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// The columns that there are.
        header: String,
    },
    /// Two columns are called like the field, and none is given.
    TwoColumns {
        /// The field.
        field: &'static str,
        /// The names of the columns.
        names: [String; 2],
        /// Their numbers, from 1.
        numbers: [usize; 2],
    },
}

impl Unusable {
    /// `reason` is a sentence without a full stop, with what to do.
    pub fn new(reason: impl Into<String>) -> Self {
        Self::Source(without_steering(&reason.into()))
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Source(reason) => f.write_str(reason),
            Unusable::UnknownKind => f.write_str("the kind of source is not recognised"),
            Unusable::NoDomains => f.write_str("LibreQoS knows no domains"),
            Unusable::SeveralDatabases(_) => f.write_str("the dump has a table `subscriber` in several databases"),
            Unusable::SeveralSheets(_) => f.write_str("the workbook has several sheets with cells"),
            Unusable::NoColumnOrder(table) => {
                write!(f, "the dump does not say the order of the columns of `{}`", table.name())
            }
            Unusable::MappedTwice(field) => write!(f, "two columns are given for {field}"),
            Unusable::NoColumn { what, header, .. } => {
                write!(f, "no column of the header is called like {what}: {}", without_steering(header))
            }
            Unusable::TwoColumns { field, names: [first, second], .. } => {
                let (first, second) = (without_steering(first), without_steering(second));
                write!(f, "two columns could be the field `{field}`: {first} and {second}")
            }
        }
    }
}
