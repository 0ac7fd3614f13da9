//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::import::SourceKind;
use crate::import::adopt::GivenRates;
use crate::import::csv::ColumnMapping;
use crate::model::{Date, DomainName};

/// How the outcome of `import` is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// For people.
    Text,
    /// For programs; see docs/import.md.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The source; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The kind of source [default: detected from the file]
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) from: Option<SourceKind>,

    /// Show what would be written; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Skip rows that cannot be imported and write the rest; a report lists the skipped rows.
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Keep subscribers suspended that are suspended in the data, whatever the source says.
    #[arg(long)]
    pub(crate) keep_suspended: bool,

    /// The file for that report: a new file, or an earlier report [default: FILE.refused.txt in the
    /// current folder]
    #[arg(long, value_name = "FILE", requires = "skip_bad")]
    pub(crate) report: Option<PathBuf>,

    /// The column of a field, such as plan=Product; a column can be named by its number. Fields: ip,
    /// ipv6, domain, plan, id, name, status, up, down, starts, ends. For csv. Can be repeated.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub(crate) map: Vec<ColumnMapping>,

    /// The domain of rows without one. For csv and libreqos.
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<DomainName>,

    /// The database, if a dump has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,

    /// The rates of a plan, such as GOLD=30Mbps/50Mbps. Can be repeated.
    #[arg(long, value_name = "NAME=UP/DOWN")]
    pub(crate) rate: Vec<GivenRates>,

    /// Acknowledge a change beyond the safety limits by its fingerprint.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) ack: Option<String>,

    /// Use this as today's date (UTC): subscribers outside their term are not expected in the source.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: ImportFormat,
}
