//! For load balancers and monitoring.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::question::{Answer, Question};
use crate::records::moment::Moment;
use crate::text::prometheus::{counter, gauge, head};
use crate::web::server::problem::Problem;

/// Whether the replica is ready, and what it serves.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Readiness")]
pub(super) struct ReadyAnswer<'a> {
    /// `ready`; `stale` if the branch has a commit that is not served, or cannot be read: older data is
    /// served then; `ending` with status 503.
    state: &'static str,
    /// The commit whose data is served.
    commit: &'a str,
    /// When it was loaded.
    loaded: String,
    /// The commit that is not served since its data has errors.
    refused: Option<RefusedAnswer>,
    /// Whether the branch could not be read the last time. The log says why.
    unreachable: bool,
    /// When the branch was last read.
    followed: Option<String>,
}

/// A commit that is not served.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Refused commit")]
pub(super) struct RefusedAnswer {
    /// Its id.
    commit: String,
    /// How many errors its data has; 0 if it has no subscriber.
    errors: usize,
}

pub(super) fn healthz(_: &Question<'_>) -> Result<Answer, Problem> {
    Ok(Answer::text("text/plain; charset=utf-8", "ok\n".to_owned()))
}

pub(super) fn readyz(question: &Question<'_>) -> Result<Answer, Problem> {
    let status = question.app.current.status();
    let ending = question.app.ending.load(Ordering::Relaxed);
    let stale = status.refused.is_some() || status.failure.is_some();
    let mut answer = Answer::json(&ReadyAnswer {
        state: if ending {
            "ending"
        } else if stale {
            "stale"
        } else {
            "ready"
        },
        commit: &question.data.commit,
        loaded: question.data.loaded.to_string(),
        refused: status.refused.map(|refused| RefusedAnswer { commit: refused.commit, errors: refused.errors }),
        unreachable: status.failure.is_some(),
        followed: status.followed.map(|followed| followed.to_string()),
    })?;
    if ending {
        answer.status = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(answer)
}

pub(super) fn metrics(question: &Question<'_>) -> Result<Answer, Problem> {
    let (data, status) = (question.data, question.app.current.status());
    let mut text = question.app.metrics.text();
    let name = "shapeline_data_info";
    head(&mut text, name, "gauge", "The commit whose data is served.");
    text += &format!("{name}{{commit=\"{}\",day=\"{}\"}} 1\n", data.commit, data.today);
    gauge(&mut text, "shapeline_data_subscribers", "Subscribers in the data.", data.subscribers() as f64);
    let now = Moment::now();
    let age = |moment: Moment| now.seconds_since(moment) as f64;
    gauge(&mut text, "shapeline_data_age_seconds", "Time since the data was loaded.", age(data.loaded));
    let followed = status.followed.map_or(f64::INFINITY, age);
    gauge(&mut text, "shapeline_follow_age_seconds", "Time since the branch was last read.", followed);
    let refused = f64::from(u8::from(status.refused.is_some()));
    gauge(&mut text, "shapeline_data_refused", "Whether the newest commit is not served for its errors.", refused);
    counter(&mut text, "shapeline_reloads_total", "Commits that were put in place.", status.reloads);
    counter(&mut text, "shapeline_reload_refusals_total", "Commits that did not pass the check.", status.refusals);
    counter(&mut text, "shapeline_reload_failures_total", "How often the branch could not be read.", status.failures);
    Ok(Answer::text("text/plain; version=0.0.4; charset=utf-8", text))
}
