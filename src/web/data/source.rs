//! Where the data comes from: a branch of the clone or of its remote, or one fixed commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use git2::Oid;

use super::snapshot::Snapshot;
use crate::git::Git;
use crate::model::Date;
use crate::repo::Repo;
use crate::rules::sound_table;
use crate::sync::stop::StopSignal;
use crate::sync::upstream::Upstream;
use crate::text::quote::quoted;

/// Which commit is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceRequest {
    /// A revision that stays.
    pub(crate) rev: Option<String>,
    /// A branch; without one, that which is checked out.
    pub(crate) branch: Option<String>,
    /// The remote to fetch from; without one, the upstream of the branch, if it has one.
    pub(crate) remote: Option<String>,
    /// Whether to fetch nothing, and follow the branch as it is in the clone.
    pub(crate) no_fetch: bool,
}

/// No branch is named, and none is checked out.
#[derive(Debug)]
pub(crate) struct NothingCheckedOut;

impl std::fmt::Display for NothingCheckedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no branch is checked out")
    }
}

/// A branch that is followed.
pub(crate) struct Source {
    root: PathBuf,
    kind: SourceKind,
}

enum SourceKind {
    Fixed(Oid),
    Local(String),
    Remote(Upstream),
}

/// What became of loading a commit.
pub(crate) enum Loaded {
    /// It passed the check.
    Ready(Box<Snapshot>),
    /// Its data has this many errors.
    Refused(usize),
}

impl Source {
    /// The branch or the commit that `wanted` means, in the clone around `root`.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn open(root: &Path, wanted: &SourceRequest) -> Result<Source> {
        let git = Git::discover(root)?;
        let root = root.to_path_buf();
        if let Some(rev) = &wanted.rev {
            return Ok(Source { root, kind: SourceKind::Fixed(git.commit(rev)?) });
        }
        let branch = match &wanted.branch {
            Some(branch) => branch.clone(),
            None => checked_out(&git)?,
        };
        let kind = match upstream(&git, &branch, wanted) {
            Some((remote, branch)) => SourceKind::Remote(Upstream::open(&root, &remote, &branch)?),
            None => {
                git.commit(&format!("refs/heads/{branch}")).map_err(|_| match git.repository().is_empty() {
                    Ok(true) => anyhow!("the repository has no commit yet: commit the data first"),
                    _ => anyhow!("there is no branch {}: `git branch` lists them", quoted(&branch)),
                })?;
                SourceKind::Local(branch)
            }
        };
        Ok(Source { root, kind })
    }

    /// What is followed, for people.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            SourceKind::Fixed(commit) => format!("commit {}", Git::short(*commit)),
            SourceKind::Local(branch) => format!("branch {branch}"),
            SourceKind::Remote(upstream) => format!("branch {} of {}", upstream.branch(), upstream.remote()),
        }
    }

    /// Fetches, if there is something to fetch from.
    ///
    /// # Errors
    /// If it cannot be fetched.
    pub(crate) fn fetch(&self, stop: &StopSignal) -> Result<()> {
        match &self.kind {
            SourceKind::Remote(upstream) => upstream.fetch(stop),
            SourceKind::Fixed(_) | SourceKind::Local(_) => Ok(()),
        }
    }

    /// The remote branch that is followed, opened once more for another part of the server.
    ///
    /// # Errors
    /// If the clone cannot be opened.
    pub(crate) fn upstream(&self) -> Result<Option<Upstream>> {
        match &self.kind {
            SourceKind::Remote(upstream) => Ok(Some(Upstream::open(&self.root, upstream.remote(), upstream.branch())?)),
            SourceKind::Fixed(_) | SourceKind::Local(_) => Ok(None),
        }
    }

    /// The branch of the clone that is followed.
    pub(crate) fn local_branch(&self) -> Option<&str> {
        match &self.kind {
            SourceKind::Local(branch) => Some(branch),
            SourceKind::Fixed(_) | SourceKind::Remote(_) => None,
        }
    }

    /// Whether it is read without fetching.
    pub(crate) fn is_here(&self) -> bool {
        !matches!(self.kind, SourceKind::Remote(_))
    }

    /// The commit that is to be served.
    ///
    /// # Errors
    /// If the clone cannot be read.
    pub(crate) fn tip(&self) -> Result<Oid> {
        match &self.kind {
            SourceKind::Fixed(commit) => Ok(*commit),
            SourceKind::Local(branch) => Git::discover(&self.root)?
                .commit(&format!("refs/heads/{branch}"))
                .map_err(|_| anyhow!("there is no branch {} any more", quoted(branch))),
            SourceKind::Remote(upstream) => {
                upstream.tip()?.ok_or_else(|| anyhow!("the branch {} was never fetched", upstream.branch()))
            }
        }
    }

    /// Reads, checks and indexes the data of a commit.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn load(&self, commit: Oid, today: Date) -> Result<Loaded> {
        let git = Git::discover(&self.root)?;
        if !git.has_folder(commit)? {
            bail!("commit {} has no folder {}", Git::short(commit), quoted(git.prefix()));
        }
        let repo = Arc::new(Repo::load(&git.tree_of(commit)).context("cannot read the data")?);
        match sound_table(&repo, today) {
            Ok(_) => Ok(Loaded::Ready(Box::new(Snapshot::new(repo, commit.to_string(), today)))),
            Err(findings) => Ok(Loaded::Refused(findings.len())),
        }
    }
}

fn checked_out(git: &Git) -> Result<String> {
    let head = git.repository().find_reference("HEAD").context("cannot read HEAD")?;
    let branch = head.symbolic_target().ok().flatten().and_then(|target| target.strip_prefix("refs/heads/"));
    branch.map(ToOwned::to_owned).context(NothingCheckedOut)
}

/// The remote and the branch there. In a bare clone, as git makes one, no branch has an upstream: there the
/// remote `origin` counts.
fn upstream(git: &Git, branch: &str, wanted: &SourceRequest) -> Option<(String, String)> {
    if wanted.no_fetch {
        return None;
    }
    if let Some(remote) = &wanted.remote {
        return Some((remote.clone(), branch.to_owned()));
    }
    let config = git.repository().config().ok()?;
    let set = |what: &str| config.get_string(&format!("branch.{branch}.{what}")).ok();
    let there = set("merge").and_then(|merge| merge.strip_prefix("refs/heads/").map(ToOwned::to_owned));
    match (set("remote").filter(|remote| remote != "."), there) {
        (Some(remote), Some(there)) => Some((remote, there)),
        _ if git.is_bare() && git.repository().find_remote("origin").is_ok() => {
            Some(("origin".to_owned(), branch.to_owned()))
        }
        _ => None,
    }
}
