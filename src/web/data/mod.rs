//! The data that is served: that of one commit, in memory, with indexes ([`snapshot`]). It is replaced in
//! one step ([`current`]) when the branch moves ([`follow`]).

mod catalogue;
pub(crate) mod current;
pub(crate) mod follow;
pub(crate) mod notify;
mod search;
pub(crate) mod snapshot;
pub(crate) mod source;

pub(crate) use catalogue::{DomainEntry, PlanEntry};
