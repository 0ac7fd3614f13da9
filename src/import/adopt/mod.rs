//! What is found, held against the data that is there: what has to be made, changed and taken away.
//!
//! An import is a statement of who is served. What the source does not know stays as it is.

mod current;
mod domains;
mod plans;
mod subscribers;

pub use current::CurrentData;
pub use domains::DomainWork;
pub use plans::{GivenRates, MissingRates, NewPlan, PlanWork};
pub use subscribers::{KeptSubscribers, SubscriberStep, SubscriberWork};

use std::collections::BTreeMap;

use super::found::Found;

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
    pub fn new(found: &Found, present: &CurrentData<'_>, rates: &[GivenRates]) -> Self {
        let plans = PlanWork::new(found, present, rates);
        let subscribers = SubscriberWork::new(found, present, &plans);
        let (domains, conflicts) = DomainWork::new(found, present);
        Self { plans, domains, subscribers, conflicts }
    }
}
