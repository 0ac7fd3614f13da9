//! The files of a data repository in a commit.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::entry::{EntryKind, TreeEntry, folder_kind};
use super::layout::{ATTRIBUTES, FOLDERS, MAX_ENTRIES, MAX_LINK, MODULES, SETTINGS, miscased_folder, too_many_entries};

pub(crate) fn open_git(dir: &Path) -> Result<git2::Repository> {
    git2::Repository::open(dir).with_context(|| format!("cannot open the git repository {}", dir.display()))
}

pub(super) fn list_revision(git_dir: &Path, prefix: &str, commit: git2::Oid) -> Result<Vec<TreeEntry>> {
    let repository = open_git(git_dir)?;
    let mut top = repository.find_commit(commit)?.tree()?;
    let mut entries = Vec::new();
    let folders: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    for (depth, part) in folders.iter().enumerate() {
        let relative = "../".repeat(folders.len() - depth);
        for name in [ATTRIBUTES, MODULES] {
            if let Some(entry) = top.get_name(name) {
                push_revision(&repository, &entry, &relative, 0, &mut entries)?;
            }
        }
        let Some(object) = top.get_name(part).map(|entry| entry.to_object(&repository)) else {
            // The data repository did not exist in that revision.
            return Ok(Vec::new());
        };
        let Ok(folder) = object?.into_tree() else { bail!("{prefix} is not a folder in {commit}") };
        top = folder;
    }
    for name in FOLDERS.iter().chain(&[SETTINGS, ATTRIBUTES, MODULES]) {
        if let Some(entry) = top.get_name(name) {
            push_revision(&repository, &entry, "", 0, &mut entries)?;
        }
    }
    for entry in &top {
        let name = String::from_utf8_lossy(entry.name_bytes());
        let meant = miscased_folder(&name).filter(|_| entry.kind() != Some(git2::ObjectType::Blob));
        let path = name.clone().into_owned();
        entries.extend(meant.map(|meant| TreeEntry { path, kind: EntryKind::Miscased(meant), blob: None }));
    }
    Ok(entries)
}

fn push_revision(
    repository: &git2::Repository,
    entry: &git2::TreeEntry<'_>,
    parent: &str,
    depth: usize,
    entries: &mut Vec<TreeEntry>,
) -> Result<()> {
    let name = String::from_utf8_lossy(entry.name_bytes());
    let path = format!("{parent}{name}");
    let bad_name = std::str::from_utf8(entry.name_bytes()).is_err();
    let kind = match (entry.kind(), entry.filemode()) {
        _ if bad_name => EntryKind::BadName,
        (Some(git2::ObjectType::Blob), 0o120_000) => {
            let odb = repository.odb()?;
            EntryKind::Symlink(match odb.read_header(entry.id())? {
                (length, _) if length > MAX_LINK => "a target longer than any path".to_owned(),
                _ => String::from_utf8_lossy(odb.read(entry.id())?.data()).into_owned(),
            })
        }
        (Some(git2::ObjectType::Blob), _) => EntryKind::File,
        (Some(git2::ObjectType::Tree), _) => folder_kind(depth),
        (Some(git2::ObjectType::Commit), _) => EntryKind::Submodule,
        _ => EntryKind::Special,
    };
    let is_folder = kind == EntryKind::Folder;
    if entries.len() >= MAX_ENTRIES {
        return Err(too_many_entries());
    }
    entries.push(TreeEntry { path: path.clone(), kind, blob: Some(entry.id()) });
    if is_folder {
        for child in &repository.find_tree(entry.id())? {
            push_revision(repository, &child, &format!("{path}/"), depth + 1, entries)?;
        }
    }
    Ok(())
}
