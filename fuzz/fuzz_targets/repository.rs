//! Any bytes as the files of a small repository, before and after a change: reading and all rules
//! never panic, every finding points into its file, and
//! what passes the check renders to lines that can be read back.
//!
//! The bytes are cut at each `\xff`, which no valid text holds; the byte after the cut says which
//! file the piece is, and whether it is there before the change, after it, or both.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use shapeline::inventory::{Context, ReviewedChange};
use shapeline::plan::parse_shaper_file;
use shapeline::render::{Table, output, render, template_findings};
use shapeline::repo::Repo;
use shapeline::report::CheckReport;
use shapeline::tree::Tree;

const PATHS: [&str; 16] = [
    "shapeline.yaml",
    "plans/30_MEG_UP_30_MEG_DOWN.yaml",
    "plans/50_MEG_UP_50_MEG_DOWN.yaml",
    "plans/more.yml",
    "domains/ispcustomer.co.zw.yaml",
    "domains/other.example.yaml",
    "domains/more.yaml",
    "subscribers/ispcustomer.co.zw/10.10.10.25.yaml",
    "subscribers/ispcustomer.co.zw/list.yaml",
    "subscribers/other.example/list.yaml",
    "subscribers/list.yaml",
    "subscribers/.hidden.yaml",
    "subscribers/notes.txt",
    "subscribers/a\n::error::b.yaml",
    "templates/acme.j2",
    "elsewhere/list.yaml",
];

fuzz_target!(|bytes: &[u8]| {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for piece in bytes.split(|byte| *byte == 0xff) {
        let Some((head, text)) = piece.split_first() else { continue };
        let path = PATHS[usize::from(head & 0x0f)].to_owned();
        // Mostly after the change alone: that is what is checked.
        if head & 0xc0 != 0 {
            before.insert(path.clone(), text.to_vec());
        }
        if head & 0xc0 != 0x40 {
            after.insert(path, text.to_vec());
        }
    }
    let load = |files| Repo::load(&Tree::Memory(files)).expect("memory can be read");
    let (base, mut head) = (load(before), load(after));
    let actors = ["alice".to_owned()];
    let today = "2026-11-01".parse().expect("a date");
    let change = ReviewedChange::new(&base, &mut head, &actors);
    let head = Arc::new(head);
    for change in [None, Some(change)] {
        let context = Context::new(&head, today, change);
        let report = CheckReport::new(&context, template_findings(&head, &context), Duration::ZERO);
        for entry in report.entries() {
            for located in std::iter::once(&entry.primary).chain(&entry.related) {
                let text = located.file.text();
                assert!(text.get(located.span.range()).is_some(), "{:?} in {text:?}", located.span);
                assert!(located.start <= located.end, "{located:?}");
            }
        }
        if report.refused() {
            continue;
        }
        // What passes the check gives one line an address, each of the shaper file's form.
        let table = Arc::new(Table::new(&head, &context));
        let shaper = output(&head.settings, None).expect("there is always a shaper file");
        let text = render(&table, &shaper).expect("the built-in template takes all data").into_text();
        let (served, bad) = parse_shaper_file(&text, &table, "");
        assert!(bad.doubt("the output").is_none() && served.len() == table.len(), "{text}");
    }
});
