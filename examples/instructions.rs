//! Reading, checking, rendering and planning, once each on one thread, for `scripts/instructions`, which
//! counts their instructions.
//!
//! `instructions write FOLDER` writes the data, `instructions WORK FOLDER` works on it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::PathBuf;
use std::sync::Arc;

use shapeline::inventory::Context;
use shapeline::plan::{Before, ChangePlan, PlanBase, Side, parse_shaper_file, served_by};
use shapeline::render::{self, Table};
use shapeline::repo::Repo;
use shapeline::rules;
use shapeline::tree::Tree;

#[path = "dataset.rs"]
#[allow(dead_code)]
mod dataset;

fn main() {
    let [_, work, folder] = <[String; 3]>::try_from(Vec::from_iter(std::env::args())).unwrap();
    if work == "write" {
        return dataset::write_dataset(folder.as_ref(), 10_000, dataset::Layout::Lists).unwrap();
    }
    // All on the thread whose instructions are counted.
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().unwrap();
    let tree = Tree::Work { root: PathBuf::from(folder) };
    if work == "read" {
        counted(|| Repo::load(&tree).unwrap());
        return;
    }
    let repo = Arc::new(Repo::load(&tree).unwrap());
    let today = "2026-11-21".parse().unwrap();
    let table = || Arc::new(Table::new(&repo, &Context::new(&repo, today, None)));
    let output = render::output(&repo.settings, None).unwrap();
    let text = |table: &Arc<Table>| render::render(table, &output).unwrap().into_text();
    match work.as_str() {
        "check" => assert!(counted(|| rules::check(&Context::new(&repo, today, None), Vec::new())).len() < 100),
        "render" => drop(counted(|| text(&table()))),
        "plan" => {
            let table = table();
            let after = text(&table);
            // Every hundredth line is gone.
            let live: String =
                after.split_inclusive('\n').zip(1..).filter(|(_, n)| n % 100 != 0).map(|(line, _)| line).collect();
            let plan = counted(|| {
                let (served, _) = parse_shaper_file(&live, &table, &after);
                let before = Side { served, bytes: live.as_bytes() };
                let after = Side { served: served_by(&table), bytes: after.as_bytes() };
                let base = PlanBase::File { path: "live".into() };
                ChangePlan::new(&output, base, before, after, &table, Before::default())
            });
            assert!(plan.fingerprint.starts_with("sha256:"));
        }
        work => panic!("no such work: {work}"),
    }
}

/// What is counted: callgrind gets its name.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    std::hint::black_box(work())
}
