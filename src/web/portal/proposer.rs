//! From a request to a branch that reviewers find: a commit by the person, pushed to where the data comes from.
//! Each step can be done again: after a crash the same commit is found or made.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use git2::Oid;

use crate::edit::gathered::{Fate, GatheredChange, make};
use crate::edit::{Author, CommitSpec};
use crate::git::Git;
use crate::sync::stop::StopSignal;
use crate::sync::upstream::Upstream;
use crate::tree::Tree;
use crate::web::data::snapshot::Snapshot;
use crate::web::state::requests::{ChangeRequest, Stage};

/// The line of a commit's message with the id of its request.
pub(super) const TRAILER: &str = "Shapeline-Request";

/// From which age on the lock of a branch belongs to no server that lives.
const STALE: Duration = Duration::from_secs(5);

/// Makes commits of requests.
pub(crate) struct Proposer {
    root: PathBuf,
    /// Where branches are pushed to; nothing if reviewers use this clone.
    upstream: Option<Upstream>,
    stop: Arc<StopSignal>,
}

impl Proposer {
    /// For the clone around `root`, whose data comes from `upstream`.
    pub(crate) fn new(root: &Path, upstream: Option<Upstream>, stop: Arc<StopSignal>) -> Proposer {
        Proposer { root: root.to_path_buf(), upstream, stop }
    }

    /// The clone.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) fn git(&self) -> Result<Git> {
        Git::discover(&self.root)
    }

    /// The files of a commit.
    ///
    /// # Errors
    /// If the clone cannot be read.
    pub(super) fn tree(&self, commit: &str) -> Result<Tree> {
        let git = self.git()?;
        Ok(git.tree_of(git.commit(commit)?))
    }

    /// Where branches go, for people.
    pub(super) fn destination(&self) -> String {
        match &self.upstream {
            Some(upstream) => format!("a branch of {}", upstream.remote()),
            None => "a branch of the repository on the server".to_owned(),
        }
    }

    /// Takes a request to its next stage.
    ///
    /// # Errors
    /// If it cannot be made or pushed; it can be tried again.
    pub(super) fn step(&self, mut request: ChangeRequest, data: &Snapshot) -> Result<ChangeRequest> {
        match request.stage {
            Stage::Accepted => {
                request.commit = Some(self.commit(&request, data)?.to_string());
                request.stage = Stage::Committed;
            }
            Stage::Committed => {
                // Another host may have made it, in a clone of its own.
                request.commit = Some(self.commit(&request, data)?.to_string());
                if let Some(upstream) = &self.upstream {
                    upstream.push(&request.branch, &self.stop)?;
                }
                request.stage = Stage::Proposed;
            }
            Stage::Proposed | Stage::Merged | Stage::Closed => {}
        }
        Ok(request)
    }

    fn commit(&self, request: &ChangeRequest, data: &Snapshot) -> Result<Oid> {
        let git = self.git()?;
        if let Some(own) = own_commit(&git, request) {
            return Ok(own);
        }
        let changes: Vec<GatheredChange> = serde_json::from_str(&request.changes).context("the request is damaged")?;
        let base = git.commit(&data.commit)?;
        let made = make(&changes, git.tree_of(base), &data.repo, data.today)?;
        if made.fates.iter().any(|fate| matches!(fate, Fate::Conflict(_))) {
            bail!(
                "another person changed the same in the meantime: take the request back into the draft and look at it"
            );
        }
        match &made.review {
            None => bail!("the data is that way already: there is nothing to do"),
            Some(review) if review.refused() => {
                bail!("the data changed in the meantime, and now the rules refuse this: take it back into the draft")
            }
            Some(_) => {}
        }
        remove_stale_lock(&git, &request.branch);
        let author = Author { name: request.author.clone(), email: request.email.clone(), time: request.created };
        let (branch, message) = (request.branch.clone(), request.message.clone());
        made.draft.commit(&git, &CommitSpec { branch, local: None, message, author: Some(author) })
    }

    /// Whether a request is part of the data: its commit is, or its changes are, as after a squash.
    ///
    /// # Errors
    /// If the clone or the request cannot be read.
    pub(crate) fn is_merged(&self, request: &ChangeRequest, data: &Snapshot) -> Result<bool> {
        let git = self.git()?;
        let served = git.commit(&data.commit)?;
        let commit = request.commit.as_deref().and_then(|id| Oid::from_str(id).ok());
        if commit.is_some_and(|commit| git.repository().graph_descendant_of(served, commit).unwrap_or(false)) {
            return Ok(true);
        }
        let changes: Vec<GatheredChange> = serde_json::from_str(&request.changes).context("the request is damaged")?;
        crate::edit::gathered::all_made(&changes, &data.repo)
    }
}

/// Removes what a server that was killed left of a write of this branch, which no other program writes. Git itself never
/// does; a lock that is in use is younger.
fn remove_stale_lock(git: &Git, branch: &str) {
    let lock = git.common_dir().join(format!("refs/heads/{branch}.lock"));
    let age = lock.symlink_metadata().and_then(|lock| lock.modified()).ok().and_then(|time| time.elapsed().ok());
    if age.is_some_and(|age| age > STALE) {
        let _ = std::fs::remove_file(&lock);
    }
}

/// The commit that was made of the request before, on its branch.
fn own_commit(git: &Git, request: &ChangeRequest) -> Option<Oid> {
    let repository = git.repository();
    let reference = repository.find_reference(&format!("refs/heads/{}", request.branch)).ok()?;
    let commit = reference.peel_to_commit().ok()?;
    let mark = format!("{TRAILER}: {}", request.id);
    commit.message().ok()?.lines().any(|line| line == mark).then(|| commit.id())
}
