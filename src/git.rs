//! The git repository: revisions, merge bases, the default branch.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::text::quote::short_id;

/// Names the commit that `sync` works by.
const SYNCED: &str = "refs/shapeline/synced";

/// Has objects read from now on without computing their ids again. For the whole process and all its threads: only
/// a program that reads nothing but the history may call it.
pub fn skip_rehashing() {
    git2::opts::strict_hash_verification(false);
}

/// The path of a folder within the work tree of its git repository, with `/`; empty for the top or
/// without a repository. Only the file system is used: git may refuse to open a repository that belongs
/// to another user, as in a container, and messages would then name wrong paths.
pub(crate) fn folder_in_work_tree(folder: &Path) -> String {
    let Some((_, inside)) = work_tree_around(folder) else { return String::new() };
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The work tree around a folder, and the relative path of the folder. The path is taken literally: a
/// proposal can turn what is below the top of the work tree into a link or a repository, which must not
/// lead to other data than the commit has in that place.
fn work_tree_around(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let around = |folder: &Path| -> Option<(PathBuf, PathBuf)> {
        let top = folder.ancestors().find(|dir| dir.join(".git").exists())?;
        Some((top.to_path_buf(), folder.strip_prefix(top).ok()?.to_path_buf()))
    };
    // A link from elsewhere may lead into a work tree.
    around(&plain(&std::path::absolute(folder).ok()?)).or_else(|| around(&folder.canonicalize().ok()?))
}

fn around_or_itself(root: &Path) -> Result<(PathBuf, PathBuf)> {
    match work_tree_around(root) {
        Some(found) => Ok(found),
        None => Ok((root.canonicalize().with_context(|| format!("cannot open {}", root.display()))?, PathBuf::new())),
    }
}

/// The git repository around `root`; `None` if there is none.
///
/// # Errors
/// If git refuses to open it.
pub(crate) fn repository_around(root: &Path) -> Result<Option<git2::Repository>> {
    let (top, _) = around_or_itself(root)?;
    match git2::Repository::open(&top) {
        Ok(repository) => Ok(Some(repository)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(refused(&top, error)),
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// Whether `folder` is a git repository without a work tree, as on a host that only runs `sync`. Within
/// a work tree, a folder that looks like one is data.
pub(crate) fn is_bare(folder: &Path) -> bool {
    let looks_bare = folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir();
    looks_bare && work_tree_around(folder).is_none()
}

/// Why git does not open a repository, and what to do.
fn refused(root: &Path, error: git2::Error) -> anyhow::Error {
    match error.code() {
        git2::ErrorCode::Owner => {
            let top = root.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(root);
            anyhow!(
                "the git repository {0} belongs to another user; if you trust it: git config --global --add safe.directory {0}",
                top.display()
            )
        }
        _ => anyhow::Error::new(error).context(format!("cannot open the git repository around {}", root.display())),
    }
}

/// Why nothing can be compared with by default, as a value: each caller says in its own words what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoBase {
    /// There is no commit.
    NoCommit,
    /// There is no default branch.
    NoBranch,
    /// The default branch of this name has nothing in common with `HEAD`.
    Unrelated(String),
}

impl std::fmt::Display for NoBase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoBase::NoCommit => f.write_str("the git repository has no commit yet"),
            NoBase::NoBranch => f.write_str(
                "cannot find the default branch (tried origin/HEAD, origin/main, origin/master, main, master)",
            ),
            NoBase::Unrelated(branch) => write!(f, "HEAD and {branch} have no commit in common"),
        }
    }
}

/// The git repository around a data repository.
pub struct Git {
    repository: git2::Repository,
    /// The path of the data repository within it; empty for its top.
    prefix: String,
}

impl Git {
    /// The git repository around `root`.
    ///
    /// # Errors
    /// If there is none, or git refuses to open it.
    pub fn discover(root: &Path) -> Result<Git> {
        Git::around(root)?.ok_or_else(|| anyhow!("{} is not in a git repository; `git init` makes one", root.display()))
    }

    /// The git repository around `root`; `None` if there is none.
    ///
    /// # Errors
    /// If git refuses to open it. Falling back to the files on disk would use data that no commit has.
    pub(crate) fn around(root: &Path) -> Result<Option<Git>> {
        let Some(repository) = repository_around(root)? else { return Ok(None) };
        let (top, inside) = around_or_itself(root)?;
        let Some(work_tree) = repository.workdir() else {
            // A bare repository: it has revisions, but no files.
            return Ok(Some(Git { repository, prefix: String::new() }));
        };
        if work_tree.canonicalize()? != top.canonicalize()? {
            bail!("the work tree of {} is {}: run it there", top.display(), work_tree.display());
        }
        let Some(prefix) = inside.to_str().map(ToOwned::to_owned) else {
            bail!("the name of {} is not UTF-8", root.display());
        };
        Ok(Some(Git { repository, prefix }))
    }

    /// Whether a commit has the data repository's folder.
    ///
    /// # Errors
    /// If the commit cannot be read.
    pub(crate) fn has_folder(&self, commit: git2::Oid) -> Result<bool> {
        let top = self.repository.find_commit(commit)?.tree()?;
        Ok(self.prefix.is_empty() || top.get_path(Path::new(&self.prefix)).is_ok())
    }

    /// The commit that `rev` names.
    ///
    /// # Errors
    /// If it names none.
    pub fn commit(&self, rev: &str) -> Result<git2::Oid> {
        let shallow = if self.repository.is_shallow() {
            "; this clone is shallow: fetch with full history (actions/checkout: fetch-depth: 0)"
        } else {
            ""
        };
        let none = format!("there is no commit {}{shallow}", crate::text::quote::quoted(rev));
        match self.repository.revparse_single(rev).and_then(|object| object.peel_to_commit()) {
            Ok(commit) => Ok(commit.id()),
            // The message of git's library adds nothing to that.
            Err(error) if matches!(error.code(), git2::ErrorCode::NotFound | git2::ErrorCode::InvalidSpec) => {
                bail!(none)
            }
            Err(error) => Err(error).context(none),
        }
    }

    /// The merge base of `HEAD` and the default branch, with that branch's name.
    ///
    /// # Errors
    /// A [`NoBase`] if there is no commit yet, no default branch, or the two have nothing in common.
    pub(crate) fn default_base(&self) -> Result<(git2::Oid, String)> {
        let head = self.commit("HEAD").context(NoBase::NoCommit)?;
        let branch = self.default_branch().context(NoBase::NoBranch)?;
        let tip = self.commit(&branch)?;
        let base = self.repository.merge_base(head, tip).with_context(|| NoBase::Unrelated(branch.clone()))?;
        Ok((base, branch))
    }

    fn default_branch(&self) -> Option<String> {
        let names = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];
        names.into_iter().find(|name| self.repository.revparse_single(name).is_ok()).map(ToOwned::to_owned)
    }

    /// Whether a file of the data repository differs from the commit that is checked out, as git sees it.
    pub(crate) fn is_edited(&self, path: &str) -> bool {
        let path = Path::new(&self.prefix).join(path);
        self.repository.status_file(&path).is_ok_and(|status| status != git2::Status::CURRENT)
    }

    /// A file of the data repository in a commit and in those before it, newest first, along the first
    /// parents, without versions that cannot be read.
    pub(crate) fn texts_before(&self, path: &str, from: git2::Oid, most: usize) -> Vec<(git2::Oid, Vec<u8>)> {
        let path = if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        let mut next = self.repository.find_commit(from).ok();
        let mut texts = Vec::new();
        for _ in 0..most {
            let Some(commit) = next else { break };
            let blob = commit.tree().and_then(|tree| tree.get_path(Path::new(&path))?.to_object(&self.repository));
            texts.extend(blob.ok().and_then(|blob| Some((commit.id(), blob.as_blob()?.content().to_vec()))));
            next = commit.parent(0).ok();
        }
        texts
    }

    /// A commit and those before it, along the first parents.
    pub(crate) fn first_parents(&self, from: git2::Oid, most: usize) -> impl Iterator<Item = git2::Oid> {
        let first = self.repository.find_commit(from).ok();
        std::iter::successors(first, |commit| commit.parent(0).ok()).map(|commit| commit.id()).take(most)
    }

    /// Records the commit that `sync` works from, since it does not change what is checked out.
    ///
    /// # Errors
    /// If the reference cannot be written.
    pub(crate) fn note_synced(&self, commit: git2::Oid) -> Result<()> {
        let known = self.repository.refname_to_id(SYNCED).ok();
        if known != Some(commit) {
            let noted = self.repository.reference(SYNCED, commit, true, "shapeline sync");
            noted.with_context(|| format!("cannot write {SYNCED}"))?;
        }
        Ok(())
    }

    /// The commit that `sync` works from, if it is newer than the one that is checked out, or none is.
    pub(crate) fn synced(&self) -> Option<git2::Oid> {
        let synced = self.repository.refname_to_id(SYNCED).ok()?;
        if self.repository.is_bare() {
            return Some(synced);
        }
        let head = self.commit("HEAD").ok()?;
        let beyond = synced != head && self.repository.graph_descendant_of(synced, head).unwrap_or(false);
        beyond.then_some(synced)
    }

    /// Whether the repository has no work tree.
    pub(crate) fn is_bare(&self) -> bool {
        self.repository.is_bare()
    }

    /// Whether `commit` is `older` or a descendant of it; `None` if this clone does not have `older`.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(crate) fn follows(&self, commit: git2::Oid, older: &str) -> Result<Option<bool>> {
        let Ok(older) = git2::Oid::from_str(older) else { return Ok(None) };
        if commit == older {
            return Ok(Some(true));
        }
        if self.repository.find_commit(older).is_err() {
            return Ok(None);
        }
        Ok(Some(self.repository.graph_descendant_of(commit, older)?))
    }

    /// The names under which a forge may know the user: of git's settings, and of the mail address.
    pub(crate) fn user_names(&self) -> Vec<String> {
        let config = self.repository.config().and_then(|mut config| config.snapshot());
        let Ok(config) = config else { return Vec::new() };
        let names = ["github.user", "gitlab.user", "user.name"];
        let mut known: Vec<String> = names.iter().filter_map(|name| config.get_string(name).ok()).collect();
        let email = config.get_string("user.email").ok();
        known.extend(email.and_then(|email| Some(email.split_once('@')?.0.to_owned())));
        known
    }

    /// The first digits of a commit's id, as people quote it.
    pub fn short(commit: git2::Oid) -> String {
        short_id(&commit.to_string()).to_owned()
    }

    /// The path of the data repository within the git repository, with `/`; empty for its top.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The folder that all work trees of the repository share.
    pub(crate) fn common_dir(&self) -> PathBuf {
        self.repository.commondir().to_path_buf()
    }

    pub(crate) fn repository(&self) -> &git2::Repository {
        &self.repository
    }

    /// The folder of git's own data, such as `.git`.
    pub(crate) fn git_dir(&self) -> PathBuf {
        self.repository.path().to_path_buf()
    }
}
