//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::completion;
use crate::import::adopt::GivenRates;
use crate::import::csv::ColumnMapping;
use crate::import::{RateOrder, RateUnit, SourceKind, TableColumns};
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

    /// Start a data repository in the current folder, or in that of -C, if there is none.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) init: bool,

    /// Show what would be written; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Skip rows that cannot be imported and write the rest; a report lists the skipped rows.
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Keep subscribers suspended that are suspended in the data, whatever the source says.
    #[arg(long)]
    pub(crate) keep_suspended: bool,

    /// Remove nobody: subscribers that the source lacks stay.
    #[arg(long)]
    pub(crate) add_only: bool,

    /// Do not ask on a terminal before subscribers are removed.
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,

    /// The file for that report: a new file, or an earlier report [default: FILE.refused.txt in the
    /// current folder]
    #[arg(long, value_name = "FILE", requires = "skip_bad")]
    pub(crate) report: Option<PathBuf>,

    /// The column of a field, such as plan=Product; a column can be named by its number. Fields: ip,
    /// ipv6, domain, plan, id, name, status, up, down, starts, ends. For csv. Can be repeated.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub(crate) map: Vec<ColumnMapping>,

    /// The unit of rates that are bare numbers; it counts more than the header. For csv.
    #[arg(long, value_name = "UNIT", value_enum)]
    pub(crate) unit: Option<RateUnit>,

    /// The domain of rows without one. For csv and libreqos.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(completion::domains))]
    pub(crate) domain: Option<DomainName>,

    /// The database, if a dump has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,

    /// The sheet, if a workbook has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,

    /// The order of a table's columns, for a dump that does not say it, such as
    /// subscriber=sub_id,ipaddress,attribute,plan_id,dom_id. For mysqldump. Can be repeated.
    #[arg(long, value_name = "TABLE=COLUMNS")]
    pub(crate) columns: Vec<TableColumns>,

    /// The rates of a plan, such as GOLD=30Mbps/50Mbps. Can be repeated.
    #[arg(long, value_name = "NAME=UP/DOWN")]
    pub(crate) rate: Vec<GivenRates>,

    /// Which of two rates in a plan's name comes first, as in 10M_5M.
    #[arg(long, value_name = "ORDER", value_enum)]
    pub(crate) rates_in_names: Option<RateOrder>,

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
