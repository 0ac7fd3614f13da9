//! The steps of an edit of several files, on disk while the edit is made, so that the next run can
//! finish one that was interrupted.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::draft::{ChangedFile, is_data, is_plain};
use crate::disk::open;
use crate::disk::write::sync_folder;
use crate::text::count::counted;
use crate::text::hex::hex;
use crate::text::quote::quoted;

/// The version of the journal.
const VERSION: u32 = 1;

/// Prefix of staged files: a file with it is never read as data.
const STAGED: &str = ".shapeline-";

/// The steps of an edit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EditJournal {
    version: u32,
    /// Whether every file is staged: from then on the edit is finished, before that it is undone.
    pub(super) decided: bool,
    pub(super) files: Vec<FileStep>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FileStep {
    pub(super) path: String,
    /// The name of the staged text beside the file; `None` for a file to remove.
    staged: Option<String>,
    /// Digests of the file before and after.
    before: Option<String>,
    after: Option<String>,
}

impl EditJournal {
    /// A journal of these changes, not decided yet.
    pub(super) fn of(changes: &[ChangedFile<'_>]) -> EditJournal {
        let files = changes.iter().enumerate().map(|(number, change)| step(number, change)).collect();
        EditJournal { version: VERSION, decided: false, files }
    }

    /// Finishes an interrupted edit in `root`, if its journal is at `path`.
    ///
    /// If none of its files is changed, the edit was reverted on purpose: it is discarded.
    ///
    /// # Errors
    /// If files had to be put in place, because the caller was given other data and has to see the
    /// change first; or if the journal is damaged, or a file cannot be put in place.
    pub(super) fn finish(path: &Path, root: &Path, notes: &mut Vec<String>) -> Result<()> {
        let Some(journal) = EditJournal::read(path)? else { return Ok(()) };
        let when = when(path);
        let mut states = Vec::with_capacity(journal.files.len());
        for step in &journal.files {
            check_folders(root, &step.path)?;
            states.push(step.state(root)?);
        }
        let count = |wanted| states.iter().filter(|state| **state == wanted).count();
        let (done, open) = (count(StepState::Done), count(StepState::Open));
        let mut finished = 0;
        if journal.decided && done > 0 {
            for (step, state) in journal.files.iter().zip(&mut states).filter(|(_, s)| **s == StepState::Open) {
                *state = if step.finish(root)? { StepState::Done } else { StepState::Other };
                finished += usize::from(*state == StepState::Done);
            }
        }
        for staged in journal.files.iter().filter_map(|step| step.staged_at(root)) {
            remove_if_there(&staged)?;
        }
        remove_if_there(path)?;
        if !journal.decided {
            return Ok(());
        }
        let files = counted(journal.files.len(), "file", "files");
        if done == 0 {
            notes.push(format!(
                "an edit of {files} was interrupted{when}, and nothing of it is in the files: it is discarded; \
                 repeat it if it is still wanted"
            ));
            return Ok(());
        }
        let mut note = if open == 0 {
            format!("an edit of {files} was interrupted{when}")
        } else {
            format!(
                "an edit of {files} that was interrupted{when} is finished now: {finished} of them were still unchanged"
            )
        };
        let left = journal.files.iter().zip(&states).filter(|(_, state)| **state == StepState::Other);
        let left: Vec<&str> = left.map(|(step, _)| step.path.as_str()).collect();
        note += &left_alone(&left);
        if open > 0 {
            bail!(
                "{note}. `git diff` shows the files, `shapeline plan` what it means on the network. Nothing else was \
                 done: look at it, then run this again"
            );
        }
        notes.push(note + if left.is_empty() { ", and all of it is in the files" } else { "" });
        Ok(())
    }

    fn read(path: &Path) -> Result<Option<EditJournal>> {
        let read = open::read(path, MOST_BYTES).with_context(|| format!("cannot read {}", path.display()))?;
        let Some(bytes) = read else { return Ok(None) };
        let journal: Option<EditJournal> = serde_json::from_slice(&bytes).ok();
        let is_valid =
            |journal: &EditJournal| journal.version == VERSION && journal.files.iter().all(FileStep::is_in_data);
        let journal = journal.filter(is_valid).with_context(|| {
            format!(
                "{} is not what this program writes there: check with `git status` whether an edit was \
                 interrupted, then remove that file",
                path.display()
            )
        })?;
        Ok(Some(journal))
    }
}

/// Upper bound for a journal and for a file: a hundred times what is written.
const MOST_BYTES: u64 = 1 << 30;

/// The state of a file relative to its step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StepState {
    /// Not yet made: the file is as before.
    Open,
    /// Made.
    Done,
    /// The file was changed since.
    Other,
}

/// When the journal was written, as ` at 2026-03-01T10:00:00Z`.
pub(super) fn when(path: &Path) -> String {
    let at = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let at = at.and_then(|at| jiff::Timestamp::try_from(at).ok());
    at.and_then(|at| jiff::Timestamp::from_second(at.as_second()).ok())
        .map(|at| format!(" at {at}"))
        .unwrap_or_default()
}

/// The files that finishing an edit did not touch.
fn left_alone(paths: &[&str]) -> String {
    match paths {
        [] => String::new(),
        [one] => format!("; {} was changed since and stays as it is", quoted(one)),
        [one, more @ ..] => {
            format!("; {} and {} more were changed since and stay as they are", quoted(one), more.len())
        }
    }
}

impl FileStep {
    /// Whether the step names a data file: a forged journal must not reach others.
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

    fn state(&self, root: &Path) -> Result<StepState> {
        let now = present(&self.at(root))?.map(|bytes| digest(&bytes));
        Ok(match now {
            now if now == self.after => StepState::Done,
            now if now == self.before => StepState::Open,
            _ => StepState::Other,
        })
    }

    /// Makes a step. Returns false if its staged text is gone.
    fn finish(&self, root: &Path) -> Result<bool> {
        let path = self.at(root);
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

fn step(number: usize, change: &ChangedFile<'_>) -> FileStep {
    let name = format!("{STAGED}{}-{number}.tmp", std::process::id());
    FileStep {
        path: change.path.to_owned(),
        staged: change.after.map(|_| name),
        before: change.before.map(|text| digest(text.as_bytes())),
        after: change.after.map(|text| digest(text.as_bytes())),
    }
}

/// The digest of a text.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Refuses a path through a link, which could lead out of the repository.
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

/// The bytes of an ordinary file, if it exists.
pub(super) fn present(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            open::read(path, MOST_BYTES).with_context(|| format!("cannot read {}", path.display()))
        }
        Ok(_) => bail!("{} is no ordinary file", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Removes a file that may not exist.
pub(super) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
