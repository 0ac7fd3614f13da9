//! A source compared with the present data: which records to add, change and remove.
//!
//! A source says which subscribers are served. Fields that it does not have stay as they are.

mod current;
mod domains;
mod plans;
mod subscribers;

pub use current::CurrentData;
pub use domains::DomainWork;
pub use plans::{GivenRates, MissingRates, NewPlan, PlanWork, UnknownPlan};
pub use subscribers::{KeptSubscribers, SubscriberStep, SubscriberWork};

use std::collections::BTreeMap;

use super::found::{Found, RateOrder};

/// What the operator says about the rates of plans.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateHints<'w> {
    /// The rates of single plans.
    pub given: &'w [GivenRates],
    /// Which of two rates in a plan's name comes first; it counts more than what the source says.
    pub order: Option<RateOrder>,
}

/// The changes that an import makes.
pub struct Adoption {
    /// To the plans.
    pub plans: PlanWork,
    /// To the domains.
    pub domains: DomainWork,
    /// To the subscribers.
    pub subscribers: SubscriberWork,
    /// Further rows that are refused, with the reasons.
    pub conflicts: BTreeMap<usize, Vec<String>>,
}

impl Adoption {
    /// Compares a source with the data.
    pub fn new(found: &Found, present: &CurrentData<'_>, rates: RateHints<'_>) -> Self {
        let plans = PlanWork::new(found, present, rates);
        let subscribers = SubscriberWork::new(found, present, &plans);
        let (domains, conflicts) = DomainWork::new(found, present);
        Self { plans, domains, subscribers, conflicts }
    }
}
