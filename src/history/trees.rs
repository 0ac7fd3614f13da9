//! Which files changed in which commit.
//!
//! Each folder is followed through all commits at once, because git's packs store the versions of one
//! folder as deltas of each other. A folder with the same id as before is not read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::Result;
use git2::{ObjectType, Oid};
use rayon::prelude::*;

use super::line::{ObjectReader, Objects};
use crate::repo::data_kind;
use crate::schema::FileKind;
use crate::tree::MAX_FOLDERS;

const FOLDER_MODE: u32 = 0o040_000;

/// A version of a file or folder: mode and id.
pub type Blob = (u32, Oid);

/// The commit, and the version since; `None` if it is removed.
pub type BlobVersion = (u32, Option<Blob>);

/// A data file through all commits.
#[derive(Debug)]
pub struct FileLine {
    /// Relative to the data repository.
    pub path: String,
    /// Which data it holds.
    pub kind: FileKind,
    /// Its version before the first of the commits.
    pub before: Option<Blob>,
    /// Every change, in order.
    pub versions: Vec<BlobVersion>,
}

/// An entry of a folder through all commits.
#[derive(Default)]
struct EntryLine {
    before: Option<Blob>,
    versions: Vec<BlobVersion>,
}

/// The data files that changed below the top of the git repository, by path. `tops` are the trees of
/// the commits, `before` the one of the commit before them, `prefix` is where the data is.
///
/// # Errors
/// If a folder cannot be read.
pub fn changed_files(objects: &Objects, prefix: &str, before: Option<Oid>, tops: &[Oid]) -> Result<Vec<FileLine>> {
    let folder = |id: &Oid| (FOLDER_MODE, *id);
    let line = EntryLine {
        before: before.as_ref().map(folder),
        versions: (0..).zip(tops).map(|(commit, id)| (commit, Some(folder(id)))).collect(),
    };
    let above: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    let walk = Walk { objects, left: AtomicUsize::new(MAX_CHANGES) };
    let mut files = walk.below(&DataFolder { above: &above, path: String::new(), depth: 0 }, line)?;
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// A folder of the walk: the rest of the prefix below it, and its path in the data.
struct DataFolder<'a> {
    above: &'a [&'a str],
    path: String,
    depth: usize,
}

impl DataFolder<'_> {
    /// The folder `name` in this one, if data can be below it.
    fn folder(&self, name: &str) -> Option<DataFolder<'_>> {
        if let Some((next, above)) = self.above.split_first() {
            return (*next == name).then(|| DataFolder { above, path: String::new(), depth: 0 });
        }
        let here = self.path.is_empty();
        if here && !["plans", "subscribers"].contains(&name) || self.depth >= MAX_FOLDERS {
            return None;
        }
        let path = if here { name.to_owned() } else { format!("{}/{name}", self.path) };
        Some(DataFolder { above: &[], path, depth: self.depth + 1 })
    }

    /// The data file `name` in this folder, if it is one.
    fn file(&self, name: &str) -> Option<(String, FileKind)> {
        if self.path.is_empty() {
            return None;
        }
        let path = format!("{}/{name}", self.path);
        let kind = data_kind(&path).filter(|kind| matches!(kind, FileKind::Plan | FileKind::Subscriber))?;
        Some((path, kind))
    }
}

/// Upper bound for the changes of files and folders. A tree of a few hundred objects can unfold to any
/// number of them, and `--rev` may name a tree that was never reviewed.
const MAX_CHANGES: usize = 10_000_000;

struct Walk<'a> {
    objects: &'a Objects,
    /// How many more changes may be found.
    left: AtomicUsize,
}

impl Walk<'_> {
    fn below(&self, folder: &DataFolder<'_>, line: EntryLine) -> Result<Vec<FileLine>> {
        let mut files = Vec::new();
        let mut folders = Vec::new();
        for ((name, is_folder), line) in entries(&self.objects.reader()?, line, &self.left)? {
            let Ok(name) = String::from_utf8(name) else { continue };
            if is_folder {
                folders.extend(folder.folder(&name).map(|folder| (folder, line)));
            } else if let Some((path, kind)) = folder.file(&name) {
                files.push(FileLine { path, kind, before: line.before, versions: line.versions });
            }
        }
        let below: Vec<Vec<FileLine>> =
            folders.into_par_iter().map(|(folder, line)| self.below(&folder, line)).collect::<Result<_>>()?;
        files.extend(below.into_iter().flatten());
        Ok(files)
    }
}

/// The name of an entry, and whether it is a folder.
type EntryName = (Vec<u8>, bool);

/// The entries that changed in a folder, `left` at most.
fn entries(reader: &ObjectReader<'_>, line: EntryLine, left: &AtomicUsize) -> Result<BTreeMap<EntryName, EntryLine>> {
    let mut lines: BTreeMap<EntryName, EntryLine> = BTreeMap::new();
    let read = |blob: Option<Blob>| match blob {
        Some((_, id)) => reader.read(id, ObjectType::Tree),
        None => Ok(Vec::new()),
    };
    let mut versions = line.versions;
    let mut last = line.before;
    versions.retain(|(_, version)| std::mem::replace(&mut last, *version) != *version);
    let mut old = match versions.first() {
        Some(_) => read(line.before)?,
        None => Vec::new(),
    };
    let size = |(_, version): BlobVersion| version.and_then(|(_, id)| reader.size(id).ok()).unwrap_or_default();
    reader.versions(
        &versions,
        size,
        |(_, version)| read(version),
        |(commit, _), new| {
            let mut found = 0;
            changes(&old, &new, |name, before, after| {
                found += 1;
                let entry = lines.entry(name).or_insert_with(|| EntryLine { before, versions: Vec::new() });
                entry.versions.push((commit, after));
            });
            old = new;
            let enough = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(found)).is_ok();
            anyhow::ensure!(
                enough,
                "the history has more than {MAX_CHANGES} changes of files and folders: it is not read"
            );
            Ok(())
        },
    )?;
    Ok(lines)
}

/// Calls `report` for each entry that differs between two versions of a folder.
pub fn changes(old: &[u8], new: &[u8], mut report: impl FnMut(EntryName, Option<Blob>, Option<Blob>)) {
    // Up to the first difference only the starts of entries are read.
    let same = common_prefix(old, new);
    let mut start = 0;
    while let Some((_, after)) = entry(old, start).filter(|(_, after)| *after <= same) {
        start = after;
    }
    let (mut at_old, mut at_new) = (start, start);
    loop {
        let (left, right) = (old.get(at_old..).unwrap_or_default(), new.get(at_new..).unwrap_or_default());
        if left.len() == right.len() && left == right {
            return;
        }
        let (before, after) = (entry(old, at_old), entry(new, at_new));
        let order = match (&before, &after) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((before, _)), Some((after, _))) => before.order().cmp(&after.order()),
        };
        let before = before.filter(|_| order.is_le());
        let after = after.filter(|_| order.is_ge());
        let blob = |entry: &Option<(FolderEntry<'_>, usize)>| entry.as_ref().map(|(entry, _)| entry.blob);
        let (was, is) = (blob(&before), blob(&after));
        if let Some((entry, _)) = before.as_ref().or(after.as_ref())
            && was != is
        {
            report((entry.name.to_vec(), entry.is_folder()), was, is);
        }
        at_old = before.map_or(at_old, |(_, next)| next);
        at_new = after.map_or(at_new, |(_, next)| next);
    }
}

/// How many bytes two texts have in common from their start.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 256;
    let steps = a.chunks_exact(STEP).zip(b.chunks_exact(STEP)).take_while(|(a, b)| a == b).count();
    let start = steps * STEP;
    start + a[start..].iter().zip(&b[start..]).take_while(|(a, b)| a == b).count()
}

struct FolderEntry<'a> {
    name: &'a [u8],
    blob: Blob,
}

impl FolderEntry<'_> {
    fn is_folder(&self) -> bool {
        self.blob.0 == FOLDER_MODE
    }

    /// Git sorts a folder as if its name ended with `/`.
    fn order(&self) -> Vec<u8> {
        let mut name = self.name.to_vec();
        name.push(if self.is_folder() { b'/' } else { 0 });
        name
    }
}

/// The entry that starts at `at`, and where the next one does: `mode name\0id`.
fn entry(tree: &[u8], at: usize) -> Option<(FolderEntry<'_>, usize)> {
    let rest = tree.get(at..)?;
    let space = rest.iter().take(8).position(|&b| b == b' ')?;
    let mode = rest[..space]
        .iter()
        .try_fold(0, |mode, &b| matches!(b, b'0'..=b'7').then(|| mode * 8 + u32::from(b - b'0')))?;
    let end = space + 1 + rest[space + 1..].iter().position(|&b| b == 0)?;
    let id = Oid::from_bytes(rest.get(end + 1..end + 21)?).ok()?;
    Some((FolderEntry { name: &rest[space + 1..end], blob: (mode, id) }, at + end + 21))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, u32, u8)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, mode, id) in entries {
            bytes.extend(format!("{mode:o} {name}\0").bytes());
            bytes.extend([*id; 20]);
        }
        bytes
    }

    fn reported(old: &[u8], new: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        changes(old, new, |(name, folder), before, after| {
            let shown = |blob: Option<Blob>| blob.map_or("-".into(), |(_, id)| id.to_string()[..2].to_owned());
            let slash = if folder { "/" } else { "" };
            all.push(format!("{}{slash} {} {}", String::from_utf8_lossy(&name), shown(before), shown(after)));
        });
        all
    }

    #[test]
    fn only_differences_are_reported() {
        let file = 0o100_644;
        let old = tree(&[("a", file, 1), ("b", file, 2), ("c", file, 3), ("z", file, 9)]);
        let new = tree(&[("a", file, 1), ("b", file, 4), ("bb", file, 5), ("z", file, 9)]);
        assert_eq!(reported(&old, &new), ["b 02 04", "bb - 05", "c 03 -"]);
        assert!(reported(&old, &old).is_empty());
        assert_eq!(reported(&[], &new).len(), 4);
        assert_eq!(reported(&old, &[]).len(), 4);
    }

    #[test]
    fn a_file_that_becomes_a_folder_is_two_things() {
        let old = tree(&[("a", 0o100_644, 1), ("a.b", 0o100_644, 2)]);
        let new = tree(&[("a.b", 0o100_644, 2), ("a", FOLDER_MODE, 3)]);
        assert_eq!(reported(&old, &new), ["a 01 -", "a/ - 03"]);
    }

    #[test]
    fn a_tree_that_unfolds_without_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let git = git2::Repository::init_bare(folder.path()).unwrap();
        let mut id = git.blob(b"").unwrap();
        let mut mode = 0o100_644;
        // 2,000 files in 2,000 folders in 2,000 folders, from three objects.
        for _ in 0..3 {
            let mut tree = git.treebuilder(None).unwrap();
            for number in 0..2000 {
                tree.insert(format!("{number}.yaml"), id, mode).unwrap();
            }
            (id, mode) = (tree.write().unwrap(), FOLDER_MODE as i32);
        }
        let mut top = git.treebuilder(None).unwrap();
        top.insert("subscribers", id, mode).unwrap();
        let top = top.write().unwrap();
        let objects = Objects::open(folder.path(), folder.path()).unwrap();
        let walk = Walk { objects: &objects, left: AtomicUsize::new(100_000) };
        let line = EntryLine { before: None, versions: vec![(0, Some((FOLDER_MODE, top)))] };
        let error = walk.below(&DataFolder { above: &[], path: String::new(), depth: 0 }, line).unwrap_err();
        assert!(error.to_string().contains("it is not read"), "{error}");
    }

    #[test]
    fn damage_ends_the_comparison() {
        let good = tree(&[("a", 0o100_644, 1), ("b", 0o100_644, 2)]);
        for cut in 0..good.len() {
            reported(&good, &good[..cut]);
            reported(&good[..cut], &good);
        }
        reported(b"100644 a", b"\0\0\0");
        reported(b"99999999 a\0", b" ");
    }
}
