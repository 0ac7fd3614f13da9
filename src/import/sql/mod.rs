//! A dump of a portal's database, as `mysqldump` and `mariadb-dump` write it.
//!
//! Tables: `subscriber(sub_id, ipaddress, attribute, plan_id, dom_id)`, `plan(plan_id, plan_name)`,
//! `domains(dom_id, domain_name)`. [`scan`] splits the text into statements, [`insert`] splits those
//! of interest into rows, and [`mod@values`] reads the values of a row.

pub mod changed;
pub mod insert;
pub mod scan;
mod tables;
pub mod values;

pub use tables::TableColumns;

use std::collections::HashMap;

use rayon::prelude::*;

use super::found::{DumpTable, Found, Origin, RowReason, SourceKind};
use super::gather::{Gather, RawPlan, RawSubscriber};
use super::shaper::{SET_ATTRIBUTE, other_word};
use super::unusable::Unusable;
use crate::text::quote::quoted;
use tables::{Tables, tables};
use values::{BadCells, Values, cells};

/// How many rows are parsed before they are taken.
const AT_ONCE: usize = 16 << 10;

/// Reads a dump; if it has several databases, that which `database` names.
///
/// # Errors
/// If it is cut off, or has not the three tables.
pub fn read(bytes: &[u8], database: Option<&str>, columns: &[TableColumns]) -> Result<Found, Unusable> {
    let mut tables = tables(bytes, database)?;
    tables.order_columns(columns)?;
    tables.have_rows()?;
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
        let columns = content.columns(named);
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
    let has = |named: &[String]| content.columns(named).iter().any(|column| column == "attribute");
    let has_attribute = content.inserts.iter().any(|(named, _)| has(named));
    let unread =
        each(gather, tables, DumpTable::Subscriber, columns, |gather, origin, [ip, plan, domain, id, attribute]| {
            let mut reasons = Vec::new();
            match attribute {
                Some(SET_ATTRIBUTE | "set_attribute") => {}
                None if !has_attribute => {}
                other => reasons.push(RowReason::from(other_word(other.unwrap_or("NULL")))),
            }
            let mut name = |names: &Names, number| {
                names.name(number).map(str::to_owned).map_err(|reason| reasons.push(reason.into())).ok()
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
