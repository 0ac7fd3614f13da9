//! The only code that changes the world.

mod file;
#[cfg(any(feature = "sftp", feature = "s3"))]
mod runtime;
#[cfg(feature = "sftp")]
mod sftp;
pub mod store;
