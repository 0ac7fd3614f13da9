//! The contract of a store, tested with each kind of store and a real server behind it.

mod file;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sftp")]
mod sftp;

use std::sync::atomic::{AtomicBool, Ordering};

use shapeline::store::{Expect, Store, digest, open_fence};

type Opened = Box<dyn Store>;

/// Everything that publishing relies on. `open` gives a writer of its own each time, all of the
/// same empty folder.
pub fn check_laws(open: &(dyn Fn() -> Opened + Sync)) {
    reads_what_was_put(open().as_ref());
    replaces_only_what_is_expected(open().as_ref());
    a_shut_fence_changes_nothing(open().as_ref());
    of_many_creators_one_succeeds(open);
    readers_see_whole_files(open);
    a_writer_that_was_swept_cannot_finish(open);
}

fn put(store: &dyn Store, name: &str, bytes: &[u8], expect: Expect<'_>) -> bool {
    store.put(name, bytes, expect, &open_fence).unwrap().is_some()
}

fn get(store: &dyn Store, name: &str) -> Option<Vec<u8>> {
    store.read(name).unwrap().map(|stored| stored.bytes)
}

fn reads_what_was_put(store: &dyn Store) {
    assert_eq!(get(store, "shaper.txt"), None);
    assert_eq!(store.list("").unwrap(), Vec::<String>::new());
    assert_eq!(store.list(".s/none").unwrap(), Vec::<String>::new());
    assert!(put(store, "shaper.txt", b"one\n", Expect::Nothing));
    assert!(put(store, ".s/log/00000002", b"", Expect::Anything));
    assert!(put(store, ".s/log/00000001", &vec![b'x'; 300_000], Expect::Anything));
    assert_eq!(get(store, "shaper.txt").unwrap(), b"one\n");
    assert_eq!(get(store, ".s/log/00000002").unwrap(), b"");
    assert_eq!(get(store, ".s/log/00000001").unwrap().len(), 300_000);
    assert_eq!(store.list("").unwrap(), ["shaper.txt"], "folders are not files");
    assert_eq!(store.list(".s/log").unwrap(), ["00000001", "00000002"]);
    store.remove(".s/log/00000001").unwrap();
    store.remove(".s/log/00000001").unwrap();
    assert_eq!(store.list(".s/log").unwrap(), ["00000002"]);
    assert!(store.place("shaper.txt").ends_with("shaper.txt"));
    let mark = store.put("marked", b"m", Expect::Anything, &open_fence).unwrap().unwrap();
    assert_eq!(store.read("marked").unwrap().unwrap().mark, mark, "put and read tell the same mark");
}

fn replaces_only_what_is_expected(store: &dyn Store) {
    assert!(put(store, "cas", b"one", Expect::Nothing));
    assert!(!put(store, "cas", b"two", Expect::Nothing));
    assert_eq!(get(store, "cas").unwrap(), b"one");
    let one = store.read("cas").unwrap().unwrap().mark;
    let two = store.put("cas", b"two", Expect::Content(&one), &open_fence).unwrap().expect("as expected");
    assert!(!put(store, "cas", b"three", Expect::Content(&one)), "it is no longer one");
    assert_eq!(get(store, "cas").unwrap(), b"two");
    assert!(put(store, "cas", b"three", Expect::Content(&two)));
    assert!(!put(store, "gone", b"x", Expect::Content(&one)), "there is nothing to replace");
    assert_eq!(get(store, "gone"), None);
}

fn a_shut_fence_changes_nothing(store: &dyn Store) {
    assert!(put(store, "fenced", b"old", Expect::Nothing));
    let shut = || anyhow::bail!("the lock is lost");
    let error = store.put("fenced", b"new", Expect::Anything, &shut).unwrap_err();
    assert!(format!("{error:#}").contains("the lock is lost"), "{error:#}");
    assert!(store.put("fenced-new", b"new", Expect::Nothing, &shut).is_err());
    assert_eq!(get(store, "fenced").unwrap(), b"old");
    assert_eq!(get(store, "fenced-new"), None);
    assert!(store.list("").unwrap().iter().all(|name| !name.contains("tmp")), "nothing is left");
}

fn of_many_creators_one_succeeds(open: &(dyn Fn() -> Opened + Sync)) {
    for round in 0..5 {
        let name = format!(".s/lock/{round:08}");
        let won: Vec<usize> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4usize)
                .map(|writer| {
                    let name = &name;
                    scope.spawn(move || put(open().as_ref(), name, format!("{writer}").as_bytes(), Expect::Nothing))
                })
                .collect();
            writers.into_iter().enumerate().filter_map(|(at, writer)| writer.join().unwrap().then_some(at)).collect()
        });
        assert_eq!(won.len(), 1, "exactly one creates {name}: {won:?}");
        assert_eq!(get(open().as_ref(), &name).unwrap(), won[0].to_string().as_bytes());
    }
}

fn readers_see_whole_files(open: &(dyn Fn() -> Opened + Sync)) {
    let text = |version: u8| vec![b'a' + version; 200_000 + usize::from(version) * 50_000];
    assert!(put(open().as_ref(), "whole", &text(0), Expect::Nothing));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let store = open();
            for round in 0..20 {
                assert!(put(store.as_ref(), "whole", &text(round % 3), Expect::Anything));
            }
            done.store(true, Ordering::Release);
        });
        let store = open();
        let whole: Vec<String> = (0..3).map(|version| digest(&text(version))).collect();
        while !done.load(Ordering::Acquire) {
            let bytes = get(store.as_ref(), "whole").expect("it is never gone");
            assert!(whole.contains(&digest(&bytes)), "half of a file was read: {} bytes", bytes.len());
        }
    });
}

/// A writer stops just before its file takes its place; another takes over and sweeps.
fn a_writer_that_was_swept_cannot_finish(open: &(dyn Fn() -> Opened + Sync)) {
    let (paused, other) = (open(), open());
    assert!(put(other.as_ref(), "swept", b"old", Expect::Nothing));
    let old = other.read("swept").unwrap().unwrap().mark;
    let take_over = || {
        other.sweep("", Some("swept"))?;
        assert!(put(other.as_ref(), "swept", b"the other's", Expect::Content(&old)));
        Ok(())
    };
    let late = paused.put("swept", b"late", Expect::Content(&old), &take_over);
    assert!(!matches!(late, Ok(Some(_))), "the late writer gets an error: {late:?}");
    assert_eq!(get(other.as_ref(), "swept").unwrap(), b"the other's");
}

/// Runs the test called `name` in a process of its own, where only what it does costs memory. Says
/// whether this is that process.
fn is_alone(name: &str) -> bool {
    const ALONE: &str = "SHAPELINE_TEST_ALONE";
    if std::env::var(ALONE).is_ok_and(|alone| alone == name) {
        return true;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let out = child.args([name, "--exact", "--nocapture"]).env(ALONE, name).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && text.contains("1 passed"), "{text}\n{}", String::from_utf8_lossy(&out.stderr));
    false
}

/// Asserts that this process never had more than 300 MiB of memory at once.
fn assert_little_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kibibytes < 300 << 10, "{kibibytes} KiB");
}
