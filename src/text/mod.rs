//! Text: tables, JSON, numbers, names in messages, and what must not be printed.

pub mod characters;
pub mod columns;
pub mod count;
pub mod hex;
pub mod json;
pub(crate) mod lines;
pub mod quote;
pub mod redact;
pub mod suggest;
