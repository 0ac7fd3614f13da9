//! The arguments of `collect`, `simulate` and `conform`.

use std::net::SocketAddr;

use clap::Args;

use super::serve::{StateArgs, listen};
use super::{DataArgs, TextOrJson};
use crate::sync::interval::Interval;
use crate::telemetry::settings::Share;

#[derive(Debug, Args)]
pub(crate) struct CollectArgs {
    /// Ask each source once, and end.
    #[arg(long)]
    pub(crate) once: bool,

    /// Print the messages about samples and interfaces as lines of JSON; see docs/telemetry.md.
    #[arg(long)]
    pub(crate) stdout: bool,

    /// Roll up, delete what is older than the settings want, and end.
    #[arg(long, conflicts_with_all = ["once", "stdout"])]
    pub(crate) clean: bool,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The address to listen on; port 0 is a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8090", value_parser = listen)]
    pub(crate) listen: SocketAddr,

    /// Another number gives another network.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u32,

    /// The share of the subscribers that exceed their plans, such as 0.5%.
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    pub(crate) exceed: Share,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConformArgs {
    /// Compare the mean of this time until now: 60s, 10m, 1h.
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) window: Interval,

    /// How the result is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// Where events of subscribers go.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// Write an event for each subscriber that changes to the message bus of the server settings in this file; see
    /// docs/telemetry.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<std::path::PathBuf>,
}
