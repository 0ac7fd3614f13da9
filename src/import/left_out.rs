//! The report of the rows that an import skipped: where it may be written, and its text.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context as _, Result};

use crate::disk::write::write_atomic;

/// First line of every report: only a file that begins so is replaced.
const FIRST_LINE: &str = "# Rows that `shapeline import` left out, and why:\n";

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    path: PathBuf,
}

/// Why a report cannot go to a path, as a value: each caller says in its own words what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPlace {
    /// It names no file, or the folder is not there.
    NoFolder,
    /// The source is there.
    Source,
    /// The data is there.
    Data,
    /// Something else than an earlier report is there.
    Other,
}

/// A path to which no report can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace {
    /// The path.
    pub path: PathBuf,
    /// Why not.
    pub why: BadPlace,
}

impl std::error::Error for NoPlace {}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            BadPlace::NoFolder => "that is no file in a folder that is there",
            BadPlace::Source => "that is the source",
            BadPlace::Data => "there the data is",
            BadPlace::Other => "what is there is no report of an import",
        };
        write!(f, "the report cannot go to {}: {why}", self.path.display())
    }
}

impl LeftOut {
    /// At `path`, for an import of `source` into the data at `root`.
    ///
    /// # Errors
    /// A [`NoPlace`] if something is there that is no earlier report, or the data would lie there.
    pub fn new(path: PathBuf, source: &Path, root: &Path) -> Result<Self> {
        let no_place = |why| NoPlace { path: path.clone(), why };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let (Ok(folder), Some(name)) = (folder.canonicalize(), path.file_name()) else {
            return Err(no_place(BadPlace::NoFolder).into());
        };
        let place = folder.join(name);
        if source.canonicalize().is_ok_and(|source| source == place) {
            return Err(no_place(BadPlace::Source).into());
        }
        let root = root.canonicalize().with_context(|| format!("cannot find {}", root.display()))?;
        let data = ["plans", "domains", "subscribers", "shapeline.yaml"].map(|part| root.join(part));
        // A data folder may be a link to another place.
        if data.iter().any(|part| place.starts_with(part) || part.canonicalize().is_ok_and(|is| place.starts_with(is)))
        {
            return Err(no_place(BadPlace::Data).into());
        }
        if !may_be_written(&place).with_context(|| format!("cannot read {}", path.display()))? {
            return Err(no_place(BadPlace::Other).into());
        }
        Ok(Self { path })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the report: a line for each row.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, rows: impl Iterator<Item = String>) -> Result<()> {
        let lines = rows.map(|row| row + "\n");
        let text: String = std::iter::once(FIRST_LINE.to_owned()).chain(lines).collect();
        write_atomic(&self.path, text.as_bytes())
    }
}

/// Whether nothing is there, or an earlier report. A link is neither.
fn may_be_written(place: &Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let about = match fs::symlink_metadata(place) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    if !about.is_file() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let Some(file) = crate::disk::open::regular(place)? else { return Ok(true) };
    file.take(FIRST_LINE.len() as u64).read_to_end(&mut start)?;
    Ok(start == FIRST_LINE.as_bytes())
}
