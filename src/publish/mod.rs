//! The only code that changes the world.

pub mod command;
#[cfg(all(debug_assertions, unix))]
mod crash;
pub mod data;
pub mod drift;
mod file;
pub mod guard;
pub mod holder;
pub mod ledger;
pub mod lock;
pub mod log;
pub mod moment;
pub mod redact;
pub mod replace;
pub mod rollback;
pub mod run;
#[cfg(any(feature = "sftp", feature = "s3"))]
mod runtime;
#[cfg(feature = "sftp")]
mod sftp;
pub mod site;
pub mod store;
