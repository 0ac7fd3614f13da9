//! `/lookup`: the key of a subscriber, and which replica answers.

use schemars::JsonSchema;
use serde::Serialize;

use super::question::{Answer, Question};
use crate::text::quote::quoted;
use crate::web::server::problem::Problem;

/// Which replica answers.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Replica")]
struct ReplicaAnswer<'a> {
    /// The port of the replica that answered.
    port: u16,
    /// Its name.
    name: &'a str,
    /// The commit whose data it serves.
    commit: &'a str,
}

/// The key of a subscriber; without `user_id`, which replica answers.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Lookup")]
pub(super) struct LookupAnswer<'a> {
    /// The subscriber's first address and its domain, as in the shaper file. Missing without `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_key: Option<String>,
    #[serde(flatten)]
    replica: ReplicaAnswer<'a>,
}

pub(super) fn lookup(question: &Question<'_>) -> Result<Answer, Problem> {
    let replica = &question.app.replica;
    let user_key = match question.parameters.get("user_id") {
        None => None,
        Some(id) => {
            let found = question.data.subscriber(id, question.scope);
            let unknown = || Problem::bad_request(format!("there is no subscriber with the user_id {}", quoted(id)));
            let subscriber = found.ok_or_else(unknown)?;
            let address = subscriber.ip.first().map(ToString::to_string).unwrap_or_default();
            Some(format!("{address}@{}", subscriber.domain))
        }
    };
    let replica = ReplicaAnswer { port: replica.port, name: &replica.name, commit: &question.data.commit };
    Answer::json(&LookupAnswer { user_key, replica })
}
