//! Shapeline turns an Internet provider's subscriber list, kept as YAML in a git repository, into
//! the file that a bandwidth shaper reads.
//!
//! Data flows one way: files → records and findings → rules → rendered outputs → plan → publish.
//! "Your data is wrong" is a [`finding::Finding`]; "I could not do my job" is an error. Everything
//! before [`edit`] only reads.
//!
//! The modules below are in reading order, which is the order of layers, too: a module imports only
//! from modules above it in this list. A test keeps it so.

// Tables, JSON, numbers, names in messages; what must not be printed.
pub mod text;

// Files at paths that other users can have changed: open, follow links, replace.
pub mod disk;

// Running a program with limits on its time and output.
mod process;

// Standard output and standard error, without lines that a build server takes for commands.
pub mod console;

// Ctrl-C on a terminal.
mod interrupt;

// A progress indicator for terminals.
pub mod progress;

// The texts that were read; byte offsets become lines and columns.
pub mod source;

// What is wrong in the data: a message, its places, the way out.
pub mod finding;

// YAML as a tree with exact places.
pub mod yaml;

// From the place that a finding names to the span in the text.
pub mod locate;

// The valid records: plans, domains, subscribers, settings.
pub mod model;

// JSON Schemas of the model, and their violations as findings.
pub mod schema;

// Layout of YAML files.
pub mod fmt;

// Revisions, branches and merge bases.
pub mod git;

// The files of a data repository, on disk or in a commit.
pub mod tree;

// All records of a tree, and what could not be read.
pub mod repo;

// Views of the records: who holds which address, what is sold, what a change touches.
pub mod inventory;

// Outputs from templates: the shaper file, and a repository's own.
pub mod render;

// The business rules: one file a rule, one table.
pub mod rules;

// Findings as text, JSON, GitHub annotations, SARIF or JUnit.
pub mod report;

// What would change on the network.
pub mod plan;

// Which subscribers match, which one is meant, what is free.
pub mod query;

// Drafts of changed records, edits by span, commits.
pub mod edit;

// Drafts made of what an ISP runs today: dumps, shaper files, tables.
pub mod import;

// Who had which plan and address, since when, from git.
pub mod history;

// A folder on this host, on an SSH server or in a bucket.
pub mod store;

// What a store remembers: lock, versions, log.
pub mod records;

// Putting a version into effect.
pub mod apply;

// Publishing to targets, rollback, drift.
pub mod publish;

// Copies of files and folders.
#[cfg(unix)]
pub mod backup;

// What happens unattended, posted to a webhook.
mod notification;

// Publishing from a branch, again and again, beside the shaper.
mod sync;

// A settings file: its keys and values, and each mistake with its place.
#[cfg(all(unix, feature = "serve"))]
mod fields;

// The database, SQLite or PostgreSQL: its place, its tables.
#[cfg(all(unix, feature = "serve"))]
mod database;

// What the network does: collected, kept, rolled up, passed on.
#[cfg(all(unix, feature = "telemetry"))]
mod telemetry;

// The web server: the lookup API.
#[cfg(all(unix, feature = "serve"))]
mod web;

// The files of a fresh data repository.
pub mod init;

// What a shell completes on the command line, from the data too.
pub mod completion;

// The arguments of the command line.
pub mod cli;

// One file a command: parse, call, print.
pub mod commands;
