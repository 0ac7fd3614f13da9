//! Where the server keeps its own state: for `serve`, `token` and `user` alike.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::database::location::StateLocation;
use crate::git::Git;

/// The place of the state, by the command line, the environment or the settings; `data` is the data repository.
pub(super) fn location(data: Option<&Path>, argument: Option<&str>, setting: Option<&str>) -> Result<StateLocation> {
    let location = StateLocation::choose(argument, setting)?;
    outside(data, &location, "the state", "with --state, SHAPELINE_STATE or `state` in the file of --settings")?;
    Ok(location)
}

/// Refuses a place in the data repository `data`; `how` is how another is named.
pub(super) fn outside(data: Option<&Path>, location: &StateLocation, what: &str, how: &str) -> Result<()> {
    if let (Some(data), Some(file)) = (data, location.file())
        && let Some(work_tree) = work_tree_with(data, &file)
    {
        bail!(
            "{what} {} would be in the data repository {}, where git may commit it: name a file elsewhere, {how}",
            location.shown(),
            work_tree.display()
        );
    }
    Ok(())
}

/// The work tree around the data, if `file` is in it. Git's own folder is not part of it.
fn work_tree_with(data: &Path, file: &Path) -> Option<PathBuf> {
    let (work_tree, own) = match Git::around(data) {
        Ok(Some(git)) => (git.repository().workdir()?.components().collect(), vec![git.git_dir(), git.common_dir()]),
        _ => (data.to_path_buf(), Vec::new()),
    };
    let holds = |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| file.starts_with(folder));
    (holds(&work_tree) && !own.iter().any(holds)).then_some(work_tree)
}
