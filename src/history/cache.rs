//! The log of an earlier run, kept beside git's own files: `shapeline/history` in the folder that all
//! work trees of a repository share.
//!
//! It can be deleted at any time. A cache in another format, or of another version of the program, is
//! ignored. A digest over all of it detects damage by a disk or a full file system.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::disk::write::write_with_mode;

/// Grows with every change of a log's content or meaning.
const FORMAT: u32 = 1;

/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 30;

const DIGEST: usize = 32;

/// The cache of one data repository.
pub struct Cache {
    path: PathBuf,
    head: Vec<u8>,
}

impl Cache {
    /// The cache of the data at `prefix` in the repository whose common folder is `common_dir`.
    pub fn new(common_dir: &Path, prefix: &str) -> Cache {
        let name = match prefix {
            "" => "history".to_owned(),
            prefix => {
                let digest = Sha256::digest(prefix);
                let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                format!("history-{digest}")
            }
        };
        let version = env!("CARGO_PKG_VERSION");
        let head = format!("shapeline history {FORMAT}, written by {version}; may be deleted\n{prefix}\n");
        Cache { path: common_dir.join("shapeline").join(name), head: head.into_bytes() }
    }

    /// The cached log, if it is undamaged and of this repository and version.
    pub fn load(&self) -> Option<Vec<u8>> {
        let file = crate::disk::open::regular(&self.path).ok().flatten()?;
        if !is_ours(&file) {
            return None;
        }
        let mut bytes = crate::disk::open::read_all(file, MOST_BYTES).ok()?;
        let body_end = bytes.len().checked_sub(DIGEST)?;
        let (body, digest) = bytes.split_at(body_end);
        if !body.starts_with(&self.head) || Sha256::digest(body)[..] != *digest {
            return None;
        }
        bytes.truncate(body_end);
        bytes.drain(..self.head.len());
        Some(bytes)
    }

    /// Replaces the cached log.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn store(&self, log: &[u8]) -> Result<()> {
        let folder = self.path.parent().context("the cache has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut bytes = self.head.clone();
        bytes.extend(log);
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        write_with_mode(&self.path, &bytes, 0o600)
    }
}

/// Whether only root or the present user can have written it. Verifying its content would cost a
/// reading of all commits.
#[cfg(unix)]
fn is_ours(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| crate::disk::trust::is_trusted(metadata.uid()) && metadata.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn is_ours(_: &File) -> bool {
    true
}
