//! All integration tests in one binary: they link once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod altered;
mod backup;
mod check;
mod completion;
mod delivery;
mod edit;
mod explain;
mod fmt;
mod generated;
mod history;
mod hostile;
mod housekeeping;
mod import;
mod init;
mod junit;
mod laws;
mod layers;
mod listings;
mod messages;
mod notification;
mod plan;
mod plan_later;
mod publish;
mod readme;
mod render;
mod report;
mod report_hostile;
mod report_places;
mod report_runs;
mod rules;
mod runner;
mod scaling;
mod schema;
mod schema_properties;
#[cfg(feature = "serve")]
mod serve;
mod servers;
mod stores;
mod support;
mod sync;
#[cfg(feature = "telemetry")]
mod telemetry;
mod terminal;
mod trust;
mod workflows;
mod yaml_mistakes;
mod yaml_properties;
mod yaml_suite;
