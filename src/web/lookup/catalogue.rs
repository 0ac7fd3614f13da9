//! Plans and domains.

use schemars::JsonSchema;
use serde::Serialize;

use super::question::{Answer, Question};
use crate::web::data::{DomainEntry, PlanEntry};
use crate::web::server::problem::Problem;

/// Plans, the slowest first.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Plans")]
pub(super) struct PlansAnswer {
    /// The plans that the domains of the token sell.
    plans: Vec<PlanEntry>,
}

/// Domains by name.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Domains")]
pub(super) struct DomainsAnswer {
    /// The domains of the token.
    domains: Vec<DomainEntry>,
}

pub(super) fn plans(question: &Question<'_>) -> Result<Answer, Problem> {
    let plans = question.data.plans.iter().filter_map(|plan| plan.within(question.scope)).collect();
    Answer::json(&PlansAnswer { plans })
}

pub(super) fn domains(question: &Question<'_>) -> Result<Answer, Problem> {
    let own = question.data.domains.iter().filter(|domain| question.scope.has(&domain.name));
    Answer::json(&DomainsAnswer { domains: own.cloned().collect() })
}
