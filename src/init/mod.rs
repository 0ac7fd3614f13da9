//! A fresh data repository: its files, written all together or not at all.

mod files;
mod tool;

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::disk::write::write_new;

pub use files::{SETUP, files, workflow};
pub(crate) use files::{TOOL_FILE, tool_in};
pub use tool::Tool;

/// The files of a fresh data repository that a folder already has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Files that do not exist yet.
    pub missing: Vec<String>,
    /// Files that exist with the same text.
    pub same: Vec<String>,
    /// Obstacles: files with another text, links, and files where folders are needed.
    pub in_the_way: Vec<String>,
}

/// Compares `dir`, which need not exist, with `files`.
///
/// # Errors
/// If `dir` is no folder, or something in it cannot be read.
pub fn survey(dir: &Path, files: &BTreeMap<String, String>) -> Result<Survey> {
    if metadata(dir)?.is_some() && !dir.is_dir() {
        bail!("{} is not a folder", dir.display());
    }
    let mut survey = Survey::default();
    for (path, text) in files {
        if let Some(obstacle) = obstacle(dir, path)? {
            survey.in_the_way.push(obstacle);
            continue;
        }
        let full = dir.join(path);
        match metadata(&full)? {
            None => survey.missing.push(path.clone()),
            Some(found) if found.is_file() && read(&full)? == text.as_bytes() => survey.same.push(path.clone()),
            Some(_) => survey.in_the_way.push(path.clone()),
        }
    }
    // One link or file may block many paths.
    survey.in_the_way.dedup();
    Ok(survey)
}

/// The first part of `path` above the file that exists and is no folder. A link is an obstacle: its
/// target is outside the repository.
fn obstacle(dir: &Path, path: &str) -> Result<Option<String>> {
    for (end, _) in path.match_indices('/') {
        match metadata(&dir.join(&path[..end]))? {
            None => break,
            Some(found) if found.is_dir() => {}
            Some(_) => return Ok(Some(path[..end].to_owned())),
        }
    }
    Ok(None)
}

/// The metadata at `path`, links not followed.
fn metadata(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    crate::disk::open::read(path, u64::MAX >> 1).with_context(cannot)?.with_context(cannot)
}

/// Writes those of `files` that `missing` names, and the folders that they need.
///
/// # Errors
/// If one cannot be written; what was written until then is removed again.
pub fn write(dir: &Path, files: &BTreeMap<String, String>, missing: &[String]) -> Result<()> {
    let mut made = Made::default();
    let written = missing.iter().try_for_each(|path| {
        let text = files.get(path).map(String::as_str).unwrap_or_default();
        made.file(&dir.join(path), text)
    });
    if written.is_err() {
        made.undo();
    }
    written
}

/// The files and folders created so far.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    fn file(&mut self, path: &Path, text: &str) -> Result<()> {
        let above: Vec<&Path> = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        for folder in above.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => self.folders.push(folder.to_path_buf()),
                Err(_) if folder.is_dir() => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make the folder {}", folder.display()));
                }
            }
        }
        write_new(path, text.as_bytes())?;
        self.files.push(path.to_path_buf());
        Ok(())
    }

    /// Best effort: the first error is the one to report.
    fn undo(self) {
        for file in self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.into_iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
