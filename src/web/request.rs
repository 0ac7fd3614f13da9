//! What a server is to serve, and where.

use std::path::PathBuf;

use super::data::source::SourceRequest;
use super::parts::Parts;
use super::settings::ServerSettings;
use crate::database::location::StateLocation;
#[cfg(feature = "telemetry")]
use crate::telemetry::settings::TelemetrySettings;

/// What to serve, and where.
pub(crate) struct ServeRequest {
    /// The data repository.
    pub(crate) root: PathBuf,
    /// Which commit.
    pub(crate) source: SourceRequest,
    /// Where the server keeps its own state.
    pub(crate) state: StateLocation,
    /// The settings, with what the command line says.
    pub(crate) settings: ServerSettings,
    /// What of it.
    pub(crate) parts: Parts,
    /// The live dashboard, if there is one.
    #[cfg(feature = "telemetry")]
    pub(crate) live: Option<LiveRequest>,
}

/// What the live dashboard shows.
#[cfg(feature = "telemetry")]
pub(crate) struct LiveRequest {
    /// Where the samples are.
    pub(crate) store: StateLocation,
    pub(crate) settings: TelemetrySettings,
    /// Whether it is a demonstration, with a pretend network.
    pub(crate) demo: bool,
}
