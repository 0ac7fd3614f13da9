//! Shapeline turns an Internet provider's subscriber list, kept as YAML in a git repository, into
//! the file that a bandwidth shaper reads.
//!
//! Data flows one way, and the modules stand here in the order in which it does:
//!
//! 1. [`tree`] lists and reads files, from the work tree or from a git revision ([`git`]).
//! 2. [`yaml`] turns a text into a tree with exact places ([`source`]).
//! 3. [`schema`] holds each record against the JSON Schema made from [`model`].
//! 4. [`repo`] gathers the typed records.
//! 5. [`rules`] look at them and give [`finding`]s, which [`locate`] places and [`report`] prints.
//! 6. [`render`] turns the records into the shaper file and whatever else is wanted.
//! 7. [`plan`] compares two renderings: what would change on the network.
//! 8. [`edit`] changes records in their files, which are checked by all of the above before they are
//!    written.
//! 9. [`publish`] puts a rendering on a target, and remembers what it did; [`sync`] does so again and
//!    again, beside the shaper.
//! 9. [`history`] tells from git who had what, since when, and who changed it.
//!
//! [`edit`] changes the files themselves, as drafts that are checked first; [`import`] makes such a draft
//! of what an ISP runs today.
//!
//! [`open`] and [`trust`] open files and folders that other users may have had a hand in. [`console`]
//! prints lines that no build server takes for commands; [`characters`] lists what is not seen.
//!
//! Everything before [`edit`] is pure but for reading files and writing outputs where one asks.
//! "Your data is wrong" is a [`finding::Finding`]; "I could not do my job" is an error.

pub mod apply;
#[cfg(unix)]
pub mod backup;
pub mod cli;
pub mod commands;
pub mod console;
pub mod disk;
pub mod edit;
pub mod finding;
pub mod fmt;
pub mod git;
pub mod history;
pub mod import;
pub mod init;
pub mod locate;
pub mod model;
pub mod plan;
pub mod progress;
pub mod publish;
pub mod records;
pub mod render;
pub mod repo;
pub mod report;
pub mod rules;
pub mod schema;
pub mod source;
pub mod store;
pub mod sync;
pub mod text;
pub mod tree;
pub mod yaml;
