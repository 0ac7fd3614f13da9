//! A request as handlers see it, and their answers.

use axum::http::StatusCode;
use serde::Serialize;

use super::app::App;
use crate::web::access::Scope;
use crate::web::data::snapshot::Snapshot;
use crate::web::server::parameters::Parameters;
use crate::web::server::problem::Problem;

/// A request that passed the gate.
pub(crate) struct Question<'q> {
    pub(crate) app: &'q App,
    pub(crate) data: &'q Snapshot,
    /// What the client may see.
    pub(crate) scope: &'q Scope,
    pub(crate) parameters: Parameters,
    /// The end of the path, for routes that have a value there.
    pub(crate) tail: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A value as JSON.
    ///
    /// # Errors
    /// If it cannot be written, which is a fault of the program.
    pub(crate) fn json(value: &impl Serialize) -> Result<Answer, Problem> {
        let written = serde_json::to_vec(value);
        let body = written.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        Ok(Answer { status: StatusCode::OK, content_type: "application/json", body })
    }

    /// A text.
    pub(crate) fn text(content_type: &'static str, text: String) -> Answer {
        Answer { status: StatusCode::OK, content_type, body: text.into_bytes() }
    }
}
