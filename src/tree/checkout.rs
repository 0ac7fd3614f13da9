//! A work tree as git sees it: which files on disk differ from the commit although git considers them
//! unchanged.
//!
//! Attributes such as `ident` and `filter`, a sparse checkout and the marks of the index make them differ.
//! A check of the files would then judge other data than is published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rayon::prelude::*;

use super::attributes::altering;
use super::entry::{Altered, EntryKind, FileContent, TreeEntry, entry_on_disk, read_file};
use super::layout::{ATTRIBUTES, MODULES, TOPS, is_in_data};
use crate::git::Git;
use crate::text::quote::quoted;

/// Bits of an index entry, see gitformat-index(5).
const ASSUME_UNCHANGED: u16 = 1 << 15;
const SKIP_WORKTREE: u16 = 1 << 14;
const SUBMODULE: u32 = 0o160_000;
const LINK: u32 = 0o120_000;

/// Attributes that make git alter files on checkout, see gitattributes(5).
const ALTERING: [&str; 3] = ["filter", "ident", "working-tree-encoding"];

/// The data files in git's index.
pub(super) struct Checkout {
    git: Git,
    /// The files that only the index knows to be special. There may be a hundred thousand others.
    special: BTreeMap<String, Tracked>,
    /// Whether links are checked out as plain files that contain the target.
    plain_links: bool,
}

struct Tracked {
    blob: git2::Oid,
    mode: u32,
    unwatched: Option<Unwatched>,
    written: IndexStat,
}

/// Why git does not compare a file with the index.
#[derive(Clone, Copy)]
enum Unwatched {
    Sparse,
    Assumed,
}

impl Unwatched {
    /// For a file on disk that differs from the commit.
    fn altered(self) -> Altered {
        match self {
            Unwatched::Sparse => Altered {
                why: "git skips the file (skip-worktree), and on disk it differs from the commit".to_owned(),
                help: "`git update-index --no-skip-worktree FILE`, or check what is committed: `--rev HEAD`",
            },
            Unwatched::Assumed => Altered {
                why: "git assumes that the file is unchanged, and on disk it differs from the commit".to_owned(),
                help: "`git update-index --no-assume-unchanged FILE`, or check what is committed: `--rev HEAD`",
            },
        }
    }

    /// For a file that is missing on disk.
    fn missing(self) -> Altered {
        match self {
            Unwatched::Sparse => Altered {
                why: "the file is committed, and a sparse checkout leaves it out".to_owned(),
                help: "`git sparse-checkout disable` checks out all files; or check what is committed: `--rev HEAD`",
            },
            Unwatched::Assumed => self.altered(),
        }
    }
}

const GONE: &str = "`git rm` it to remove it, or check it out again";

/// When git wrote a file, and its size then: git considers a file unchanged if both still match.
struct IndexStat {
    time: git2::IndexTime,
    size: u32,
}

impl IndexStat {
    fn is_at(&self, path: &Path) -> bool {
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return false };
        let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        // Sizes are kept modulo 2^32.
        self.size == metadata.len() as u32
            && since.is_some_and(|since| {
                since.as_secs() as i32 == self.time.seconds() && since.subsec_nanos() == self.time.nanoseconds()
            })
    }
}

impl Checkout {
    /// The index of the git repository around `root`; `None` if git opens none, or it is bare.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub(super) fn of(root: &Path) -> Result<Option<Checkout>> {
        let Ok(git) = Git::discover(root) else { return Ok(None) };
        if git.is_bare() {
            return Ok(None);
        }
        let special = tracked(&git, |entry| {
            entry.mode == SUBMODULE
                || entry.mode == LINK
                || entry.flags & ASSUME_UNCHANGED != 0
                || entry.flags_extended & SKIP_WORKTREE != 0
                || entry.path.ends_with(ATTRIBUTES.as_bytes())
        })?;
        let config = git.repository().config()?;
        let plain_links = !config.get_bool("core.symlinks").unwrap_or(true);
        Ok(Some(Checkout { git, special, plain_links }))
    }

    /// Sets the kinds of listed entries to those in the commit, and adds entries that only the commit has.
    ///
    /// # Errors
    /// If a file cannot be read, or git cannot compare.
    pub(super) fn correct(&self, root: &Path, entries: &mut Vec<TreeEntry>) -> Result<()> {
        let mut kinds = self.altered(root, entries)?;
        let mut missing: BTreeMap<&str, Altered> = BTreeMap::new();
        for (path, tracked) in &self.special {
            match tracked.mode {
                SUBMODULE => {
                    kinds.insert(path.clone(), EntryKind::Submodule);
                }
                LINK if self.plain_links => {
                    kinds.insert(path.clone(), EntryKind::Symlink("the target in the file".to_owned()));
                }
                _ => {}
            }
            // Attributes take effect from the index as well, and git may have failed to write the file.
            let attributes = path.ends_with(ATTRIBUTES).then(|| Altered {
                why: "these attributes are in git's index and missing on disk".to_owned(),
                help: GONE,
            });
            missing.extend(tracked.unwatched.map(Unwatched::missing).or(attributes).map(|why| (path.as_str(), why)));
        }
        if !missing.is_empty() {
            for entry in &*entries {
                missing.remove(entry.path.as_str());
            }
        }
        kinds.extend(missing.into_iter().map(|(path, altered)| (path.to_owned(), EntryKind::Altered(altered))));
        for entry in entries.iter_mut() {
            if let Some(kind) = kinds.remove(&entry.path) {
                entry.kind = kind;
            }
        }
        entries.extend(kinds.into_iter().map(|(path, kind)| TreeEntry { path, kind, blob: None }));
        entries.extend(self.above(root)?);
        Ok(())
    }

    /// Files whose bytes differ from the blob although git considers them unchanged. They are compared only
    /// if something could make them differ, because that reads every file once more.
    fn altered(&self, root: &Path, entries: &[TreeEntry]) -> Result<BTreeMap<String, EntryKind>> {
        let every = if self.may_be_altered(root, entries)? { Some(tracked(&self.git, |_| true)?) } else { None };
        let of_interest = |path: &str| match &every {
            Some(every) => every.get(path),
            None => self.special.get(path).filter(|tracked| tracked.unwatched.is_some()),
        };
        if every.is_none() && self.special.values().all(|tracked| tracked.unwatched.is_none()) {
            return Ok(BTreeMap::new());
        }
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.path.as_str());
        let candidates: Vec<(&str, &Tracked)> = files.filter_map(|path| Some((path, of_interest(path)?))).collect();
        let git_dir = self.git.git_dir();
        let differing: Vec<(&str, &Tracked)> = candidates
            .into_par_iter()
            .map_init(
                || super::open_git(&git_dir),
                |git, (path, tracked)| {
                    let git = git.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
                    Ok(differs(git, &root.join(path), tracked.blob)?.then_some((path, tracked)))
                },
            )
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?;
        let altered = |(path, tracked): (&str, &Tracked)| {
            Some((path.to_owned(), EntryKind::Altered(self.why(root, path, tracked)?)))
        };
        Ok(differing.into_iter().filter_map(altered).collect())
    }

    fn path_in_git(&self, path: &str) -> String {
        match self.git.prefix() {
            "" => path.to_owned(),
            prefix => format!("{prefix}/{path}"),
        }
    }

    /// Why a file differs from its blob; `None` if that is an edit.
    fn why(&self, root: &Path, path: &str, tracked: &Tracked) -> Option<Altered> {
        let in_git = PathBuf::from(self.path_in_git(path));
        let attribute = ALTERING.into_iter().find_map(|name| {
            let flags = git2::AttrCheckFlags::FILE_THEN_INDEX;
            match git2::AttrValue::from_bytes(self.git.repository().get_attr_bytes(&in_git, name, flags).ok()?) {
                git2::AttrValue::True => Some(name.to_owned()),
                git2::AttrValue::Bytes(value) => Some(format!("{name}={}", String::from_utf8_lossy(value))),
                git2::AttrValue::String(value) => Some(format!("{name}={value}")),
                _ => None,
            }
        });
        if let Some(attribute) = attribute {
            let attribute = quoted(&attribute);
            return Some(Altered {
                why: format!("the file on disk differs from the commit: git alters it by the attribute {attribute}"),
                help: "remove the attribute and check the file out again, or check what is committed: `--rev HEAD`",
            });
        }
        let as_checked_out = || {
            tracked.written.is_at(&root.join(path)).then(|| Altered {
                why: "the file on disk differs from the commit, and git's index considers it unchanged".to_owned(),
                help: "`git update-index --really-refresh` shows git what changed; or check the commit: `--rev HEAD`",
            })
        };
        tracked.unwatched.map(Unwatched::altered).or_else(as_checked_out)
    }

    /// Whether any attributes that apply here may alter data files.
    fn may_be_altered(&self, root: &Path, entries: &[TreeEntry]) -> Result<bool> {
        let is_attributes = |entry: &&TreeEntry| entry.path.ends_with(ATTRIBUTES);
        let own = entries.iter().filter(is_attributes).map(|entry| (root.join(&entry.path), TOPS.to_vec()));
        let parts = || self.git.prefix().rsplit('/');
        let above = self.folders_above(root).zip(parts());
        let above = above.map(|((_, folder), part)| (folder.join(ATTRIBUTES), vec![part]));
        let config = self.git.repository().config()?;
        let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
        let of_user = config.get_path("core.attributesFile").ok().or_else(|| Some(home?.join("git/attributes")));
        let outside = ["/etc/gitattributes", "/usr/local/etc/gitattributes"].map(PathBuf::from);
        let outside = outside
            .into_iter()
            .chain([self.git.common_dir().join("info/attributes")])
            .chain(of_user)
            .map(|path| (path, Vec::new()));
        for (path, tops) in own.chain(above).chain(outside) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => {}
                _ => continue,
            }
            let alters = match read_file(&path)? {
                FileContent::TooLarge => true,
                FileContent::Bytes(bytes) => !altering(&String::from_utf8_lossy(&bytes), &tops).is_empty(),
            };
            if alters {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Files that configure git above the data repository's folder.
    fn above(&self, root: &Path) -> Result<Vec<TreeEntry>> {
        let mut entries = Vec::new();
        for (relative, folder) in self.folders_above(root) {
            for name in [ATTRIBUTES, MODULES] {
                entries.extend(entry_on_disk(&folder.join(name), format!("{relative}{name}"))?);
            }
        }
        Ok(entries)
    }

    /// The folders above the data repository's, up to git's top, each with its relative path: `../` and so on.
    fn folders_above(&self, root: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
        let depth = self.git.prefix().split('/').filter(|part| !part.is_empty()).count();
        let root = root.to_path_buf();
        (1..=depth).map(move |up| ("../".repeat(up), root.join("../".repeat(up))))
    }
}

/// The data files in git's index that are `wanted`, by path.
fn tracked(git: &Git, wanted: impl Fn(&git2::IndexEntry) -> bool) -> Result<BTreeMap<String, Tracked>> {
    let index = git.repository().index().context("cannot read git's index")?;
    let below = |path: &[u8]| -> Option<String> {
        let path = std::str::from_utf8(path).ok()?;
        let path = match git.prefix() {
            "" => path,
            prefix => path.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        (is_in_data(path) || path == ATTRIBUTES).then(|| path.to_owned())
    };
    let tracked = |entry: git2::IndexEntry| {
        let unwatched = match entry {
            _ if entry.flags_extended & SKIP_WORKTREE != 0 => Some(Unwatched::Sparse),
            _ if entry.flags & ASSUME_UNCHANGED != 0 => Some(Unwatched::Assumed),
            _ => None,
        };
        let written = IndexStat { time: entry.mtime, size: entry.file_size };
        Some((below(&entry.path)?, Tracked { blob: entry.id, mode: entry.mode, unwatched, written }))
    };
    Ok(index.iter().filter(wanted).filter_map(tracked).collect())
}

/// Whether the file differs from the blob in more than line ends.
fn differs(git: &git2::Repository, path: &Path, blob: git2::Oid) -> Result<bool> {
    let FileContent::Bytes(bytes) = read_file(path)? else { return Ok(false) };
    if git2::Oid::hash_object(git2::ObjectType::Blob, &bytes)? == blob {
        return Ok(false);
    }
    let committed = git.find_blob(blob).with_context(|| format!("cannot read {} from git", path.display()))?;
    Ok(unix_line_ends(&bytes) != unix_line_ends(committed.content()))
}

fn unix_line_ends(bytes: &[u8]) -> Vec<u8> {
    let ends_line = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    (0..bytes.len()).filter(|at| !ends_line(*at)).map(|at| bytes[at]).collect()
}
