//! Any text as a template, over a small repository: it gives an output or a finding, and never
//! panics, runs for ever or writes without end.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use shapeline::render::{Table, output, render, template_findings};
use shapeline::repo::Repo;
use shapeline::rules::Context;
use shapeline::tree::Tree;

const FILES: [(&str, &str); 4] = [
    ("shapeline.yaml", "outputs:\n  acme: {template: templates/acme.j2}\n"),
    ("plans/P.yaml", "name: P\nup: 7.5 Mbps\ndown: 1 Gbps\ndescription: a <plan>\n"),
    (
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, '2001:db8::/32']\ncapacity: {up: 1 Gbps, down: 1 Gbps}\n",
    ),
    (
        "subscribers/all.yaml",
        "- ip: [10.10.10.1, '2001:db8::1']\n  domain: ispcustomer.co.zw\n  plan: P\n  id: hq\n  name: 'a \"b\", c'\n\
         \x20 labels: {ticket: '4711'}\n- ip: 10.10.10.8/29\n  domain: ispcustomer.co.zw\n  plan: P\n",
    ),
];

fuzz_target!(|template: &str| {
    let mut files: BTreeMap<String, Vec<u8>> =
        FILES.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    files.insert("templates/acme.j2".to_owned(), template.as_bytes().to_vec());
    let repo = Arc::new(Repo::load(&Tree::Memory(files)).expect("memory can be read"));
    let context = Context::new(&repo, "2026-11-21".parse().expect("a date"), None);
    let findings = template_findings(&repo, &context);
    let acme = output(&repo.settings, Some("acme")).expect("the settings define it");
    let rendered = render(&Arc::new(Table::new(&repo, &context)), &acme);
    assert_eq!(findings.is_empty(), rendered.is_ok(), "what the check lets through can be rendered");
});
