//! Putting a version into effect.

pub mod command;
