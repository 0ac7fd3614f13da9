//! Text: tables, JSON, numbers, names in messages, and what must not be printed.

pub mod characters;
pub(crate) mod columns;
pub(crate) mod count;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod lines;
#[cfg(all(unix, feature = "serve"))]
pub(crate) mod prometheus;
pub mod quote;
pub(crate) mod redact;
pub mod style;
pub(crate) mod suggest;
