//! Edits of data files: on the text, by span, so that everything else survives byte for byte.
//!
//! [`Draft`] holds the proposed files of a repository; [`FileEdits`] makes the edits of one of
//! them. A draft is checked like any other data, by its [`Draft::tree`], before it is written.

mod add;
mod change;
mod commit;
mod draft;
mod file;
#[cfg(all(unix, feature = "serve"))]
pub(crate) mod gathered;
mod home;
mod journal;
mod lines;
mod new_findings;
mod not_added;
mod not_made;
mod operation;
mod origin;
mod record;
mod review;
mod session;
mod set;
mod splice;
mod value;
mod work_tree;

pub(crate) use add::{NewSubscriber, add, not_held};
pub(crate) use change::SubscriberEdits;
pub(crate) use commit::Basis;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use commit::{Author, CommitSpec};
pub(crate) use draft::{ChangedFile, Draft, FileTexts};
pub(crate) use file::new_file;
pub use file::{FileEdits, NotEdited};
pub(crate) use home::{Home, Homes};
pub(crate) use new_findings::new_findings;
pub(crate) use not_added::{Missing, NotAdded};
pub(crate) use not_made::NotMade;
pub(crate) use operation::{EditSummary, remove, resume, suspend};
pub(crate) use review::Review;
pub(crate) use session::{Destination, EditSession, ProposedEdit, Saved};
pub(crate) use set::{FIELDS, set};
pub use value::{Fields, Value};
pub(crate) use work_tree::{WorkTree, interrupted_edit};
