//! The data that an import is compared with.

use std::collections::BTreeSet;

use crate::model::Date;
use crate::repo::Repo;

/// The present data.
pub struct CurrentData<'r> {
    /// All of it; plans that lack a rate have a made-up one.
    pub repo: &'r Repo,
    /// The names of the plans with a made-up rate.
    pub incomplete: &'r BTreeSet<String>,
    /// Today.
    pub today: Date,
    /// Whether suspended subscribers stay suspended, whatever the source says.
    pub keep_suspended: bool,
    /// Whether subscribers that the source lacks stay.
    pub add_only: bool,
}
