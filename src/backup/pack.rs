//! A file or folder as one tar, in memory.
//!
//! Everything is opened from the folder above it that is open already, and no link is followed:
//! a user who may write in the folder cannot make us copy what is elsewhere. The names are sorted,
//! so that the same files give the same tar.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};
use rustix::io::Errno;
use tar::{Builder, EntryType, Header};

use super::meta::{FileState, Meta};
use crate::records::failure::Failure;
use crate::store::MAX_BYTES;

/// The largest tar: it is made in memory, and must be read back.
pub const LIMIT: usize = MAX_BYTES;

/// How deep folders may lie in each other: each is held open.
const MAX_DEPTH: usize = 128;

/// The longest path within the tar: what the system could not unpack is not packed.
const MAX_PATH: usize = 3900;

/// How often a file is read anew that changes meanwhile.
const TRIES: u32 = 3;

/// How many notes are kept: each is printed and logged.
const MAX_NOTES: usize = 20;

/// The two empty blocks at the end of a tar.
const END: usize = 1024;

/// The longest name in a tar's header.
const SHORT: usize = 99;

/// A tar, and remarks on it.
#[derive(Debug)]
pub struct Packed {
    /// The tar.
    pub tar: Vec<u8>,
    /// What was left out or changed meanwhile. Sentences.
    pub notes: Vec<String>,
}

/// Packs what is called `name` in the open folder `at`, is at `path` for people, and is called `label` in the tar.
/// A folder of the identity `own` is not to be met, nor may the tar be more than `limit`.
///
/// # Errors
/// A refusal if it is too much, too deep, no file, or holds its own backups; or if anything
/// cannot be read.
pub(super) fn pack(
    at: BorrowedFd<'_>,
    name: &Path,
    path: &Path,
    label: &str,
    own: Option<(u64, u64)>,
    limit: usize,
) -> Result<Packed, Failure> {
    let mut packer = Packer { tar: Builder::new(Vec::new()), notes: Vec::new(), more: 0, own, limit };
    packer.add(at, name, path, Path::new(label), 0)?;
    let Packer { tar, mut notes, more, .. } = packer;
    if more > 0 {
        notes.push(format!("and {more} more of this kind"));
    }
    let tar = tar.into_inner().context("cannot make the tar")?;
    Ok(Packed { tar, notes })
}

struct Packer {
    tar: Builder<Vec<u8>>,
    notes: Vec<String>,
    more: usize,
    own: Option<(u64, u64)>,
    limit: usize,
}

impl Packer {
    /// Adds what is called `name` in the folder `at`, which is at `shown` for people and at
    /// `stored` in the tar.
    fn add(
        &mut self,
        at: BorrowedFd<'_>,
        name: &Path,
        shown: &Path,
        stored: &Path,
        depth: usize,
    ) -> Result<(), Failure> {
        if stored.as_os_str().len() > MAX_PATH {
            return Err(Failure::Refused(format!("{} has a path that is too long to be put back", shown.display())));
        }
        let done = match statat(at, name, AtFlags::SYMLINK_NOFOLLOW).map(FileState::from) {
            Ok(seen) => match seen.kind {
                FileType::Symlink => {
                    if depth == 0 {
                        self.note(shown, "is a link: it is copied, and not what it leads to");
                    }
                    self.add_link(at, name, &seen.meta, stored)
                }
                FileType::RegularFile => self.add_file(at, name, shown, stored),
                FileType::Directory => self.add_folder(at, name, shown, stored, depth),
                _ if depth == 0 => Err(PackError::Refused("is no file, folder or link")),
                _ => {
                    self.note(shown, "is no file, folder or link, and is left out");
                    Ok(())
                }
            },
            Err(error) => Err(error.into()),
        };
        match done {
            Ok(()) if self.tar.get_ref().len() + END > self.limit => Err(self.too_much(shown)),
            Ok(()) => Ok(()),
            // It was there a moment ago.
            Err(PackError::System(Errno::NOENT | Errno::LOOP | Errno::NOTDIR)) if depth > 0 => {
                self.note(shown, "went away or became something else while it was read, and is left out");
                Ok(())
            }
            Err(PackError::System(error)) => {
                let error = anyhow::Error::from(error).context(format!("cannot read {}", shown.display()));
                Err(Failure::Failed(error))
            }
            Err(PackError::Refused(why)) => Err(Failure::Refused(format!("{} {why}", shown.display()))),
            Err(PackError::TooMuch) => Err(self.too_much(shown)),
            Err(PackError::Deeper(failure)) => Err(failure),
        }
    }

    fn add_link(&mut self, at: BorrowedFd<'_>, name: &Path, meta: &Meta, stored: &Path) -> Result<(), PackError> {
        let target = readlinkat(at, name, Vec::new())?;
        let target = target.as_bytes();
        let mut header = header(meta, EntryType::Symlink, 0);
        if target.len() > SHORT {
            self.append_long_target(target)?;
        } else {
            // As it is: `a//b` and `./a` are not the same links as `a/b` and `a`.
            header.set_link_name_literal(target)?;
        }
        self.append(meta, header, stored, &[])
    }

    /// GNU's way to say that the next entry leads further than its header can say.
    fn append_long_target(&mut self, target: &[u8]) -> Result<(), PackError> {
        let mut bytes = target.to_vec();
        bytes.push(0);
        let meta = Meta { mode: 0o644, user: 0, group: 0, seconds: 0, nanos: 0 };
        let mut header = header(&meta, EntryType::GNULongLink, bytes.len());
        header.set_path("././@LongLink")?;
        header.set_cksum();
        Ok(self.tar.append(&header, bytes.as_slice())?)
    }

    fn add_file(&mut self, at: BorrowedFd<'_>, name: &Path, shown: &Path, stored: &Path) -> Result<(), PackError> {
        // It may have become a pipe, which would keep us waiting.
        let mut file = File::from(open(at, name, OFlags::NONBLOCK | OFlags::NOCTTY)?);
        let room = self.limit.saturating_sub(self.tar.get_ref().len());
        let read = read_steadily(&mut file, room, |file| Ok(FileState::from(fstat(file)?)))?;
        if read.seen.kind != FileType::RegularFile {
            self.note(shown, "became something else while it was read, and is left out");
            return Ok(());
        }
        if !read.steady {
            self.note(shown, "was changed while it was read: the copy may be neither the old nor the new");
        }
        let header = header(&read.seen.meta, EntryType::Regular, read.bytes.len());
        self.append(&read.seen.meta, header, stored, &read.bytes)
    }

    fn add_folder(
        &mut self,
        at: BorrowedFd<'_>,
        name: &Path,
        shown: &Path,
        stored: &Path,
        depth: usize,
    ) -> Result<(), PackError> {
        if depth >= MAX_DEPTH {
            return Err(PackError::Refused("lies more than 128 folders deep"));
        }
        let folder = open(at, name, OFlags::DIRECTORY)?;
        let before = FileState::from(fstat(&folder)?);
        if self.own == Some(before.identity) {
            return Err(PackError::Refused("is the backup folder: name the folders beside it"));
        }
        self.append(&before.meta, header(&before.meta, EntryType::Directory, 0), stored, &[])?;
        for name in names(&folder)? {
            let name = Path::new(OsStr::from_bytes(&name)).to_path_buf();
            self.add(folder.as_fd(), &name, &shown.join(&name), &stored.join(&name), depth + 1)?;
        }
        if FileState::from(fstat(&folder)?) != before {
            self.note(shown, "was changed while it was read: files may be missing");
        }
        Ok(())
    }

    fn append(&mut self, meta: &Meta, mut header: Header, stored: &Path, bytes: &[u8]) -> Result<(), PackError> {
        if meta.nanos != 0 || meta.seconds < 0 {
            self.tar.append_pax_extensions([("mtime", meta.time().as_bytes())])?;
        }
        Ok(self.tar.append_data(&mut header, stored, bytes)?)
    }

    fn too_much(&self, shown: &Path) -> Failure {
        let limit = self.limit >> 20;
        Failure::Refused(format!(
            "with {} the copy would be more than {limit} MiB, which is the most: copy parts of it",
            shown.display()
        ))
    }

    fn note(&mut self, path: &Path, what: &str) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(format!("{} {what}", path.display()));
        } else {
            self.more += 1;
        }
    }
}

/// Why something was not packed.
enum PackError {
    System(Errno),
    Refused(&'static str),
    TooMuch,
    Deeper(Failure),
}

impl From<Errno> for PackError {
    fn from(error: Errno) -> PackError {
        PackError::System(error)
    }
}

impl From<std::io::Error> for PackError {
    fn from(error: std::io::Error) -> PackError {
        match Errno::from_io_error(&error) {
            Some(error) => PackError::System(error),
            None => PackError::Deeper(Failure::Failed(anyhow::Error::from(error).context("cannot make the tar"))),
        }
    }
}

impl From<Failure> for PackError {
    fn from(failure: Failure) -> PackError {
        PackError::Deeper(failure)
    }
}

fn open(at: BorrowedFd<'_>, name: &Path, how: OFlags) -> rustix::io::Result<OwnedFd> {
    openat(at, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | how, Mode::empty())
}

fn names(folder: &OwnedFd) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn header(meta: &Meta, kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(meta.mode);
    header.set_uid(meta.user.into());
    header.set_gid(meta.group.into());
    header.set_mtime(u64::try_from(meta.seconds).unwrap_or_default());
    header.set_size(size as u64);
    header
}

struct ReadFile {
    bytes: Vec<u8>,
    seen: FileState,
    /// It did not change while it was read.
    steady: bool,
}

/// Reads a file whole, and again if it changes meanwhile.
fn read_steadily<F: Read + Seek>(
    file: &mut F,
    room: usize,
    look: impl Fn(&F) -> Result<FileState, PackError>,
) -> Result<ReadFile, PackError> {
    let mut tries = 1;
    loop {
        let before = look(file)?;
        // Before anything is read: it may be a hole of any size.
        if before.size > room as u64 {
            return Err(PackError::TooMuch);
        }
        let mut bytes = Vec::new();
        file.by_ref().take(room as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > room {
            return Err(PackError::TooMuch);
        }
        let seen = look(file)?;
        let steady = seen == before && seen.size == bytes.len() as u64;
        if steady || tries == TRIES {
            return Ok(ReadFile { bytes, seen, steady });
        }
        tries += 1;
        file.rewind()?;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;

    use rustix::fs::CWD;

    use super::*;

    /// Reads a file that grows each time that it is looked at, so often.
    fn read_while_it_grows(times: u32, room: usize) -> Option<(String, bool)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all(b"old").unwrap();
        let left = Cell::new(times);
        let look = |opened: &File| {
            let seen = FileState::from(fstat(opened)?);
            if left.get() > 0 {
                left.set(left.get() - 1);
                file.as_file().write_all(b"+").unwrap();
            }
            Ok(seen)
        };
        let read = read_steadily(&mut file.reopen().unwrap(), room, look).ok()?;
        Some((String::from_utf8(read.bytes).unwrap(), read.steady))
    }

    #[test]
    fn a_file_that_changes_is_read_again_and_reported_if_it_goes_on() {
        assert_eq!(read_while_it_grows(0, 100), Some(("old".to_owned(), true)));
        assert_eq!(read_while_it_grows(1, 100), Some(("old+".to_owned(), true)));
        assert_eq!(read_while_it_grows(3, 100), Some(("old+++".to_owned(), true)));
        assert_eq!(read_while_it_grows(100, 100).map(|(_, steady)| steady), Some(false));
        assert_eq!(read_while_it_grows(0, 2), None, "there is no room");
        assert_eq!(read_while_it_grows(1, 3), None, "there is none any more");
    }

    #[test]
    fn a_limit_holds_for_all_together() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(dir.path().join(name), vec![b'x'; 1000]).unwrap();
        }
        let pack = |limit| pack(CWD, dir.path(), dir.path(), "dir", None, limit);
        let size = pack(LIMIT).ok().unwrap().tar.len();
        assert!(matches!(pack(size - 1), Err(Failure::Refused(reason)) if reason.contains("the most")));
        assert!(pack(size).is_ok());
    }

    #[test]
    fn the_backup_folder_is_known_by_what_it_is() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/own")).unwrap();
        let own = std::fs::metadata(dir.path().join("a/own")).unwrap();
        let packed = pack(CWD, dir.path(), dir.path(), "dir", Some((own.dev(), own.ino())), LIMIT);
        assert!(matches!(packed, Err(Failure::Refused(reason)) if reason.contains("is the backup folder")));
    }
}
