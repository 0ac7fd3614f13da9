//! How many findings a rule lists, and which.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use shapeline::finding::Finding;
use shapeline::inventory::Context;
use shapeline::inventory::ReviewedChange;
use shapeline::inventory::bounded::MAX_FINDINGS;
use shapeline::rules::{self};

use super::{load, today};
use crate::support::Repo;

/// What is found in `head`, with so many threads.
fn found(base: Option<&Path>, head: &Path, threads: usize) -> Vec<Finding> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut repo = load(head);
        let base = base.map(load);
        let change = base.as_ref().map(|base| ReviewedChange::new(base, &mut repo, &[]));
        let repo = Arc::new(repo);
        rules::check(&Context::new(&repo, today(), change), Vec::new())
    })
}

/// Records with 256 addresses each that their domain may not give out.
fn foreign(records: std::ops::Range<usize>) -> String {
    let mut text = String::new();
    for record in records {
        let addresses: Vec<String> =
            (0..256).map(|host| format!("10.{}.{}.{host}", 20 + record / 256, record % 256)).collect();
        let _ = writeln!(
            text,
            "- {{domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN, ip: [{}]}}",
            addresses.join(",")
        );
    }
    text
}

#[test]
fn of_too_many_the_first_are_listed_and_those_of_the_change_before_all() {
    let (base, head) = (Repo::new(), Repo::new());
    base.write("subscribers/a.yaml", foreign(0..60));
    head.write("subscribers/a.yaml", foreign(0..60));
    head.write("subscribers/z.yaml", foreign(60..63));
    let of_rule = |findings: Vec<Finding>| -> Vec<Finding> {
        findings.into_iter().filter(|finding| finding.rule == "ip-outside-domain").collect()
    };
    let alone = of_rule(found(None, head.path(), 1));
    assert_eq!(alone.len(), MAX_FINDINGS + 1);
    assert_eq!(alone.iter().filter(|finding| finding.message.contains("finds more than")).count(), 1);
    assert_eq!(alone, of_rule(found(None, head.path(), 4)));
    let changed = of_rule(found(Some(base.path()), head.path(), 1));
    assert_eq!(changed.len(), MAX_FINDINGS + 1);
    assert_eq!(changed.iter().take_while(|finding| finding.in_change == Some(true)).count(), 3 * 256);
    assert_eq!(changed, of_rule(found(Some(base.path()), head.path(), 4)));
}

#[test]
fn too_many_warnings_refuse_nothing() {
    let repo = Repo::new();
    let line = |n: usize| format!("- {{ip: 10.10.{}.{}, domain: ispcustomer.co.zw, plan: OLD}}\n", n / 256, n % 256);
    repo.write("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [10.0.0.0/8]\n");
    repo.write("plans/OLD.yaml", "name: OLD\nup: 2 Mbps\ndown: 2 Mbps\nstatus: retired\n");
    repo.write("subscribers/a.yaml", (0..MAX_FINDINGS + 2).map(line).collect::<String>());
    let run = repo.run(&["check"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("10,001 warnings"), "{}", run.stderr);
}

#[test]
fn of_broken_files_the_first_findings_are_listed_and_the_rest_is_counted() {
    let repo = Repo::new();
    for file in 0..40 {
        repo.write(&format!("subscribers/{file:02}.yaml"), "- x\n".repeat(1_000));
    }
    let [one, four] = [1, 4].map(|threads| found(None, repo.path(), threads));
    assert_eq!(one.len(), 20_001);
    assert!(one.iter().any(|finding| finding.message == "20,000 more findings of reading are not listed"));
    assert_eq!(one, four);
}
