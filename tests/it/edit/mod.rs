//! Edits of data files.

mod file;
