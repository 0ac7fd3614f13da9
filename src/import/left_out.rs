//! The report of the rows that `--skip-bad` skipped: where it may be written, and its text.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::found::Found;
use crate::disk::write::write_atomic;

/// First line of every report: only a file that begins so is replaced.
const FIRST_LINE: &str = "# Rows that `shapeline import` left out, and why:\n";

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    path: PathBuf,
}

impl LeftOut {
    /// At `path`, for an import of `source` into the data at `root`.
    ///
    /// # Errors
    /// If something is there that is no earlier report, or the data would lie there.
    pub fn new(path: PathBuf, source: &Path, root: &Path) -> Result<Self> {
        let shown = path.display();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let (Ok(folder), Some(name)) = (folder.canonicalize(), path.file_name()) else {
            bail!("the report cannot go to {shown}: that is no file in a folder that is there; name one with --report");
        };
        let place = folder.join(name);
        if source.canonicalize().is_ok_and(|source| source == place) {
            bail!("the report cannot go to {shown}: that is the source; name another file with --report");
        }
        let root = root.canonicalize().with_context(|| format!("cannot find {}", root.display()))?;
        let data = ["plans", "domains", "subscribers", "shapeline.yaml"].map(|part| root.join(part));
        // A data folder may be a link to another place.
        if data.iter().any(|part| place.starts_with(part) || part.canonicalize().is_ok_and(|is| place.starts_with(is)))
        {
            bail!("the report cannot go to {shown}: there the data is; name another file with --report");
        }
        if !may_be_written(&place).with_context(|| format!("cannot read {shown}"))? {
            bail!(
                "the report cannot go to {shown}: what is there is no report of an import; move it away, or name \
                 another file with --report"
            );
        }
        Ok(Self { path })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the report.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, found: &Found) -> Result<()> {
        let lines = found.refusals.iter().map(|one| format!("{one}\n"));
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
