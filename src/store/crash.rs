//! For tests, and only in debug builds: a process that ends or stops itself at a given step.
//!
//! `SHAPELINE_AT_STEP="kill 17"` kills the process at the 17th step on its target,
//! `SHAPELINE_AT_STEP="stop staged shaper.txt"` stops it with that file written and not yet in
//! place. Each write has three steps (before it, staged, done), each removal and sweep has two.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use rustix::process::{Signal, getpid, kill_process};

use crate::store::contract::{ContentMark, Expect, Fence, Store, Stored};

const VARIABLE: &str = "SHAPELINE_AT_STEP";

/// `store`, with steps counted if the environment asks for it.
pub fn stepwise(store: Box<dyn Store>) -> Box<dyn Store> {
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let Some((signal, which)) = asked.split_once(' ') else { return store };
    let signal = if signal == "stop" { Signal::STOP } else { Signal::KILL };
    Box::new(Stepwise { store, signal, which: which.to_owned(), steps: AtomicUsize::new(0) })
}

struct Stepwise {
    store: Box<dyn Store>,
    signal: Signal,
    /// The number or the name of the step.
    which: String,
    steps: AtomicUsize,
}

impl Stepwise {
    fn step(&self, what: &str, name: &str) {
        let number = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        let step = format!("{what} {name}");
        if self.which == number.to_string() || self.which == step {
            eprintln!("step {number}: {step}");
            let _ = kill_process(getpid(), self.signal);
        }
    }
}

impl Store for Stepwise {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        self.store.read(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.store.list(folder)
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        self.step("put", name);
        // After the fence: from here on only what the next holder of the lock does can help.
        let staged = || {
            fence()?;
            self.step("staged", name);
            Ok(())
        };
        let done = self.store.put(name, bytes, expect, &staged);
        self.step("done", name);
        done
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.step("remove", name);
        let done = self.store.remove(name);
        self.step("removed", name);
        done
    }

    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()> {
        self.step("sweep", folder);
        let done = self.store.sweep(folder, only);
        self.step("swept", folder);
        done
    }

    fn place(&self, name: &str) -> String {
        self.store.place(name)
    }

    fn notes(&self) -> Vec<String> {
        self.store.notes()
    }
}
