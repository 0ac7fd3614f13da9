//! An interrupted backup leaves no half copy, and the next one cleans up.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use shapeline::backup::folder::BackupFolder;
use shapeline::backup::make::backup;
use shapeline::backup::{BackupOptions, BackupOutcome};
use shapeline::model::Access;
use shapeline::records::holder::Operator;
use shapeline::records::lock::Patience;
use shapeline::records::log::LogStatus;
use shapeline::store::open::open_folder;
use shapeline::store::{ContentMark, Expect, Fence, Store, Stored, digest};

use super::Site;
use super::tree::{look, sample};
use crate::support::strace;

/// Everything on the list is there and whole.
fn check_list(site: &Site) {
    for copy in site.list() {
        let id = copy["id"].as_str().unwrap();
        let tar = fs::read(site.tar(id)).unwrap_or_else(|error| panic!("{id} is listed, and is not there: {error}"));
        assert_eq!(copy["digest"], digest(&tar), "{id}");
    }
}

/// The system calls by which a run changes something on the disk.
const CHANGES: [&str; 10] =
    ["write", "fsync", "fchmod", "mkdirat", "symlinkat", "linkat", "utimensat", "renameat", "renameat2", "unlinkat"];

/// Runs `backup`, which is killed as it begins its `number`th call of one kind. Whether it came to that;
/// nothing where calls cannot be traced.
fn killed_at(site: &Site, call: &str, number: u32, args: &[&str]) -> Option<bool> {
    let trace = format!("trace={}", CHANGES.join(","));
    let kill = format!("inject={call}:signal=KILL:when={number}");
    let (ended, _) = strace(site.repo.path(), &["-e", &trace, "-e", &kill], &[&["backup"], args].concat())?;
    let killed = ended.status.signal() == Some(9);
    assert!(killed || ended.status.success(), "{call} {number}: {}", String::from_utf8_lossy(&ended.stderr));
    Some(killed)
}

/// One after the other in the same folder.
#[test]
fn killed_at_every_change_of_the_disk() {
    let site = Site::with(", keep: 3");
    let path = site.path("src");
    sample(&path, 300_000);
    let before = look(&path);
    site.copy(&path);
    let mut killed = 0;
    for call in CHANGES {
        for number in 1.. {
            let Some(was_killed) = killed_at(&site, call, number, &[path.to_str().unwrap()]) else { return };
            check_list(&site);
            if !was_killed {
                break;
            }
            killed += 1;
        }
        let newest = site.ids().pop().unwrap();
        site.restore(0, &newest, &["--force"]);
        assert_eq!(look(&path), before);
    }
    assert!(killed > 30, "most were cut off: {killed}");
    let last = site.copy(&path);
    check_list(&site);
    // Interrupted runs leave nothing: neither unlisted tars nor partial ones.
    let listed: BTreeSet<String> = site.ids().iter().map(|id| format!("{id}.tar")).collect();
    assert_eq!(site.tars().into_iter().collect::<BTreeSet<String>>(), listed);
    assert_eq!((listed.len(), site.ids().pop()), (3, Some(last)));
    let log = site.log();
    let runs: BTreeSet<&str> = log.iter().map(|entry| entry["run"].as_str().unwrap()).collect();
    assert_eq!(runs.len(), log.len(), "none is logged twice");
}

#[test]
fn killed_at_every_step() {
    let mut copied = BTreeSet::new();
    for step in 1.. {
        let site = Site::with(", keep: 1");
        let path = site.write("src/file", "first");
        site.copy(&path);
        fs::write(&path, "second").unwrap();
        let mut command = site.command(&[&path]);
        let ended = command.env("SHAPELINE_AT_STEP", format!("kill {step}")).stderr(Stdio::null()).output().unwrap();
        check_list(&site);
        assert!(!site.ids().is_empty(), "step {step}: the first is removed only once the second is listed");
        // The next one needs neither help nor patience: on this host it is known who has ended.
        let began = Instant::now();
        site.restore(0, &site.ids()[0], &["--into", site.path("to").to_str().unwrap()]);
        assert!(began.elapsed() < Duration::from_secs(25), "step {step}: no run waits for a dead process");
        check_list(&site);
        let listed = site.ids();
        let mut tars: Vec<String> = listed.iter().map(|id| format!("{id}.tar")).collect();
        tars.sort();
        assert_eq!(site.tars(), tars, "step {step}: nothing else is left");
        // The log knows whether the second is there.
        let logged = site.logged();
        let backups = logged.iter().filter(|entry| entry.starts_with("BACKUP SUCCESS")).count();
        let newest = fs::read(site.tar(listed.last().unwrap())).unwrap();
        let second = newest.windows(6).any(|window| window == b"second");
        assert_eq!(backups, 1 + usize::from(second), "step {step}: {logged:?}");
        assert!(logged.len() - backups <= 2, "step {step}: it is logged once, and that one was put back: {logged:?}");
        site.copy(&path);
        assert_eq!((site.ids().len(), site.tars().len()), (1, 1), "step {step}: only the newest is kept");
        copied.insert(second);
        if ended.status.success() {
            assert!(step > 20, "the steps are counted: {step}");
            break;
        }
        assert_eq!(ended.status.signal(), Some(9), "step {step}");
    }
    assert_eq!(copied.len(), 2, "some were cut off before, and some after");
}

/// Ends a thread that looks on, however the test ends.
struct Done<'d>(&'d AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A reader sees the complete old or new content, however often the restore is interrupted.
#[test]
fn killed_while_it_puts_back() {
    let site = Site::new();
    let path = site.path("src");
    sample(&path, 20_000);
    let versions = ["old", "new"].map(|text| {
        fs::write(path.join("sub/version"), text).unwrap();
        (site.copy(&path), look(&path))
    });
    let (missing, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let killed = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                missing.fetch_add(usize::from(!path.exists()), Ordering::SeqCst);
            }
        });
        let _done = Done(&done);
        let (mut killed, mut wanted) = (0, 0);
        for call in CHANGES {
            for number in 1.. {
                let args = ["--restore", versions[wanted].0.as_str(), "--force"];
                let was_killed = killed_at(&site, call, number, &args)?;
                let now = look(&path);
                let is = versions.iter().position(|(_, version)| *version == now);
                // Next the one that is not there.
                wanted = 1 - is.unwrap_or_else(|| panic!("{call} {number}: {now:?}"));
                if !was_killed {
                    break;
                }
                killed += 1;
            }
        }
        Some(killed)
    });
    let Some(killed) = killed else { return };
    assert!(killed > 30, "most were cut off: {killed}");
    assert_eq!(missing.into_inner(), 0, "there was a moment in which nothing was there");
    // What interrupted runs left behind is reported.
    fs::create_dir(site.path(".src.shapeline-restore-0")).unwrap();
    let run = site.restore(0, &versions[0].0, &["--force"]);
    assert!(run.stdout.contains(".src.shapeline-restore-0 was left by"), "{}", run.stdout);
}

/// A store that dies at one of its steps: before it is done, or after.
struct Dying {
    store: Box<dyn Store>,
    steps: AtomicUsize,
    at: usize,
    done: bool,
}

impl Dying {
    fn step<T>(&self, name: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        // The lock is renewed at any time, but stops with the rest.
        let step = match name.contains("/lock/") {
            true => self.steps.load(Ordering::SeqCst),
            false => self.steps.fetch_add(1, Ordering::SeqCst),
        };
        if step > self.at || (step == self.at && !self.done) {
            bail!("the host is dead");
        }
        let done = act()?;
        if step == self.at && !name.contains("/lock/") {
            bail!("the host is dead");
        }
        Ok(done)
    }
}

impl Store for Dying {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        self.store.read(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.store.list(folder)
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        self.step(name, || self.store.put(name, bytes, expect, fence))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.step(name, || self.store.remove(name))
    }

    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()> {
        self.store.sweep(folder, only)
    }

    fn place(&self, name: &str) -> String {
        self.store.place(name)
    }
}

fn folder(path: &Path, wrap: impl FnOnce(Box<dyn Store>) -> Arc<dyn Store>) -> BackupFolder {
    let url = format!("file://{}", path.display()).parse().unwrap();
    let access = Access::of(&url);
    BackupFolder::of(wrap(open_folder(&access).unwrap()), 1)
}

#[test]
fn cut_off_at_every_step() {
    let mut outcomes = BTreeSet::new();
    for (at, done) in (0..12).flat_map(|at| [(at, false), (at, true)]) {
        let site = Site::with(", keep: 1");
        let path = site.write("src/file", "first");
        site.copy(&path);
        fs::write(&path, "second").unwrap();
        let patience = Patience { lease: Duration::from_millis(80), wait: Duration::from_secs(60) };
        let options = BackupOptions { who: Operator::here("alice".to_owned()), patience };
        let dying = |store| Arc::new(Dying { store, steps: AtomicUsize::new(0), at, done }) as Arc<dyn Store>;
        let paths = [path.clone()];
        let cut_off = backup(&folder(&site.folder(), dying), &paths, &options, &mut |_| Ok(())).remove(0);
        check_list(&site);
        assert!(!site.ids().is_empty(), "the first is removed only once the second is listed");
        fs::write(&path, "third").unwrap();
        let next = backup(&folder(&site.folder(), Arc::from), &paths, &options, &mut |_| Ok(())).remove(0);
        assert_eq!(next.ended, BackupOutcome::Copied, "step {at}: {:?}", next.reasons);
        check_list(&site);
        let id = next.copy.unwrap().id.to_string();
        assert_eq!(site.ids(), std::slice::from_ref(&id), "step {at}: only the newest is kept");
        assert_eq!(site.tars(), [format!("{id}.tar")], "step {at}: nothing else is left");
        let ledger = folder(&site.folder(), Arc::from);
        let log = ledger.ledger().log().unwrap();
        assert!(log.damage.is_empty(), "step {at}: {:?}", log.damage);
        let statuses: Vec<LogStatus> = log.entries.iter().map(|entry| entry.status).collect();
        // The interrupted run is logged once, or left nothing behind.
        let logged = statuses.get(1..statuses.len() - 1).unwrap().to_vec();
        assert!(logged.len() <= 1, "step {at}: {statuses:?}");
        assert!(cut_off.ended == BackupOutcome::Failed || logged == [LogStatus::Success], "step {at}: {logged:?}");
        outcomes.insert(format!("{logged:?} {}", cut_off.ended == BackupOutcome::Copied));
    }
    // From nothing logged, over completed by the next run, to done.
    assert_eq!(
        outcomes.into_iter().collect::<Vec<_>>(),
        ["[Error] false", "[Success] false", "[Success] true", "[] false"]
    );
}

#[test]
fn many_at_once() {
    let site = Site::new();
    let path = site.path("src");
    sample(&path, 1000);
    let children: Vec<_> =
        (0..4).map(|_| site.command(&[&path]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    check_list(&site);
    let ids: BTreeSet<String> = site.ids().into_iter().collect();
    assert_eq!((ids.len(), site.tars().len(), site.log().len()), (4, 4, 4));
}
