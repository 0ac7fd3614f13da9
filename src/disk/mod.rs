//! Files and folders at paths that other users can have changed: opening, following links, replacing.

pub(crate) mod open;
#[cfg(unix)]
pub(crate) mod trust;
pub(crate) mod write;
