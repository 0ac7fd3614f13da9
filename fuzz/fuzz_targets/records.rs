//! Any bytes as the records beside a live file: to go back with them never panics, what is live
//! after it is what was live or one of the kept versions, and the log can be read and written on.
//!
//! The bytes are cut at each `\xff`; the byte after the cut says which file the piece is.

#![no_main]

use std::fs;
use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use shapeline::model::Target;
use shapeline::publish::rollback::{RollbackOptions, rollback};
use shapeline::publish::run::PublishOutcome;
use shapeline::publish::site::Site;
use shapeline::records::holder::Operator;
use shapeline::records::lock::Patience;

/// In the order of `scripts/fuzz`.
const FILES: [&str; 8] = [
    "shaper.txt",
    ".shaper.txt.shapeline/manifest.json",
    ".shaper.txt.shapeline/pending.json",
    ".shaper.txt.shapeline/log/00000001",
    ".shaper.txt.shapeline/versions/00000001",
    ".shaper.txt.shapeline/versions/00000002",
    ".shaper.txt.shapeline/versions/00000003",
    ".shaper.txt.shapeline/log/00000002",
];

fn write(folder: &Path, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut known = Vec::new();
    for piece in bytes.split(|byte| *byte == 0xff) {
        let Some((which, text)) = piece.split_first() else { continue };
        let path = folder.join(FILES[usize::from(which & 0x07)]);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
        known.push(text.to_vec());
    }
    known
}

fuzz_target!(|bytes: &[u8]| {
    // In memory: on disk, every file would be synced.
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let live = folder.path().join("shaper.txt");
    let known = write(folder.path(), bytes);
    let url = format!("file://{}", live.display());
    let target: Target = serde_json::from_value(serde_json::json!({"name": "hre-1", "url": url})).expect("a target");
    let who = Operator::here("noc".to_owned());
    let patience = Patience::of(Duration::ZERO);
    for to in [None, Some(2)] {
        let before = fs::read(&live).ok();
        let options = RollbackOptions { who: who.clone(), patience, to, force: false, dry_run: false, words: |_| String::new() };
        let report = rollback(&target, &options, &mut |_| Ok(()));
        let after = fs::read(&live).ok();
        assert!(after == before || after.is_some_and(|after| known.contains(&after)), "{report:?}");
        let site = Site::open(&target).expect("the folder is there");
        let log = site.ledger().log();
        if report.ended == PublishOutcome::Published {
            let log = log.expect("what was just written can be read");
            assert!(log.entries.iter().any(|entry| entry.actor == "noc"), "the log tells of it");
        }
    }
});
