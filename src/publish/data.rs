//! The data to publish: that of one commit, without errors, and who is served by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use crate::finding::Finding;
use crate::git::Git;
use crate::model::Date;
use crate::publish::freeze::{self, Frozen};
use crate::render::{self, Output, Table};
use crate::repo::Repo;
use crate::rules::sound_table;
use crate::store::digest;
use crate::text::quote::harmless;
use crate::tree::Tree;

/// Which data is meant.
#[derive(Clone, Debug)]
pub struct DataRequest {
    /// A revision; without it, the commit that is checked out.
    pub rev: Option<String>,
    /// The day for which it is rendered.
    pub today: Date,
    /// Take the files on disk, even if they were not committed.
    pub allow_dirty: bool,
}

/// The data, ready to be rendered.
pub struct Data {
    /// The commit; none for files that are in no git repository.
    pub commit: Option<git2::Oid>,
    /// The revision that was named, as it was named.
    pub rev: Option<String>,
    /// The files were read from disk, and differ from the commit.
    pub dirty: bool,
    /// Data files on disk that differ from the commit, if they were left out.
    pub uncommitted: Vec<String>,
    /// Who is served.
    pub table: Arc<Table>,
    /// Domains that are as they were in an earlier commit, because later data of them has errors.
    pub frozen: Vec<Frozen>,
    /// The history: which commits follow from which.
    pub git: Option<Git>,
    /// What was rendered already, by output: a thousand targets may take the same one.
    rendered: Mutex<BTreeMap<String, Result<Arc<RenderedFile>, String>>>,
}

/// An output's text and its digest.
pub struct RenderedFile {
    /// All of it.
    pub text: String,
    /// See [`digest`].
    pub digest: String,
}

impl RenderedFile {
    fn of(text: String) -> RenderedFile {
        RenderedFile { digest: digest(text.as_bytes()), text }
    }
}

/// What loading gives.
pub enum LoadedData {
    /// Sound data.
    Ready(Box<Data>),
    /// Data with errors, and why not even a part of it may be published: a sentence.
    Unsound(Arc<Repo>, Vec<Finding>, String),
}

/// Why there is no commit to publish, as a value: each caller says in its own words what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLoaded {
    /// The data is in no git repository that can be used, with the reason.
    NoGit(String),
    /// No revision is named, and the git repository at this path has no files.
    NoFiles(PathBuf),
}

impl std::error::Error for NotLoaded {}

impl std::fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotLoaded::NoGit(why) => write!(f, "{why}; what is published is a commit"),
            NotLoaded::NoFiles(root) => write!(f, "{} is a git repository without files", root.display()),
        }
    }
}

impl Data {
    /// Loads and checks the data below `root`.
    ///
    /// # Errors
    /// A [`NotLoaded`], or another error if it cannot be read.
    pub fn load(root: &Path, wanted: &DataRequest) -> Result<LoadedData> {
        let git = match Git::discover(root) {
            Ok(git) => Some(git),
            Err(_) if wanted.allow_dirty && wanted.rev.is_none() => None,
            Err(error) => return Err(NotLoaded::NoGit(format!("{error:#}")).into()),
        };
        if let (Some(git), None) = (&git, &wanted.rev)
            && git.is_bare()
        {
            return Err(NotLoaded::NoFiles(root.to_path_buf()).into());
        }
        // Only to say so: what git thinks of the files on disk decides nothing about a commit.
        let uncommitted = match (&git, &wanted.rev) {
            (Some(git), None) => git.changed_data()?,
            _ => Vec::new(),
        };
        let dirty = git.is_none() || (wanted.allow_dirty && !uncommitted.is_empty());
        let (tree, commit) = match &git {
            Some(git) => {
                let commit = git.commit(wanted.rev.as_deref().unwrap_or("HEAD"))?;
                (git.tree_of(commit), Some(commit))
            }
            None => (Tree::Work { root: root.to_path_buf() }, None),
        };
        let tree = if dirty { Tree::Work { root: root.to_path_buf() } } else { tree };
        let repo = Arc::new(Repo::load(&tree)?);
        let (table, frozen) = match (sound_table(&repo, wanted.today), &git, commit) {
            (Ok(table), ..) => (table, Vec::new()),
            (Err(findings), Some(git), Some(commit)) if !dirty => {
                match freeze::freeze(git, commit, repo, &findings, wanted.today)? {
                    freeze::FreezeOutcome::Frozen(table, frozen) => (table, frozen),
                    freeze::FreezeOutcome::Refused(repo, why) => return Ok(LoadedData::Unsound(repo, findings, why)),
                }
            }
            (Err(findings), ..) => {
                return Ok(LoadedData::Unsound(repo, findings, "it is not committed".to_owned()));
            }
        };
        let (rev, rendered) = (wanted.rev.clone(), Mutex::default());
        let uncommitted = if dirty { Vec::new() } else { uncommitted };
        Ok(LoadedData::Ready(Box::new(Data { commit, rev, dirty, uncommitted, table, frozen, git, rendered })))
    }

    /// An output, made once.
    ///
    /// # Errors
    /// A sentence that says why it cannot be made.
    pub fn rendered(&self, output: &Output) -> Result<Arc<RenderedFile>, String> {
        let make = || match render::render(&self.table, output) {
            Ok(rendered) => Ok(Arc::new(RenderedFile::of(rendered.into_text()))),
            Err(finding) => Err(format!("the output {} cannot be made: {}", output.name, finding.message)),
        };
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        rendered.entry(output.name.clone()).or_insert_with(make).clone()
    }

    /// Says that files on disk were left out; nothing if none were.
    pub fn left_on_disk(&self) -> Option<String> {
        let (first, more) = self.uncommitted.split_first()?;
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let first = harmless(first, 120);
        Some(format!("the commit is read, not the files on disk; not committed: {first}{more}"))
    }

    /// How many subscribers are served.
    pub fn subscribers(&self) -> u64 {
        let table = &self.table;
        let mut served = vec![false; table.repo().subscribers.len()];
        table.rows().iter().for_each(|row| served[table.subscriber_number(*row) as usize] = true);
        served.into_iter().filter(|served| *served).count() as u64
    }
}
