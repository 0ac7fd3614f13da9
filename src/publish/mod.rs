//! The only code that changes the world.

#[cfg(unix)]
pub mod backup;
pub mod command;
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
pub mod site;
pub mod store;
