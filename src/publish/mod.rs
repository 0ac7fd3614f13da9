//! Publishing: puts outputs on targets, and records what it did.
//!
//! From the outside in: [`run`] is one publish to one target, [`rollback`] one step back, [`drift`] compares
//! and changes nothing. A [`site`] is an open target, and its session holds the lock; [`choice`] selects
//! targets; [`guard`] says what may not go live; [`freeze`] keeps one domain's errors from the others;
//! [`replace`] puts a version in place, and finishes what an interrupted run began.

mod blame;
pub(crate) mod choice;
pub(crate) mod compare;
pub mod data;
pub(crate) mod drift;
pub(crate) mod freeze;
pub(crate) mod guard;
pub(crate) mod planned;
pub mod remedy;
pub mod replace;
mod report;
pub mod rollback;
pub mod run;
pub mod site;
