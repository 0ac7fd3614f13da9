//! Any bytes as a source: reading ends, no output contains a terminal escape, imported data passes the
//! check, and importing it a second time does nothing.
//!
//! The first byte says the kind, and whether there is data already.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use shapeline::commands::import::{report, worded};
use shapeline::import::proposal::{Ending, ImportOptions, Proposal, ProposalOutcome, propose};
use shapeline::import::{ReadOptions, SourceKind, read};
use shapeline::text::characters::is_steering;
use shapeline::tree::Tree;

const KINDS: [Option<SourceKind>; 5] =
    [None, Some(SourceKind::Mysqldump), Some(SourceKind::Shaper), Some(SourceKind::Csv), Some(SourceKind::Libreqos)];

fn data(there: bool) -> BTreeMap<String, Vec<u8>> {
    let files: &[(&str, &str)] = &[
        ("plans/GOLD.yaml", "name: GOLD\nup: 30 Mbps\ndown: 30 Mbps\nattribute: '\"Plan\"=GOLD'\n"),
        ("plans/SILVER.yaml", "name: SILVER\n"),
        ("domains/a.example.yaml", "name: a.example\nprefixes: [10.0.0.0/24]\n"),
        (
            "subscribers/a.example.yaml",
            "- ip: [10.0.0.1, 10.0.0.2]\n  domain: a.example\n  plan: GOLD\n  id: '1'\n\
             - {ip: 10.0.0.3, domain: a.example, plan: SILVER, status: suspended}\n",
        ),
    ];
    let files = if there { files } else { &[] };
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn proposal(bytes: &[u8], options: &ReadOptions, files: &BTreeMap<String, Vec<u8>>) -> Option<Proposal> {
    let found = match read(bytes, options) {
        Ok(found) => found,
        Err(unusable) => {
            harmless(&unusable.to_string());
            return None;
        }
    };
    let today = "2026-11-21".parse().expect("a date");
    let wishes = ImportOptions { rates: Default::default(), today, keep_suspended: false, add_only: false };
    match propose(found, &Tree::Memory(files.clone()), &wishes).expect("memory can be read") {
        ProposalOutcome::Proposed(proposal) => Some(*proposal),
        ProposalOutcome::Refused(..) => None,
    }
}

fn harmless(text: &str) {
    assert!(!text.chars().any(|c| c != '\n' && is_steering(c)), "{text:?}");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let options = ReadOptions {
        kind: KINDS[usize::from(first >> 1) % KINDS.len()],
        domain: "a.example".parse().ok(),
        ..ReadOptions::default()
    };
    let mut files = data(first & 1 == 1);
    let Some(proposal) = proposal(bytes, &options, &files) else { return };
    harmless(&report::text(&proposal, Ending::DryRun));
    for refusal in &proposal.found.refusals {
        harmless(&worded::row(refusal));
    }
    for change in proposal.draft.changes() {
        match change.after {
            Some(text) => drop(files.insert(change.path.to_owned(), text.as_bytes().to_vec())),
            None => drop(files.remove(change.path)),
        }
    }
    let again = self::proposal(bytes, &options, &files).expect("it was imported once");
    assert!(again.draft.is_empty(), "{:?}", again.draft.changes().map(|change| change.path).collect::<Vec<_>>());
});
