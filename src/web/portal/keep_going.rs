//! Requests that are under way: those that a crash left are sent, those that were withdrawn are removed, and those that
//! were merged or rejected are noted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::app::Portal;
use crate::database::random::now;
use crate::sync::journal::Journal;
use crate::text::quote::harmless;
use crate::web::state::requests::{ChangeRequest, Stage};

/// How often is looked.
const INTERVAL: Duration = Duration::from_secs(2);

/// How old a request is before it is continued, in seconds: the one who submitted it may still be at it.
const LEFT_ALONE: i64 = 120;

/// The time from one question about a pull request to the next, in seconds.
const ASKED_EVERY: i64 = 60;

/// How many pull requests are asked about in a round: 1,800 an hour, where GitHub answers 5,000.
const ASKED: i64 = 1;

/// The time from one question about a rejected pull request to the next, in seconds: it may be opened again.
const REJECTED_ASKED_EVERY: i64 = 3600;

/// For how long after the rejection it is asked about, in seconds.
const REJECTED_ASKED_FOR: i64 = 30 * 24 * 3600;

/// How many withdrawn requests are removed in a round.
const TIDIED: i64 = 20;

/// Keeps going until the server ends.
pub(crate) async fn keep_going(portal: Arc<Portal>) {
    let mut journal = Journal::default();
    let mut seen = String::new();
    for round in 0u32.. {
        let served = portal.current.snapshot().commit.clone();
        let sent = continue_requests(&portal, round).await;
        report(&mut journal, "portal", sent.and(tidy(&portal, round).await));
        if seen != served {
            let noted = note_merged(&portal).await;
            if noted.is_ok() {
                seen = served;
            }
            report(&mut journal, "merged requests", noted);
        }
        if portal.proposer.forge.is_some() {
            report(&mut journal, "forge", ask(&portal).await);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn report(journal: &mut Journal, about: &str, result: Result<()>) {
    match result {
        Ok(()) => journal.fine(about),
        Err(error) => journal.trouble(about, &format!("{error:#}")),
    }
}

/// Until when something is due: at the start everything is.
fn due(round: u32) -> i64 {
    if round == 0 { i64::MAX } else { now() }
}

/// Sends what was left: at the start all of it.
async fn continue_requests(portal: &Arc<Portal>, round: u32) -> Result<()> {
    let before = if round == 0 { now() } else { now() - LEFT_ALONE };
    for mut request in portal.store.unfinished(before, due(round)).await? {
        if portal.store.claim(&mut request, now() + LEFT_ALONE).await? {
            portal.advance(&mut request).await?;
        }
    }
    Ok(())
}

async fn tidy(portal: &Arc<Portal>, round: u32) -> Result<()> {
    for request in portal.store.due(Stage::Withdrawn, due(round), TIDIED).await? {
        portal.tidy(request).await?;
    }
    Ok(())
}

async fn note_merged(portal: &Arc<Portal>) -> Result<()> {
    for request in portal.store.due(Stage::Proposed, i64::MAX, i64::MAX).await? {
        let (proposer, data, again) = (portal.proposer.clone(), portal.current.snapshot(), request.clone());
        let served = data.commit.clone();
        if portal.heavy(move || proposer.is_merged(&again, &data)).await? {
            let mut merged = ChangeRequest { stage: Stage::Merged, ..request };
            merged.review.ended = Some(now());
            merged.review.merged_as.get_or_insert_with(|| served.clone());
            portal.store.note_stage(&merged, Stage::Proposed).await?;
        }
    }
    Ok(())
}

/// Asks the forge what became of some of the pull requests: those of which it was not asked for the longest time, and
/// if none of the open ones is due, of those that were rejected.
async fn ask(portal: &Arc<Portal>) -> Result<()> {
    let mut ended = Ok(());
    let mut due = portal.store.due(Stage::Proposed, now(), ASKED).await?;
    if due.is_empty() {
        due = portal.store.rejected(now() - REJECTED_ASKED_FOR, now(), ASKED).await?;
    }
    for mut request in due {
        let from = request.stage;
        let pause = if from == Stage::Closed { REJECTED_ASKED_EVERY } else { ASKED_EVERY };
        if !portal.store.claim(&mut request, now() + pause).await? {
            continue;
        }
        let (proposer, mut again) = (portal.proposer.clone(), request.clone());
        match portal.send(move || proposer.look(&mut again).map(|_| again)).await {
            Ok(seen) => {
                let seen = ChangeRequest { tries: 0, ..seen };
                portal.store.note_stage(&seen, from).await?;
            }
            Err(error) => {
                request.postpone(now() + pause);
                portal.store.note_stage(&request, from).await?;
                ended = Err(error);
            }
        }
    }
    ended
}

impl Portal {
    /// Brings a request as far as it gets: committed, pushed, with a pull request. What is in the way is kept with it.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn advance(self: &Arc<Self>, request: &mut ChangeRequest) -> Result<()> {
        while request.stage < Stage::Proposed {
            let stage = request.stage;
            let done = self.step(request).await;
            let failed = done.is_err();
            match done {
                Ok(next) => *request = ChangeRequest { trouble: None, tries: 0, due: 0, ..next },
                Err(error) => self.stuck(request, harmless(&format!("{error:#}"), 2000)),
            }
            if !self.store.note_stage(request, stage).await? {
                // It was withdrawn in the meantime.
                return match request.stage {
                    Stage::Merged => self.store.note_stage(request, Stage::Withdrawn).await.map(drop),
                    _ => self.store.sent_after_all(&request.id).await,
                };
            }
            if failed {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes a request to its next stage.
    async fn step(self: &Arc<Self>, request: &ChangeRequest) -> Result<ChangeRequest> {
        if self.is_direct(request).await?
            && let Some(merged) = self.merge(request).await?
        {
            return Ok(merged);
        }
        let (from, data, proposer) = (request.clone(), self.current.snapshot(), self.proposer.clone());
        self.send(move || proposer.step(from, &data)).await
    }

    /// Notes why a request did not get further; the journal has each reason once.
    pub(super) fn stuck(&self, request: &mut ChangeRequest, why: String) {
        if request.trouble.as_ref() != Some(&why) {
            Journal::default().event("portal", &format!("request {}: {why}", request.id));
        }
        request.trouble = Some(why);
        request.postpone(now());
    }
}
