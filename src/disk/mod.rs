//! Files and folders at paths that other users can have changed: opening, following links, replacing.

pub mod open;
#[cfg(unix)]
pub mod trust;
pub mod write;
