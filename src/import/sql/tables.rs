//! The statements of a dump → its three tables, each with its columns and its rows, not yet parsed.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use super::changed::{TableChange, refusal};
use super::insert::{self, Of, RawRow, TableName};
use super::scan::{self, Scanner};
use crate::import::found::DumpTable;
use crate::import::unusable::Unusable;
use crate::text::quote::quoted;

/// What a dump holds of one table.
#[derive(Default)]
pub(super) struct Content<'b> {
    /// The columns of its CREATE TABLE.
    created: Vec<String>,
    /// Each INSERT's rows, with the columns that it names.
    pub(super) inserts: Vec<(Vec<String>, Vec<RawRow<'b>>)>,
    /// The INSERTs that could not be split, by line.
    pub(super) refused: Vec<(usize, String)>,
    /// Whether it is there at all.
    there: bool,
}

/// The three tables of one database.
#[derive(Default)]
pub(super) struct Tables<'b> {
    pub(super) all: [Content<'b>; 3],
    others: BTreeSet<String>,
}

/// Splits the dump, and takes what belongs to the three tables.
pub(super) fn tables<'b>(bytes: &'b [u8], wanted: Option<&str>) -> Result<Tables<'b>, Unusable> {
    let mut by_database: HashMap<String, Tables<'b>> = HashMap::new();
    let mut current = String::new();
    let mut changed = None;
    let mut scanner = Scanner::new(bytes);
    for statement in scanner.by_ref() {
        let (name, created) = match insert::what(&statement) {
            Some(Of::Use(database)) => {
                current = database;
                continue;
            }
            Some(Of::Create(name)) => (name, true),
            Some(Of::Insert(name)) => (name, false),
            None => {
                if let Some(change) = TableChange::of(&statement)
                    && by_database.get(&current).map_or(!change.after_rows, |tables| tables.is_hit_by(&change))
                {
                    changed.get_or_insert(change.refusal());
                }
                continue;
            }
        };
        let TableName { database, table } = name;
        let tables = by_database.entry(database.unwrap_or_else(|| current.clone())).or_default();
        let Some(which) = DumpTable::ALL.into_iter().position(|known| known.name().eq_ignore_ascii_case(&table)) else {
            tables.others.insert(table);
            continue;
        };
        let content = &mut tables.all[which];
        content.there = true;
        if created && content.has_rows() {
            changed.get_or_insert(refusal(statement.line, "a second CREATE TABLE", DumpTable::ALL[which]));
        }
        if created && statement.bytes.len() > insert::MAX_HEAD {
            let reason = format!("a CREATE TABLE of more than {} KiB is not read", insert::MAX_HEAD >> 10);
            content.refused.push((statement.line, reason));
        } else if created {
            content.created = insert::created_columns(&statement);
        } else {
            content.add(&statement);
        }
    }
    whole(&scanner)?;
    if let Some(reason) = changed {
        return Err(reason);
    }
    choose(by_database, wanted)
}

impl Tables<'_> {
    /// Whether a statement changes what is read.
    fn is_hit_by(&self, change: &TableChange) -> bool {
        !change.after_rows || change.tables.iter().any(|table| self.all[*table as usize].has_rows())
    }

    /// Takes the order of columns from `given` where the dump does not say it.
    pub(super) fn order_columns(&mut self, given: &[TableColumns]) -> Result<(), Unusable> {
        for TableColumns { table, columns } in given {
            let content = &mut self.all[*table as usize];
            if content.created.is_empty() {
                content.created.clone_from(columns);
            }
        }
        let unknown = |table: &DumpTable| {
            let content = &self.all[*table as usize];
            content.created.is_empty() && content.inserts.iter().any(|(named, _)| named.is_empty())
        };
        DumpTable::ALL.into_iter().find(unknown).map_or(Ok(()), |table| Err(Unusable::NoColumnOrder(table)))
    }

    /// Refuses a dump that has the tables but not their rows.
    pub(super) fn have_rows(&self) -> Result<(), Unusable> {
        if self.all[DumpTable::Subscriber as usize].has_rows() {
            return Ok(());
        }
        Err(Unusable::new(
            "the table `subscriber` has no rows; a dump made with --no-data has none, and one made with --tab has \
             them in subscriber.txt: make the dump without these options",
        ))
    }
}

/// `TABLE=COLUMN,COLUMN`: the order of a table's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumns {
    table: DumpTable,
    columns: Vec<String>,
}

impl FromStr for TableColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = |name: &str| DumpTable::ALL.into_iter().find(|table| table.name() == name.trim());
        let Some((table, columns)) = text.split_once('=').and_then(|(name, rest)| Some((known(name)?, rest))) else {
            let example = "subscriber=sub_id,ipaddress,attribute,plan_id,dom_id";
            return Err(format!(
                "{} is not TABLE=COLUMN,COLUMN of subscriber, plan or domains, such as {example}",
                quoted(text)
            ));
        };
        let columns: Vec<String> = columns.split(',').map(|column| column.trim().to_ascii_lowercase()).collect();
        match columns.iter().enumerate().find(|(at, column)| column.is_empty() || columns[..*at].contains(column)) {
            Some((_, column)) if column.is_empty() => Err("a column without a name".to_owned()),
            Some((_, column)) => Err(format!("the column {} is named twice", quoted(column))),
            None => Ok(Self { table, columns }),
        }
    }
}

impl<'b> Content<'b> {
    /// The columns of an INSERT that names these, or none.
    pub(super) fn columns(&self, named: &[String]) -> Vec<String> {
        if named.is_empty() { self.created.clone() } else { named.to_vec() }
    }

    fn has_rows(&self) -> bool {
        !self.inserts.is_empty() || !self.refused.is_empty()
    }

    fn add(&mut self, statement: &scan::Statement<'b>) {
        match insert::rows(statement) {
            Ok(rows) => {
                self.refused.extend(rows.stray.map(|line| (line, "something that is no row stands here".to_owned())));
                self.inserts.push((rows.columns, rows.rows));
            }
            Err(reason) => self.refused.push((statement.line, reason)),
        }
    }
}

/// Refuses a dump that was not written to its end: subscribers missing from it would be removed.
fn whole(scanner: &Scanner<'_>) -> Result<(), Unusable> {
    let seen = scanner.seen;
    if let Some(line) = seen.cut_off {
        return Err(Unusable::new(format!(
            "the dump is cut off: what starts on line {line} does not end; make the dump again"
        )));
    }
    if seen.completed < seen.begun {
        return Err(Unusable::new(
            "the dump is cut off: its last line should say `-- Dump completed`; make the dump again",
        ));
    }
    if seen.ambiguous_quotes {
        return Err(Unusable::new(
            "the dump is in a character set in which a quote can be part of a letter; make it with \
             `mysqldump --default-character-set=utf8mb4`",
        ));
    }
    Ok(())
}

/// The database that is meant.
fn choose<'b>(mut by_database: HashMap<String, Tables<'b>>, wanted: Option<&str>) -> Result<Tables<'b>, Unusable> {
    let subscriber = DumpTable::Subscriber as usize;
    let mut having: Vec<String> = by_database
        .iter()
        .filter(|(_, tables)| tables.all[subscriber].there)
        .map(|(database, _)| database.clone())
        .collect();
    having.sort();
    let shown = |databases: &[String]| databases.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let chosen = match (wanted, having.as_slice()) {
        (Some(wanted), _) => having.iter().find(|name| name.as_str() == wanted).cloned().ok_or_else(|| {
            Unusable::new(format!(
                "the dump has no database {} with a table `subscriber`; it has them in: {}",
                quoted(wanted),
                if having.is_empty() { "none".to_owned() } else { shown(&having) }
            ))
        })?,
        (None, [one]) => one.clone(),
        (None, []) => return Err(no_table(DumpTable::Subscriber, by_database.values())),
        (None, several) => return Err(Unusable::SeveralDatabases(several.to_vec())),
    };
    let tables = by_database.remove(&chosen).unwrap_or_default();
    for table in DumpTable::ALL {
        if !tables.all[table as usize].there {
            return Err(no_table(table, std::iter::once(&tables)));
        }
    }
    Ok(tables)
}

fn no_table<'t>(table: DumpTable, tables: impl Iterator<Item = &'t Tables<'t>>) -> Unusable {
    let mut has: BTreeSet<&str> = BTreeSet::new();
    for tables in tables {
        has.extend(tables.others.iter().map(String::as_str));
        has.extend(DumpTable::ALL.iter().filter(|table| tables.all[**table as usize].there).map(|table| table.name()));
    }
    let shown: Vec<String> = has.iter().take(10).map(|name| quoted(name)).collect();
    let has = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
    Unusable::new(format!("the dump has no table {}; it has {has}", quoted(table.name())))
}
