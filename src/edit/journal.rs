//! What an edit of several files is about to do, kept on the disk while it is done, so that a run that
//! was cut off can be brought to its end by the next one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::draft::{Change, is_data, is_plain};
use crate::finding::quoted;
use crate::plan::hex;
use crate::write::sync_folder;

/// The version of the journal.
const VERSION: u32 = 1;

/// How names of staged files begin: nothing that begins so is read as data.
const STAGED: &str = ".shapeline-";

/// What is about to be done, kept beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Journal {
    version: u32,
    /// Whether all is staged: from then on the change is made, before that it is not.
    pub(super) decided: bool,
    pub(super) files: Vec<Step>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) path: String,
    /// The new text's name beside the file; nothing for a file that goes.
    staged: Option<String>,
    /// Digests of what is there before and after.
    before: Option<String>,
    after: Option<String>,
}

impl Journal {
    /// A journal of these changes, not decided yet.
    pub(super) fn of(changes: &[Change<'_>]) -> Journal {
        let files = changes.iter().enumerate().map(|(number, change)| step(number, change)).collect();
        Journal { version: VERSION, decided: false, files }
    }

    /// Ends what a run that was cut off has begun in `root`, if its journal is at `path`.
    ///
    /// # Errors
    /// If the journal is none, or a file cannot be put in place.
    pub(super) fn finish(path: &Path, root: &Path, notes: &mut Vec<String>) -> Result<()> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let journal: Option<Journal> = serde_json::from_slice(&bytes).ok();
        let believed = |journal: &Journal| journal.version == VERSION && journal.files.iter().all(Step::is_in_data);
        let journal = journal.filter(believed).with_context(|| {
            format!(
                "{} is not what this program writes there: look with `git status` whether an edit was cut off \
                 half-way, then remove that file",
                path.display()
            )
        })?;
        for step in &journal.files {
            check_folders(root, &step.path)?;
            if journal.decided && !step.finish(root)? {
                notes.push(format!(
                    "an edit was cut off, and {} was changed since: it stays as it is; look at it with `git diff`",
                    quoted(&step.path)
                ));
            } else if journal.decided {
                notes.push(format!("an edit that was cut off is finished in {}", quoted(&step.path)));
            }
            if let Some(staged) = step.staged_at(root) {
                remove_if_there(&staged)?;
            }
        }
        remove_if_there(path)
    }
}

impl Step {
    /// A journal is only believed where it names data.
    fn is_in_data(&self) -> bool {
        let beside = |name: &String| !name.contains('/') && name.starts_with(STAGED);
        is_plain(&self.path) && is_data(&self.path) && self.staged.as_ref().is_none_or(beside)
    }

    /// Where the file is.
    pub(super) fn at(&self, root: &Path) -> PathBuf {
        root.join(&self.path)
    }

    /// Where its new text is.
    pub(super) fn staged_at(&self, root: &Path) -> Option<PathBuf> {
        Some(self.at(root).with_file_name(self.staged.as_ref()?))
    }

    /// Does a step of a change that was decided, if it is not done. Says whether all is as decided.
    fn finish(&self, root: &Path) -> Result<bool> {
        let path = self.at(root);
        let now = present(&path)?.map(|bytes| digest(&bytes));
        if now == self.after {
            return Ok(true);
        }
        if now != self.before {
            return Ok(false);
        }
        let cannot = || format!("cannot finish an edit of {}", path.display());
        match self.staged_at(root) {
            None => fs::remove_file(&path).with_context(cannot)?,
            Some(staged) if present(&staged)?.map(|bytes| digest(&bytes)) == self.after => {
                fs::rename(&staged, &path).with_context(cannot)?;
            }
            Some(_) => return Ok(false),
        }
        sync_folder(path.parent().unwrap_or(root)).with_context(cannot)?;
        Ok(true)
    }
}

fn step(number: usize, change: &Change<'_>) -> Step {
    let name = format!("{STAGED}{}-{number}.tmp", std::process::id());
    Step {
        path: change.path.to_owned(),
        staged: change.after.map(|_| name),
        before: change.before.map(|text| digest(text.as_bytes())),
        after: change.after.map(|text| digest(text.as_bytes())),
    }
}

/// Names a text.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// No folder on the way may be a link: it could lead out of the repository.
pub(super) fn check_folders(root: &Path, path: &str) -> Result<()> {
    for (at, _) in path.match_indices('/') {
        let folder = root.join(&path[..at]);
        match fs::symlink_metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => bail!("{} is no ordinary folder: nothing is written below it", folder.display()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        }
    }
    Ok(())
}

/// What lies at `path`: nothing, or the bytes of an ordinary file.
pub(super) fn present(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            fs::read(path).map(Some).with_context(|| format!("cannot read {}", path.display()))
        }
        Ok(_) => bail!("{} is no ordinary file", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Removes a file that may not be there.
pub(super) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
