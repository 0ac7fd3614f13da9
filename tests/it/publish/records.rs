//! The records of two that work on one target at once.

use shapeline::model::Access;
use shapeline::records::ledger::Ledger;
use shapeline::records::manifest::Manifest;
use shapeline::store::open::open_file;
use shapeline::store::open_fence;

#[test]
fn reading_the_log_does_not_permit_overwriting_another_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}/shaper.txt", folder.path().display()).parse().unwrap();
    let access = Access::of(&url);
    let (store, file) = open_file(&access).unwrap();
    let ours = Ledger::of(store.as_ref(), &file);
    ours.write_manifest(&Manifest::new("hre-1"), &open_fence).unwrap();

    let theirs = Ledger::of(store.as_ref(), &file);
    let mut manifest = theirs.manifest().unwrap().unwrap();
    manifest.next = 7;
    theirs.write_manifest(&manifest, &open_fence).unwrap();

    // The log is held against the manifest, which is read for that, and is newer than the one here.
    ours.log().unwrap();
    let error = ours.write_manifest(&Manifest::new("hre-1"), &open_fence).unwrap_err();
    assert!(format!("{error:#}").contains("changed by another process"), "{error:#}");
    assert_eq!(theirs.manifest().unwrap().unwrap().next, 7, "what they wrote is there");
}
