//! Any text as a template, over a small repository: it gives an output or a finding, and never
//! panics, runs for ever, writes without end or lets free text out that no filter made fit.
//!
//! With the path of a `shapeline` in the variable SHAPELINE, templates are rendered in a process apart,
//! and all of them. Without it they are rendered here, where coverage is seen, but for those that could
//! grow beyond all bounds: those are what the process apart is for.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, Once};

use libfuzzer_sys::fuzz_target;
use shapeline::inventory::Context;
use shapeline::render::{Rendered, Table, output, render, template_findings};
use shapeline::repo::Repo;
use shapeline::tree::Tree;

const FILES: [(&str, &str); 4] = [
    ("shapeline.yaml", "outputs:\n  acme: {template: templates/acme.j2}\n"),
    ("plans/P.yaml", "name: P\nup: 7.5 Mbps\ndown: 1 Gbps\ndescription: ø <名>\n"),
    (
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, '2001:db8::/32']\ncapacity: {up: 1 Gbps, down: 1 Gbps}\n",
    ),
    (
        "subscribers/all.yaml",
        "- ip: [10.10.10.1, '2001:db8::1']\n  domain: ispcustomer.co.zw\n  plan: P\n  id: hq\n  name: 'ŋø \"名\"'\n\
         \x20 labels: {ticket: 'ŋ😀'}\n- ip: 10.10.10.8/29\n  domain: ispcustomer.co.zw\n  plan: P\n",
    ),
];

static START: Once = Once::new();

/// Renders apart if there is a program for it. A panic of minijinja is a finding, and is not to end this
/// process before it is caught.
fn start() -> bool {
    let apart = std::env::var_os("SHAPELINE");
    START.call_once(|| {
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
        if let Some(program) = &apart {
            shapeline::render::apart::through(program.into());
        }
    });
    apart.is_some()
}

fn may_grow(template: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| template.contains(word));
    let repeats = has(&["for", "include", "import", "extends"]) && has(&["~", "+", "set", "join", "replace", "["]);
    repeats || has(&["*", "macro"])
}

fuzz_target!(|template: &str| {
    if !start() && may_grow(template) {
        return;
    }
    let mut files: BTreeMap<String, Vec<u8>> =
        FILES.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    files.insert("templates/acme.j2".to_owned(), template.as_bytes().to_vec());
    let repo = Arc::new(Repo::load(&Tree::Memory(files)).expect("memory can be read"));
    let context = Context::new(&repo, "2026-11-21".parse().expect("a date"), None);
    let findings = template_findings(&repo, &context);
    let acme = output(&repo.settings, Some("acme")).expect("the settings define it");
    let rendered = render(&Arc::new(Table::new(&repo, &context)), &acme);
    assert_eq!(findings.is_empty(), rendered.is_ok(), "what the check lets through can be rendered");
    // All free text here is beyond ASCII, with marks that no filter removes. A template can write other
    // such characters itself, by an escape.
    let own = !template.is_ascii() || template.contains('\\');
    let filtered = ["csv", "json", "xml", "text"].iter().any(|filter| template.contains(filter));
    if let Ok(rendered) = rendered.map(Rendered::into_text) {
        assert!(own || filtered || rendered.is_ascii(), "free text got out: {rendered}");
        assert!(rendered.len() < 17 << 20, "more than the room that there is");
    }
});
