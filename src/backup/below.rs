//! A path that a client names: it must be below one of some roots, with no link on the way.
//!
//! The folders are opened one after the other, without following links, and stay open: what another user exchanges
//! meanwhile leads nowhere else.

use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use crate::disk::trust::STEP;

/// The longest path, in bytes, as Linux has it.
const MAX_PATH: usize = 4095;

/// A folder below which files and folders may be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackupRoot {
    /// As it is named in the settings.
    named: PathBuf,
    /// The same without links.
    real: PathBuf,
}

/// Something below a root, in a folder that is open.
#[derive(Debug)]
pub(crate) struct PathBelow {
    /// The folder that it is in; none for a root itself.
    pub(super) folder: Option<OwnedFd>,
    /// Its name there.
    pub(super) name: PathBuf,
    /// The whole path, without links.
    pub(super) path: PathBuf,
}

/// Why a path may not be copied.
#[derive(Debug)]
pub(crate) enum BelowError {
    /// It is no plain absolute path: the end of a sentence.
    Malformed(&'static str),
    /// It is below no root.
    Outside,
    /// A link is on the way: where.
    Link(PathBuf),
    /// There is nothing.
    Missing,
    /// It cannot be read.
    Failed(anyhow::Error),
}

impl BackupRoot {
    /// # Errors
    /// If there is no such folder.
    pub(crate) fn open(named: &Path) -> Result<BackupRoot> {
        let cannot = || format!("cannot copy from {}", named.display());
        let real = std::fs::canonicalize(named).with_context(cannot)?;
        anyhow::ensure!(real.is_dir(), "cannot copy from {}: it is not a folder", named.display());
        Ok(BackupRoot { named: named.to_path_buf(), real })
    }

    fn inside<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.strip_prefix(&self.named).or_else(|_| path.strip_prefix(&self.real)).ok()
    }
}

impl PathBelow {
    /// Opens what `text` names.
    ///
    /// # Errors
    /// Why it may not, or cannot, be copied.
    pub(crate) fn open(roots: &[BackupRoot], text: &str) -> Result<PathBelow, BelowError> {
        check(text).map_err(BelowError::Malformed)?;
        let path = Path::new(text);
        // The innermost, where one root is in another.
        let found = roots.iter().filter_map(|root| Some((root, root.inside(path)?)));
        let (root, inside) = found.min_by_key(|(_, inside)| inside.as_os_str().len()).ok_or(BelowError::Outside)?;
        let Some(name) = inside.file_name() else {
            return Ok(PathBelow { folder: None, name: root.real.clone(), path: root.real.clone() });
        };
        let mut at = root.real.clone();
        let mut folder = step(None, &at, &at)?;
        for part in inside.parent().into_iter().flat_map(Path::components) {
            let Component::Normal(part) = part else { return Err(BelowError::Malformed("has `.` or `..` in it")) };
            at.push(part);
            folder = step(Some(&folder), Path::new(part), &at)?;
        }
        at.push(name);
        match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(PathBelow { folder: Some(folder), name: name.into(), path: at }),
            Err(error) => Err(BelowError::of(error, &at)),
        }
    }
}

impl BelowError {
    fn of(error: Errno, at: &Path) -> BelowError {
        match error {
            Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG => BelowError::Missing,
            error => BelowError::Failed(anyhow::Error::from(error).context(format!("cannot read {}", at.display()))),
        }
    }
}

/// Opens the folder `name` in `folder`, which is at `at`.
fn step(folder: Option<&OwnedFd>, name: &Path, at: &Path) -> Result<OwnedFd, BelowError> {
    use std::os::fd::AsFd as _;
    let folder = folder.map_or(CWD, |folder| folder.as_fd());
    let how = STEP | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, how, Mode::empty()).map_err(|error| {
        let kind = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| FileType::from_raw_mode(stat.st_mode));
        match kind {
            Ok(FileType::Symlink) => BelowError::Link(at.to_path_buf()),
            _ => BelowError::of(error, at),
        }
    })
}

/// Whether it is a plain absolute path, so that it can be compared with a root by its parts.
fn check(text: &str) -> Result<(), &'static str> {
    let Some(rest) = text.strip_prefix('/') else { return Err("is not absolute: it must begin with /") };
    if text.len() > MAX_PATH {
        return Err("is longer than 4095 bytes");
    }
    if text.contains(char::is_control) {
        return Err("has a control character");
    }
    if rest.split('/').any(|part| part == "." || part == "..") {
        return Err("has `.` or `..` in it");
    }
    if rest.split('/').any(str::is_empty) {
        return Err("has an empty part: write it without `//`, and without `/` at the end");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(folder: &Path, path: &str) -> Result<PathBuf, String> {
        let roots = [BackupRoot::open(&folder.join("root")).unwrap(), BackupRoot::open(&folder.join("other")).unwrap()];
        let path = path.replace("ROOT", roots[0].named.to_str().unwrap());
        PathBelow::open(&roots, &path).map(|below| below.path).map_err(|error| match error {
            BelowError::Malformed(_) => "malformed".to_owned(),
            BelowError::Outside => "outside".to_owned(),
            BelowError::Link(_) => "link".to_owned(),
            BelowError::Missing => "missing".to_owned(),
            BelowError::Failed(error) => error.to_string(),
        })
    }

    #[test]
    fn only_what_is_below_a_root_is_opened_and_no_link_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        ["root/a/b", "other", "root-2", "secret"].iter().for_each(|name| std::fs::create_dir_all(at(name)).unwrap());
        std::fs::write(at("root/a/file"), "x").unwrap();
        std::fs::write(at("secret/key"), "x").unwrap();
        std::os::unix::fs::symlink(at("secret"), at("root/out")).unwrap();
        std::os::unix::fs::symlink("a", at("root/inside")).unwrap();
        std::os::unix::fs::symlink(at("root"), at("named")).unwrap();
        let real = std::fs::canonicalize(at("root")).unwrap();
        assert_eq!(of(folder.path(), "ROOT/a/file"), Ok(real.join("a/file")));
        assert_eq!(of(folder.path(), "ROOT/a"), Ok(real.join("a")));
        assert_eq!(of(folder.path(), "ROOT"), Ok(real.clone()));
        // The link itself is copied, and not what it leads to.
        assert_eq!(of(folder.path(), "ROOT/out"), Ok(real.join("out")));
        for (path, why) in [
            ("ROOT/out/key", "link"),
            ("ROOT/inside/file", "link"),
            ("ROOT/none", "missing"),
            ("ROOT/none/below", "missing"),
            ("ROOT/a/file/below", "missing"),
            ("ROOT-2/x", "outside"),
            ("/etc/passwd", "outside"),
            ("/", "malformed"),
            ("ROOT/../secret/key", "malformed"),
            ("ROOT/./a", "malformed"),
            ("ROOT//a", "malformed"),
            ("ROOT/a/", "malformed"),
            ("a", "malformed"),
            ("", "malformed"),
            ("ROOT/a\0b", "malformed"),
            ("ROOT/a\n", "malformed"),
        ] {
            assert_eq!(of(folder.path(), path), Err(why.to_owned()), "{path:?}");
        }
        assert_eq!(of(folder.path(), &format!("ROOT/{}", "x".repeat(300))), Err("missing".to_owned()));
        let linked = [BackupRoot::open(&at("named")).unwrap()];
        assert_eq!(PathBelow::open(&linked, at("named/a").to_str().unwrap()).unwrap().path, real.join("a"));
        assert!(BackupRoot::open(&at("root/a/file")).is_err() && BackupRoot::open(&at("gone")).is_err());
    }
}
