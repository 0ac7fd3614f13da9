//! The log of an earlier run, kept beside git's own files: `shapeline/history` in the folder that all
//! work trees of a repository share.
//!
//! Nothing is lost with it. Whatever does not fit, another version of the program's too, is as if it
//! were not there. A digest over all of it keeps what a disk or a full file system did to it from being
//! believed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::write::write_atomic;

/// Grows with every change of what a log holds or means.
const FORMAT: u32 = 1;

/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 30;

const DIGEST: usize = 32;

/// Where the cache is, and what it is of.
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

    /// What is kept, if it is whole and of this.
    pub fn load(&self) -> Option<Vec<u8>> {
        // Asked before it is opened: a pipe would not answer.
        let metadata = std::fs::metadata(&self.path).ok().filter(std::fs::Metadata::is_file)?;
        if metadata.len() > MOST_BYTES {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
        File::open(&self.path).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        let body_end = bytes.len().checked_sub(DIGEST)?;
        let (body, digest) = bytes.split_at(body_end);
        if !body.starts_with(&self.head) || Sha256::digest(body)[..] != *digest {
            return None;
        }
        bytes.truncate(body_end);
        bytes.drain(..self.head.len());
        Some(bytes)
    }

    /// Keeps `log` in place of what is kept.
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
        write_atomic(&self.path, &bytes)
    }
}
