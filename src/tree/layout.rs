//! The folders and files of a data repository, and the limits on reading them.

use std::path::{Path, PathBuf};

/// The folders of the data, and the one of the templates.
pub(crate) const FOLDERS: [&str; 4] = ["domains", "plans", "subscribers", "templates"];

/// The data folder that a name means in other case: on most disks it is not read.
pub(super) fn miscased_folder(name: &str) -> Option<&'static str> {
    FOLDERS[..3].iter().copied().find(|folder| name != *folder && name.eq_ignore_ascii_case(folder))
}

/// The names at the top of a data repository.
pub(crate) const TOPS: [&str; 5] = [FOLDERS[0], FOLDERS[1], FOLDERS[2], FOLDERS[3], SETTINGS];

/// The file name, in any folder.
pub(crate) const ATTRIBUTES: &str = ".gitattributes";

/// How deep folders may nest below those.
pub const MAX_FOLDERS: usize = 64;

/// The file of the settings.
pub(crate) const SETTINGS: &str = "shapeline.yaml";

/// The file that names git repositories within the repository.
pub(super) const MODULES: &str = ".gitmodules";

/// Whether the file configures git: what it checks out, and from where. Such files are at the top of the
/// data, or above it in a larger repository (`../.gitattributes`).
pub(crate) fn configures_git(path: &str) -> bool {
    let name = path.trim_start_matches("../");
    name == ATTRIBUTES || name == MODULES
}

/// Upper bound of entries in a listing. In git, a folder that occurs a million times takes a few hundred
/// bytes.
pub(crate) const MAX_ENTRIES: usize = 2_000_000;

/// The longest target of a link that is shown: PATH_MAX of Linux.
pub(super) const MAX_LINK: usize = 4096;

pub(super) fn too_many_entries() -> anyhow::Error {
    anyhow::anyhow!("the data folders contain more than {MAX_ENTRIES} files and folders: nothing is read")
}

pub(super) fn is_in_data(path: &str) -> bool {
    path == SETTINGS || path.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder))
}

/// Whether `folder` holds a data repository: the settings, or else the three data folders.
pub(crate) fn is_repository(folder: &Path) -> bool {
    let has_folders = || ["plans", "domains", "subscribers"].iter().all(|name| folder.join(name).is_dir());
    folder.join(SETTINGS).is_file() || has_folders()
}

/// The nearest folder upwards with a data repository. Of either kind: what a proposal adds further up must not
/// take its place.
pub(crate) fn nearest_repository(from: &Path) -> Option<PathBuf> {
    from.ancestors().find(|folder| is_repository(folder)).map(Path::to_path_buf)
}
