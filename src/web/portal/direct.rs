//! Requests that need no review are merged at once, if every rule and limit lets them pass: their commit is made on
//! the commit that is served, and the branch goes from that one to theirs or stays where it is.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use git2::Oid;

use super::app::Portal;
use super::drafting::is_safe;
use super::proposer::{Proposer, author_of};
use crate::database::random::now;
use crate::edit::{Basis, CommitSpec};
use crate::process::capture::program;
use crate::sync::journal::Journal;
use crate::web::data::snapshot::Snapshot;
use crate::web::state::requests::{ChangeRequest, Stage};
use crate::web::state::users::User;

/// How long to wait for the server to serve what the branch has: less than a request may take. And how often in a row.
const PATIENCE: Duration = Duration::from_secs(10);
const MOVES: u32 = 5;

/// How long git may take to change the work tree.
const CHECKOUT: Duration = Duration::from_secs(60);

/// The branch has another commit than the one that is served.
#[derive(Debug)]
pub(super) struct Moved;

impl std::fmt::Display for Moved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the branch has commits that the server does not serve yet: it is tried again")
    }
}

impl std::error::Error for Moved {}

impl Portal {
    /// Whether what a person submits needs no review.
    pub(super) fn is_direct_for(&self, user: &User) -> bool {
        self.proposer.direct.as_ref().is_some_and(|direct| user.role >= direct.role)
    }

    /// Whether a request needs no review: what counts is the role that the person has now.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(super) async fn is_direct(&self, request: &ChangeRequest) -> Result<bool> {
        if self.proposer.direct.is_none() || request.stage != Stage::Accepted {
            return Ok(false);
        }
        let user = self.store.user_with_id(&request.user_id).await?;
        Ok(user.is_some_and(|user| self.is_direct_for(&user) && request.domains.iter().all(|one| user.scope.has(one))))
    }

    /// Merges a request into what the branch has by then. Nothing if it needs a review after all.
    ///
    /// # Errors
    /// If it cannot be merged.
    pub(super) async fn merge(&self, request: &ChangeRequest) -> Result<Option<ChangeRequest>> {
        for _ in 0..MOVES {
            let (again, data, proposer) = (request.clone(), self.current.snapshot(), self.proposer.clone());
            let seen = data.commit.clone();
            match self.send(move || proposer.merge(again, &data)).await {
                Err(error) if error.is::<Moved>() => {
                    self.wake.now();
                    // What the branch has may be refused: then no try of the next minutes would do better.
                    if !self.serves_other_than(&seen).await {
                        return Err(error);
                    }
                }
                Ok(Some(merged)) => {
                    self.wake.now();
                    Journal::default().event("portal", &format!("request {} is merged without review", request.id));
                    return Ok(Some(merged));
                }
                ended => return ended,
            }
        }
        Err(Moved.into())
    }

    /// Waits until another commit is served. False if none is.
    async fn serves_other_than(&self, commit: &str) -> bool {
        let other = async {
            while self.current.snapshot().commit == commit {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, other).await.is_ok()
    }
}

impl Proposer {
    /// The request as it is once it is merged; nothing if it is beyond the safety limits. The same request on the same
    /// data is the same commit, so that after a crash this can be done again.
    fn merge(&self, mut request: ChangeRequest, data: &Snapshot) -> Result<Option<ChangeRequest>> {
        if !self.is_merged(&request, data)? {
            let (git, base) = (self.git()?, Oid::from_str(&data.commit)?);
            let made = self.make(&request, data, &git)?;
            let review = made.review.as_ref().context("there is nothing to do")?;
            if !is_safe(review)? {
                return Ok(None);
            }
            let (branch, message) = (request.branch.clone(), request.message.clone());
            let spec = CommitSpec { branch, local: None, message, author: Some(author_of(&request)) };
            let commit = made.draft.commit_apart(&git, &spec)?;
            self.advance_branch(base, commit)?;
            request.commit = Some(commit.to_string());
            request.review.merged_as = request.commit.clone();
        }
        request.review.merged_as.get_or_insert_with(|| data.commit.clone());
        (request.stage, request.review.ended) = (Stage::Merged, Some(now()));
        Ok(Some(request))
    }

    /// Moves the branch that is served from `base` to `commit`, which was made on it.
    ///
    /// # Errors
    /// [`Moved`] if it is not at `base`; or if it cannot be moved.
    fn advance_branch(&self, base: Oid, commit: Oid) -> Result<()> {
        let local = self.direct.as_ref().and_then(|direct| direct.local.as_deref());
        match (local, &self.upstream) {
            (Some(branch), _) => self.advance_local(branch, base, commit),
            (None, Some(upstream)) => {
                let (from, to) = (base.to_string(), commit.to_string());
                upstream.push_commit(&from, &to, &self.stop).or_else(|error| {
                    match upstream.remote_tip(upstream.branch(), &self.stop)? {
                        Some(tip) if tip == to => Ok(()),
                        Some(tip) if tip != from => Err(Moved.into()),
                        _ => Err(error),
                    }
                })
            }
            (None, None) => bail!("one fixed commit is served: nothing can be merged into it"),
        }
    }

    fn advance_local(&self, branch: &str, base: Oid, commit: Oid) -> Result<()> {
        let (git, name) = (self.git()?, format!("refs/heads/{branch}"));
        if git.commit(&name).ok() != Some(base) {
            bail!(Moved);
        }
        let repository = git.repository();
        let head = repository.find_reference("HEAD")?;
        match repository.workdir() {
            Some(folder) if head.symbolic_target().ok().flatten() == Some(&name) => {
                let mut merge = program("git");
                crate::process::WITHHELD.iter().for_each(|name| {
                    merge.env_remove(name);
                });
                merge.current_dir(folder).args(["-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--ff-only"]);
                merge.args(["--no-autostash", &commit.to_string()]);
                let ended = self.stop.run(merge, CHECKOUT)?;
                if !ended.status.success() {
                    bail!(
                        "cannot merge into {branch}, which is checked out in {}: {}",
                        folder.display(),
                        ended.complaint()
                    );
                }
            }
            _ => {
                // Refuses what another work tree has checked out.
                git.branch_to_commit_to(branch, Basis::Head)?;
                let moved = repository.reference_matching(&name, commit, true, base, "shapeline: merge");
                moved.map_err(|_| Moved)?;
            }
        }
        Ok(())
    }
}
