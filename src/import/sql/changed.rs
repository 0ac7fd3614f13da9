//! Statements that change a table's rows or columns other than by INSERT. They are not carried out, so a
//! file with one says something else than the database that it would make.

use super::insert::words;
use super::scan::Statement;
use crate::import::found::DumpTable;
use crate::import::unusable::Unusable;

/// Statements that change the rows of the tables that they name.
const ROWS: [&str; 6] = ["UPDATE", "DELETE", "TRUNCATE", "RENAME", "LOAD", "MERGE"];

/// Words in an ALTER TABLE that change the order or names of columns, or the table's name.
const COLUMNS: [&str; 6] = ["COLUMN", "CHANGE", "DROP", "RENAME", "FIRST", "AFTER"];

/// A statement of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange {
    line: usize,
    verb: String,
    /// The tables of interest that it names.
    pub tables: Vec<DumpTable>,
    /// Whether it only matters after rows: `DROP TABLE IF EXISTS` stands before each table of a dump.
    pub after_rows: bool,
}

impl TableChange {
    /// The change that a statement makes to the tables of interest, if it makes one.
    pub fn of(statement: &Statement<'_>) -> Option<Self> {
        let words: Vec<String> = words(statement);
        let verb = words.first()?.to_ascii_uppercase();
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.iter().any(|one| word.eq_ignore_ascii_case(one)));
        let after_rows = match verb.as_str() {
            "DROP" => true,
            "ALTER" if has(&COLUMNS) => false,
            verb if ROWS.contains(&verb) => false,
            _ => return None,
        };
        let named = |table: &DumpTable| words.iter().any(|word| word.eq_ignore_ascii_case(table.name()));
        let tables: Vec<DumpTable> = DumpTable::ALL.into_iter().filter(named).collect();
        (!tables.is_empty()).then_some(Self { line: statement.line, verb, tables, after_rows })
    }

    /// Why a file with it is not read.
    pub fn refusal(&self) -> Unusable {
        refusal(self.line, &self.verb, self.tables[0])
    }
}

/// Why a file is not read that has this statement for a table.
pub fn refusal(line: usize, verb: &str, table: DumpTable) -> Unusable {
    let table = table.name();
    Unusable::new(format!(
        "line {line} has {verb} for the table `{table}`: only rows that are inserted are read, so subscribers would \
         come in that the database does not have; import a dump of the database as it is now"
    ))
}
