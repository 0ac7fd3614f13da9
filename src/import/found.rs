//! The content of a source: subscribers with their plans and domains, and the refused rows.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::model::{Address, Addresses, Date, Name, Rate, Subscriber, SubscriberId, SubscriberStatus, Text};
use crate::text::characters::is_steering;
use crate::text::quote::harmless;

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SourceKind {
    /// A dump of a MySQL or MariaDB database with the tables `subscriber`, `plan` and `domains`.
    Mysqldump,
    /// A live shaper file.
    Shaper,
    /// A table with a header.
    Csv,
    /// ShapedDevices.csv of LibreQoS.
    Libreqos,
}

impl SourceKind {
    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            SourceKind::Mysqldump => "mysqldump",
            SourceKind::Shaper => "shaper",
            SourceKind::Csv => "csv",
            SourceKind::Libreqos => "libreqos",
        }
    }

    /// What it is, for people.
    pub fn description(self) -> &'static str {
        match self {
            SourceKind::Mysqldump => "a dump of a MySQL or MariaDB database",
            SourceKind::Shaper => "a shaper file",
            SourceKind::Csv => "a table in CSV",
            SourceKind::Libreqos => "a ShapedDevices.csv of LibreQoS",
        }
    }
}

/// A table of the portal's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DumpTable {
    /// Who has what.
    Subscriber,
    /// What can be sold.
    Plan,
    /// The tier-2 ISPs.
    Domains,
}

impl DumpTable {
    /// All of them.
    pub const ALL: [DumpTable; 3] = [DumpTable::Subscriber, DumpTable::Plan, DumpTable::Domains];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            DumpTable::Subscriber => "subscriber",
            DumpTable::Plan => "plan",
            DumpTable::Domains => "domains",
        }
    }
}

/// A position in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The line, from 1.
    pub line: u32,
    /// The row of a dump's table, from 1: a dump has thousands of rows on one line.
    pub row: Option<(DumpTable, u32)>,
}

impl Origin {
    /// A line.
    pub fn line(line: usize) -> Self {
        Self { line: u32::try_from(line).unwrap_or(u32::MAX), row: None }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        match self.row {
            Some((table, row)) => write!(f, ", row {row} of {}", table.name()),
            None => Ok(()),
        }
    }
}

/// Upper bound for the reasons of one refused row, which can hold as many wrong values as a file has
/// bytes.
pub const MAX_REASONS: usize = 20;

/// What the operator can say so that a row is not refused for a reason: each caller has its own words for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowRemedy {
    /// The domain of rows that name none.
    Domain,
    /// The unit of rates that are bare numbers.
    Unit,
}

/// Why a row is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowReason {
    /// A sentence without a full stop.
    pub text: String,
    /// What would help beside another source.
    pub remedy: Option<RowRemedy>,
}

impl From<String> for RowReason {
    fn from(text: String) -> Self {
        Self { text, remedy: None }
    }
}

impl From<&str> for RowReason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for RowReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A row that cannot be imported, with the reasons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusedRow {
    /// Where the row is.
    pub origin: Origin,
    /// What helps to find the row: its address, or the line.
    pub subject: String,
    /// One for each problem, at most [`MAX_REASONS`].
    pub reasons: Vec<RowReason>,
}

impl RefusedRow {
    /// A refusal for at most [`MAX_REASONS`] of `reasons`.
    pub fn new(origin: Origin, subject: &str, reasons: impl IntoIterator<Item: Into<RowReason>>) -> Self {
        // Libraries quote what they cannot read as it is.
        let harmless_reason = |reason: RowReason| RowReason { text: without_steering(&reason.text), ..reason };
        let reasons = reasons.into_iter().take(MAX_REASONS).map(|reason| harmless_reason(reason.into())).collect();
        Self { origin, subject: harmless(subject, 120), reasons }
    }
}

/// A sentence that may quote a source, without the characters that steer a terminal.
pub(super) fn without_steering(sentence: &str) -> String {
    sentence.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect()
}

/// How a source names a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlanKey {
    /// By its shaper attribute.
    Attribute(String),
    /// By a name for people.
    Name(String),
    /// By upload and download rate: the source has no name for it.
    Rates(Rate, Rate),
}

impl fmt::Display for PlanKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanKey::Attribute(text) | PlanKey::Name(text) => f.write_str(text),
            PlanKey::Rates(up, down) => write!(f, "{up} up, {down} down"),
        }
    }
}

/// Which of two rates in a plan's name comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RateOrder {
    /// `10M_5M` is 10 Mbps up and 5 Mbps down.
    #[value(name = "up/down")]
    UpDown,
    /// `10M_5M` is 10 Mbps down and 5 Mbps up.
    #[value(name = "down/up")]
    DownUp,
}

/// A plan of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPlan {
    /// How the source names it.
    pub key: PlanKey,
    /// The shaper attribute, if the source gives one beside the name.
    pub attribute: Option<String>,
    /// The upload rate, if the source gives it.
    pub up: Option<Rate>,
    /// The download rate, if the source gives it.
    pub down: Option<Rate>,
    /// For people.
    pub description: Option<Text>,
    /// Where the source names it first.
    pub origin: Origin,
    /// How many subscribers have it.
    pub subscribers: usize,
}

/// A subscriber of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSubscriber {
    /// Where the row is.
    pub origin: Origin,
    /// Its addresses, in the canonical spelling.
    pub ip: Addresses,
    /// Its domain.
    pub domain: Name,
    /// Its plan's index in [`Found::plans`].
    pub plan: u32,
    /// What else the source says; boxed, because most rows have none of it.
    pub more: Option<Box<SubscriberDetails>>,
}

/// The optional fields of a subscriber.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberDetails {
    /// Its id.
    pub id: Option<SubscriberId>,
    /// Its name for people.
    pub name: Option<Text>,
    /// Whether it is served.
    pub status: Option<SubscriberStatus>,
    /// The first day of service.
    pub starts: Option<Date>,
    /// The first day without service.
    pub ends: Option<Date>,
}

impl FoundSubscriber {
    /// Its id, if the source has one.
    pub fn id(&self) -> Option<&SubscriberId> {
        self.more.as_ref()?.id.as_ref()
    }
}

/// The content of a source.
#[derive(Clone, Debug)]
pub struct Found {
    /// What kind of source it is.
    pub kind: SourceKind,
    /// Whether it is a sheet of a workbook.
    pub is_sheet: bool,
    /// The plans, in the order in which the source names them.
    pub plans: Vec<FoundPlan>,
    /// Which of two rates in a plan's name comes first, if the source says so.
    pub rate_order: Option<RateOrder>,
    /// The domains, by name, each with where the source names it first.
    pub domains: BTreeMap<Name, Origin>,
    /// The subscribers, in the order of the source.
    pub subscribers: Vec<FoundSubscriber>,
    /// The refused rows, in the order of the source.
    pub refusals: Vec<RefusedRow>,
    /// The subscribers that refused rows name.
    pub doubted: Doubted,
    /// Sentences for the operator.
    pub notes: Vec<String>,
}

impl Found {
    /// What the source is, for people.
    pub fn description(&self) -> &'static str {
        match (self.kind, self.is_sheet) {
            (SourceKind::Csv, true) => "a table in a workbook",
            (kind, _) => kind.description(),
        }
    }
}

/// The addresses and ids in refused rows. What the source says of them is not known, so existing
/// subscribers with one of them stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubted {
    addresses: HashSet<(bool, u128, u8)>,
    ids: HashSet<String>,
}

impl Doubted {
    /// Adds the addresses and the id of a refused row.
    pub fn add<'a>(&mut self, addresses: impl IntoIterator<Item = &'a Address>, id: &str) {
        self.addresses.extend(addresses.into_iter().map(Address::sort_key));
        if !id.is_empty() {
            self.ids.insert(id.to_owned());
        }
    }

    /// Whether a refused row may be about this subscriber.
    pub fn may_mean(&self, subscriber: &Subscriber) -> bool {
        subscriber.ip.as_slice().iter().any(|address| self.addresses.contains(&address.sort_key()))
            || subscriber.id.as_ref().is_some_and(|id| self.ids.contains(id.as_str()))
    }
}
