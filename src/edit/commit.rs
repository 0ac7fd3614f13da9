//! A draft as a commit on a branch, without touching the work tree or the index.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid};

use super::draft::Draft;
use super::not_made::NotMade;
use super::origin::system_git;
use crate::git::Git;
use crate::text::quote::quoted;
use crate::tree::Tree;

/// The branch to commit to, and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitSpec {
    /// The branch's name, without `refs/heads/`.
    pub branch: String,
    /// Its commit in this clone; nothing if it does not exist here.
    pub local: Option<Oid>,
    /// The message.
    pub message: String,
    /// Whose commit it is; without one, of the user of git.
    pub author: Option<Author>,
}

/// The author of a commit that a program makes for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// When, in seconds since 1970: the same again gives the same commit.
    pub time: i64,
}

/// A branch to commit to, and the commit that the data is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchTip {
    /// Its name, without `refs/heads/`; empty for a new branch that is named after the edit.
    pub name: String,
    /// The commit that the data is read from.
    pub commit: Oid,
    /// Its commit in this clone; nothing if it does not exist here.
    pub local: Option<Oid>,
}

/// What a new branch builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// What is checked out.
    Head,
    /// What `origin` has, as far as this clone knows.
    Origin,
}

impl Git {
    /// The commit that a new branch starts from.
    ///
    /// # Errors
    /// If there is no commit yet.
    pub fn start_of_branch(&self, basis: Basis) -> Result<Oid> {
        match self.head_of_origin().filter(|_| basis == Basis::Origin) {
            Some(commit) => Ok(commit),
            // In a repository without a commit, the branch of HEAD does not exist.
            None => self.commit("HEAD").map_err(|error| NotMade::NoCommit(format!("{error:#}")).into()),
        }
    }

    /// The branch `name` to commit to, with the newer of its commits here and at `origin`; else a new branch.
    ///
    /// # Errors
    /// If that is no name for a branch, the branch is checked out somewhere, or a branch that builds on
    /// `origin` has commits here and there that the other side does not have.
    pub fn branch_to_commit_to(&self, name: &str, basis: Basis) -> Result<BranchTip> {
        self.can_be_committed_to(name)?;
        let local = self.tip(&format!("refs/heads/{name}"));
        let commit = match (local, self.branch_at_origin(name)) {
            (Some(local), Some(there)) if local != there => {
                let follows = |newer, older| self.repository().graph_descendant_of(newer, older).unwrap_or(false);
                if follows(there, local) {
                    there
                } else if basis == Basis::Head || follows(local, there) {
                    local
                } else {
                    return Err(NotMade::Diverged(name.to_owned()).into());
                }
            }
            (Some(tip), _) | (None, Some(tip)) => tip,
            (None, None) => self.start_of_branch(basis)?,
        };
        Ok(BranchTip { name: name.to_owned(), commit, local })
    }

    /// Refuses a branch that cannot be moved by a commit.
    fn can_be_committed_to(&self, name: &str) -> Result<()> {
        // The name is shown in commands to type, and goes to the forge.
        let plain = name.chars().all(|c| c.is_alphanumeric() || "._/-+@#".contains(c));
        let valid =
            plain && git2::Branch::name_is_valid(name).unwrap_or(false) && !name.starts_with('-') && name != "HEAD";
        if !valid {
            bail!("{} is no name for a branch: letters, digits and . _ / - will do", quoted(name));
        }
        let branch = self.repository().find_branch(name, git2::BranchType::Local);
        if branch.is_ok_and(|branch| branch.is_head() || self.is_checked_out(name)) {
            return Err(NotMade::CheckedOut(name.to_owned()).into());
        }
        Ok(())
    }

    /// Whether any work tree of the repository has the branch checked out.
    fn is_checked_out(&self, name: &str) -> bool {
        let here = self.repository();
        let names = here.worktrees();
        let linked = names.iter().flatten().filter_map(|name| here.find_worktree(name.ok().flatten()?).ok());
        let linked = linked.filter_map(|tree| git2::Repository::open_from_worktree(&tree).ok());
        let main = git2::Repository::open(here.commondir()).ok();
        let reference = format!("refs/heads/{name}");
        linked.chain(main).any(|tree| {
            let head = tree.find_reference("HEAD");
            !tree.is_bare() && head.is_ok_and(|head| head.symbolic_target().ok().flatten() == Some(&reference))
        })
    }

    /// `wanted`, or the first of `wanted-2`, `wanted-3` … that is no branch yet.
    pub fn free_branch_name(&self, wanted: &str) -> String {
        let taken = |name: &str| {
            let local = self.repository().find_reference(&format!("refs/heads/{name}"));
            let remote = self.repository().find_reference(&format!("refs/remotes/origin/{name}"));
            local.is_ok() || remote.is_ok()
        };
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }
}

impl Draft {
    /// Commits every change to a branch, on top of the commit that the draft is of.
    ///
    /// # Errors
    /// If git has no committer's name, the branch has moved, or something cannot be written.
    pub fn commit(&self, git: &Git, on: &CommitSpec) -> Result<Oid> {
        git.can_be_committed_to(&on.branch)?;
        let commit = self.commit_apart(git, on)?;
        let moved = || format!("the branch {} moved while the edit was made; try again", quoted(&on.branch));
        let (name, log) = (format!("refs/heads/{}", on.branch), "shapeline: edit");
        let moved_to = match on.local {
            None => git.repository().reference(&name, commit, false, log),
            Some(local) => git.repository().reference_matching(&name, commit, true, local, log),
        };
        moved_to.with_context(moved)?;
        Ok(commit)
    }

    /// The commit alone: no branch is moved.
    ///
    /// # Errors
    /// If git has no committer's name, or something cannot be written.
    pub(crate) fn commit_apart(&self, git: &Git, on: &CommitSpec) -> Result<Oid> {
        let Tree::Revision { commit: base, prefix, .. } = self.base() else {
            bail!("only what was read from git can be committed to a branch");
        };
        let repository = git.repository();
        let parent = repository.find_commit(*base)?;
        let tree = self.write_tree(repository, &parent.tree()?, prefix)?;
        make_commit(git, &tree, &parent, on)
    }

    /// The tree of `old` with the changes of the data repository at `prefix`.
    fn write_tree<'r>(
        &self,
        repository: &'r git2::Repository,
        old: &git2::Tree<'_>,
        prefix: &str,
    ) -> Result<git2::Tree<'r>> {
        let mut update = TreeUpdateBuilder::new();
        for change in self.changes() {
            let path = if prefix.is_empty() { change.path.to_owned() } else { format!("{prefix}/{}", change.path) };
            let Some(text) = change.after else {
                update.remove(path);
                continue;
            };
            let executable = old.get_path(Path::new(&path)).is_ok_and(|entry| {
                entry.kind() == Some(ObjectType::Blob) && entry.filemode() == i32::from(FileMode::BlobExecutable)
            });
            let mode = if executable { FileMode::BlobExecutable } else { FileMode::Blob };
            let blob = repository.blob(text.as_bytes()).context("cannot write to git")?;
            update.upsert(path, blob, mode);
        }
        let tree = update.create_updated(repository, old).context("cannot write the new tree to git")?;
        Ok(repository.find_tree(tree)?)
    }
}

fn make_commit(git: &Git, tree: &git2::Tree<'_>, parent: &git2::Commit<'_>, on: &CommitSpec) -> Result<Oid> {
    let repository = git.repository();
    let (author, committer) = signatures(repository, on.author.as_ref())?;
    let sign =
        repository.config().and_then(|mut config| config.snapshot()?.get_bool("commit.gpgsign")).unwrap_or(false);
    if !sign {
        return repository
            .commit(None, &author, &committer, &on.message, tree, &[parent])
            .context("cannot write the commit to git");
    }
    signed_commit(git, tree.id(), parent.id(), (&author, &committer), &on.message)
}

type Signatures = (git2::Signature<'static>, git2::Signature<'static>);

/// The author and the committer. A program that commits for a person needs no name of its own.
fn signatures(repository: &git2::Repository, author: Option<&Author>) -> Result<Signatures> {
    let Some(author) = author else {
        let (Ok(author), Ok(committer)) = (repository.author_from_env(), repository.committer_from_env()) else {
            bail!(
                "git does not know who you are; set it once: git config --global user.name 'Your Name' and \
                 git config --global user.email you@example"
            );
        };
        return Ok((author, committer));
    };
    let time = git2::Time::new(author.time, 0);
    let of = |name: &str, email: &str| {
        let cannot = || format!("{} <{}> cannot be the author of a commit", quoted(name), quoted(email));
        git2::Signature::new(name, email, &time).with_context(cannot)
    };
    let committer = repository.committer_from_env().ok();
    let committer = committer.as_ref().and_then(|known| Some((known.name().ok()?, known.email().ok()?)));
    let (name, email) = committer.unwrap_or(("Shapeline", "shapeline@localhost"));
    Ok((of(&author.name, &author.email)?, of(name, email)?))
}

/// Signs by the git program, which uses the program, agent and key that the user has configured.
fn signed_commit(
    git: &Git,
    tree: Oid,
    parent: Oid,
    (author, committer): (&git2::Signature<'_>, &git2::Signature<'_>),
    message: &str,
) -> Result<Oid> {
    let mut command = system_git(&git.git_dir());
    command.args(["commit-tree", "-S", "-F", "-", "-p", &parent.to_string(), &tree.to_string()]);
    for (role, who) in [("AUTHOR", author), ("COMMITTER", committer)] {
        command.env(format!("GIT_{role}_NAME"), String::from_utf8_lossy(who.name_bytes()).as_ref());
        command.env(format!("GIT_{role}_EMAIL"), String::from_utf8_lossy(who.email_bytes()).as_ref());
        let (seconds, offset) = (who.when().seconds(), who.when().offset_minutes());
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs());
        let date = format!("@{seconds} {sign}{:02}{:02}", minutes / 60, minutes % 60);
        command.env(format!("GIT_{role}_DATE"), date);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run git, which signs the commit")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(message.as_bytes()).context("cannot hand the message to git")?;
    }
    let out = child.wait_with_output().context("cannot run git, which signs the commit")?;
    let id = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    if !out.status.success() {
        bail!("git could not sign the commit, which commit.gpgsign asks for; nothing was committed");
    }
    Oid::from_str(&id).with_context(|| format!("git gave {} for a commit", quoted(&id)))
}
