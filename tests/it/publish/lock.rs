//! The lock on a store that lies. Every way to wait for it ends, and pauses between requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shapeline::records::holder::Operator;
use shapeline::records::lock::{Lock, Patience};
use shapeline::store::{ContentMark, Expect, Fence, Store, Stored};

/// Files in memory, and how the store lies about them.
#[derive(Default)]
struct Liar {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    requests: AtomicUsize,
    lists_nothing: bool,
    reads_nothing: bool,
    creates_nothing: bool,
    lists_before: &'static [&'static str],
}

impl Store for Liar {
    fn read(&self, name: &str) -> anyhow::Result<Option<Stored>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let found = self.files.lock().unwrap().get(name).cloned().filter(|_| !self.reads_nothing);
        Ok(found.map(Stored::of))
    }

    fn list(&self, folder: &str) -> anyhow::Result<Vec<String>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let files = self.files.lock().unwrap();
        let names = files.keys().filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/'));
        let names = names.filter(|_| !self.lists_nothing).map(ToOwned::to_owned);
        Ok(self.lists_before.iter().map(|name| (*name).to_owned()).chain(names).collect())
    }

    fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expect: Expect<'_>,
        fence: Fence<'_>,
    ) -> anyhow::Result<Option<ContentMark>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        fence()?;
        let mut files = self.files.lock().unwrap();
        if self.creates_nothing || expect == Expect::Nothing && files.contains_key(name) {
            return Ok(None);
        }
        files.insert(name.to_owned(), bytes.to_vec());
        Ok(Some(ContentMark::of(bytes)))
    }

    fn remove(&self, name: &str) -> anyhow::Result<()> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.files.lock().unwrap().remove(name);
        Ok(())
    }

    fn sweep(&self, _: &str, _: Option<&str>) -> anyhow::Result<()> {
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        format!("memory://{name}")
    }
}

const LEASE: Duration = Duration::from_secs(30);

fn take(store: &Arc<dyn Store>, wait: Duration) -> anyhow::Result<Lock> {
    let patience = Patience { lease: LEASE, wait };
    Lock::take(store, "lock", &Operator::here("alice".to_owned()), "publish", patience, &mut |_| Ok(()))
}

/// The error, and how many requests it took.
fn refused(liar: Liar, wait: Duration) -> (String, usize) {
    let liar = Arc::new(liar);
    let store: Arc<dyn Store> = liar.clone();
    let began = Instant::now();
    let error = format!("{:#}", take(&store, wait).err().expect("there is no lock to be had"));
    assert!(began.elapsed() < wait + Duration::from_secs(30), "{:?}: {error}", began.elapsed());
    (error, liar.requests.load(Ordering::SeqCst))
}

#[test]
fn a_number_that_none_can_follow_is_refused() {
    let store: Arc<dyn Store> = Arc::new(Liar::default());
    drop(take(&store, Duration::ZERO).unwrap());
    let released = store.read("lock/00000001").unwrap().unwrap().bytes;
    let liar = Liar { files: Mutex::new([("lock/999999999999".to_owned(), released)].into()), ..Liar::default() };
    let (error, requests) = refused(liar, Duration::from_secs(3_600));
    assert!(error.contains("memory://lock/999999999999") && error.contains("remove it"), "{error}");
    assert!(requests < 10, "{requests}");
}

#[test]
fn a_store_that_does_not_show_what_it_took_is_given_up() {
    for wait in [Duration::ZERO, Duration::from_millis(400)] {
        let (error, requests) = refused(Liar { lists_nothing: true, ..Liar::default() }, wait);
        assert!(error.contains("memory://lock") && error.contains("does not list it"), "{error}");
        assert!(error.contains("waited 0 s"), "{error}");
        assert!(requests < 60, "{requests}");
    }
}

#[test]
fn a_store_that_creates_nothing_is_given_up() {
    let (error, requests) = refused(Liar { creates_nothing: true, ..Liar::default() }, Duration::from_millis(400));
    assert!(error.contains("another run took the lock first"), "{error}");
    assert!(requests < 60, "{requests}");
}

#[test]
fn a_store_that_lists_what_cannot_be_read_is_given_up() {
    for wait in [Duration::ZERO, Duration::from_millis(400)] {
        let liar = Liar { lists_before: &["00000007"], ..Liar::default() };
        let (error, requests) = refused(liar, wait);
        assert!(error.contains("memory://lock/00000007 is listed and cannot be read"), "{error}");
        assert!(requests < 60, "{requests}");
    }
    let liar = Liar { lists_before: &["00000007"], reads_nothing: true, ..Liar::default() };
    assert!(refused(liar, Duration::ZERO).0.contains("cannot be read"));
}

/// The folder was removed, and another run has begun anew.
#[test]
fn a_lock_of_the_same_number_may_be_anothers() {
    let store: Arc<dyn Store> = Arc::new(Liar::default());
    let first = take(&store, Duration::ZERO).unwrap();
    store.remove("lock/00000001").unwrap();
    let second = take(&store, Duration::ZERO).unwrap();
    assert!(first.fence().unwrap_err().to_string().contains("another publisher has taken over the lock"));
    drop(first);
    second.fence().unwrap();
}

/// Of a host about which nothing is known here.
#[test]
fn a_holder_that_is_silent_keeps_the_lock_for_the_whole_lease() {
    let store: Arc<dyn Store> = Arc::new(Liar::default());
    drop(take(&store, Duration::ZERO).unwrap());
    let released = store.read("lock/00000001").unwrap().unwrap().bytes;
    let mut lock: serde_json::Value = serde_json::from_slice(&released).unwrap();
    lock["released"] = false.into();
    lock["holder"]["boot"] = "another".into();
    let liar =
        Liar { files: Mutex::new([("lock/00000001".to_owned(), lock.to_string().into())].into()), ..Liar::default() };
    let store: Arc<dyn Store> = Arc::new(liar);
    let patience = |wait| Patience { lease: Duration::from_secs(12), wait: Duration::from_secs(wait) };
    let take = |wait| {
        let who = Operator::here("alice".to_owned());
        Lock::take(&store, "lock", &who, "publish", patience(wait), &mut |_| Ok(()))
    };
    let error = take(4).err().expect("the lease is not over").to_string();
    assert!(error.contains("is being worked on by alice"), "{error}");
    take(60).unwrap().fence().unwrap();
}

#[test]
fn names_that_are_no_numbers_of_ours_do_not_matter() {
    let store: Arc<dyn Store> =
        Arc::new(Liar { lists_before: &["1000000000000", "18446744073709551616", "-1", "x", ""], ..Liar::default() });
    let lock = take(&store, Duration::ZERO).unwrap();
    lock.fence().unwrap();
}
