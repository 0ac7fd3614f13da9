//! Folders on an SSH server: the real one.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use shapeline::model::Access;
use shapeline::store::open::open_file;
use shapeline::store::{Expect, Store, open_fence};

use crate::servers::sshd::{Sshd, is_root, keygen};
use crate::support::left_out;

mod hostile;

type Opened = anyhow::Result<(Box<dyn Store>, String)>;

fn open_with(url: &str, identity: &Path, known_hosts: &Path) -> Opened {
    let url = url.parse().unwrap();
    let text = |path: &Path| path.to_str().unwrap().parse().unwrap();
    let (identity, known_hosts) = (text(identity), text(known_hosts));
    let (identity, known_hosts) = (Some(&identity), Some(&known_hosts));
    open_file(&Access { identity, known_hosts, ..Access::of(&url) })
}

fn open(sshd: &Sshd, path: &Path) -> Opened {
    open_with(&sshd.url(path), &sshd.identity(), &sshd.known_hosts())
}

fn refused(opened: Opened) -> String {
    format!("{:#}", opened.err().expect("it is refused"))
}

/// The half-finished files in `folder`.
fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.to_str().unwrap().ends_with(".shapeline-tmp")).collect()
}

#[test]
fn the_server_within_sshd_keeps_every_promise() {
    let sshd = Sshd::start();
    super::check_laws(&|| open(&sshd, &sshd.data().join("shaper.txt")).unwrap().0);
    assert_eq!(left_behind(&sshd.data()), Vec::<PathBuf>::new());
}

#[test]
fn the_server_beside_sshd_keeps_every_promise() {
    let sshd = Sshd::with("Subsystem sftp /usr/lib/openssh/sftp-server");
    super::check_laws(&|| open(&sshd, &sshd.data().join("shaper.txt")).unwrap().0);
}

#[test]
fn modes_are_kept_and_those_of_new_files_are_as_they_should_be() {
    let sshd = Sshd::start();
    let path = sshd.data().join("shaper.txt");
    let (store, file) = open(&sshd, &path).unwrap();
    let mode = |path: &str| fs::metadata(sshd.data().join(path)).unwrap().mode() & 0o7777;
    store.put(&file, b"new", Expect::Anything, &open_fence).unwrap().unwrap();
    store.put(".s/versions/1", b"x", Expect::Nothing, &open_fence).unwrap().unwrap();
    assert_eq!((mode("shaper.txt"), mode(".s/versions/1")), (0o644, 0o640));
    assert_eq!((mode(".s"), mode(".s/versions")), (0o750, 0o750));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    // Only root may give a file away; the owner that it has is kept in any case.
    let _ = chown(&path, Some(1234), Some(2345));
    let before = fs::metadata(&path).unwrap();
    store.put(&file, b"newer", Expect::Anything, &open_fence).unwrap().unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
    assert_ne!(after.ino(), before.ino(), "a new file took its place");
}

#[test]
fn the_servers_umask_is_kept() {
    for umask in [0o077, 0o022, 0o002] {
        let sshd = Sshd::with(&format!("Subsystem sftp internal-sftp -u {umask:03o}"));
        let (store, file) = open(&sshd, &sshd.data().join("shaper.txt")).unwrap();
        let mode = |path: &str| fs::metadata(sshd.data().join(path)).unwrap().mode() & 0o7777;
        store.put(&file, b"new", Expect::Nothing, &open_fence).unwrap().unwrap();
        store.put(".s/versions/1", b"x", Expect::Nothing, &open_fence).unwrap().unwrap();
        assert_eq!((mode("shaper.txt"), mode(".s/versions/1")), (0o644 & !umask, 0o640 & !umask), "{umask:o}");
        assert_eq!(mode(".s"), 0o750 & !umask, "{umask:o}");
    }
}

#[test]
fn what_is_not_permitted_changes_nothing_and_is_said() {
    if !is_root() {
        // The only user there is owns all that it can see.
        left_out("not run as root: nobody else can log in, and nothing is forbidden");
        return;
    }
    let sshd = Sshd::start();
    let path = sshd.data().join("shaper.txt");
    fs::write(&path, "root's").unwrap();
    let url = sshd.url_as("nobody", &path);
    let (store, file) = open_with(&url, &sshd.identity(), &sshd.known_hosts()).unwrap();
    let put = || format!("{:#}", store.put(&file, b"new", Expect::Anything, &open_fence).unwrap_err());
    let error = put();
    assert!(error.contains(&url) && error.contains("no permission"), "{error}");
    fs::set_permissions(sshd.data(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = put();
    assert!(error.contains("its owner (0:0) cannot be kept"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"root's");
    assert_eq!(left_behind(&sshd.data()), Vec::<PathBuf>::new());
    assert!(store.read(&file).is_ok(), "the connection is as good as before");
}

#[test]
fn what_leads_elsewhere_is_followed_and_what_is_no_file_refused() {
    let sshd = Sshd::start();
    let dir = sshd.data();
    let real = dir.join("real");
    fs::create_dir(&real).unwrap();
    fs::write(real.join("live"), "old").unwrap();
    symlink("real/live", dir.join("link")).unwrap();
    symlink("real", dir.join("folder-link")).unwrap();
    symlink("nowhere", dir.join("dangling")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap();
    assert!(pipe.success());
    let (store, file) = open(&sshd, &dir.join("link")).unwrap();
    assert_eq!(file, "live");
    store.put(&file, b"new", Expect::Anything, &open_fence).unwrap().unwrap();
    assert!(dir.join("link").is_symlink());
    assert_eq!(fs::read(real.join("live")).unwrap(), b"new");
    let (store, file) = open(&sshd, &dir.join("folder-link/live")).unwrap();
    assert_eq!(store.place(&file), sshd.url(real.canonicalize().unwrap().join("live")));

    for (path, why) in [
        ("dangling", "nowhere"),
        ("real", "no ordinary file"),
        ("folder-link", "no ordinary file"),
        ("pipe", "no ordinary file"),
        ("no/such/file", "make it"),
        ("link/file", "not a folder"),
    ] {
        let error = refused(open(&sshd, &dir.join(path)));
        assert!(error.contains(why), "{path}: {error}");
    }
    let (store, _) = open(&sshd, &dir.join("shaper.txt")).unwrap();
    for name in ["pipe", "real", "dangling"] {
        let error = store.put(name, b"x", Expect::Anything, &open_fence).unwrap_err();
        assert!(format!("{error:#}").contains("no ordinary file"), "{error:#}");
        assert!(!store.put(name, b"x", Expect::Nothing, &open_fence).is_ok_and(|put| put.is_some()), "{name}");
    }
    for name in ["pipe", "real"] {
        assert!(format!("{:#}", store.read(name).unwrap_err()).contains("no ordinary file"), "{name}");
    }
}

#[test]
fn a_server_that_is_not_known_is_refused() {
    let sshd = Sshd::start();
    let path = sshd.data().join("shaper.txt");
    fs::write(sshd.known_hosts(), "").unwrap();
    let error = refused(open(&sshd, &path));
    assert!(error.contains("Host key verification failed") && error.contains("ssh-keyscan -p"), "{error}");
    assert!(!error.contains('\n'), "{error}");

    // Another server answers in its place.
    let other = sshd.data().join("other");
    keygen(&other);
    sshd.know(&other.with_extension("pub"));
    let error = refused(open(&sshd, &path));
    assert!(error.contains("IDENTIFICATION HAS CHANGED") && error.contains("ssh-keygen -f"), "{error}");
}

#[test]
fn a_key_that_is_not_accepted_is_said_and_never_shown() {
    let sshd = Sshd::start();
    let (path, key) = (sshd.data().join("shaper.txt"), sshd.data().join("key"));
    let url = sshd.url(&path);
    keygen(&key);
    let secret = fs::read_to_string(&key).unwrap();
    let hides = |error: &str| secret.lines().all(|line| !error.contains(line));
    let error = refused(open_with(&url, &key, &sshd.known_hosts()));
    assert!(error.contains("Permission denied") && error.contains("authorized_keys"), "{error}");
    assert!(hides(&error), "{error}");

    let secret = fs::read_to_string(sshd.identity()).unwrap();
    let hides = |error: &str| secret.lines().all(|line| !error.contains(line));
    fs::set_permissions(sshd.identity(), fs::Permissions::from_mode(0o644)).unwrap();
    let error = refused(open(&sshd, &path));
    assert!(error.contains("chmod 600") && hides(&error), "{error}");

    let error = refused(open_with(&url, Path::new("/no/such/key"), &sshd.known_hosts()));
    assert!(error.contains("/no/such/key") && error.contains("identity"), "{error}");
    let error = refused(open_with(&url, &sshd.identity(), Path::new("/no/such/hosts")));
    assert!(error.contains("/no/such/hosts") && error.contains("ssh-keyscan"), "{error}");
}

#[test]
fn a_key_is_found_at_home_whatever_its_name() {
    let sshd = Sshd::start();
    let home = std::env::home_dir().unwrap();
    let dir = tempfile::tempdir_in(&home).unwrap();
    let below = Path::new("~").join(dir.path().file_name().unwrap());
    for name in ["key 100%h", "known hosts"] {
        let from = if name.starts_with("key") { sshd.identity() } else { sshd.known_hosts() };
        fs::copy(from, dir.path().join(name)).unwrap();
    }
    let url = sshd.url(sshd.data().join("shaper.txt"));
    let (store, file) = open_with(&url, &below.join("key 100%h"), &below.join("known hosts")).unwrap();
    assert!(store.read(&file).unwrap().is_none());
}

#[test]
fn a_server_that_cannot_replace_or_create_in_one_step_is_refused() {
    for (without, why) in [("posix-rename", "in one step"), ("hardlink", "hard links")] {
        let sshd = Sshd::with(&format!("Subsystem sftp internal-sftp -P {without}"));
        let error = refused(open(&sshd, &sshd.data().join("shaper.txt")));
        assert!(error.contains(why) && error.contains(&format!("{without}@openssh.com")), "{error}");
    }
}

#[test]
fn a_server_that_cannot_sync_is_used_with_a_note() {
    let sshd = Sshd::with("Subsystem sftp internal-sftp -P fsync");
    let (store, file) = open(&sshd, &sshd.data().join("shaper.txt")).unwrap();
    store.put(&file, b"new", Expect::Nothing, &open_fence).unwrap().unwrap();
    assert_eq!(store.notes().len(), 1);
    assert!(store.notes()[0].contains("fsync"), "{:?}", store.notes());
    let sshd = Sshd::start();
    assert_eq!(open(&sshd, &sshd.data().join("shaper.txt")).unwrap().0.notes(), Vec::<String>::new());
}

#[test]
fn what_is_no_sftp_server_is_recognised() {
    for (subsystem, why) in [
        ("", "Subsystem sftp"),
        ("Subsystem sftp /bin/echo Welcome to our server, have a nice day", "must print nothing"),
        ("Subsystem sftp /bin/true", "cannot connect"),
    ] {
        let sshd = Sshd::with(subsystem);
        let error = refused(open(&sshd, &sshd.data().join("shaper.txt")));
        assert!(error.contains(why), "{subsystem}: {error}");
    }
    let mut sshd = Sshd::start();
    sshd.kill();
    let error = refused(open(&sshd, &sshd.data().join("shaper.txt")));
    assert!(error.contains("Connection refused") && error.contains("is the server up"), "{error}");
}

#[test]
fn a_name_that_is_no_text_is_reported() {
    use std::os::unix::ffi::OsStrExt;
    let sshd = Sshd::start();
    let (store, _) = open(&sshd, &sshd.data().join("shaper.txt")).unwrap();
    fs::write(sshd.data().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    let error = format!("{:#}", store.list("").unwrap_err());
    assert!(error.contains("not UTF-8"), "{error}");
}

/// Waits until `path` holds something half-finished.
fn wait_for_upload(folder: &Path) {
    while !left_behind(folder).iter().any(|path| fs::metadata(path).is_ok_and(|it| it.len() > 0)) {
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_dies_in_the_middle_leaves_the_old_file() {
    let mut sshd = Sshd::start();
    let path = sshd.data().join("shaper.txt");
    fs::write(&path, "old").unwrap();
    let (store, file) = open(&sshd, &path).unwrap();
    let error = std::thread::scope(|scope| {
        let writer = scope.spawn(|| store.put(&file, &vec![b'x'; 400 << 20], Expect::Anything, &open_fence));
        wait_for_upload(&sshd.data());
        sshd.kill();
        format!("{:#}", writer.join().unwrap().unwrap_err())
    });
    assert!(error.contains("it was not replaced") && error.contains("is lost"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    for again in [store.read(&file).err(), store.list("").err(), store.remove(&file).err()] {
        assert!(format!("{:#}", again.expect("it is lost")).contains("is lost"));
    }

    sshd.restart();
    assert_eq!(left_behind(&sshd.data()).len(), 1);
    let (second, file) = open(&sshd, &path).unwrap();
    second.sweep("", Some(&file)).unwrap();
    assert_eq!(left_behind(&sshd.data()), Vec::<PathBuf>::new());
    second.put(&file, b"new", Expect::Anything, &open_fence).unwrap().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_break_at_the_last_moment_leaves_the_outcome_open() {
    let sshd = Mutex::new(Sshd::start());
    let path = sshd.lock().unwrap().data().join("shaper.txt");
    for expect in [Expect::Nothing, Expect::Anything] {
        let (store, file) = open(&sshd.lock().unwrap(), &path).unwrap();
        let breaks = || {
            sshd.lock().unwrap().kill();
            Ok(())
        };
        let error = format!("{:#}", store.put(&file, b"new", expect, &breaks).unwrap_err());
        assert!(error.contains("must be read again"), "{error}");
        sshd.lock().unwrap().restart();
    }
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let sshd = Sshd::start();
    let (store, file) = open(&sshd, &sshd.data().join("shaper.txt")).unwrap();
    sshd.freeze();
    let error = format!("{:#}", store.read(&file).unwrap_err());
    // `ssh` notices before our own limit of a minute.
    assert!(error.contains("Timeout, server 127.0.0.1 not responding"), "{error}");
}

#[test]
fn a_heartbeat_goes_before_a_large_file() {
    let sshd = Sshd::start();
    let (store, file) = open(&sshd, &sshd.data().join("shaper.txt")).unwrap();
    let large = vec![b'x'; 100 << 20];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let put = store.put(&file, &large, Expect::Nothing, &open_fence);
            done.store(true, Ordering::Release);
            put
        });
        wait_for_upload(&sshd.data());
        store.put(".s/lock/1", b"beat", Expect::Nothing, &open_fence).unwrap().unwrap();
        assert!(!done.load(Ordering::Acquire), "the large file is on its way still");
        assert!(writer.join().unwrap().unwrap().is_some());
    });
    assert!(store.read(&file).unwrap().unwrap().bytes == large);
}
