//! The clone that is synced, and its remote.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use git2::Oid;

use super::stop::StopSignal;
use crate::git::Git;
use crate::process::capture::program;
use crate::text::quote::quoted;
use crate::tree::open_git;

/// How long a fetch may take.
const FETCH: Duration = Duration::from_secs(120);

/// How long a push may take.
#[cfg(all(unix, feature = "serve"))]
const PUSH: Duration = Duration::from_secs(60);

/// Time limit for git's maintenance. It is killed then, and continues the next time.
const MAINTENANCE: Duration = Duration::from_secs(600);

/// A branch of a remote, and the clone that tracks it.
pub(crate) struct Upstream {
    git_dir: PathBuf,
    remote: String,
    branch: String,
}

impl Upstream {
    /// The branch of the remote in the clone around `root`.
    ///
    /// # Errors
    /// If there is no clone, or it has no such remote.
    pub(crate) fn open(root: &Path, remote: &str, branch: &str) -> Result<Upstream> {
        let git_dir = Git::discover(root)?.git_dir();
        if !git2::Reference::is_valid_name(&format!("refs/heads/{branch}")) {
            bail!("{} cannot be the name of a branch", quoted(branch));
        }
        if remote.starts_with('-') || !git2::Remote::is_valid_name(remote) {
            bail!("{} cannot be the name of a remote: name one that `git remote` lists", quoted(remote));
        }
        let repository = open_git(&git_dir)?;
        if repository.find_remote(remote).is_err() {
            bail!("{} has no remote {}: `git remote add` adds one", git_dir.display(), quoted(remote));
        }
        Ok(Upstream { git_dir, remote: remote.to_owned(), branch: branch.to_owned() })
    }

    pub(crate) fn remote(&self) -> &str {
        &self.remote
    }

    pub(crate) fn branch(&self) -> &str {
        &self.branch
    }

    /// Fetches the branch with the system's git, which uses the user's keys and configuration. The work tree
    /// and the local branches are not changed.
    ///
    /// # Errors
    /// If it cannot be fetched, or the clone is shallow and stays so.
    pub(crate) fn fetch(&self, stop: &StopSignal) -> Result<()> {
        let shallow = open_git(&self.git_dir)?.is_shallow();
        let mut git = self.git()?;
        git.args(["fetch", "--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules"]);
        // Only this branch: a mirror would fetch `refs/replace` and everything else.
        git.args(["--no-write-fetch-head", "--no-auto-maintenance", "--refmap="]);
        if shallow {
            git.arg("--unshallow");
        }
        git.arg("--").arg(&self.remote).arg(format!("+refs/heads/{}:{}", self.branch, self.tracking()));
        let what = || format!("cannot fetch {} from {}", self.branch, self.remote);
        let ended = stop.run(git, FETCH).with_context(what)?;
        if !ended.status.success() {
            bail!("{}: {}", what(), ended.complaint());
        }
        if open_git(&self.git_dir)?.is_shallow() {
            bail!(
                "{} is a shallow clone, and {} gives no older commits: the order of commits is unknown; clone it in full",
                self.git_dir.display(),
                self.remote
            );
        }
        Ok(())
    }

    /// Pushes a branch of the clone to the remote, under the same name. It is never forced.
    ///
    /// # Errors
    /// If it cannot be pushed.
    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn push(&self, branch: &str, stop: &StopSignal) -> Result<()> {
        let mut git = self.git()?;
        git.args(["push", "--quiet", "--no-verify", "--no-follow-tags", "--no-recurse-submodules", "--"]);
        git.arg(&self.remote).arg(format!("refs/heads/{branch}:refs/heads/{branch}"));
        let what = || format!("cannot push {branch} to {}", self.remote);
        let ended = stop.run(git, PUSH).with_context(what)?;
        if !ended.status.success() {
            bail!("{}: {}", what(), ended.complaint());
        }
        Ok(())
    }

    /// Moves the branch of the remote from `base` to `commit`, which follows it. If it is elsewhere, it stays there.
    ///
    /// # Errors
    /// If it was not moved.
    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn push_commit(&self, base: &str, commit: &str, stop: &StopSignal) -> Result<()> {
        let mut git = self.git()?;
        git.args(["push", "--quiet", "--no-verify", "--no-follow-tags", "--no-recurse-submodules"]);
        git.arg(format!("--force-with-lease=refs/heads/{}:{base}", self.branch));
        git.arg("--").arg(&self.remote).arg(format!("{commit}:refs/heads/{}", self.branch));
        let what = || format!("cannot push to {} of {}", self.branch, self.remote);
        let ended = stop.run(git, PUSH).with_context(what)?;
        if !ended.status.success() {
            bail!("{}: {}", what(), ended.complaint());
        }
        Ok(())
    }

    /// The commit to which a branch of the remote points; `None` if there is no such branch.
    ///
    /// # Errors
    /// If the remote does not say.
    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn remote_tip(&self, branch: &str, stop: &StopSignal) -> Result<Option<String>> {
        let mut git = self.git()?;
        git.args(["ls-remote", "--quiet", "--refs", "--"]).arg(&self.remote).arg(format!("refs/heads/{branch}"));
        let what = || format!("cannot look for {branch} at {}", self.remote);
        let ended = stop.run(git, PUSH).with_context(what)?;
        if !ended.status.success() {
            bail!("{}: {}", what(), ended.complaint());
        }
        // The pattern also matches the ends of longer names.
        let wanted = format!("refs/heads/{branch}");
        let lines = ended.stdout.lines().filter_map(|line| line.split_once('\t'));
        Ok(lines.filter(|(_, name)| *name == wanted).map(|(tip, _)| tip.to_owned()).next())
    }

    /// Deletes a branch of the remote, if it still points to `tip`.
    ///
    /// # Errors
    /// If it does not, or cannot be deleted.
    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn delete(&self, branch: &str, tip: &str, stop: &StopSignal) -> Result<()> {
        let mut git = self.git()?;
        git.args(["push", "--quiet", "--no-verify", "--no-follow-tags", "--no-recurse-submodules"]);
        git.arg(format!("--force-with-lease=refs/heads/{branch}:{tip}"));
        git.arg("--").arg(&self.remote).arg(format!(":refs/heads/{branch}"));
        let what = || format!("cannot delete {branch} at {}", self.remote);
        let ended = stop.run(git, PUSH).with_context(what)?;
        if !ended.status.success() {
            bail!("{}: {}", what(), ended.complaint());
        }
        Ok(())
    }

    /// The tip of the branch when it was last fetched; `None` if it never was.
    ///
    /// # Errors
    /// If the clone cannot be read.
    pub(crate) fn tip(&self) -> Result<Option<Oid>> {
        let repository = open_git(&self.git_dir)?;
        let reference = match repository.find_reference(&self.tracking()) {
            Ok(reference) => reference,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.tracking())),
        };
        let commit = reference.peel_to_commit().with_context(|| format!("{} is no commit", self.tracking()))?;
        Ok(Some(commit.id()))
    }

    /// The bytes of a commit, from which its id and its signature were made.
    ///
    /// # Errors
    /// If there is no such commit, or it is damaged.
    pub(crate) fn commit_bytes(&self, commit: Oid) -> Result<Vec<u8>> {
        let repository = open_git(&self.git_dir)?;
        let odb = repository.odb()?;
        let object = odb.read(commit).with_context(|| format!("cannot read the commit {commit}"))?;
        if object.kind() != git2::ObjectType::Commit {
            bail!("{commit} is no commit");
        }
        Ok(object.data().to_vec())
    }

    /// Runs git's maintenance if it is due. Not in the background: a background process ends with the
    /// service, and would start over each time.
    ///
    /// # Errors
    /// If it fails, which does no harm for a long time.
    pub(crate) fn maintain(&self, stop: &StopSignal) -> Result<()> {
        let mut git = self.git()?;
        git.args(["-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"]);
        git.args(["maintenance", "run", "--auto", "--quiet"]);
        let ended = stop.run(git, MAINTENANCE)?;
        if !ended.status.success() {
            bail!("git maintenance of {} failed: {}", self.git_dir.display(), ended.complaint());
        }
        Ok(())
    }

    fn tracking(&self) -> String {
        format!("refs/remotes/{}/{}", self.remote, self.branch)
    }

    /// The system's git for this clone, whatever other repository the environment names. It never prompts for
    /// a password, and ignores replaced objects and grafts.
    fn git(&self) -> Result<Command> {
        let mut git = program("git");
        for name in ["GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"] {
            git.env_remove(name);
        }
        for name in ["GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_SHALLOW_FILE"] {
            git.env_remove(name);
        }
        // The URL of a remote may be a path relative to it.
        git.current_dir(self.clone_folder()?);
        git.env("GIT_DIR", &self.git_dir).env("GIT_TERMINAL_PROMPT", "0");
        git.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null");
        let configured = open_git(&self.git_dir)?.config()?.get_string("core.sshCommand").is_ok();
        let chosen = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some());
        if !configured && !chosen {
            git.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        git.args(["-c", "core.hooksPath=/dev/null"]);
        Ok(git)
    }

    /// The work tree of the clone, or its git directory if it is bare.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn clone_folder(&self) -> Result<PathBuf> {
        let repository = open_git(&self.git_dir)?;
        Ok(repository.workdir().unwrap_or(repository.path()).to_path_buf())
    }
}
