//! `/log` and `/stat`: what was done to the targets, and with the backup folder, for operators.

use axum::http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use super::question::{Answer, Question};
use crate::publish::site::Site;
use crate::records::listing::{ActionCounts, LogListing, OF_BACKUPS, OF_TARGETS};
use crate::records::log::ActionLog;
use crate::records::period::{Period, PeriodError};
use crate::text::quote::harmless;
use crate::text::redact::redact;
use crate::web::server::problem::Problem;

/// The version of these answers: that of `log --format json`.
const VERSION: u32 = 1;

/// What was done.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Log")]
pub(super) struct LogAnswer {
    /// The version of this shape.
    version: u32,
    /// The log of each target of the commit that is served.
    targets: Vec<LogListing>,
    /// The log of the backup folder, if the server has one.
    backup: Option<LogListing>,
    /// The logs that could not be read.
    unread: Vec<UnreadLog>,
}

/// How often what was done.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Statistics")]
pub(super) struct StatAnswer {
    /// The version of this shape.
    version: u32,
    /// How often anything was tried.
    attempted: u64,
    /// How often that succeeded.
    successful: u64,
    /// How often it was refused or failed.
    failed: u64,
    /// The same for each target of the commit that is served.
    targets: Vec<ActionCounts>,
    /// The same for the backup folder, if the server has one.
    backup: Option<ActionCounts>,
    /// The logs that could not be read: nothing of them is counted.
    unread: Vec<UnreadLog>,
}

/// A log that could not be read.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Unread log")]
pub(super) struct UnreadLog {
    /// The target; `backup` for the backup folder.
    target: String,
    /// Why it could not be read.
    why: String,
}

/// The logs that could be read, each by its target, and the others.
#[derive(Default)]
struct Logs {
    targets: Vec<(String, ActionLog)>,
    backup: Option<ActionLog>,
    unread: Vec<UnreadLog>,
}

pub(super) fn log(question: &Question<'_>) -> Result<Answer, Problem> {
    let period = period(question)?;
    let logs = logs(question)?;
    let listing = |(target, log)| LogListing::of(target, log, &period);
    Answer::json(&LogAnswer {
        version: VERSION,
        targets: logs.targets.into_iter().map(listing).collect(),
        backup: logs.backup.map(|log| LogListing::of("backup".to_owned(), log, &period)),
        unread: logs.unread,
    })
}

pub(super) fn stat(question: &Question<'_>) -> Result<Answer, Problem> {
    let period = period(question)?;
    let logs = logs(question)?;
    let count = |(target, log): (String, _)| ActionCounts::of(target, &log, OF_TARGETS, &period);
    let targets: Vec<ActionCounts> = logs.targets.into_iter().map(count).collect();
    let backup = logs.backup.map(|log| ActionCounts::of("backup".to_owned(), &log, OF_BACKUPS, &period));
    let counts = || targets.iter().chain(&backup).flat_map(|counts| counts.actions.values());
    Answer::json(&StatAnswer {
        version: VERSION,
        attempted: counts().map(|count| count.attempted).sum(),
        successful: counts().map(|count| count.successful).sum(),
        failed: counts().map(|count| count.failed).sum(),
        targets,
        backup,
        unread: logs.unread,
    })
}

fn period(question: &Question<'_>) -> Result<Period, Problem> {
    let parameters = &question.parameters;
    Period::of(parameters.get("startdate"), parameters.get("enddate")).map_err(|error| {
        Problem::bad_request(match error {
            PeriodError::From(why) => format!("the parameter `startdate`: {why}"),
            PeriodError::To(why) => format!("the parameter `enddate`: {why}"),
            PeriodError::Reversed(from, to) => {
                format!("startdate {from} is later than enddate {to}: nothing could lie between")
            }
        })
    })
}

/// Reads the logs: some may be on other hosts, so only a few requests do that at a time.
fn logs(question: &Question<'_>) -> Result<Logs, Problem> {
    let _slot = question.app.logs.try_acquire().map_err(|_| {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "others are reading the logs: ask again");
        problem.with(header::RETRY_AFTER, HeaderValue::from_static("1"))
    })?;
    let mut logs = Logs::default();
    for target in question.data.targets() {
        let name = target.name.to_string();
        match Site::open(target).and_then(|site| site.ledger().log()) {
            Ok(log) => logs.targets.push((name, log)),
            Err(error) => logs.unread.push(UnreadLog::of(name, &error)),
        }
    }
    match question.app.copies.as_ref().map(|copies| copies.log()) {
        Some(Ok(log)) => logs.backup = Some(log),
        Some(Err(error)) => logs.unread.push(UnreadLog::of("backup".to_owned(), &error)),
        None => {}
    }
    Ok(logs)
}

impl UnreadLog {
    fn of(target: String, error: &anyhow::Error) -> UnreadLog {
        UnreadLog { target, why: harmless(&redact(&format!("{error:#}")), 1000) }
    }
}
