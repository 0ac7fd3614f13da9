//! What lies where in a data repository, and how much of it is read.

/// The folders that hold data, and the one that holds templates.
pub const FOLDERS: [&str; 4] = ["domains", "plans", "subscribers", "templates"];

/// What of the data lies at the top of its repository.
pub const TOPS: [&str; 5] = [FOLDERS[0], FOLDERS[1], FOLDERS[2], FOLDERS[3], SETTINGS];

/// The file's name, in whatever folder.
pub const ATTRIBUTES: &str = ".gitattributes";

/// How deep folders may nest below those.
pub const MAX_FOLDERS: usize = 64;

/// The file that holds the settings.
pub const SETTINGS: &str = "shapeline.yaml";

/// The file that names git repositories within the repository.
pub(super) const MODULES: &str = ".gitmodules";

/// Whether the file steers git: what it checks out, and from where. Beside the data such files lie at
/// the top, or above it in a larger repository (`../.gitattributes`).
pub fn steers_git(path: &str) -> bool {
    let name = path.trim_start_matches("../");
    name == ATTRIBUTES || name == MODULES
}

/// How many entries a listing has at most. In git, a folder that is there a million times takes a few
/// hundred bytes.
pub const MAX_ENTRIES: usize = 2_000_000;

/// How long the target of a link may be that is shown: PATH_MAX of Linux.
pub(super) const MAX_LINK: usize = 4096;

pub(super) fn too_many_entries() -> anyhow::Error {
    anyhow::anyhow!("below the data folders are more than {MAX_ENTRIES} files and folders: nothing is read")
}

pub(super) fn is_in_data(path: &str) -> bool {
    path == SETTINGS || path.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder))
}
