//! Atomic writes: a file is there whole or not at all, even if the machine crashes half-way.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Writes `bytes` to `path` atomically: readers see the old file or the new one.
///
/// The bytes go to a temporary file in the same folder, to the disk, and then take the old file's
/// place. An existing file keeps its mode; a new one gets 0666 less the umask, as git's files do. A
/// symbolic link stays, and the file that it leads to is replaced, if no other user can have created
/// the link: see [`crate::disk::trust`].
///
/// # Errors
/// If `path` is a folder, a pipe, a device, a link to nothing or a link that is not trusted, or if
/// anything cannot be written. The message names the path, the old file is as it was, and no
/// temporary file is left.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, bytes, None)
}

/// Like [`write_atomic`], with this mode regardless of the umask and of an existing file.
///
/// # Errors
/// As [`write_atomic`].
pub(crate) fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    write_with(path, bytes, Some(mode))
}

fn write_with(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let (path, old) = destination(path)?;
    let folder = folder_of(&path);
    let mut temporary = temporary_in(folder).with_context(cannot)?;
    temporary.write_all(bytes).with_context(cannot)?;
    #[cfg(unix)]
    let fixed = mode.map(std::os::unix::fs::PermissionsExt::from_mode);
    #[cfg(not(unix))]
    let fixed = mode.and(None);
    if let Some(permissions) = fixed.or_else(|| old.map(|old| old.permissions())) {
        temporary.as_file().set_permissions(permissions).with_context(cannot)?;
    }
    temporary.as_file().sync_all().with_context(cannot)?;
    // On any failure, above or here, the drop removes the temporary file.
    temporary.persist(&path).map_err(|failed| failed.error).with_context(cannot)?;
    sync_folder(folder).with_context(cannot)
}

/// Like [`write_atomic`], but never replaces a file, not even one created in the meantime.
///
/// # Errors
/// If there is anything of that name, or it cannot be written. The message names the path.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = folder_of(path);
    let mut temporary = temporary_in(folder).with_context(cannot)?;
    temporary.write_all(bytes).with_context(cannot)?;
    temporary.as_file().sync_all().with_context(cannot)?;
    temporary.persist_noclobber(path).map_err(|failed| failed.error).with_context(cannot)?;
    sync_folder(folder).with_context(cannot)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path that is written, links followed, and the metadata of what is there now.
fn destination(path: &Path) -> Result<(PathBuf, Option<fs::Metadata>)> {
    let shown = path.display();
    let link = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.is_symlink(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((path.to_path_buf(), None)),
        Err(error) => return Err(error).with_context(|| format!("cannot write {shown}")),
    };
    let path = match link {
        true => followed(path).with_context(|| format!("cannot write {shown}"))?,
        false => path.to_path_buf(),
    };
    let metadata = fs::metadata(&path).with_context(|| format!("cannot write {shown}"))?;
    if metadata.is_dir() {
        bail!("cannot write {shown}: there is a folder of that name");
    }
    if !metadata.is_file() {
        bail!("cannot write {shown}: it is not a regular file, and is not replaced");
    }
    Ok((path, Some(metadata)))
}

/// What a link leads to.
#[cfg(unix)]
fn followed(path: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(ErrorKind::InvalidFilename)?;
    // The caller chose the path to the link; from the link on, any user may have.
    let folder = crate::disk::trust::TrustedFolder::open(&folder_of(path).canonicalize()?)?;
    let (folder, name) = folder.follow(name)?;
    Ok(folder.path().join(name))
}

#[cfg(not(unix))]
fn followed(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize()
}

fn temporary_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".shapeline-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Flushes a rename to disk: on Unix it is only there once its folder is.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_is_made_and_an_old_one_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shaper.txt");
        write_atomic(&path, b"one\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
        write_atomic(&path, b"").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(names(dir.path()), ["shaper.txt"]);
    }

    #[test]
    fn a_new_file_has_the_mode_that_any_new_file_has() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, ours) = (dir.path().join("plain"), dir.path().join("ours"));
        fs::write(&plain, "").unwrap();
        write_atomic(&ours, b"").unwrap();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn an_old_file_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, "old").unwrap();
        for wanted in [0o600, 0o664, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
            write_atomic(&path, b"new").unwrap();
            assert_eq!(mode(&path), wanted);
        }
    }

    #[test]
    fn an_open_handle_still_reads_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shaper.txt");
        fs::write(&path, "old").unwrap();
        let mut reader = File::open(&path).unwrap();
        write_atomic(&path, b"new").unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "old");
    }

    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        symlink("real", &link).unwrap();
        write_atomic(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn only_regular_files_are_replaced_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let before = names(dir.path());
        for (name, why) in [("folder", "folder"), ("dangling", "nowhere"), ("socket", "not a regular file")] {
            let error = format!("{:#}", write_atomic(&dir.path().join(name), b"x").unwrap_err());
            assert!(error.contains(name) && error.contains(why), "{error}");
        }
        assert_eq!(names(dir.path()), before);
        drop(socket);
    }

    #[test]
    fn a_new_file_never_replaces_another() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("file"), dir.path().join("link"));
        write_new(&path, b"first").unwrap();
        symlink("nowhere", &link).unwrap();
        for taken in [&path, &link] {
            let error = format!("{:#}", write_new(taken, b"second").unwrap_err());
            assert!(error.contains(&*taken.to_string_lossy()), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(dir.path()), ["file", "link"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = format!("{:#}", write_atomic(&dir.path().join("no/such/file"), b"x").unwrap_err());
        assert!(error.contains("no/such/file"), "{error}");
        assert!(names(dir.path()).is_empty());
    }
}
