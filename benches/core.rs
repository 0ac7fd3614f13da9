//! Reading, checking, rendering and planning at 10,000 and 100,000 subscribers in list files.
//!
//! `cargo bench`; docs/performance.md has figures for whole commands, and for a million.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use shapeline::inventory::Context;
use shapeline::model::Date;
use shapeline::plan::{Before, ChangePlan, PlanBase, Side, served_by};
use shapeline::render::{self, Table};
use shapeline::repo::Repo;
use shapeline::rules::{self};
use shapeline::tree::Tree;

#[path = "../examples/dataset.rs"]
#[allow(dead_code)]
mod dataset;

const SIZES: [u32; 2] = [10_000, 100_000];

fn main() {
    divan::main();
}

struct Data {
    dir: tempfile::TempDir,
}

impl Data {
    fn new(subscribers: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        dataset::write_dataset(dir.path(), subscribers, dataset::Layout::Lists).unwrap();
        Self { dir }
    }

    fn load(&self) -> Arc<Repo> {
        Arc::new(Repo::load(&tree(self.dir.path())).unwrap())
    }
}

fn tree(dir: &Path) -> Tree {
    Tree::Work { root: dir.to_path_buf() }
}

fn today() -> Date {
    "2026-11-21".parse().unwrap()
}

fn table(repo: &Arc<Repo>) -> Arc<Table> {
    Arc::new(Table::new(repo, &Context::new(repo, today(), None)))
}

#[divan::bench(args = SIZES)]
fn read(bencher: divan::Bencher<'_, '_>, subscribers: u32) {
    let data = Data::new(subscribers);
    bencher.counter(subscribers).bench(|| Repo::load(&tree(data.dir.path())).unwrap());
}

#[divan::bench(args = SIZES)]
fn check(bencher: divan::Bencher<'_, '_>, subscribers: u32) {
    let data = Data::new(subscribers);
    let repo = data.load();
    bencher.counter(subscribers).bench(|| rules::check(&Context::new(&repo, today(), None), Vec::new()));
}

#[divan::bench(args = SIZES)]
fn render(bencher: divan::Bencher<'_, '_>, subscribers: u32) {
    let data = Data::new(subscribers);
    let repo = data.load();
    let output = render::output(&repo.settings, None).unwrap();
    bencher.counter(subscribers).bench(|| render::render(&table(&repo), &output).unwrap());
}

#[divan::bench(args = SIZES)]
fn plan(bencher: divan::Bencher<'_, '_>, subscribers: u32) {
    let data = Data::new(subscribers);
    let repo = data.load();
    let table = table(&repo);
    let output = render::output(&repo.settings, None).unwrap();
    let bytes = render::render(&table, &output).unwrap().into_text();
    let side = || Side { served: served_by(&table), bytes: bytes.as_bytes() };
    bencher.counter(subscribers).bench(|| {
        let base = PlanBase::File { path: "live".into() };
        ChangePlan::new(&output, base, side(), side(), &table, Before::default()).fingerprint
    });
}
