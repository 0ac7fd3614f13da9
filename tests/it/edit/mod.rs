//! Edits of data files, and the command that makes them.

mod command;
mod commit;
mod file;
mod find;
mod free;
mod listed;
#[cfg(unix)]
mod prompt;
mod properties;
mod together;
