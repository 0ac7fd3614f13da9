//! Opening files at paths that this program did not choose. A pipe or a device must not block it: only
//! regular files are opened, and the type is checked before and after.
//!
//! Files that the operator names on the command line to be read once (`plan --against`, `import`) may
//! be pipes, to support `<(…)`, and are read elsewhere.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens the regular file at `path` for reading; `None` if there is none.
///
/// # Errors
/// If it is something else, or cannot be opened.
pub(crate) fn regular(path: &Path) -> Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    match open(path, &mut options) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// Opens a file that was listed as regular, without checking again: with a hundred thousand files each
/// system call counts. If it has become a pipe since, it reads as empty.
///
/// # Errors
/// If it cannot be opened.
pub(crate) fn without_waiting(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    no_waiting(options.read(true)).open(path)
}

/// Opens the lock file at `path`, and creates it if there is none. Does not follow a link.
///
/// # Errors
/// If it is something else than a regular file, or cannot be opened.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => regular_only(metadata.is_file())?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    open(path, &mut options)
}

/// Reads the regular file at `path`, at most `most` bytes; `None` if there is none.
///
/// # Errors
/// If it is something else, is larger, or cannot be read.
pub(crate) fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    regular(path)?.map(|file| read_all(file, most)).transpose()
}

/// Reads `file`, at most `most` bytes.
///
/// # Errors
/// If it is larger, or cannot be read.
pub(crate) fn read_all(file: File, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

/// Refuses what is not a regular file.
pub(crate) fn regular_only(is_regular: bool) -> Result<()> {
    if is_regular { Ok(()) } else { Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file")) }
}

fn no_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed());
    }
    options
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File> {
    // Opening some devices has side effects.
    if let Ok(metadata) = std::fs::metadata(path) {
        regular_only(metadata.is_file())?;
    }
    let file = no_waiting(options).open(path)?;
    regular_only(file.metadata()?.is_file())?;
    Ok(file)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        std::os::unix::fs::symlink("pipe", at("link-to-pipe")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for good in ["file", "link"] {
            assert_eq!(read(&at(good), 4).unwrap().unwrap(), b"text");
        }
        assert!(read(&at("none"), 4).unwrap().is_none());
        assert!(read(&at("file"), 3).unwrap_err().to_string().contains("larger"));
        for bad in ["pipe", "link-to-pipe", "socket", ".", "/dev/zero"] {
            for error in [regular(&at(bad)).unwrap_err(), lock_file(&at(bad)).unwrap_err()] {
                assert_eq!(error.to_string(), "it is not a regular file", "{bad}");
            }
        }
        assert!(lock_file(&at("link")).is_err(), "a lock is no link");
        lock_file(&at("new")).unwrap();
        lock_file(&at("new")).unwrap();
    }
}
