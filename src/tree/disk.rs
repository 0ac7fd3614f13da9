//! The files of a data repository on disk.

use std::path::Path;

use anyhow::{Context, Result};

use super::checkout::Checkout;
use super::entry::{Entry, EntryKind, entry_on_disk, exists, folder_kind, work_kind};
use super::layout::{ATTRIBUTES, FOLDERS, MAX_ENTRIES, MAX_FOLDERS, MODULES, SETTINGS, too_many_entries};

pub(super) fn list_work(root: &Path) -> Result<Vec<Entry>> {
    let (entries, checkout) = rayon::join(|| list_disk(root), || Checkout::of(root));
    let mut entries = entries?;
    if let Some(checkout) = checkout? {
        checkout.correct(root, &mut entries)?;
    }
    Ok(entries)
}

fn list_disk(root: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for name in [SETTINGS, ATTRIBUTES, MODULES] {
        entries.extend(entry_on_disk(&root.join(name), name.to_owned())?);
    }
    for folder in FOLDERS {
        let top = root.join(folder);
        if !exists(&top)? {
            continue;
        }
        // A data folder that is itself a link is no more followed than any other.
        for found in walkdir::WalkDir::new(&top).max_depth(MAX_FOLDERS).follow_root_links(false) {
            let found = found.with_context(|| format!("cannot list {}", top.display()))?;
            if entries.len() >= MAX_ENTRIES {
                return Err(too_many_entries());
            }
            let relative = found.path().strip_prefix(root).unwrap_or(found.path());
            let kind = match relative.to_str() {
                Some(_) => work_kind(found.path(), found.file_type()),
                None => EntryKind::BadName,
            };
            let kind = match kind {
                // A submodule: git keeps only a name of it, so a reviewer never saw what is in it.
                EntryKind::Folder if found.depth() > 0 && exists(&found.path().join(".git"))? => EntryKind::Submodule,
                EntryKind::Folder => folder_kind(found.depth()),
                kind => kind,
            };
            let path = relative.to_string_lossy().into_owned();
            entries.push(Entry { path, kind, blob: None });
        }
    }
    Ok(entries)
}
