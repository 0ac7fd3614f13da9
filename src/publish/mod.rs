//! The only code that changes the world: it puts outputs on targets, and remembers what it did.
//!
//! From the outside in: [`run`] is one publish to one target, [`rollback`] one step back, [`drift`]
//! a look. A [`site`] is a target that is opened, and locked ([`lock`], [`holder`]); [`guard`]
//! says what may not go live; [`freeze`] keeps one domain's errors from the others; [`replace`] puts a version in place and finishes what somebody began
//! who was cut off; [`ledger`], [`manifest`] and [`log`] remember. All of them reach the target by a [`store`]
//! only: a folder on this host, on an SSH server, in a bucket.

mod blame;
pub(crate) mod choice;
pub mod data;
pub mod drift;
pub mod freeze;
pub mod guard;
pub mod planned;
pub mod replace;
pub mod rollback;
pub mod run;
pub mod site;
