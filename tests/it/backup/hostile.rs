//! Forged tars: nothing of them is written outside of their destination.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use shapeline::backup::unpack::unpack;
use shapeline::records::failure::Failure;
use shapeline::store::digest;
use tar::{Builder, EntryType, Header};

use super::tree::{look, sample};
use super::{Site, names};
use crate::yaml_properties::cases;

/// An entry with any name and any link, written unchanged.
#[derive(Clone, Debug)]
struct Piece {
    kind: EntryType,
    name: Vec<u8>,
    link: Vec<u8>,
}

fn piece(kind: EntryType, name: &str, link: &str) -> Piece {
    Piece { kind, name: name.as_bytes().to_vec(), link: link.as_bytes().to_vec() }
}

fn folder(name: &str) -> Piece {
    piece(EntryType::Directory, name, "")
}

fn file(name: &str) -> Piece {
    piece(EntryType::Regular, name, "")
}

fn link(name: &str, to: &str) -> Piece {
    piece(EntryType::Symlink, name, to)
}

fn tar(pieces: &[Piece]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for Piece { kind, name, link } in pieces {
        let mut header = Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link);
        let content: &[u8] = if *kind == EntryType::Regular { b"hostile" } else { b"" };
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A folder to unpack into, and one beside it that must stay as it is.
struct Yard {
    dir: tempfile::TempDir,
}

impl Yard {
    fn new() -> Yard {
        let yard = Yard { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(yard.path().join("in")).unwrap();
        fs::create_dir(yard.path().join("outside")).unwrap();
        fs::write(yard.path().join("outside/file"), "stays").unwrap();
        yard
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Unpacks; nothing changes but what is called `new` in the folder.
    fn unpack(&self, tar: &[u8]) -> Result<(), Failure> {
        let outside = look(&self.path().join("outside"));
        let folder = fs::File::open(self.path().join("in")).unwrap();
        let done = unpack(tar, folder.as_fd(), OsStr::new("new"));
        assert_eq!(look(&self.path().join("outside")), outside);
        assert_eq!(names(self.path()), ["in", "outside"]);
        assert!(names(&self.path().join("in")).iter().all(|name| name == "new"));
        done
    }
}

#[test]
fn what_would_lead_out_is_refused() {
    let outside = Yard::new();
    let absolute = outside.path().join("outside");
    let absolute = absolute.to_str().unwrap();
    let into = format!("{absolute}/new");
    let cases: Vec<(&str, Vec<Piece>)> = vec![
        ("leads out", vec![folder("a"), file("a/../../outside/new")]),
        ("leads out", vec![folder("a"), file("a/..")]),
        ("leads out", vec![folder("a"), file("a/./b")]),
        ("leads out", vec![folder("a"), file("a//b")]),
        ("is outside", vec![file("../outside/new")]),
        ("is outside", vec![file("..")]),
        ("is outside", vec![file(".")]),
        ("is outside", vec![file("/")]),
        ("is outside", vec![file(&into)]),
        ("is outside", vec![folder("a"), file(&into)]),
        ("is outside", vec![folder("a"), file("b")]),
        ("is outside", vec![file("")]),
        ("does not belong", vec![folder("a"), link("a/l", absolute), file("a/l/new")]),
        ("does not belong", vec![folder("a"), link("a/l", "../../outside"), file("a/l/new")]),
        ("does not belong", vec![folder("a"), link("a/l", "../../outside/file"), file("a/l")]),
        ("does not belong", vec![folder("a"), link("a/l", ".."), folder("a/l"), file("a/l/new")]),
        ("does not belong", vec![link("a", absolute), file("a/new")]),
        ("does not belong", vec![link("a", absolute), folder("a"), file("a/new")]),
        ("does not belong", vec![folder("a"), file("a/b"), link("a/b", absolute)]),
        ("does not belong", vec![file("a/b/c")]),
        ("does not belong", vec![folder("a"), file("a/b/c")]),
        ("is no file, folder or link", vec![folder("a"), piece(EntryType::Link, "a/l", &into)]),
        ("is no file, folder or link", vec![folder("a"), piece(EntryType::Link, "a/l", "../outside/file")]),
        ("is no file, folder or link", vec![piece(EntryType::Fifo, "a", "")]),
        ("is no file, folder or link", vec![piece(EntryType::Char, "a", "")]),
        ("is no file, folder or link", vec![piece(EntryType::XGlobalHeader, "a", "")]),
        ("is empty", vec![]),
    ];
    for (why, pieces) in cases {
        match outside.unpack(&tar(&pieces)) {
            Err(Failure::Refused(reason)) => assert!(reason.contains(why), "{pieces:?}: {reason}"),
            Err(Failure::Failed(error)) => panic!("{pieces:?}: {error:#}"),
            Ok(()) => panic!("accepted: {pieces:?}"),
        }
        let _ = fs::remove_dir_all(outside.path().join("in/new"));
        let _ = fs::remove_file(outside.path().join("in/new"));
    }
}

/// Names in the extensions count as much as those in the header.
#[test]
fn long_names_are_looked_at_too() {
    for (key, value) in [("path", "../outside/new"), ("path", "a/../../outside/new"), ("mtime", "x"), ("mtime", "1e9")]
    {
        let mut builder = Builder::new(Vec::new());
        builder.append_pax_extensions([(key, value.as_bytes())]).unwrap();
        let mut bytes = builder.into_inner().unwrap();
        bytes.truncate(1024);
        bytes.extend(tar(&[file("a")]));
        assert!(matches!(Yard::new().unpack(&bytes), Err(Failure::Refused(_))), "{key}={value}");
    }
    let long = format!("a/{}/../../../outside/new", "x".repeat(120));
    let mut name = Header::new_gnu();
    name.set_entry_type(EntryType::GNULongName);
    name.set_size(long.len() as u64 + 1);
    name.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&name, format!("{long}\0").as_bytes()).unwrap();
    let mut bytes = tar(&[folder("a")]);
    bytes.truncate(512);
    bytes.extend(&builder.into_inner().unwrap()[..1024]);
    bytes.extend(tar(&[file("a/b")]));
    assert!(matches!(Yard::new().unpack(&bytes), Err(Failure::Refused(_))));
}

#[test]
fn a_copy_that_is_no_tar_changes_nothing() {
    let site = Site::new();
    let path = site.path("src");
    sample(&path, 3000);
    let id = site.copy(&path);
    let list = site.folder().join(".shapeline/copies.json");
    let (text, whole) = (fs::read_to_string(&list).unwrap(), fs::read(site.tar(&id)).unwrap());
    let before = look(&path);
    let hostile = tar(&[folder("src"), link("src/l", "../.."), file("src/l/new")]);
    let cut = whole[..whole.len() - 3000].to_vec();
    for bytes in [hostile, cut, vec![b'x'; 2048], vec![0; 1024], Vec::new(), tar(&[file("../new")])] {
        // With the right digest, which a user with write access to the folder can set.
        fs::write(&list, text.replace(&digest(&whole), &digest(&bytes))).unwrap();
        fs::write(site.tar(&id), &bytes).unwrap();
        let run = site.backup(&["--restore", &id, "--force"]);
        assert!(run.code == 1 || run.code == 2, "{}", run.stdout);
        assert_eq!(look(&path), before);
        assert_eq!(names(path.parent().unwrap()), ["backups", "src"], "nothing is left");
    }
}

/// A folder that is replaced by a link while it is in use.
#[test]
fn what_is_there_already_is_not_written_into() {
    let yard = Yard::new();
    symlink("../outside", yard.path().join("in/new")).unwrap();
    for pieces in [vec![folder("a"), file("a/new")], vec![file("a")], vec![link("a", "x")]] {
        assert!(matches!(yard.unpack(&tar(&pieces)), Err(Failure::Failed(_))), "{pieces:?}");
    }
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let names =
        ["a", "a/b", "a/b/c", "a/l", "a/l/new", "a/b/l/new", "a/../../outside/new", "../outside/file", "a/", "b"];
    let links = ["", "..", "../../outside", "../../outside/file", "b", "/"];
    let kinds = [EntryType::Directory, EntryType::Regular, EntryType::Symlink, EntryType::Link, EntryType::Directory];
    let later = (select(kinds.to_vec()), select(names.to_vec()), select(links.to_vec()));
    vec(later.prop_map(|(kind, name, to)| piece(kind, name, to)), 0..8).prop_map(|mut pieces| {
        pieces.insert(0, folder("a"));
        pieces
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_tar_writes_outside(pieces in pieces()) {
        let _ = Yard::new().unpack(&tar(&pieces));
    }

    #[test]
    fn no_bytes_panic(pieces in pieces(), flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut bytes = tar(&pieces);
        for (at, byte) in &flips {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
            // A header whose sum is right again, so that more than the sum is looked at.
            let block = at / 512 * 512;
            let mut header = Header::from_byte_slice(&bytes[block..block + 512]).clone();
            header.set_cksum();
            bytes[block..block + 512].copy_from_slice(header.as_bytes());
        }
        let _ = Yard::new().unpack(&bytes);
    }
}
