//! Edits of data files: on the text, by span, so that everything else survives byte for byte.
//!
//! [`Draft`] holds the files of one repository as proposed; [`FileEdits`] makes the edits of one of
//! them. A draft is checked like any other data, by its [`Draft::tree`], before it is written.

mod change;
mod commit;
mod draft;
mod file;
mod home;
mod journal;
mod lines;
mod new_findings;
mod next_free;
mod record;
mod review;
mod splice;
mod unread;
mod value;
pub mod who;
mod work_tree;

pub use change::{FieldEdit, Refusal, SubscriberEdits};
pub use commit::{BranchTip, CommitSpec};
pub use draft::{ChangedFile, Draft};
pub use file::{FileEdits, NotEdited, new_file};
pub use home::{Home, Homes, address_file_name};
pub(crate) use new_findings::new_findings;
pub use next_free::{domains_of, next_free};
pub use review::Review;
pub use unread::UnreadAddresses;
pub use value::{Fields, Value};
pub use work_tree::{WorkTree, WrittenFiles, interrupted_edit};
