//! A dump of a portal's database, as `mysqldump` and `mariadb-dump` write it.
//!
//! Tables: `subscriber(sub_id, ipaddress, attribute, plan_id, dom_id)`, `plan(plan_id, plan_name)`,
//! `domains(dom_id, domain_name)`. [`scan`] splits the text into statements, [`insert`] splits those
//! of interest into rows, and [`mod@values`] reads the values of a row.

pub mod insert;
pub mod scan;
pub mod values;

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::found::{DumpTable, Found, Origin, SourceKind, Unusable};
use super::gather::{Gather, RawPlan, RawSubscriber};
use super::shaper::{SET_ATTRIBUTE, other_word};
use crate::text::quote::quoted;
use insert::{Of, RawRow, TableName};
use scan::Scanner;
use values::{BadCells, Values, cells};

/// How many rows are parsed before they are taken.
const AT_ONCE: usize = 16 << 10;

/// What a dump holds of one table.
#[derive(Default)]
struct Content<'b> {
    /// The columns of its CREATE TABLE.
    created: Vec<String>,
    /// Each INSERT's rows, with the columns that it names.
    inserts: Vec<(Vec<String>, Vec<RawRow<'b>>)>,
    /// The INSERTs that could not be split, by line.
    refused: Vec<(usize, String)>,
    /// Whether it is there at all.
    there: bool,
}

/// The three tables of one database.
#[derive(Default)]
struct Tables<'b> {
    all: [Content<'b>; 3],
    others: BTreeSet<String>,
}

/// Reads a dump; if it has several databases, that which `database` names.
///
/// # Errors
/// If it is cut off, or has not the three tables.
pub fn read(bytes: &[u8], database: Option<&str>) -> Result<Found, Unusable> {
    let tables = tables(bytes, database)?;
    let mut gather = Gather::new(SourceKind::Mysqldump, None);
    let plans = names(&mut gather, &tables, DumpTable::Plan, "plan_id", "plan_name")?;
    let domains = names(&mut gather, &tables, DumpTable::Domains, "dom_id", "domain_name")?;
    for (origin, name) in plans.listed() {
        gather.listed_plan(origin, name);
    }
    for (origin, name) in domains.listed() {
        gather.listed_domain(origin, name);
    }
    subscribers(&mut gather, &tables, &plans, &domains)?;
    Ok(gather.finish())
}

/// Splits the dump, and takes what belongs to the three tables.
fn tables<'b>(bytes: &'b [u8], wanted: Option<&str>) -> Result<Tables<'b>, Unusable> {
    let mut by_database: HashMap<String, Tables<'b>> = HashMap::new();
    let mut current = String::new();
    let mut scanner = Scanner::new(bytes);
    for statement in scanner.by_ref() {
        let (name, created) = match insert::what(&statement) {
            Some(Of::Use(database)) => {
                current = database;
                continue;
            }
            Some(Of::Create(name)) => (name, true),
            Some(Of::Insert(name)) => (name, false),
            None => continue,
        };
        let TableName { database, table } = name;
        let tables = by_database.entry(database.unwrap_or_else(|| current.clone())).or_default();
        let Some(which) = DumpTable::ALL.into_iter().position(|known| known.name().eq_ignore_ascii_case(&table)) else {
            tables.others.insert(table);
            continue;
        };
        let content = &mut tables.all[which];
        content.there = true;
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
    choose(by_database, wanted)
}

impl<'b> Content<'b> {
    /// The columns of an INSERT that names these, or none.
    fn columns(&self, table: DumpTable, named: &[String]) -> Vec<String> {
        match (named.is_empty(), self.created.is_empty()) {
            (false, _) => named.to_vec(),
            (true, false) => self.created.clone(),
            (true, true) => usual_columns(table),
        }
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
    if seen.untellable_quotes {
        return Err(Unusable::new(
            "the dump is in a character set in which quotes cannot be told from letters; make it with \
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
        (None, several) => {
            return Err(Unusable::new(format!(
                "the dump has a table `subscriber` in several databases: name one with --database, of {}",
                shown(several)
            )));
        }
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

/// The columns of a table in the order of its documentation, for dumps that do not tell.
fn usual_columns(table: DumpTable) -> Vec<String> {
    let columns: &[&str] = match table {
        DumpTable::Subscriber => &["sub_id", "ipaddress", "attribute", "plan_id", "dom_id"],
        DumpTable::Plan => &["plan_id", "plan_name"],
        DumpTable::Domains => &["dom_id", "domain_name"],
    };
    columns.iter().map(|column| (*column).to_owned()).collect()
}

/// A row that cannot be read.
struct Unread {
    origin: Origin,
    /// Its value in the first wanted column, if that can be read.
    first: Option<String>,
}

/// Reads every row of a table: `take` gets the values of the wanted columns; rows that cannot be
/// read are refused, and returned. What stands in other columns is passed over.
fn each<const N: usize>(
    gather: &mut Gather,
    tables: &Tables<'_>,
    table: DumpTable,
    wanted: [(&str, bool); N],
    mut take: impl FnMut(&mut Gather, Origin, [Option<&str>; N]),
) -> Result<Vec<Unread>, Unusable> {
    let content = &tables.all[table as usize];
    let mut number = 0;
    let mut unread = Vec::new();
    for (named, rows) in &content.inserts {
        let columns = content.columns(table, named);
        let places = places(table, &columns, wanted)?;
        for some in rows.chunks(AT_ONCE) {
            let parsed: Vec<Result<Values, String>> = some.par_iter().map(values::values).collect();
            for (row, values) in some.iter().zip(parsed) {
                number += 1;
                let origin = Origin { row: Some((table, number)), ..Origin::line(row.line) };
                let bad = |reason| BadCells { reasons: vec![reason], first: None };
                let values = values.map_err(bad).and_then(|values| match (values.len(), columns.len()) {
                    (is, should) if is == should => cells(&values, places, wanted.map(|(name, _)| name)),
                    (is, should) => Err(bad(format!("the row has {is} values and the table {should} columns"))),
                });
                match values {
                    Ok(cells) => take(gather, origin, cells.each_ref().map(|cell| cell.as_deref().map(str::trim))),
                    Err(BadCells { reasons, first }) => {
                        gather.refuse(origin, &String::from_utf8_lossy(row.bytes), reasons);
                        unread.push(Unread { origin, first });
                    }
                }
            }
        }
    }
    for (line, reason) in &content.refused {
        let origin = Origin::line(*line);
        gather.refuse(origin, table.name(), vec![reason.clone()]);
        unread.push(Unread { origin, first: None });
    }
    Ok(unread)
}

fn places<const N: usize>(
    table: DumpTable,
    columns: &[String],
    wanted: [(&str, bool); N],
) -> Result<[Option<usize>; N], Unusable> {
    let place = |(name, _): (&str, bool)| columns.iter().position(|column| column == name);
    if let Some((name, _)) = wanted.iter().find(|&&(name, needed)| needed && place((name, needed)).is_none()) {
        let has: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        return Err(Unusable::new(format!(
            "the table {} has no column {}; it has {}",
            quoted(table.name()),
            quoted(name),
            has.join(", ")
        )));
    }
    Ok(wanted.map(place))
}

/// A table of names by number.
struct Names {
    table: DumpTable,
    column: &'static str,
    by_number: HashMap<String, (Origin, String)>,
    /// The rows that are refused, by number.
    refused: HashMap<String, Origin>,
    /// Refused rows without a known number.
    unread: usize,
}

impl Names {
    /// All of them, in the order of the dump.
    fn listed(&self) -> Vec<(Origin, &str)> {
        let mut all: Vec<(Origin, &str)> =
            self.by_number.values().map(|(origin, name)| (*origin, name.as_str())).collect();
        all.sort();
        all
    }

    /// The name for a number that a subscriber has, or why there is none.
    fn name(&self, number: Option<&str>) -> Result<&str, String> {
        let Some(number) = number else {
            return Err(format!("{} is NULL", self.column));
        };
        if let Some((_, name)) = self.by_number.get(number) {
            return Ok(name);
        }
        let (column, shown, table) = (self.column, quoted(number), self.table.name());
        Err(match (self.refused.get(number), self.unread) {
            (Some(origin), _) => format!("the {column} {shown} is refused: {origin}"),
            (None, 0) => format!("there is no {column} {shown} in {table}"),
            (None, _) => format!("there is no {column} {shown} in what can be read of {table}"),
        })
    }
}

fn names(
    gather: &mut Gather,
    tables: &Tables<'_>,
    table: DumpTable,
    number: &'static str,
    name: &'static str,
) -> Result<Names, Unusable> {
    let mut names = Names { table, column: number, by_number: HashMap::new(), refused: HashMap::new(), unread: 0 };
    let wanted = [(number, true), (name, true)];
    let unread = each(gather, tables, table, wanted, |gather, origin, [number_value, name_value]| {
        let (Some(value), Some(text)) = (number_value, name_value.filter(|text| !text.is_empty())) else {
            let mut reasons = Vec::new();
            for (column, value) in [(number, number_value), (name, name_value)] {
                match value {
                    None => reasons.push(format!("{column} is NULL")),
                    Some("") => reasons.push(format!("{column} is empty")),
                    Some(_) => {}
                }
            }
            gather.refuse(origin, number_value.or(name_value).unwrap_or("NULL"), reasons);
            names.refused.extend(number_value.map(|value| (value.to_owned(), origin)));
            return;
        };
        match names.by_number.get(value) {
            Some((first, _)) => {
                let reason = format!("the {number} {} stands on {first} already", quoted(value));
                gather.refuse(origin, text, vec![reason]);
            }
            None => {
                names.by_number.insert(value.to_owned(), (origin, text.to_owned()));
            }
        }
    })?;
    for row in unread {
        match row.first {
            Some(number) => drop(names.refused.insert(number.trim().to_owned(), row.origin)),
            None => names.unread += 1,
        }
    }
    Ok(names)
}

fn subscribers(gather: &mut Gather, tables: &Tables<'_>, plans: &Names, domains: &Names) -> Result<(), Unusable> {
    let columns = [("ipaddress", true), ("plan_id", true), ("dom_id", true), ("sub_id", false), ("attribute", false)];
    let content = &tables.all[DumpTable::Subscriber as usize];
    let has = |named: &[String]| content.columns(DumpTable::Subscriber, named).iter().any(|column| column == "attribute");
    let told = content.inserts.iter().any(|(named, _)| has(named));
    let unread =
        each(gather, tables, DumpTable::Subscriber, columns, |gather, origin, [ip, plan, domain, id, attribute]| {
            let mut reasons = Vec::new();
            match attribute {
                Some(SET_ATTRIBUTE | "set_attribute") => {}
                None if !told => {}
                other => reasons.push(other_word(other.unwrap_or("NULL"))),
            }
            let mut name = |names: &Names, number| {
                names.name(number).map(str::to_owned).map_err(|reason| reasons.push(reason)).ok()
            };
            let (plan, domain) = (name(plans, plan), name(domains, domain));
            let raw = RawSubscriber {
                addresses: ip.into_iter().collect(),
                domain: domain.as_deref().unwrap_or_default(),
                plan: plan.as_deref().map_or(RawPlan::None, RawPlan::Attribute),
                id: id.unwrap_or_default(),
                ..RawSubscriber::default()
            };
            gather.subscriber(origin, &raw, reasons);
        })?;
    for address in unread.into_iter().filter_map(|row| row.first) {
        gather.doubt(&[address.trim()], "");
    }
    Ok(())
}
