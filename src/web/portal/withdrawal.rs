//! Requests that were withdrawn: what was sent of them is removed, so that nothing of them can be merged any more.

use anyhow::{Context as _, Result};
use git2::{BranchType, ErrorCode};

use super::app::Portal;
use super::proposer::{Proposer, note, own_commit, remove_stale_lock};
use crate::database::random::now;
use crate::git::Git;
use crate::text::quote::harmless;
use crate::web::forge::PullState;
use crate::web::state::requests::{ChangeRequest, Stage};

/// After how many seconds nothing is under way any more that began before the request was withdrawn: a push, a pull
/// request that is being opened, also by another replica, or by one that was killed.
const SETTLED: i64 = 300;

/// For how many seconds a replica has a request to itself.
const CLAIM: i64 = 120;

impl Portal {
    /// Removes what was sent of a withdrawn request, and closes it once nothing can follow.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(super) async fn tidy(&self, mut request: ChangeRequest) -> Result<()> {
        if !self.store.claim(&mut request, now() + CLAIM).await? {
            return Ok(());
        }
        let (proposer, mut again, began) = (self.proposer.clone(), request.clone(), now());
        match self.send(move || proposer.take_back(&mut again).map(|()| again)).await {
            Ok(done) => {
                let settled = done.review.ended.unwrap_or(0) + SETTLED;
                request = ChangeRequest { trouble: None, tries: 0, due: settled, ..done };
                if request.stage == Stage::Withdrawn && began >= settled {
                    request.stage = Stage::Closed;
                }
            }
            Err(error) => {
                let trouble = harmless(&format!("{error:#}"), 2000);
                self.stuck(&mut request, trouble);
            }
        }
        self.store.note_stage(&request, Stage::Withdrawn).await.map(drop)
    }
}

impl Proposer {
    /// Closes the pull request, and deletes the branch at the remote and here, as far as they are the request's own.
    /// Each step can be done again. One that was merged already is noted as such.
    fn take_back(&self, request: &mut ChangeRequest) -> Result<()> {
        // Without its branch it cannot be merged either: a forge that is away is no reason to leave that.
        let closed = self.close_pull(request);
        if request.stage == Stage::Merged {
            return closed;
        }
        self.delete_branch(request)?;
        closed
    }

    fn close_pull(&self, request: &mut ChangeRequest) -> Result<()> {
        let (Some(forge), Some(pull)) = (&self.forge, self.pull(request)?) else { return Ok(()) };
        request.review.pull = i64::try_from(pull.number).ok();
        request.link.clone_from(&pull.link);
        match pull.state {
            PullState::Open => forge.close(pull.number)?,
            PullState::Merged if pull.into_base => note(request, &pull),
            PullState::Merged | PullState::Rejected => {}
        }
        Ok(())
    }

    fn delete_branch(&self, request: &ChangeRequest) -> Result<()> {
        let git = Git::discover(&self.root)?;
        let own = request.commit.clone().or_else(|| own_commit(&git, request).map(|id| id.to_string()));
        // What others put on top is theirs.
        let Some(own) = own else { return Ok(()) };
        if let Some(upstream) = &self.upstream
            && upstream.remote_tip(&request.branch, &self.stop)?.is_some_and(|tip| tip == own)
        {
            upstream.delete(&request.branch, &own, &self.stop)?;
        }
        delete_here(&git, &request.branch, &own)
    }
}

/// Deletes a branch of the clone if it points to `own`.
fn delete_here(git: &Git, branch: &str, own: &str) -> Result<()> {
    remove_stale_lock(git, branch);
    let mut found = match git.repository().find_branch(branch, BranchType::Local) {
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
        found => found.with_context(|| format!("cannot read the branch {branch}"))?,
    };
    if found.get().target().is_some_and(|tip| tip.to_string() == own) {
        found.delete().with_context(|| format!("cannot delete the branch {branch}"))?;
    }
    Ok(())
}
