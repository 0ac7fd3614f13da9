//! The only code that changes the world.

mod file;
pub mod redact;
#[cfg(any(feature = "sftp", feature = "s3"))]
mod runtime;
#[cfg(feature = "s3")]
pub mod s3;
pub mod store;
