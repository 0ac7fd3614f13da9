//! The only code that changes the world: it puts outputs on targets, and remembers what it did.
//!
//! From the outside in: [`run`] is one publish to one target, [`rollback`] one step back, [`drift`]
//! a look. A [`site`] is a target that is opened, and locked ([`lock`], [`holder`]); [`guard`]
//! says what may not go live; [`freeze`] keeps one domain's errors from the others; [`replace`] puts a version in place and finishes what somebody began
//! who was cut off; [`ledger`], [`manifest`] and [`log`] remember. All of them reach the target by a [`store`]
//! only: a folder on this host, on an SSH server, in a bucket.

#[cfg(unix)]
pub mod backup;
mod blame;
pub mod command;
#[cfg(all(debug_assertions, unix))]
mod crash;
pub mod data;
pub mod drift;
#[cfg(unix)]
mod file;
pub mod freeze;
pub mod guard;
pub mod holder;
pub mod ledger;
pub mod lock;
pub mod log;
pub mod manifest;
pub mod moment;
pub mod planned;
pub mod replace;
pub mod rollback;
pub mod run;
#[cfg(any(feature = "sftp", feature = "s3"))]
mod runtime;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "sftp")]
pub mod sftp;
pub mod site;
pub mod store;
