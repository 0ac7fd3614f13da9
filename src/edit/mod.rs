//! Edits of data files: on the text, by span, so that everything else survives byte for byte.
//!
//! [`Draft`] holds the proposed files of a repository; [`FileEdits`] makes the edits of one of
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
pub(crate) mod who;
mod work_tree;

pub(crate) use change::{FieldEdit, Refusal, SubscriberEdits};
pub(crate) use commit::{BranchTip, CommitSpec};
pub(crate) use draft::{ChangedFile, Draft};
pub(crate) use file::new_file;
pub use file::{FileEdits, NotEdited};
pub(crate) use home::{Home, Homes};
pub(crate) use new_findings::new_findings;
pub(crate) use next_free::{domains_of, next_free};
pub(crate) use review::Review;
pub(crate) use unread::UnreadAddresses;
pub use value::{Fields, Value};
pub(crate) use work_tree::{WorkTree, interrupted_edit};
