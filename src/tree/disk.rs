//! The files of a data repository on disk.

use std::path::Path;

use anyhow::{Context, Result};

use super::checkout::Checkout;
use super::entry::{EntryKind, TreeEntry, entry_on_disk, exists, folder_kind, work_kind};
use super::layout::{
    ATTRIBUTES, FOLDERS, MAX_ENTRIES, MAX_FOLDERS, MODULES, SETTINGS, miscased_folder, too_many_entries,
};

pub(super) fn list_work(root: &Path) -> Result<Vec<TreeEntry>> {
    let (entries, checkout) = rayon::join(|| list_disk(root), || Checkout::of(root));
    let mut entries = entries?;
    if let Some(checkout) = checkout? {
        checkout.correct(root, &mut entries)?;
    }
    Ok(entries)
}

fn list_disk(root: &Path) -> Result<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    for name in [SETTINGS, ATTRIBUTES, MODULES] {
        entries.extend(entry_on_disk(&root.join(name), name.to_owned())?);
    }
    entries.extend(miscased(root)?);
    for folder in FOLDERS {
        let top = root.join(folder);
        if !exists(&top)? {
            continue;
        }
        // A data folder that is itself a link is not followed either.
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
                // A submodule: the commit has only its id, so a reviewer never saw its content.
                EntryKind::Folder if found.depth() > 0 && exists(&found.path().join(".git"))? => EntryKind::Submodule,
                EntryKind::Folder => folder_kind(found.depth()),
                kind => kind,
            };
            let path = relative.to_string_lossy().into_owned();
            entries.push(TreeEntry { path, kind, blob: None });
        }
    }
    Ok(entries)
}

/// The folders at the top with the name of a data folder in other case.
fn miscased(root: &Path) -> Result<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    let cannot = || format!("cannot list {}", root.display());
    for found in std::fs::read_dir(root).with_context(cannot)? {
        let found = found.with_context(cannot)?;
        let Some(name) = found.file_name().to_str().map(ToOwned::to_owned) else { continue };
        let meant = miscased_folder(&name).filter(|_| found.path().is_dir());
        entries.extend(meant.map(|meant| TreeEntry { path: name, kind: EntryKind::Miscased(meant), blob: None }));
    }
    Ok(entries)
}
