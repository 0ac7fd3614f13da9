//! Whether the change of a request is live: what the records beside the published files say.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use git2::Oid;

use crate::git::Git;
use crate::model::Target;
use crate::publish::site::Site;
use crate::records::manifest::StoredVersion;
use crate::web::state::requests::ChangeRequest;

/// What is live on a target.
#[derive(Clone, Default)]
pub(super) struct LiveTarget {
    /// What is live; nothing if that is not known.
    live: Option<StoredVersion>,
    /// What is kept, oldest first.
    versions: Vec<StoredVersion>,
}

/// What is live, as of the last look.
#[derive(Default)]
pub(super) struct LiveTargets(Mutex<Vec<LiveTarget>>);

/// Since when a change is live on all targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveSince {
    pub(super) time: String,
    /// The commit that was published.
    pub(super) commit: String,
}

/// What the records of a target say.
///
/// # Errors
/// If it cannot be reached.
pub(super) fn look(target: &Target) -> Result<LiveTarget> {
    let manifest = Site::open(target)?.ledger().manifest()?;
    let (live, versions) = manifest.map(|manifest| (manifest.live, manifest.versions)).unwrap_or_default();
    Ok(LiveTarget { live: live.map(|live| live.version), versions })
}

impl LiveTargets {
    /// Replaces what is known.
    pub(super) fn replace(&self, found: Vec<LiveTarget>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Since when the change of a merged request is live on all targets that are looked at. Nothing if it is not, or
    /// that is not known.
    ///
    /// # Errors
    /// If the clone cannot be read.
    pub(super) fn since(&self, git: &Git, request: &ChangeRequest) -> Result<Option<LiveSince>> {
        let targets = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let made = [request.commit.as_deref(), request.review.merged_as.as_deref()];
        let made: Vec<Oid> = made.into_iter().flatten().filter_map(|id| Oid::from_str(id).ok()).collect();
        let mut last: Option<&StoredVersion> = None;
        for target in &targets {
            let has = |version: &&StoredVersion| holds(git, version, &made, &request.domains);
            let Some(live) = target.live.as_ref().filter(has) else { return Ok(None) };
            // From the newest back: what a rollback took back in between does not count.
            let first = target.versions.iter().rev().filter(|one| one.id <= live.id).take_while(has).last();
            let first = first.unwrap_or(live);
            if last.is_none_or(|last| first.time > last.time) {
                last = Some(if first.id == live.id { live } else { first });
            }
        }
        Ok(last.map(|version| LiveSince {
            time: version.time.to_string(),
            commit: version.commit.clone().unwrap_or_default(),
        }))
    }
}

/// Whether a version was made from data with any of these commits, in all of these domains.
fn holds(git: &Git, version: &StoredVersion, made: &[Oid], domains: &[String]) -> bool {
    let follows = |commit: &str| {
        let Ok(commit) = Oid::from_str(commit) else { return false };
        let after = |made: &Oid| git.repository().graph_descendant_of(commit, *made).unwrap_or(false);
        made.iter().any(|made| commit == *made || after(made))
    };
    let frozen = version.frozen.iter().filter(|frozen| domains.contains(&frozen.domain));
    version.commit.as_deref().is_some_and(follows) && frozen.into_iter().all(|frozen| follows(&frozen.at))
}
