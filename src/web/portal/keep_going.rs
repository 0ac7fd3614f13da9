//! Requests that are under way: those that a crash left are sent, and those that are merged are noted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::app::Portal;
use crate::sync::journal::Journal;
use crate::web::state::random::now;
use crate::web::state::requests::{ChangeRequest, Stage};

/// How often is looked.
const INTERVAL: Duration = Duration::from_secs(2);

/// After how many looks a request that is stuck is tried again; soon after the start more often.
const RETRY: u32 = 60;

/// How old a request is before it is continued, in seconds: the one who submitted it may still be at it.
const LEFT_ALONE: i64 = 120;

/// Keeps going until the server ends.
pub(crate) async fn keep_going(portal: Arc<Portal>) {
    let mut journal = Journal::default();
    let mut seen = String::new();
    for round in 0u32.. {
        let ended = continue_requests(&portal, round).await;
        let served = portal.current.snapshot().commit.clone();
        let ended = match ended {
            Ok(()) if seen != served => note_merged(&portal).await.map(|()| seen = served),
            ended => ended,
        };
        match ended {
            Ok(()) => journal.fine("portal"),
            Err(error) => journal.trouble("portal", &format!("{error:#}")),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Sends what was left: at the start all of it.
async fn continue_requests(portal: &Arc<Portal>, round: u32) -> Result<()> {
    let before = if round == 0 { now() } else { now() - LEFT_ALONE };
    for mut request in portal.store.unfinished(before).await? {
        if request.trouble.is_none() || round.is_multiple_of(RETRY) || round.is_power_of_two() {
            portal.advance(&mut request).await?;
        }
    }
    Ok(())
}

async fn note_merged(portal: &Arc<Portal>) -> Result<()> {
    for request in portal.store.proposed().await? {
        let (proposer, data, again) = (portal.proposer.clone(), portal.current.snapshot(), request.clone());
        if portal.heavy(move || proposer.is_merged(&again, &data)).await? {
            let merged = ChangeRequest { stage: Stage::Merged, ..request };
            portal.store.note_stage(&merged, Stage::Proposed).await?;
        }
    }
    Ok(())
}
