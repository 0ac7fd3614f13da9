//! On a terminal an import asks before it removes subscribers.

use std::io::{Read as _, Write as _};

use super::{DOMAIN, OTHER_PLAN, PLAN, empty, files, imported, line};
use crate::support::Repo;
use crate::terminal::{on_terminal, start, until};

const QUESTION: &str = "? Remove them, and import the rest? (y/N) ";

/// Four subscribers, and a source that lacks one, has another plan for one and adds one.
fn repo() -> Repo {
    let repo = empty();
    let all: Vec<String> = (1..=4).map(|host| line(&format!("10.1.0.{host}"), DOMAIN, PLAN)).collect();
    imported(&repo, &all.concat(), &[]);
    assert_eq!(repo.run(&["subscriber", "set", "10.1.0.3", "name=ACME"]).code, 0);
    let live = [
        line("10.1.0.1", DOMAIN, PLAN),
        line("10.1.0.2", DOMAIN, OTHER_PLAN),
        line("10.1.0.4", DOMAIN, PLAN),
        line("10.1.0.5", DOMAIN, PLAN),
    ];
    repo.write("live.txt", live.concat());
    repo
}

#[test]
fn who_would_be_removed_is_shown_and_confirmed() {
    let repo = repo();
    let before = files(&repo);
    for answer in ["n\n", "\n", "\x1b"] {
        let (code, said) = on_terminal(&repo, 200, "import live.txt", answer);
        assert_eq!(code, Some(1), "{answer:?}: {said}");
        let shown = "On the network: 1 added, 1 changed, 1 removed.\n\
                     Not in live.txt, and removed by this import:\n  \
                     1 subscriber of `ispcustomer.co.zw`: 10.1.0.3 (`ACME`)\n\
                     To add and change only, and remove no subscriber: --add-only\n";
        // On a busy machine the spinner comes first.
        assert!(said.contains("live.txt: a shaper file: 4 subscribers, 2 plans, 1 domain, 0 rows refused\n"), "{said}");
        assert!(said.contains("~ 10.1.0.2 "), "who gets another plan is shown: {said}");
        assert!(said.contains(shown) && said.contains(QUESTION), "{answer:?}: {said}");
        assert!(said.ends_with("shapeline: cancelled: nothing was changed\n"), "{answer:?}: {said}");
        assert_eq!(files(&repo), before, "{answer:?}");
    }
    let (code, said) = on_terminal(&repo, 200, "import live.txt", "y\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Subscribers: 1 added, 1 changed, 1 removed, 2 as before.\n"), "{said}");
    assert_eq!(said.matches("live.txt: a shaper file").count(), 1, "{said}");
    let data: String = files(&repo).into_values().collect();
    assert!(!data.contains("10.1.0.3") && data.contains("10.1.0.5"), "{data}");
}

#[test]
fn nothing_is_asked_without_removals_or_if_the_answer_is_known() {
    for args in ["--yes", "-y", "--add-only", "--dry-run"] {
        let repo = repo();
        let (code, said) = on_terminal(&repo, 200, &format!("import live.txt {args}"), "");
        assert!(code == Some(0) && !said.contains(QUESTION), "{args}: {said}");
    }
    let repo = repo();
    let dry = repo.run(&["import", "live.txt", "--dry-run", "--format", "json"]);
    let dry: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    let fingerprint = dry["network"]["fingerprint"].as_str().unwrap();
    let (code, said) = on_terminal(&repo, 200, "import live.txt --ack sha256:00", "n\n");
    assert!(code == Some(1) && said.contains(QUESTION), "that of another change: {said}");
    let (code, said) = on_terminal(&repo, 200, &format!("import live.txt --ack {fingerprint}"), "");
    assert!(code == Some(0) && !said.contains(QUESTION), "{said}");
    let (code, said) = on_terminal(&repo, 200, "import live.txt", "");
    assert!(code == Some(0) && said.contains("Nothing to do: 4 subscribers"), "{said}");
}

/// An answer is no acknowledgement.
#[test]
fn what_the_limits_refuse_is_not_asked() {
    let repo = repo();
    let before = files(&repo);
    repo.write("live.txt", line("10.1.0.1", DOMAIN, PLAN));
    for args in ["", " --yes"] {
        let (code, said) = on_terminal(&repo, 200, &format!("import live.txt{args}"), "y\n");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("REFUSED, nothing is written") && !said.contains(QUESTION), "{said}");
        assert_eq!(files(&repo), before);
    }
}

#[test]
fn data_that_changes_while_a_person_thinks_is_not_overwritten() {
    let repo = repo();
    let mut running = start(&repo, 200, "import live.txt");
    let mut input = running.stdin.take().unwrap();
    let mut out = running.stdout.take().unwrap();
    let mut said = until(&mut out, QUESTION);
    // No lock is held meanwhile.
    assert_eq!(repo.run(&["subscriber", "set", "10.1.0.4", "name=Gamma"]).code, 0);
    let changed = files(&repo);
    input.write_all(b"y\n").unwrap();
    out.read_to_string(&mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("the data changed in the meantime, so nothing was changed: run the command again"), "{said}");
    assert_eq!(files(&repo), changed);
}

/// Each domain has a line, and neither the lines nor the names in one are without end.
#[test]
fn a_long_list_is_cut() {
    let repo = empty();
    let rows = |hosts: std::ops::Range<u32>| -> String {
        let domain = |number: u32| format!("d{number:02}.ispcustomer.co.zw");
        let of =
            |number: u32| hosts.clone().map(move |host| line(&format!("10.{number}.0.{host}"), &domain(number), PLAN));
        (1..=12).flat_map(of).collect()
    };
    imported(&repo, &rows(1..52), &[]);
    repo.write("live.txt", rows(1..40));
    let (code, said) = on_terminal(&repo, 400, "import live.txt", "n\n");
    assert_eq!(code, Some(1), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("  12 subscribers of ")).collect();
    assert_eq!(lines.len(), 10, "{said}");
    let last = "  12 subscribers of `d10.ispcustomer.co.zw`: 10.10.0.40, 10.10.0.41, 10.10.0.42, 10.10.0.43, \
                10.10.0.44, 10.10.0.45, 10.10.0.46, 10.10.0.47, 10.10.0.48, 10.10.0.49 and 2 more";
    assert_eq!(lines[9], last);
    assert!(said.contains("\n  24 subscribers of 2 other domains\n"), "{said}");
}
