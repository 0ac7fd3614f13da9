//! `POST /backup`: an operator has a file or a folder of the server's host copied to the backup folder.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::backup::below::{BackupRoot, BelowError, PathBelow};
use crate::backup::folder::BackupFolder;
use crate::backup::make::backup_below;
use crate::backup::{BackupOptions, BackupOutcome, PathReport};
use crate::model::Backup;
use crate::records::holder::Operator;
use crate::records::lock::Patience;
use crate::records::log::ActionLog;
use crate::text::quote::{harmless, quoted};
use crate::text::redact::redact;
use crate::web::server::problem::Problem;
use crate::web::settings::BackupSettings;

/// The version of the answer.
const VERSION: u32 = 1;

/// The largest body, in bytes: more than the longest path takes.
const MAX_BODY: usize = 32 << 10;

/// How long to wait while another program makes a copy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes copies, one at a time.
pub(crate) struct CopyDesk {
    roots: Vec<BackupRoot>,
    backup: Backup,
    slot: Arc<Semaphore>,
}

/// What is to be copied.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Copy request")]
pub(super) struct CopyRequest {
    /// The absolute path of a file or a folder, below one of the roots in the server settings.
    path: String,
}

/// A copy that was made.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Copy")]
pub(super) struct CopyAnswer {
    /// The version of this shape.
    version: u32,
    /// The copy's name, for `shapeline backup --restore`.
    id: String,
    /// When it was made.
    time: String,
    /// The path that was copied.
    path: String,
    /// The size of the tar.
    bytes: u64,
    /// Its SHA-256 digest.
    digest: String,
    /// What was left out or changed meanwhile.
    notes: Vec<String>,
    /// The digest of the last line of the log.
    log: Option<String>,
}

impl CopyDesk {
    /// # Errors
    /// If a root is no folder, or the URL is none of a folder.
    pub(crate) fn open(settings: &BackupSettings) -> Result<CopyDesk> {
        let roots = settings.roots.iter().map(|root| BackupRoot::open(root)).collect::<Result<Vec<_>>>()?;
        let mut backup = serde_json::json!({"url": settings.to});
        if let Some(keep) = settings.keep {
            backup["keep"] = keep.into();
        }
        let backup = serde_json::from_value(backup);
        let backup = backup.with_context(|| format!("{} is no backup folder", quoted(&settings.to)))?;
        Ok(CopyDesk { roots, backup, slot: Arc::new(Semaphore::new(1)) })
    }

    /// The log of the backup folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn log(&self) -> Result<ActionLog> {
        BackupFolder::open(&self.backup)?.ledger().log()
    }
}

/// Makes the copy that `request` asks for, for the client with the token of this name.
///
/// # Errors
/// Why there is none.
pub(super) async fn answer(
    desk: Option<Arc<CopyDesk>>,
    token: Option<Arc<str>>,
    request: Request,
) -> Result<CopyAnswer, Problem> {
    let Some(desk) = desk else {
        return Err(Problem::not_found("this replica makes no copies: its settings name no `backup`"));
    };
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(Problem::bad_request("this address takes no parameters: the path belongs in the body"));
    }
    let wanted = read(request.into_body()).await?;
    let slot = desk.slot.clone().try_acquire_owned().map_err(|_| busy())?;
    let work = move || {
        // Held until the copy is made, also if the client goes away.
        let _slot = slot;
        let actor = token.as_deref().unwrap_or("token").to_owned();
        make(&desk, &wanted.path, Operator::here(actor))
    };
    let fault = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this is a fault of shapeline: please report it");
    tokio::task::spawn_blocking(work).await.map_err(fault)?
}

async fn read(body: Body) -> Result<CopyRequest, Problem> {
    let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or was cut");
    let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(too_large)?;
    let what = "the body must be JSON such as {\"path\": \"/srv/shaper\"}";
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::bad_request(format!("{what}: {}", harmless(&error.to_string(), 200))))
}

fn make(desk: &CopyDesk, path: &str, who: Operator) -> Result<CopyAnswer, Problem> {
    let shown = quoted(path);
    let below = PathBelow::open(&desk.roots, path).map_err(|error| match error {
        BelowError::Malformed(why) => Problem::bad_request(format!("the path {shown} {why}")),
        BelowError::Outside => Problem::new(
            StatusCode::FORBIDDEN,
            format!("{shown} is below none of the roots in the server settings, and is not copied"),
        ),
        BelowError::Link(at) => Problem::new(
            StatusCode::FORBIDDEN,
            format!("{} is a symbolic link, which is not followed: name the path without it", at_path(&at)),
        ),
        BelowError::Missing => Problem::not_found(format!("there is nothing at {shown}")),
        BelowError::Failed(error) => failed(&format!("{error:#}")),
    })?;
    let folder = BackupFolder::open(&desk.backup).map_err(|error| failed(&format!("{error:#}")))?;
    let options = BackupOptions { who, patience: Patience::of(PATIENCE) };
    answered(backup_below(&folder, &below, &options, &mut |_| Ok(())))
}

fn at_path(path: &std::path::Path) -> String {
    quoted(&path.to_string_lossy())
}

fn answered(report: PathReport) -> Result<CopyAnswer, Problem> {
    let reasons = report.reasons.join("; ");
    let copy = match (report.ended, report.copy) {
        (BackupOutcome::Copied | BackupOutcome::Restored, Some(copy)) => copy,
        (BackupOutcome::Refused, _) => {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, shown_error(&reasons)));
        }
        _ => return Err(failed(&reasons)),
    };
    Ok(CopyAnswer {
        version: VERSION,
        id: copy.id.as_str().to_owned(),
        time: copy.time.to_string(),
        path: copy.path,
        bytes: copy.bytes,
        digest: copy.digest,
        notes: report.notes.iter().map(|note| shown_error(note)).collect(),
        log: report.log,
    })
}

fn failed(why: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the copy failed: {}", shown_error(why)))
}

fn shown_error(text: &str) -> String {
    harmless(&redact(text), 1000)
}

fn busy() -> Problem {
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "another copy is being made: ask again");
    problem.with(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_copy_is_made_at_a_time_and_others_are_told_to_wait() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("backups")).unwrap();
        std::fs::write(at("file"), "x").unwrap();
        let to = format!("file://{}", at("backups").display());
        let settings = BackupSettings { roots: vec![folder.path().to_path_buf()], to, keep: None };
        let desk = Arc::new(CopyDesk::open(&settings).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let copy = || {
            let body = serde_json::json!({"path": at("file")}).to_string();
            runtime.block_on(answer(Some(desk.clone()), Some("noc".into()), Request::new(Body::from(body))))
        };
        let slot = desk.slot.try_acquire().unwrap();
        let refused = copy().err().unwrap();
        assert!(refused.status == 429 && refused.header.is_some(), "{refused:?}");
        assert_eq!(std::fs::read_dir(at("backups")).unwrap().count(), 0);
        drop(slot);
        assert_eq!(copy().unwrap().path, at("file").canonicalize().unwrap().to_str().unwrap());
        assert_eq!(desk.slot.available_permits(), 1);
        assert!(CopyDesk::open(&BackupSettings { to: "srv".to_owned(), ..settings }).is_err());
    }
}
