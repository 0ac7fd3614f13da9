//! A store whose responses get lost: the result is determined, never guessed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use shapeline::model::Target;
use shapeline::publish::replace::Replacement;
use shapeline::publish::site::{Site, TargetSession};
use shapeline::records::failure::Failure;
use shapeline::records::holder::Operator;
use shapeline::records::lock::Patience;
use shapeline::records::log::{LogAction, LogStatus};
use shapeline::store::{ContentMark, Expect, Fence, Store, Stored, open_fence};

/// What happens when the live file is put.
#[derive(Clone, Copy)]
struct Fate {
    done: bool,
    /// Whether it can be read after that, in the same run.
    readable: bool,
}

struct Unheard {
    store: Arc<dyn Store>,
    fate: Fate,
    deaf: AtomicBool,
}

impl Store for Unheard {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        if name == "shaper.txt" && self.deaf.load(Ordering::SeqCst) {
            bail!("no answer");
        }
        self.store.read(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.store.list(folder)
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        if name != "shaper.txt" {
            return self.store.put(name, bytes, expect, fence);
        }
        if self.fate.done {
            self.store.put(name, bytes, expect, fence)?;
        }
        self.deaf.store(!self.fate.readable, Ordering::SeqCst);
        bail!("the answer got lost");
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.store.remove(name)
    }

    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()> {
        self.store.sweep(folder, only)
    }

    fn place(&self, name: &str) -> String {
        self.store.place(name)
    }
}

fn begin(site: &Site) -> TargetSession<'_> {
    let patience = Patience::of(Duration::from_secs(10));
    TargetSession::begin(site, &Operator::here("alice".to_owned()), "publish", patience, &mut |_| Ok(())).unwrap()
}

/// What came of it.
struct Came {
    /// The version, or what was said.
    ended: Result<u64, String>,
    /// The log at that time, and after the next run had begun.
    logged: [Vec<LogStatus>; 2],
    /// What was live in the end.
    live: Option<Vec<u8>>,
}

/// Puts `new` in the place of `old`.
fn put(old: Option<&[u8]>, fate: Fate) -> Came {
    let dir = tempfile::tempdir().unwrap();
    let target = serde_json::json!({"name": "hre-1", "url": format!("file://{}/shaper.txt", dir.path().display())});
    let target: Target = serde_json::from_value(target).unwrap();
    let mut site = Site::open(&target).unwrap();
    if let Some(old) = old {
        site.store.put("shaper.txt", old, Expect::Nothing, &open_fence).unwrap().unwrap();
    }
    let whole = site.store.clone();
    site.store = Arc::new(Unheard { store: whole.clone(), fate, deaf: AtomicBool::new(false) });
    let live = site.live().unwrap();
    let change = Replacement {
        action: LogAction::Publish,
        live: live.as_ref(),
        bytes: b"new\n",
        digest: &shapeline::store::digest(b"new\n"),
        kept: None,
        subscribers: None,
        commit: None,
        dirty: true,
        frozen: Vec::new(),
        held: None,
        limits: None,
        newest: None,
        check: true,
        reason: None,
    };
    let ended = begin(&site).replace(change);
    let ended = ended.map(|version| version.id).map_err(|failure| match failure {
        Failure::Refused(reason) => reason,
        Failure::Failed(error) => format!("{error:#}"),
    });
    site.store = whole;
    let logged = |site: &Site| site.ledger().log().unwrap().entries.iter().map(|entry| entry.status).collect();
    let first = logged(&site);
    drop(begin(&site));
    let live = site.live().unwrap().map(|live| live.bytes);
    Came { ended, logged: [first, logged(&site)], live }
}

#[test]
fn what_was_done_counts_and_not_what_was_heard() {
    for old in [None, Some(&b"old\n"[..])] {
        let id = if old.is_some() { 2 } else { 1 };
        let Came { ended, logged, live } = put(old, Fate { done: true, readable: true });
        assert_eq!((ended, live.as_deref()), (Ok(id), Some(&b"new\n"[..])));
        assert_eq!(logged, [[LogStatus::Success], [LogStatus::Success]]);

        let Came { ended, logged, live } = put(old, Fate { done: false, readable: true });
        assert!(ended.unwrap_err().contains("the answer got lost; the live file is as it was"));
        assert_eq!(live.as_deref(), old);
        assert_eq!(logged, [[LogStatus::Error], [LogStatus::Error]]);
    }
}

#[test]
fn what_cannot_be_found_out_now_the_next_run_finds_out() {
    for old in [None, Some(&b"old\n"[..])] {
        for done in [true, false] {
            let Came { ended, logged, live } = put(old, Fate { done, readable: false });
            assert!(ended.unwrap_err().contains("the answer got lost"));
            let status = if done { LogStatus::Success } else { LogStatus::Error };
            assert_eq!(logged, [vec![], vec![status]], "{done}");
            assert_eq!(live.as_deref(), if done { Some(&b"new\n"[..]) } else { old });
        }
    }
}
