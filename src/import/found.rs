//! What a source holds: who is served, with what, and what cannot be taken over.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::model::{Address, Addresses, Date, Name, Rate, Subscriber, SubscriberId, SubscriberStatus, Text};

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A dump of a MySQL or MariaDB database with the tables `subscriber`, `plan` and `domains`.
    Mysqldump,
    /// A live shaper file.
    Shaper,
    /// A table with a header.
    Csv,
    /// ShapedDevices.csv of LibreQoS.
    Libreqos,
}

impl Kind {
    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Mysqldump => "mysqldump",
            Kind::Shaper => "shaper",
            Kind::Csv => "csv",
            Kind::Libreqos => "libreqos",
        }
    }

    /// What it is, for people.
    pub fn description(self) -> &'static str {
        match self {
            Kind::Mysqldump => "a dump of a MySQL or MariaDB database",
            Kind::Shaper => "a shaper file",
            Kind::Csv => "a table in CSV",
            Kind::Libreqos => "a ShapedDevices.csv of LibreQoS",
        }
    }
}

/// A table of the portal's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Who has what.
    Subscriber,
    /// What can be sold.
    Plan,
    /// The tier-2 ISPs.
    Domains,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 3] = [Table::Subscriber, Table::Plan, Table::Domains];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Table::Subscriber => "subscriber",
            Table::Plan => "plan",
            Table::Domains => "domains",
        }
    }
}

/// Where something stands in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The line, from 1.
    pub line: u32,
    /// The row of a table of the dump, from 1: a dump has thousands of rows on one line.
    pub row: Option<(Table, u32)>,
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

/// How many reasons a refusal has at most: a row can hold as many wrong values as a file has bytes.
pub const MAX_REASONS: usize = 20;

/// Something that cannot be taken over, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Where it stands.
    pub origin: Origin,
    /// What stands there, so that it is found again: an address, or the line.
    pub subject: String,
    /// Why: one sentence for each thing that is wrong, at most [`MAX_REASONS`].
    pub reasons: Vec<String>,
}

/// How a source names a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlanKey {
    /// By what the shaper is told.
    Attribute(String),
    /// By a name for people.
    Name(String),
    /// Not at all: by upload and download rate.
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

/// A plan of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPlan {
    /// How the source names it.
    pub key: PlanKey,
    /// What the shaper is told, where the source tells that beside a name.
    pub attribute: Option<String>,
    /// The upload rate, if the source tells it.
    pub up: Option<Rate>,
    /// The download rate, if the source tells it.
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
    /// Where it stands.
    pub origin: Origin,
    /// Its addresses, in the canonical spelling.
    pub ip: Addresses,
    /// Its domain.
    pub domain: Name,
    /// Its plan's place in [`Found::plans`].
    pub plan: u32,
    /// What else the source says; the most have none of it.
    pub more: Option<Box<More>>,
}

/// What a source may say of a subscriber beside the necessary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct More {
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

/// All that a source holds.
#[derive(Clone, Debug)]
pub struct Found {
    /// What kind of source it is.
    pub kind: Kind,
    /// The plans, in the order in which the source names them.
    pub plans: Vec<FoundPlan>,
    /// The domains, by name, each with where the source names it first.
    pub domains: BTreeMap<Name, Origin>,
    /// The subscribers, in the order of the source.
    pub subscribers: Vec<FoundSubscriber>,
    /// What cannot be taken over, in the order of the source.
    pub refusals: Vec<Refusal>,
    /// Whom they name.
    pub doubted: Doubted,
    /// What one should know: sentences.
    pub notes: Vec<String>,
}

/// Who is named by rows that are refused: nobody knows what the source means of them, so that whoever
/// of them is there already stays as before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubted {
    addresses: HashSet<(bool, u128, u8)>,
    ids: HashSet<String>,
}

impl Doubted {
    /// A row that names these is refused.
    pub fn add<'a>(&mut self, addresses: impl IntoIterator<Item = &'a Address>, id: &str) {
        self.addresses.extend(addresses.into_iter().map(Address::sort_key));
        if !id.is_empty() {
            self.ids.insert(id.to_owned());
        }
    }

    /// Whether such a row may mean this subscriber.
    pub fn may_mean(&self, subscriber: &Subscriber) -> bool {
        subscriber.ip.as_slice().iter().any(|address| self.addresses.contains(&address.sort_key()))
            || subscriber.id.as_ref().is_some_and(|id| self.ids.contains(id.as_str()))
    }
}

/// Why a source as a whole is no use: it is cut off, or of another kind than it was said to be.
/// Nothing of it is taken over, whatever else is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(pub String);

impl Unusable {
    /// With this reason: a sentence without a full stop, with what to do.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
