//! What is found, held against the data that is there: what has to be made, changed and taken away.
//!
//! An import is a statement of who is served. What the source does not know stays as it is.

mod domains;
mod plans;
mod subscribers;

pub use domains::DomainWork;
pub use plans::{GivenRates, Missing, NewPlan, PlanWork};
pub use subscribers::{Left, Step, SubscriberWork};

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::model::Date;
use crate::repo::Repo;

/// The data that is there.
pub struct Present<'r> {
    /// All of it. Plans that lack a rate have one that stands for nothing.
    pub repo: &'r Repo,
    /// The names of those plans.
    pub incomplete: &'r BTreeSet<String>,
    /// Today.
    pub today: Date,
    /// Whether whoever is suspended in the data stays so, whatever the source says.
    pub keep_suspended: bool,
}

/// What an import does.
pub struct Adoption {
    /// To the plans.
    pub plans: PlanWork,
    /// To the domains.
    pub domains: DomainWork,
    /// To the subscribers.
    pub subscribers: SubscriberWork,
    /// The rows that cannot be taken over after all, with the reason.
    pub conflicts: BTreeMap<usize, Vec<String>>,
}

impl Adoption {
    /// Works out what is to be done.
    pub fn new(found: &Found, present: &Present<'_>, rates: &[GivenRates]) -> Self {
        let plans = PlanWork::new(found, present, rates);
        let subscribers = SubscriberWork::new(found, present, &plans);
        let (domains, conflicts) = DomainWork::new(found, present);
        Self { plans, domains, subscribers, conflicts }
    }
}
