//! A folder on the far side: on this host, on an SSH server, in a bucket. What publishing needs of
//! it, and nothing more.

use std::sync::OnceLock;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::text::hex::hex;

/// Identifies one content of a file: its digest, or what a bucket calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentMark(pub String);

impl ContentMark {
    /// The mark of `bytes` where the store has none of its own.
    pub fn of(bytes: &[u8]) -> ContentMark {
        ContentMark(digest(bytes))
    }
}

/// `sha256:` and the SHA-256 of `bytes`, in lower-case digits.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct Stored {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Identifies this content.
    pub mark: ContentMark,
    /// Computed once: a file may have 60 MB and is compared several times.
    digest: OnceLock<String>,
}

impl Stored {
    /// A file with this content, marked by its digest.
    pub fn of(bytes: Vec<u8>) -> Stored {
        let mark = ContentMark::of(&bytes);
        Stored { digest: OnceLock::from(mark.0.clone()), mark, bytes }
    }

    /// A file with this content and a mark of the store's own.
    #[cfg(feature = "s3")]
    pub(super) fn with_mark(bytes: Vec<u8>, mark: ContentMark) -> Stored {
        Stored { bytes, mark, digest: OnceLock::new() }
    }

    /// See [`digest`].
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| digest(&self.bytes))
    }
}

/// What must hold of a file for it to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect<'a> {
    /// Nothing: whatever is there is replaced.
    Anything,
    /// There is none.
    Nothing,
    /// It has this content.
    Content(&'a ContentMark),
}

/// Asked at the last moment before a file takes its place: whether the writer may still write. An
/// error stops the write. See [`crate::records::lock`].
pub type Fence<'a> = &'a dyn Fn() -> Result<()>;

/// A fence that is always open.
pub fn open_fence() -> Result<()> {
    Ok(())
}

/// A folder of files, each of which is there whole or not at all.
///
/// Names are relative to the folder, with `/`: `shaper.txt`, `.shaper.txt.shapeline/log/00000001`.
/// Folders within it are made when something is written there. Every error names the place, and
/// no error or other text ever holds a secret.
pub trait Store: Send + Sync {
    /// The file `name`, or nothing if there is none.
    ///
    /// # Errors
    /// If its existence cannot be determined, it cannot be read, or is more than [`MAX_BYTES`].
    fn read(&self, name: &str) -> Result<Option<Stored>>;

    /// The names of the files in `folder`, in order, without those that a writer has not finished.
    /// A folder that is not there has none.
    ///
    /// # Errors
    /// If it cannot be listed.
    fn list(&self, folder: &str) -> Result<Vec<String>>;

    /// Puts `bytes` at `name` in one step, on the disk for good, if what is there is as expected.
    /// Gives the mark of the new content, or nothing if it was not as expected: then nothing has
    /// changed.
    ///
    /// An existing file keeps its mode and its owner. With [`Expect::Nothing`] of several writers
    /// at once exactly one succeeds. With [`Expect::Content`] a bucket promises as much; elsewhere
    /// the content is looked at just before, and the lock keeps other writers out.
    ///
    /// # Errors
    /// If it cannot be written, the owner cannot be kept, or the fence is shut: then what was there
    /// is there still.
    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>>;

    /// Removes the file `name`; that there is none is fine.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn remove(&self, name: &str) -> Result<()>;

    /// Removes what other writers began and did not finish in `folder`, of the file `only` or of
    /// all. A writer that was paused and comes back then finds its half-finished file gone, and
    /// cannot put it in place.
    ///
    /// # Errors
    /// If the folder cannot be listed, or something in it cannot be removed.
    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()>;

    /// Where `name` is, for people.
    fn place(&self, name: &str) -> String;

    /// What this place cannot promise, for people: a sentence each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The largest file that is read back: some 15 million lines.
pub const MAX_BYTES: usize = 1 << 30;

/// The names in a folder, as a server sends them: up to [`NameList::MOST`] bytes.
#[cfg(any(feature = "sftp", feature = "s3"))]
#[derive(Debug, Default)]
pub(super) struct NameList {
    names: Vec<String>,
    bytes: usize,
}

#[cfg(any(feature = "sftp", feature = "s3"))]
impl NameList {
    /// With 32 bytes for each name beside its own: more than a million names of records.
    const MOST: usize = 64 << 20;

    /// Adds a name.
    pub fn add(&mut self, name: String) -> Result<()> {
        self.bytes += name.len() + 32;
        if self.bytes > Self::MOST {
            anyhow::bail!("there are more files than are listed, over {}", self.names.len());
        }
        self.names.push(name);
        Ok(())
    }

    /// All names, in order.
    pub fn sorted(mut self) -> Vec<String> {
        self.names.sort_unstable();
        self.names
    }
}

/// The name under which a writer keeps what it has not finished: beside the file, so that one
/// rename puts it in place.
pub(super) fn temporary_name(file: &str, writer: &str, number: u64) -> String {
    format!(".{file}.{writer}-{number}{TEMPORARY}")
}

const TEMPORARY: &str = ".shapeline-tmp";

/// Whether `name` is one of those.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(TEMPORARY)
}

/// Whether `name` is a half-finished file of another writer, of the file `only` or of any.
pub(super) fn is_left_behind(name: &str, writer: &str, only: Option<&str>) -> bool {
    let Some(stem) = name.strip_prefix('.').and_then(|name| name.strip_suffix(TEMPORARY)) else { return false };
    let Some((file, by)) = stem.rsplit_once('.') else { return false };
    only.is_none_or(|only| only == file) && by.rsplit_once('-').is_some_and(|(by, _)| by != writer)
}

/// A name for this writer that no other has: 16 hexadecimal digits.
pub(crate) fn writer_name() -> String {
    // The standard library's own source of randomness: keys that no other process has.
    use std::hash::{BuildHasher, Hasher};
    let mut hash = std::hash::RandomState::new().build_hasher();
    hash.write_u32(std::process::id());
    format!("{:016x}", hash.finish())
}
