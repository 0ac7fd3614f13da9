//! A CSV table with columns in any order, matched by name or by `--map`.

use std::str::FromStr;

use super::cells::{rate, several};
use super::columns::{Columns, CsvRow, CsvRows};
use super::found::{Found, Origin, RateOrder, RowReason, RowRemedy, SourceKind};
use super::gather::{Gather, RawPlan, RawSubscriber};
use super::unusable::Unusable;
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
    (Field::Name, &["name", "customer", "customername", "subscriber", "subscribername", "hostname"]),
    (Field::Status, &["status", "state"]),
    (Field::Up, &["up", "upload", "uploadrate", "uprate", "uploadspeed", "uploadmax"]),
    (Field::Down, &["down", "download", "downloadrate", "downrate", "downloadspeed", "downloadmax"]),
    (Field::Starts, &["starts", "startdate", "start"]),
    (Field::Ends, &["ends", "enddate", "end"]),
];

/// The unit of rates that are bare numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RateUnit {
    /// 1,000 bit/s.
    #[value(name = "kbps")]
    Kbps,
    /// 1,000,000 bit/s.
    #[value(name = "Mbps")]
    Mbps,
    /// 1,000,000,000 bit/s.
    #[value(name = "Gbps")]
    Gbps,
}

impl RateUnit {
    /// What headers call it, in lower case, letters alone.
    fn spellings(self) -> [&'static str; 3] {
        match self {
            RateUnit::Kbps => ["kbps", "kbits", "kbit"],
            RateUnit::Mbps => ["mbps", "mbits", "mbit"],
            RateUnit::Gbps => ["gbps", "gbits", "gbit"],
        }
    }

    fn word(self) -> &'static str {
        match self {
            RateUnit::Kbps => "kbps",
            RateUnit::Mbps => "Mbps",
            RateUnit::Gbps => "Gbps",
        }
    }

    const ALL: [RateUnit; 3] = [RateUnit::Kbps, RateUnit::Mbps, RateUnit::Gbps];
}

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
    up_unit: Option<RateUnit>,
    down_unit: Option<RateUnit>,
}

impl FieldColumns {
    fn new(columns: &Columns, map: &[ColumnMapping], given: Option<RateUnit>) -> Result<Self, Unusable> {
        let mut layout = Self { columns: [None; FIELDS.len()], up_unit: None, down_unit: None };
        let mut mapped = [false; FIELDS.len()];
        for mapping in map {
            let at = columns.named(&mapping.column)?;
            if layout.at(mapping.field).is_some_and(|other| other != at) {
                return Err(Unusable::MappedTwice(word(mapping.field)));
            }
            layout.columns[mapping.field as usize] = Some(at);
            mapped[mapping.field as usize] = true;
        }
        // A mapped column is not matched by its name as well.
        let taken = layout.columns;
        for (field, names) in FIELDS.iter().filter(|(field, _)| !mapped[*field as usize]) {
            let longer = with_endings(*field, names);
            let names: Vec<&str> = names.iter().copied().chain(longer.iter().map(String::as_str)).collect();
            let mut like = columns.all(&names).filter(|at| !taken.contains(&Some(*at)));
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
        let unit = |at: usize| given.or_else(|| unit(&columns.names[at]));
        (layout.up_unit, layout.down_unit) =
            (layout.at(Field::Up).and_then(unit), layout.at(Field::Down).and_then(unit));
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
    let names = [one, other].map(|at| columns.describe(at));
    Unusable::TwoColumns { field: word(field), names, numbers: [one + 1, other + 1] }
}

fn lacks(what: &'static str, field: &'static str, columns: &Columns) -> Unusable {
    Unusable::NoColumn { what, field, header: columns.listed() }
}

/// The names of a column, each with what may be behind it: `Upload (kbit/s)`, `Plan (down/up)`.
fn with_endings(field: Field, names: &[&str]) -> Vec<String> {
    let endings: Vec<&str> = match field {
        Field::Up | Field::Down => RateUnit::ALL.into_iter().flat_map(RateUnit::spellings).collect(),
        Field::Plan => vec!["updown", "downup", "uploaddownload", "downloadupload"],
        _ => Vec::new(),
    };
    names.iter().flat_map(|name| endings.iter().map(move |ending| format!("{name}{ending}"))).collect()
}

/// The unit that a header says, such as `Upload (Mbps)`. `MBps` is bytes, and none of them.
fn unit(name: &str) -> Option<RateUnit> {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    if letters.contains("Bps") && !letters.contains("BPS") {
        return None;
    }
    let lower = letters.to_ascii_lowercase();
    RateUnit::ALL.into_iter().find(|unit| unit.spellings().iter().any(|spelling| lower.contains(spelling)))
}

/// The order in which this word for a direction is first.
fn direction(word: &str) -> Option<RateOrder> {
    match word {
        "up" | "upload" => Some(RateOrder::UpDown),
        "down" | "download" => Some(RateOrder::DownUp),
        _ => None,
    }
}

/// Which of two rates in a plan's name comes first, if the header says so, as `Plan (down/up)`.
fn rate_order(name: &str) -> Option<RateOrder> {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let first = words.find_map(direction)?;
    words.any(|word| direction(word).is_some_and(|other| other != first)).then_some(first)
}

/// Reads a table.
///
/// # Errors
/// If it is no table, or lacks a column.
pub fn read(
    bytes: &[u8],
    map: &[ColumnMapping],
    unit: Option<RateUnit>,
    domain: Option<&DomainName>,
) -> Result<Found, Unusable> {
    let rows = CsvRows::open(bytes, None, |columns| FieldColumns::new(columns, map, unit).is_ok())?;
    let layout = FieldColumns::new(&rows.columns, map, unit)?;
    let mut gather = Gather::new(SourceKind::Csv, domain);
    gather.found().rate_order = layout.at(Field::Plan).and_then(|at| rate_order(&rows.columns.names[at]));
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
                reasons.push("there is no rate".into());
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

/// A rate, as people write it: `30 Mbps`, `30M`, or a number whose unit the header or the operator gives.
fn cell_rate(which: &str, cell: &str, unit: Option<RateUnit>, reasons: &mut Vec<RowReason>) -> Option<Rate> {
    if cell.is_empty() {
        return None;
    }
    let number = !cell.contains(char::is_alphabetic);
    let read = match (number, unit) {
        (true, Some(unit)) => rate(&format!("{cell} {}", unit.word())),
        (true, None) => {
            let text = format!("the {which} rate: {} has no unit", quoted(cell));
            reasons.push(RowReason { text, remedy: Some(RowRemedy::Unit) });
            return None;
        }
        (false, _) => rate(cell),
    };
    read.map_err(|reason| reasons.push(format!("the {which} rate: {reason}").into())).ok()
}
