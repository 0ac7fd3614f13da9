//! Random trees of files, made and inspected. Shares no code with the tested program.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

/// What is made.
#[derive(Clone, Debug)]
pub enum Node {
    File { bytes: Vec<u8>, mode: u32, time: (i64, u32) },
    Link { target: Vec<u8>, time: (i64, u32) },
    Folder { children: BTreeMap<Vec<u8>, Node>, mode: u32, time: (i64, u32) },
}

/// A name that a file may have: any bytes but two.
pub fn name() -> impl Strategy<Value = Vec<u8>> {
    let odd: &[&[u8]] = &[
        b" ",
        b"-rf",
        b"a\nb",
        b"\xff\xfe",
        b"\\x41",
        b"a\tb",
        b"...",
        b"x=y",
        b".hidden",
        "\u{202e}é名".as_bytes(),
        b"././@LongLink",
        b"pax_global_header",
        b"`$(id)`",
        b"a ",
    ];
    let odd: Vec<Vec<u8>> = odd.iter().map(|name| name.to_vec()).collect();
    let bytes = vec(any::<u8>(), 1..12);
    let long = (any::<u8>(), 90usize..=255).prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![2 => select(odd), 2 => "[a-z]{1,8}".prop_map(String::into_bytes), 2 => bytes, 1 => long]
        .prop_map(|name| name.into_iter().map(|byte| if byte == 0 || byte == b'/' { b'_' } else { byte }).collect())
        .prop_filter("a name", |name: &Vec<u8>| name != b"." && name != b"..")
}

fn time() -> impl Strategy<Value = (i64, u32)> {
    // ext4 knows the years 1901 to 2446.
    (prop_oneof![Just(0), -1_000_000_000i64..4_000_000_000], prop_oneof![Just(0), 0u32..1_000_000_000])
}

pub fn node() -> impl Strategy<Value = Node> {
    let bytes = prop_oneof![vec(any::<u8>(), 0..1500), Just(vec![0; 512]), Just(vec![b'x'; 70_000])];
    let modes = select(vec![0o644, 0o600, 0o400, 0o755, 0o777, 0o4755, 0o2711]);
    let file = (bytes, modes, time()).prop_map(|(bytes, mode, time)| Node::File { bytes, mode, time });
    let targets = prop_oneof![
        name(),
        select(vec![b"/etc/passwd".to_vec(), b"../..//./x/".to_vec(), b"./a".to_vec(), b"..".to_vec()]),
        (90usize..300).prop_map(|length| vec![b'l'; length]),
        Just(b"a/".repeat(300)),
    ];
    let link = (targets, time()).prop_map(|(target, time)| Node::Link { target, time });
    let leaf = prop_oneof![3 => file, 1 => link];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let modes = select(vec![0o755, 0o700, 0o500, 0o1777, 0o2750]);
        (btree_map(name(), inner, 0..6), modes, time()).prop_map(|(children, mode, time)| Node::Folder {
            children,
            mode,
            time,
        })
    })
}

/// Makes `node` at `path`.
pub fn make(node: &Node, path: &Path) {
    match node {
        Node::File { bytes, mode, time } => {
            fs::write(path, bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
            set_time(path, *time);
        }
        Node::Link { target, time } => {
            symlink(OsStr::from_bytes(target), path).unwrap();
            set_time(path, *time);
        }
        Node::Folder { children, mode, time } => {
            fs::create_dir(path).unwrap();
            for (name, child) in children {
                make(child, &path.join(OsStr::from_bytes(name)));
            }
            fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
            set_time(path, *time);
        }
    }
}

fn set_time(path: &Path, (seconds, nanos): (i64, u32)) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos.into() };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Everything at `path` and below: by path, what it is.
pub fn look(path: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    look_into(path, Path::new(""), &mut all);
    all
}

fn look_into(path: &Path, below: &Path, all: &mut BTreeMap<PathBuf, String>) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let content = if metadata.is_symlink() {
        format!("link to {:?}", fs::read_link(path).unwrap())
    } else if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let name = entry.unwrap().file_name();
            look_into(&path.join(&name), &below.join(&name), all);
        }
        "folder".to_owned()
    } else {
        format!("file of {}", shapeline::store::digest(&fs::read(path).unwrap()))
    };
    let (owner, time) = ((metadata.uid(), metadata.gid()), (metadata.mtime(), metadata.mtime_nsec()));
    all.insert(below.to_path_buf(), format!("{content}, mode {:o}, of {owner:?}, at {time:?}", metadata.mode()));
}

/// A folder with a file, an empty folder and a link, of a certain size.
pub fn sample(path: &Path, bytes: usize) {
    fs::create_dir_all(path.join("sub/empty")).unwrap();
    fs::write(path.join("sub/data"), vec![b'd'; bytes]).unwrap();
    fs::write(path.join("note"), "a note\n").unwrap();
    symlink("sub/data", path.join("link")).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::open(path.join("note")).unwrap().set_modified(old).unwrap();
}
