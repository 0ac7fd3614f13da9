//! The arguments of `history`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::{HistoryFormat, whole_number};
use crate::completion;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// An address, a prefix, an id, ADDRESS@DOMAIN, or a part of a name [default: all subscribers]
    #[arg(value_name = "WHO", add = ArgValueCompleter::new(completion::subscribers))]
    pub(crate) who: Option<String>,

    /// Only subscribers of this domain.
    #[arg(long, value_name = "DOMAIN", add = ArgValueCompleter::new(completion::domains))]
    pub(crate) domain: Option<String>,

    /// Show the state on this day or at this moment (UTC) instead of the changes.
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["from", "to"])]
    pub(crate) on: Option<String>,

    /// Only changes since this day or moment (UTC), such as 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,

    /// Only changes up to and including this day or moment (UTC).
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,

    /// The revision to read the history of.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(crate) rev: String,

    /// At most this many; 0 means no limit [default: 100 without WHO]
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>)]
    pub(crate) limit: Option<usize>,

    /// How the history is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: HistoryFormat,

    /// Read everything from git, and do not use or write the cache.
    #[arg(long)]
    pub(crate) no_cache: bool,
}
