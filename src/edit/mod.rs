//! Edits of data files: on the text, by span, so that everything else survives byte for byte.
//!
//! [`Draft`] holds the files of one repository as proposed; [`FileEdits`] makes the edits of one of
//! them. A draft is checked like any other data, by its [`Draft::tree`], before it is written.

mod add;
mod change;
mod commit;
mod draft;
mod file;
mod home;
mod journal;
mod lines;
mod operation;
mod record;
mod review;
mod session;
mod set;
mod splice;
mod value;
mod work_tree;

pub use add::{NewSubscriber, add};
pub use change::{Changes, FieldChange};
pub use commit::{BranchTip, CommitSpec};
pub use draft::{Change, Draft};
pub use file::{FileEdits, Refused, new_file};
pub use home::{Home, Homes, address_file_name};
pub use operation::{EditSummary, Verb, remove, resume, suspend};
pub use review::Review;
pub use session::{Destination, EditSession, ProposedEdit, Saved};
pub use set::set;
pub use value::{Fields, Value};
pub use work_tree::{WorkTree, Written, cut_off};
