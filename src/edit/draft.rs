//! The files of one repository, with proposed changes.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};

use crate::repo::data_kind;
use crate::source::MAX_FILE_BYTES;
use crate::text::quote::quoted;
use crate::tree::{EntryKind, FileContent, MAX_FOLDERS, SETTINGS, Tree, TreeEntry};

/// A file that differs; `None` where it does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedFile<'d> {
    /// Relative to the data repository, with `/`.
    pub path: &'d str,
    /// Its present text.
    pub before: Option<&'d str>,
    /// Its proposed text.
    pub after: Option<&'d str>,
}

/// The files that a draft changes, each with its text before and after.
pub type FileTexts = Vec<(String, Option<String>, Option<String>)>;

/// A file that was put or removed.
#[derive(Clone, Debug)]
struct Proposed {
    before: Option<String>,
    after: Option<String>,
}

/// The files of a tree, with proposed texts of some of them.
#[derive(Debug)]
pub struct Draft {
    base: Tree,
    entries: OnceLock<BTreeMap<String, TreeEntry>>,
    changed: BTreeMap<String, Proposed>,
}

impl Draft {
    /// A draft that changes nothing yet.
    pub fn new(base: Tree) -> Draft {
        Draft { base, entries: OnceLock::new(), changed: BTreeMap::new() }
    }

    /// The tree that the draft changes.
    pub fn base(&self) -> &Tree {
        &self.base
    }

    /// A file's proposed or present text; `None` if there is no such file.
    ///
    /// # Errors
    /// If it is not an ordinary file of UTF-8 text within the limits, or cannot be read.
    pub fn text(&self, path: &str) -> Result<Option<String>> {
        match self.changed.get(path) {
            Some(proposed) => Ok(proposed.after.clone()),
            None => self.before(path),
        }
    }

    /// Gives a file this text.
    ///
    /// # Errors
    /// If `path` is not the path of a data file, or the present file cannot be read as text.
    pub fn put(&mut self, path: &str, text: impl Into<String>) -> Result<()> {
        self.propose(path, Some(text.into()))
    }

    /// Removes a file, if it exists.
    ///
    /// # Errors
    /// As [`Draft::put`].
    pub fn remove(&mut self, path: &str) -> Result<()> {
        self.propose(path, None)
    }

    /// The files whose text differs, by path.
    pub fn changes(&self) -> impl Iterator<Item = ChangedFile<'_>> {
        let change = |(path, file): (&'_ String, &'_ Proposed)| file.before != file.after && !path.is_empty();
        self.changed.iter().filter(move |(path, file)| change((path, file))).map(|(path, file)| ChangedFile {
            path,
            before: file.before.as_deref(),
            after: file.after.as_deref(),
        })
    }

    /// The same, to be compared with those of a later draft.
    pub fn texts(&self) -> FileTexts {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        self.changes().map(|file| (file.path.to_owned(), text(file.before), text(file.after))).collect()
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// The proposed files as a tree, to be read and checked.
    pub fn tree(&self) -> Tree {
        let bytes =
            |change: ChangedFile<'_>| (change.path.to_owned(), change.after.map(|text| text.as_bytes().to_vec()));
        Tree::Draft { base: Box::new(self.base.clone()), changed: Arc::new(self.changes().map(bytes).collect()) }
    }

    /// The paths of all data files, present and proposed.
    ///
    /// # Errors
    /// If the base cannot be listed.
    pub fn paths(&self) -> Result<Vec<String>> {
        let gone = |path: &String| self.changed.get(path).is_some_and(|file| file.after.is_none());
        let entries = self.entries()?.iter();
        let mut paths: Vec<String> = entries
            .filter(|(path, entry)| entry.kind == EntryKind::File && data_kind(path).is_some() && !gone(path))
            .map(|(path, _)| path.clone())
            .collect();
        let new = self.changed.iter().filter(|(_, file)| file.before.is_none() && file.after.is_some());
        paths.extend(new.map(|(path, _)| path.clone()));
        paths.sort_unstable();
        Ok(paths)
    }

    fn propose(&mut self, path: &str, after: Option<String>) -> Result<()> {
        if !is_plain(path) || !is_data(path) {
            bail!("{} is no data file: those are *.yaml in plans, domains and subscribers", quoted(path));
        }
        if after.as_ref().is_some_and(|text| text.len() > MAX_FILE_BYTES) {
            let most = MAX_FILE_BYTES / 1024 / 1024;
            bail!("{} would be larger than the {most} MiB that are read; split it into several files", quoted(path));
        }
        match self.changed.get_mut(path) {
            Some(proposed) => proposed.after = after,
            None => {
                let before = self.before(path)?;
                self.changed.insert(path.to_owned(), Proposed { before, after });
            }
        }
        Ok(())
    }

    fn before(&self, path: &str) -> Result<Option<String>> {
        let shown = quoted(path);
        let entries = self.entries()?;
        let Some(entry) = entries.get(path) else {
            let above = path.match_indices('/').map(|(at, _)| &path[..at]);
            for folder in above {
                if entries.get(folder).is_some_and(|entry| entry.kind != EntryKind::Folder) {
                    bail!("{} is no ordinary folder: nothing is read or written below it", quoted(folder));
                }
            }
            return Ok(None);
        };
        match &entry.kind {
            EntryKind::File => {}
            EntryKind::Symlink(_) => {
                bail!("{shown} is a symbolic link, which is not followed; put the file itself there")
            }
            _ => bail!("{shown} is no ordinary file"),
        }
        match self.base.reader()?.read(entry)? {
            FileContent::Bytes(bytes) => {
                let text = String::from_utf8(bytes);
                text.map(Some).ok().with_context(|| format!("{shown} is not UTF-8; save it as UTF-8"))
            }
            FileContent::TooLarge => bail!("{shown} is too large to be read; split it into several files"),
        }
    }

    fn entries(&self) -> Result<&BTreeMap<String, TreeEntry>> {
        if let Some(entries) = self.entries.get() {
            return Ok(entries);
        }
        let listed = self.base.list()?.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
        Ok(self.entries.get_or_init(|| listed))
    }
}

/// Whether a path is that of a data file.
pub(super) fn is_data(path: &str) -> bool {
    let in_folder =
        path.split_once('/').is_some_and(|(folder, _)| ["plans", "domains", "subscribers"].contains(&folder));
    (in_folder || path == SETTINGS) && data_kind(path).is_some()
}

/// Whether a path is plain, so that it leads to one place below the data repository.
pub(super) fn is_plain(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    path.split('/').all(part) && path.split('/').count() <= MAX_FOLDERS
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn base() -> Tree {
        let files = [("plans/GOLD.yaml", "name: GOLD\n"), ("subscribers/a.yaml", "ip: 10.10.10.25\n")];
        Tree::Memory(files.into_iter().map(|(path, text)| (path.to_owned(), text.into())).collect())
    }

    #[test]
    fn only_real_differences_are_changes() {
        let mut draft = Draft::new(base());
        draft.put("plans/GOLD.yaml", "name: GOLD\n").unwrap();
        draft.remove("subscribers/none.yaml").unwrap();
        assert!(draft.is_empty());
        draft.put("subscribers/b.yaml", "x").unwrap();
        draft.remove("subscribers/a.yaml").unwrap();
        let changes: Vec<_> = draft.changes().map(|change| (change.path, change.before, change.after)).collect();
        let gone = ("subscribers/a.yaml", Some("ip: 10.10.10.25\n"), None);
        assert_eq!(changes, [gone, ("subscribers/b.yaml", None, Some("x"))]);
        assert_eq!(draft.paths().unwrap(), ["plans/GOLD.yaml", "subscribers/b.yaml"]);
    }

    #[test]
    fn the_tree_shows_the_draft_over_its_base() {
        let mut draft = Draft::new(base());
        draft.put("subscribers/b.yaml", "b").unwrap();
        draft.put("subscribers/a.yaml", "a").unwrap();
        draft.remove("plans/GOLD.yaml").unwrap();
        let tree = draft.tree();
        let reader = tree.reader().unwrap();
        let entries = tree.list().unwrap();
        let read = |entry: &TreeEntry| match reader.read(entry).unwrap() {
            FileContent::Bytes(bytes) => (entry.path.clone(), String::from_utf8(bytes).unwrap()),
            FileContent::TooLarge => panic!("{}", entry.path),
        };
        let read: Vec<_> = entries.iter().map(read).collect();
        assert_eq!(read, [("subscribers/a.yaml".into(), "a".into()), ("subscribers/b.yaml".into(), "b".into())]);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let mut draft = Draft::new(base());
        for path in [
            "../a.yaml",
            "subscribers/../../a.yaml",
            "/etc/a.yaml",
            "subscribers//a.yaml",
            "subscribers/.git/a.yaml",
            "subscribers/a.txt",
            "other.yaml",
            "subscribers/./a.yaml",
            "",
        ] {
            assert!(draft.put(path, "x").is_err(), "{path}");
        }
    }
}
