//! The arguments of `history`.

use clap::Args;

use super::HistoryFormat;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// An address, a prefix, an id, or ADDRESS@DOMAIN. Without it, everybody.
    #[arg(value_name = "WHO")]
    pub(crate) who: Option<String>,

    /// Only subscribers of this domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,

    /// Who it was on this day or at this moment (UTC), in place of what happened.
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["from", "to"])]
    pub(crate) on: Option<String>,

    /// Only changes from this day or moment on (UTC), such as 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,

    /// Only changes up to this day or moment (UTC), with it.
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,

    /// The revision whose history it is.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(crate) rev: String,

    /// At most so many; 0 is no limit. Without it, 100 if nobody is named.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// How the history is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: HistoryFormat,

    /// Read everything from git, and keep nothing for the next time.
    #[arg(long)]
    pub(crate) no_cache: bool,
}
