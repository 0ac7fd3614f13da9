//! What git knows: revisions, merge bases, the default branch.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::tree::{FOLDERS, SETTINGS, Tree};

/// Names the commit that `sync` works by.
const SYNCED: &str = "refs/shapeline/synced";

/// Where a folder is within the work tree of its git repository: a path with `/`, empty for the top
/// or where there is none. Asks only the file system: git may refuse to open a repository that
/// belongs to somebody else, as in a container, and what is printed would then name wrong paths.
pub fn folder_in_work_tree(folder: &Path) -> String {
    let Ok(folder) = folder.canonicalize() else { return String::new() };
    let top = folder.ancestors().find(|dir| dir.join(".git").exists());
    let inside = top.and_then(|top| folder.strip_prefix(top).ok()).unwrap_or(Path::new(""));
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Why there is no repository to open, and what to do.
pub(crate) fn refused(root: &Path, error: git2::Error) -> anyhow::Error {
    match error.code() {
        git2::ErrorCode::Owner => {
            let top = root.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(root);
            anyhow!(
                "the git repository {0} belongs to another user; if you trust it: git config --global --add safe.directory {0}",
                top.display()
            )
        }
        git2::ErrorCode::NotFound => anyhow!("{} is not in a git repository; `git init` makes one", root.display()),
        _ => anyhow::Error::new(error).context(format!("cannot open the git repository around {}", root.display())),
    }
}

/// The git repository that a data repository lies in.
pub struct Git {
    repository: git2::Repository,
    /// Where the data repository is within it; empty for its top.
    prefix: String,
}

impl Git {
    /// The git repository around `root`.
    ///
    /// # Errors
    /// If there is none, or git refuses to open it.
    pub fn discover(root: &Path) -> Result<Git> {
        let root = root.canonicalize().with_context(|| format!("cannot open {}", root.display()))?;
        let repository = git2::Repository::discover(&root).map_err(|error| refused(&root, error))?;
        let Some(top) = repository.workdir() else {
            // Nothing is checked out: there are revisions to read, and no files.
            return Ok(Git { repository, prefix: String::new() });
        };
        let top = top.canonicalize()?;
        let prefix = match root.strip_prefix(&top).map(Path::to_str) {
            Ok(Some(prefix)) => prefix.to_owned(),
            _ => bail!("{} does not lie in {}, or its name is not UTF-8", root.display(), top.display()),
        };
        Ok(Git { repository, prefix })
    }

    /// The data as of `rev`: anything that git understands as a commit.
    ///
    /// # Errors
    /// If `rev` names no commit.
    pub fn tree(&self, rev: &str) -> Result<Tree> {
        Ok(self.tree_of(self.commit(rev)?))
    }

    /// The data as of a commit.
    pub fn tree_of(&self, commit: git2::Oid) -> Tree {
        Tree::Revision { git_dir: self.git_dir(), prefix: self.prefix.clone(), commit }
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
        let none = format!("there is no commit {}{shallow}", crate::finding::quoted(rev));
        match self.repository.revparse_single(rev).and_then(|object| object.peel_to_commit()) {
            Ok(commit) => Ok(commit.id()),
            // What git's library says of that adds nothing.
            Err(error) if error.code() == git2::ErrorCode::NotFound => bail!(none),
            Err(error) => Err(error).context(none),
        }
    }

    /// The merge base of `HEAD` and the default branch, with that branch's name.
    ///
    /// # Errors
    /// If there is no commit yet, no default branch, or the two have nothing in common.
    pub fn default_base(&self) -> Result<(git2::Oid, String)> {
        let head = self
            .commit("HEAD")
            .context("the git repository has no commit yet; name what to compare with: --against FILE")?;
        let branch = self.default_branch().context(
            "cannot tell the default branch (tried origin/HEAD, origin/main, origin/master, main, master); name one with --base REV",
        )?;
        let tip = self.commit(&branch)?;
        let base = self
            .repository
            .merge_base(head, tip)
            .with_context(|| format!("HEAD and {branch} have no commit in common; name a revision with --base REV"))?;
        Ok((base, branch))
    }

    fn default_branch(&self) -> Option<String> {
        let names = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];
        names.into_iter().find(|name| self.repository.revparse_single(name).is_ok()).map(ToOwned::to_owned)
    }

    /// The data files on disk that differ from the commit that is checked out, new ones too.
    ///
    /// # Errors
    /// If git cannot tell.
    pub fn changed_data(&self) -> Result<Vec<String>> {
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true);
        options.disable_pathspec_match(true);
        for name in FOLDERS.iter().chain([&SETTINGS]) {
            options.pathspec(if self.prefix.is_empty() {
                (*name).to_owned()
            } else {
                format!("{}/{name}", self.prefix)
            });
        }
        let statuses = self.repository.statuses(Some(&mut options)).context("git cannot tell what is committed")?;
        let mut changed: Vec<String> =
            statuses.iter().map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned()).collect();
        changed.sort_unstable();
        Ok(changed)
    }

    /// Whether git calls a file of the data repository changed since the commit that is checked out.
    pub fn is_edited(&self, path: &str) -> bool {
        let path = Path::new(&self.prefix).join(path);
        self.repository.status_file(&path).is_ok_and(|status| status != git2::Status::CURRENT)
    }

    /// A file of the data repository as it was in a commit and in those before it, newest first, along
    /// the first parents. What cannot be read is left out.
    pub fn texts_before(&self, path: &str, from: git2::Oid, most: usize) -> Vec<(git2::Oid, Vec<u8>)> {
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

    /// The commits from `from` back along the first parents that change the data, newest first, at most
    /// `most`. The first is the one that brought the data of `from`.
    ///
    /// # Errors
    /// If `from` cannot be read. Where the history ends, as in a shallow clone, the list ends.
    pub fn data_commits(&self, from: git2::Oid, most: usize) -> Result<Vec<git2::Oid>> {
        const SEARCHED: usize = 10_000;
        let mut commit = self.repository.find_commit(from)?;
        let mut data = self.data_of(&commit);
        let mut commits = Vec::new();
        for _ in 0..SEARCHED {
            let Ok(parent) = commit.parent(0) else { break };
            let before = self.data_of(&parent);
            if before != data {
                commits.push(commit.id());
            }
            if commits.len() >= most {
                return Ok(commits);
            }
            (commit, data) = (parent, before);
        }
        commits.push(commit.id());
        Ok(commits)
    }

    /// The objects that a commit's data is made of.
    fn data_of(&self, commit: &git2::Commit<'_>) -> Vec<Option<git2::Oid>> {
        let tree = commit.tree().ok();
        let object = |name: &str| {
            let path = if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
            tree.as_ref()?.get_path(Path::new(&path)).ok().map(|entry| entry.id())
        };
        FOLDERS.iter().chain([&SETTINGS]).map(|name| object(name)).collect()
    }

    /// Notes which commit `sync` works by: it leaves what is checked out alone.
    ///
    /// # Errors
    /// If the reference cannot be written.
    pub fn note_synced(&self, commit: git2::Oid) -> Result<()> {
        let known = self.repository.refname_to_id(SYNCED).ok();
        if known != Some(commit) {
            let noted = self.repository.reference(SYNCED, commit, true, "shapeline sync");
            noted.with_context(|| format!("cannot write {SYNCED}"))?;
        }
        Ok(())
    }

    /// The commit that `sync` works by, if it has gone on from what is checked out, or if nothing is.
    pub fn synced(&self) -> Option<git2::Oid> {
        let synced = self.repository.refname_to_id(SYNCED).ok()?;
        if self.repository.is_bare() {
            return Some(synced);
        }
        let head = self.commit("HEAD").ok()?;
        let beyond = synced != head && self.repository.graph_descendant_of(synced, head).unwrap_or(false);
        beyond.then_some(synced)
    }

    /// Whether there is nothing but commits: no files that could be read or written.
    pub fn is_bare(&self) -> bool {
        self.repository.is_bare()
    }

    /// Whether `commit` is `older` or has it among its ancestors; nothing if `older` is not known
    /// here.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub fn follows(&self, commit: git2::Oid, older: &str) -> Result<Option<bool>> {
        let Ok(older) = git2::Oid::from_str(older) else { return Ok(None) };
        if commit == older {
            return Ok(Some(true));
        }
        if self.repository.find_commit(older).is_err() {
            return Ok(None);
        }
        Ok(Some(self.repository.graph_descendant_of(commit, older)?))
    }

    /// The first digits of a commit's id, as people quote it.
    pub fn short(commit: git2::Oid) -> String {
        commit.to_string().chars().take(12).collect()
    }

    /// Where the data repository is within the git repository, with `/`; empty for its top.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The folder that all work trees of the repository share.
    pub fn common_dir(&self) -> PathBuf {
        self.repository.commondir().to_path_buf()
    }

    /// The repository itself.
    pub(crate) fn repository(&self) -> &git2::Repository {
        &self.repository
    }

    /// Where git keeps what it knows.
    pub fn git_dir(&self) -> PathBuf {
        self.repository.path().to_path_buf()
    }
}
