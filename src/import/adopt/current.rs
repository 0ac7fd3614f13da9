//! The data that an import is compared with.

use std::collections::BTreeSet;

use crate::model::Date;
use crate::repo::Repo;

/// The data that is there.
pub struct CurrentData<'r> {
    /// All of it. Plans that lack a rate have one that stands for nothing.
    pub repo: &'r Repo,
    /// The names of those plans.
    pub incomplete: &'r BTreeSet<String>,
    /// Today.
    pub today: Date,
    /// Whether whoever is suspended in the data stays so, whatever the source says.
    pub keep_suspended: bool,
}
