//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::import::SourceKind;
use crate::import::adopt::GivenRates;
use crate::import::csv::ColumnMapping;
use crate::model::{Date, DomainName};

/// How the outcome of `import` is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// For people.
    Text,
    /// For programs; see docs/import.md.
    Json,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The source; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// What kind of source it is. Without it, that is told from the file.
    #[arg(long, value_name = "KIND", value_enum)]
    pub from: Option<SourceKind>,

    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Leave out what cannot be taken over, and write the rest; a report says what was left out.
    #[arg(long)]
    pub skip_bad: bool,

    /// Leave whoever is suspended in the data suspended, whatever the source says.
    #[arg(long)]
    pub keep_suspended: bool,

    /// Where that report goes: a new file, or an earlier report. Without it, FILE.refused.txt in the
    /// present folder.
    #[arg(long, value_name = "FILE", requires = "skip_bad")]
    pub report: Option<PathBuf>,

    /// Which column is what, such as plan=Product; a column may be named by its number. Fields: ip,
    /// ipv6, domain, plan, id, name, status, up, down, starts, ends. For csv; may be given several
    /// times.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub map: Vec<ColumnMapping>,

    /// The domain of rows that name none. For csv and libreqos.
    #[arg(long, value_name = "NAME")]
    pub domain: Option<DomainName>,

    /// The database, where a dump has several.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,

    /// The rates of a plan, such as GOLD=30Mbps/50Mbps. May be given several times.
    #[arg(long, value_name = "NAME=UP/DOWN")]
    pub rate: Vec<GivenRates>,

    /// Say that a change beyond the safety limits is meant: its fingerprint.
    #[arg(long, value_name = "FINGERPRINT")]
    pub ack: Option<String>,

    /// Take this as today's date (UTC): who is out of its term is not expected in the source.
    #[arg(long, value_name = "DATE")]
    pub on: Option<Date>,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: ImportFormat,
}
