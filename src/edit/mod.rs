//! Edits of data files: on the text, by span, so that everything else survives byte for byte.
//!
//! [`Draft`] holds the files of one repository as proposed; [`FileEdits`] makes the edits of one of
//! them. A draft is checked like any other data, by its [`Draft::tree`], before it is written.

mod commit;
mod draft;
mod file;
mod lines;
mod record;
mod splice;
mod value;
mod work_tree;

pub use commit::{BranchTip, CommitSpec};
pub use draft::{Change, Draft};
pub use file::{FileEdits, Refused, new_file};
pub use value::{Fields, Value};
pub use work_tree::{WorkTree, Written};
