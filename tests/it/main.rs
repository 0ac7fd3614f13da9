//! All integration tests in one binary: they link once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod check;
mod fmt;
mod laws;
mod schema_properties;
mod support;
mod yaml_mistakes;
mod yaml_properties;
mod yaml_suite;
