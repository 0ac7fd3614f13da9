//! What a store remembers beside the files: who holds the lock, which versions there are, what was
//! done.

pub(crate) mod command;
pub mod failure;
pub(crate) mod frozen;
pub mod holder;
pub mod ledger;
pub(crate) mod listing;
pub mod lock;
pub mod log;
pub mod manifest;
pub mod moment;
pub(crate) mod period;
pub(crate) mod versioned;
