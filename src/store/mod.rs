//! A folder on this host, on an SSH server or in a bucket: what publishing needs of it, and nothing
//! more.

mod contract;
#[cfg(all(debug_assertions, unix))]
pub(crate) mod crash;
#[cfg(unix)]
mod file;
pub mod open;
#[cfg(any(feature = "sftp", feature = "s3"))]
mod runtime;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "sftp")]
pub mod sftp;

#[cfg(feature = "s3")]
pub(crate) use self::{runtime::runtime, s3::install_cryptography};
pub(crate) use contract::writer_name;
pub use contract::{ContentMark, Expect, Fence, MAX_BYTES, Store, Stored, digest, open_fence};
