//! A CSV table with columns in any order, matched by name or by `--map`.

use std::str::FromStr;

use super::cells::{rate, several};
use super::columns::{Columns, CsvRow, CsvRows};
use super::found::{Found, Origin, SourceKind, Unusable};
use super::gather::{Gather, RawPlan, RawSubscriber};
use crate::model::{DomainName, Rate};
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// The fields, each with its name in `--map` and the other names it has in tables: lower case, letters
/// and digits alone.
const FIELDS: [(Field, &[&str]); 11] = [
    (Field::Ip, &["ip", "ipaddress", "address", "ipaddr", "ips", "ipaddresses", "addresses", "ipv4", "ipv4address"]),
    (Field::Ipv6, &["ipv6", "ipv6address"]),
    (Field::Domain, &["domain", "domainname", "realm"]),
    (Field::Plan, &["plan", "planname", "package", "product", "service"]),
    (Field::Id, &["id", "subid", "subscriberid", "customerid", "accountid", "account"]),
    (Field::Name, &["name", "customer", "customername", "subscriber", "subscribername"]),
    (Field::Status, &["status", "state"]),
    (Field::Up, &["up", "upload", "uploadrate", "uprate", "upmbps", "uploadmbps", "uploadkbps", "upkbps"]),
    (
        Field::Down,
        &["down", "download", "downloadrate", "downrate", "downmbps", "downloadmbps", "downloadkbps", "downkbps"],
    ),
    (Field::Starts, &["starts", "startdate", "start"]),
    (Field::Ends, &["ends", "enddate", "end"]),
];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Ip,
    Ipv6,
    Domain,
    Plan,
    Id,
    Name,
    Status,
    Up,
    Down,
    Starts,
    Ends,
}

/// `FIELD=COLUMN`: which column is what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMapping {
    field: Field,
    column: String,
}

impl FromStr for ColumnMapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((word, column)) = text.split_once('=') else {
            return Err(format!("{} is not FIELD=COLUMN, such as plan=Product", quoted(text)));
        };
        let words = || FIELDS.iter().map(|(_, names)| names[0]);
        match FIELDS.iter().find(|(_, names)| names[0] == word.trim()) {
            Some((field, _)) => Ok(Self { field: *field, column: column.to_owned() }),
            None => Err(match nearest(word, words()) {
                Some(near) => format!("there is no field {}; did you mean {}?", quoted(word), quoted(near)),
                None => {
                    format!("there is no field {}; there are {}", quoted(word), words().collect::<Vec<_>>().join(", "))
                }
            }),
        }
    }
}

/// The column of each field.
struct FieldColumns {
    columns: [Option<usize>; FIELDS.len()],
    up_unit: Option<&'static str>,
    down_unit: Option<&'static str>,
}

impl FieldColumns {
    fn new(columns: &Columns, map: &[ColumnMapping]) -> Result<Self, Unusable> {
        let mut layout = Self { columns: [None; FIELDS.len()], up_unit: None, down_unit: None };
        let mut mapped = [false; FIELDS.len()];
        for mapping in map {
            let at = columns.named(&mapping.column)?;
            if layout.at(mapping.field).is_some_and(|other| other != at) {
                return Err(Unusable::new(format!("--map names two columns for {}", word(mapping.field))));
            }
            layout.columns[mapping.field as usize] = Some(at);
            mapped[mapping.field as usize] = true;
        }
        // A mapped column is not matched by its name as well.
        let taken = layout.columns;
        for (field, names) in FIELDS.iter().filter(|(field, _)| !mapped[*field as usize]) {
            let mut like = columns.all(names).filter(|at| !taken.contains(&Some(*at)));
            layout.columns[*field as usize] = like.next();
            if let (Some(one), Some(other)) = (layout.at(*field), like.next()) {
                return Err(either(*field, one, other, columns));
            }
        }
        if layout.at(Field::Ip).is_none() && layout.at(Field::Ipv6).is_none() {
            return Err(lacks("an address", "ip", columns));
        }
        if layout.at(Field::Plan).is_none() && (layout.at(Field::Up).is_none() || layout.at(Field::Down).is_none()) {
            return Err(lacks("a plan", "plan", columns));
        }
        layout.up_unit = layout.at(Field::Up).and_then(|at| unit(&columns.names[at]));
        layout.down_unit = layout.at(Field::Down).and_then(|at| unit(&columns.names[at]));
        Ok(layout)
    }

    fn at(&self, field: Field) -> Option<usize> {
        self.columns[field as usize]
    }
}

/// The field's name in `--map`.
fn word(field: Field) -> &'static str {
    FIELDS.iter().find(|(known, _)| *known == field).map_or("", |(_, names)| names[0])
}

fn either(field: Field, one: usize, other: usize, columns: &Columns) -> Unusable {
    let (word, first, second) = (word(field), columns.describe(one), columns.describe(other));
    Unusable::new(format!(
        "two columns could be the field `{word}`: {first} and {second}; say which one with --map {word}={} or \
         --map {word}={}",
        one + 1,
        other + 1
    ))
}

fn lacks(what: &str, field: &str, columns: &Columns) -> Unusable {
    Unusable::new(format!(
        "no column of the header is called like {what}: {}; name the column with --map {field}=COLUMN",
        columns.listed()
    ))
}

/// The unit that a header says, such as `Upload (Mbps)`.
fn unit(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    ["kbps", "Mbps", "Gbps"].into_iter().find(|unit| lower.contains(&unit.to_ascii_lowercase()))
}

/// Reads a table.
///
/// # Errors
/// If it is no table, or lacks a column.
pub fn read(bytes: &[u8], map: &[ColumnMapping], domain: Option<&DomainName>) -> Result<Found, Unusable> {
    let rows = CsvRows::open(bytes, None)?;
    let layout = FieldColumns::new(&rows.columns, map)?;
    let mut gather = Gather::new(SourceKind::Csv, domain);
    rows.each(&mut gather, &layout.columns, |gather, origin, row| one(gather, origin, row, &layout))?;
    Ok(gather.finish())
}

fn one(gather: &mut Gather, origin: Origin, row: &CsvRow<'_>, layout: &FieldColumns) {
    let get = |field| row.get(layout.at(field));
    let mut reasons = Vec::new();
    let up = cell_rate("upload", get(Field::Up), layout.up_unit, &mut reasons);
    let down = cell_rate("download", get(Field::Down), layout.down_unit, &mut reasons);
    let plan = match (layout.at(Field::Plan), up, down) {
        (Some(at), ..) => RawPlan::Name { name: row.get(Some(at)), attribute: "", up, down },
        (None, Some(up), Some(down)) => RawPlan::Rates(up, down),
        (None, ..) => {
            if reasons.is_empty() {
                reasons.push("there is no rate".to_owned());
            }
            RawPlan::None
        }
    };
    let raw = RawSubscriber {
        addresses: [get(Field::Ip), get(Field::Ipv6)].into_iter().flat_map(several).collect(),
        domain: get(Field::Domain),
        plan,
        id: get(Field::Id),
        name: get(Field::Name),
        status: get(Field::Status),
        starts: get(Field::Starts),
        ends: get(Field::Ends),
    };
    gather.subscriber(origin, &raw, reasons);
}

/// A rate, as people write it: `30 Mbps`, `30M`, or a number under a header that says the unit.
fn cell_rate(which: &str, cell: &str, unit: Option<&str>, reasons: &mut Vec<String>) -> Option<Rate> {
    if cell.is_empty() {
        return None;
    }
    let number = !cell.contains(char::is_alphabetic);
    let text = match unit {
        Some(unit) if number => format!("{cell} {unit}"),
        _ => cell.to_owned(),
    };
    rate(&text).map_err(|reason| reasons.push(format!("the {which} rate: {reason}"))).ok()
}
