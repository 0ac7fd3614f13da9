//! Folders on this host.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use shapeline::model::Access;
use shapeline::store::open::open_file;
use shapeline::store::{Expect, Store, open_fence};

fn open(path: &std::path::Path) -> anyhow::Result<(Box<dyn Store>, String)> {
    let url = format!("file://{}", path.display()).parse().unwrap();
    open_file(&Access::of(&url))
}

#[test]
fn a_folder_keeps_every_promise() {
    let dir = tempfile::tempdir().unwrap();
    super::check_laws(&|| open(&dir.path().join("shaper.txt")).unwrap().0);
}

#[test]
fn a_file_keeps_its_mode_and_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shaper.txt");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
    // Only root may give a file away; the owner that it has is kept in any case.
    let _ = std::os::unix::fs::chown(&path, Some(1234), Some(2345));
    let before = std::fs::metadata(&path).unwrap();
    let (store, file) = open(&path).unwrap();
    store.put(&file, b"new", Expect::Anything, &open_fence).unwrap().unwrap();
    let after = std::fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
    assert_ne!(after.ino(), before.ino(), "a new file took its place");
}

#[test]
fn what_leads_elsewhere_is_followed_and_what_is_no_file_refused() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real");
    std::fs::create_dir(&real).unwrap();
    std::fs::write(real.join("live"), "old").unwrap();
    symlink("real/live", dir.path().join("link")).unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    let (store, file) = open(&dir.path().join("link")).unwrap();
    assert_eq!(file, "live");
    store.put(&file, b"new", Expect::Anything, &open_fence).unwrap().unwrap();
    assert!(dir.path().join("link").is_symlink());
    assert_eq!(std::fs::read(real.join("live")).unwrap(), b"new");
    for (path, why) in [("dangling", "nowhere"), ("real", "not a regular file"), ("no/such/file", "make the folder")] {
        let error = format!("{:#}", open(&dir.path().join(path)).err().expect(path));
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn records_are_not_for_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("shaper.txt")).unwrap();
    store.put(".s/versions/1", b"x", Expect::Anything, &open_fence).unwrap().unwrap();
    let mode = |path: &str| std::fs::metadata(dir.path().join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode(".s"), mode(".s/versions"), mode(".s/versions/1")), (0o750, 0o750, 0o640));
}
