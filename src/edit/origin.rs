//! The remote `origin`: what it has, and what is sent to it. The system's git speaks to it, with the user's
//! own credentials.

use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use git2::Oid;

use crate::git::Git;
use crate::text::quote::{harmless, quoted};

impl Git {
    /// Whether there is a remote called `origin`.
    ///
    /// # Errors
    /// If there is none.
    pub fn require_origin(&self) -> Result<()> {
        if self.repository().find_remote("origin").is_err() {
            bail!("there is no remote `origin` to push to; `git remote add origin URL` names one");
        }
        Ok(())
    }

    /// Brings what this clone knows of the branches of `origin` up to date.
    ///
    /// # Errors
    /// If git cannot fetch; it has then printed why.
    pub fn fetch(&self) -> Result<()> {
        let status =
            self.run_git(&["fetch", "--quiet", "--no-tags", "origin"]).context("cannot run git, which fetches")?;
        if !status.success() {
            bail!(
                "git could not fetch from `origin`, so nothing was changed: without it, an address could be given out twice"
            );
        }
        Ok(())
    }

    /// Pushes a branch to `origin`.
    ///
    /// # Errors
    /// If the push fails; git has then printed why.
    pub fn push(&self, branch: &str) -> Result<()> {
        let reference = format!("refs/heads/{branch}:refs/heads/{branch}");
        let status =
            self.run_git(&["push", "--quiet", "origin", &reference]).context("cannot run git, which pushes")?;
        if !status.success() {
            bail!(
                "the branch {0} is committed here, and git could not push it; `git push origin {1}` tries again",
                quoted(branch),
                harmless(branch, 200)
            );
        }
        Ok(())
    }

    /// The commit of a branch of `origin`, as far as this clone knows.
    pub(crate) fn branch_at_origin(&self, branch: &str) -> Option<Oid> {
        self.tip(&format!("refs/remotes/origin/{branch}"))
    }

    /// The commit that proposals to `origin` build on: of the branch there that is checked out here, or else
    /// of the default branch.
    pub(super) fn head_of_origin(&self) -> Option<Oid> {
        let head = self.repository().head().ok().filter(git2::Reference::is_branch);
        let upstream = head.and_then(|head| {
            let upstream = git2::Branch::wrap(head).upstream().ok()?.into_reference();
            let is_there = upstream.name().ok()?.starts_with("refs/remotes/origin/");
            is_there.then(|| upstream.peel_to_commit().ok().map(|commit| commit.id()))?
        });
        upstream.or_else(|| ["HEAD", "main", "master"].into_iter().find_map(|name| self.branch_at_origin(name)))
    }

    /// The commit of a reference, if there is one.
    pub(super) fn tip(&self, reference: &str) -> Option<Oid> {
        let reference = self.repository().find_reference(reference).ok()?;
        reference.peel_to_commit().ok().map(|commit| commit.id())
    }

    fn run_git(&self, args: &[&str]) -> std::io::Result<ExitStatus> {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let mut git = system_git(&self.git_dir());
        git.args(args);
        git.stdin(if terminal { Stdio::inherit() } else { Stdio::null() });
        // Standard output is for the result of the command.
        git.stdout(Stdio::null());
        if !terminal {
            git.env("GIT_TERMINAL_PROMPT", "0");
        }
        git.status()
    }
}

pub(super) fn system_git(git_dir: &Path) -> Command {
    let mut git = Command::new("git");
    crate::process::WITHHELD.iter().for_each(|name| {
        git.env_remove(name);
    });
    git.arg("--git-dir").arg(git_dir);
    git
}
