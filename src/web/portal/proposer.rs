//! From a request to a branch that reviewers find: a commit by the person, pushed to where the data comes from.
//! Each step can be done again: after a crash the same commit is found or made.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use git2::Oid;

use crate::database::random::now;
use crate::edit::gathered::{Fate, Gathered, GatheredChange, make};
use crate::edit::{Author, CommitSpec};
use crate::git::Git;
use crate::sync::stop::StopSignal;
use crate::sync::upstream::Upstream;
use crate::tree::Tree;
use crate::web::data::snapshot::Snapshot;
use crate::web::forge::{Forge, Pull, PullState, PullText};
use crate::web::state::requests::{ChangeRequest, Stage};
use crate::web::state::users::Role;

/// The line of a commit's message with the id of its request.
pub(super) const TRAILER: &str = "Shapeline-Request";

/// From which age on the lock of a branch belongs to no server that lives.
const STALE: Duration = Duration::from_secs(5);

/// Whose requests are merged without review, and where.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    /// The role that is needed.
    pub(crate) role: Role,
    /// The branch of this clone; without one, that of the remote.
    pub(crate) local: Option<String>,
}

/// Makes commits of requests.
pub(crate) struct Proposer {
    pub(super) root: PathBuf,
    /// Where branches are pushed to; nothing if reviewers use this clone.
    pub(super) upstream: Option<Upstream>,
    /// Where pull requests are opened.
    pub(super) forge: Option<Forge>,
    /// Whose requests need no review.
    pub(super) direct: Option<Direct>,
    pub(super) stop: Arc<StopSignal>,
}

impl Proposer {
    /// For the clone around `root`, whose data comes from `upstream`, and is reviewed at `forge`.
    pub(crate) fn new(
        root: &Path,
        upstream: Option<Upstream>,
        forge: Option<Forge>,
        direct: Option<Direct>,
        stop: Arc<StopSignal>,
    ) -> Proposer {
        Proposer { root: root.to_path_buf(), upstream, forge, direct, stop }
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

    /// Where requests without review go, for people.
    pub(super) fn trunk(&self) -> String {
        match (self.direct.as_ref().and_then(|direct| direct.local.as_ref()), &self.upstream) {
            (Some(branch), _) => format!("the branch {branch}"),
            (None, Some(upstream)) => format!("the branch {} of {}", upstream.branch(), upstream.remote()),
            (None, None) => String::new(),
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
            Stage::Committed => self.propose(&mut request, data)?,
            Stage::Proposed | Stage::Merged | Stage::Withdrawn | Stage::Closed => {}
        }
        Ok(request)
    }

    /// Pushes the commit, and opens a pull request. That of an earlier try is looked for first: it was opened, and a
    /// crash kept it from being noted.
    fn propose(&self, request: &mut ChangeRequest, data: &Snapshot) -> Result<()> {
        if let Some(forge) = &self.forge {
            if let Some(pull) = forge.find(&request.branch)? {
                note(request, &pull);
                return Ok(());
            }
            if self.is_merged(request, data)? {
                (request.stage, request.review.ended) = (Stage::Merged, Some(now()));
                return Ok(());
            }
        }
        // Another host may have made it, in a clone of its own.
        request.commit = Some(self.commit(request, data)?.to_string());
        if let Some(upstream) = &self.upstream {
            upstream.push(&request.branch, &self.stop)?;
        }
        request.stage = Stage::Proposed;
        if let Some(forge) = &self.forge {
            let text = PullText::new(&request.title, &request.message, &request.author);
            note(request, &forge.open_pull(&request.branch, &text)?);
        }
        Ok(())
    }

    /// Asks the forge what became of a request. False if it knows of none.
    ///
    /// # Errors
    /// If it does not say.
    pub(super) fn look(&self, request: &mut ChangeRequest) -> Result<bool> {
        let Some(pull) = self.pull(request)? else { return Ok(false) };
        note(request, &pull);
        Ok(true)
    }

    /// The pull request of a request.
    pub(super) fn pull(&self, request: &ChangeRequest) -> Result<Option<Pull>> {
        let Some(forge) = &self.forge else { return Ok(None) };
        let known = request.review.pull.and_then(|number| u64::try_from(number).ok());
        if let Some(pull) = known.map(|number| forge.look(number)).transpose()?.flatten() {
            return Ok(Some(pull));
        }
        forge.find(&request.branch)
    }

    fn commit(&self, request: &ChangeRequest, data: &Snapshot) -> Result<Oid> {
        let git = self.git()?;
        if let Some(own) = own_commit(&git, request) {
            return Ok(own);
        }
        let made = self.make(request, data, &git)?;
        remove_stale_lock(&git, &request.branch);
        let (branch, message) = (request.branch.clone(), request.message.clone());
        made.draft.commit(&git, &CommitSpec { branch, local: None, message, author: Some(author_of(request)) })
    }

    /// The changes of a request on today's data, which the rules let pass.
    ///
    /// # Errors
    /// If they do not, or another person changed the same, or there is nothing to do.
    pub(super) fn make(&self, request: &ChangeRequest, data: &Snapshot, git: &Git) -> Result<Gathered> {
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
            Some(_) => Ok(made),
        }
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

/// The author of a request's commit.
pub(super) fn author_of(request: &ChangeRequest) -> Author {
    Author { name: request.author.clone(), email: request.email.clone(), time: request.created }
}

/// Notes what the forge says of a request.
pub(super) fn note(request: &mut ChangeRequest, pull: &Pull) {
    let review = &mut request.review;
    review.pull = i64::try_from(pull.number).ok();
    review.opened = pull.opened.or(review.opened);
    request.link = pull.link.clone();
    let (stage, reason) = match (pull.state, pull.into_base) {
        (PullState::Open, _) => (Stage::Proposed, None),
        (PullState::Merged, true) => (Stage::Merged, None),
        (PullState::Merged, false) => (Stage::Closed, Some("merged into another branch at the forge")),
        (PullState::Rejected, _) => (Stage::Closed, Some("rejected at the forge")),
    };
    request.stage = stage;
    review.reason = reason.map(ToOwned::to_owned);
    // One that was rejected may be open again.
    let is_open = stage == Stage::Proposed;
    review.ended = (!is_open).then(|| pull.ended.or(review.ended).unwrap_or_else(now));
    review.merged_as = pull.merged_as.clone();
}

/// Removes what a server that was killed left of a write of this branch, which no other program writes. Git itself never
/// does; a lock that is in use is younger.
pub(super) fn remove_stale_lock(git: &Git, branch: &str) {
    let lock = git.common_dir().join(format!("refs/heads/{branch}.lock"));
    let age = lock.symlink_metadata().and_then(|lock| lock.modified()).ok().and_then(|time| time.elapsed().ok());
    if age.is_some_and(|age| age > STALE) {
        let _ = std::fs::remove_file(&lock);
    }
}

/// The commit that was made of the request before, on its branch.
pub(super) fn own_commit(git: &Git, request: &ChangeRequest) -> Option<Oid> {
    let repository = git.repository();
    let reference = repository.find_reference(&format!("refs/heads/{}", request.branch)).ok()?;
    let commit = reference.peel_to_commit().ok()?;
    let mark = format!("{TRAILER}: {}", request.id);
    commit.message().ok()?.lines().any(|line| line == mark).then(|| commit.id())
}
