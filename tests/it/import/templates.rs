//! An output with a template of one's own is rendered before an import is written.

use super::{DOMAIN, PLAN, empty, import, imported, line};
use crate::support::Repo;

/// Names every subscriber, and fails on one without a name.
const NAMES: &str = "{% for s in subscribers %}{{ s.name | text }}\n{% endfor %}";

fn with_template(template: &str) -> Repo {
    let repo = empty();
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", template);
    repo
}

#[test]
fn an_import_that_breaks_a_template_is_refused() {
    let repo = with_template(NAMES);
    let run = import(&repo, &line("10.1.0.1", DOMAIN, PLAN), &[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("templates/all.j2:1:") && run.stderr.contains("error[template]"), "{run:?}");
    assert!(super::files(&repo).is_empty(), "nothing is written");

    let csv = format!("ip,domain,plan,name\n10.1.0.1,{DOMAIN},{PLAN},ACME\n");
    imported(&repo, &csv, &[]);
    assert_eq!(repo.run(&["check"]).code, 0);
}

#[test]
fn a_template_that_failed_before_does_not_stop_an_import() {
    let repo = with_template("{{ nosuch }}");
    assert_eq!(repo.run(&["check"]).code, 1);
    let run = imported(&repo, &line("10.1.0.1", DOMAIN, PLAN), &[]);
    assert!(run.stdout.contains("Note: the data had 1 error before, and still has: see `shapeline check`."), "{run:?}");
}

#[test]
fn templates_wait_for_rates_that_are_not_known() {
    let repo = with_template("{% for s in subscribers %}{{ 30 // ((s.up | bps) // 1000000) }}\n{% endfor %}");
    let live = line("10.1.0.1", DOMAIN, "GOLD");
    let run = imported(&repo, &live, &["--dry-run"]);
    assert!(run.stdout.contains("To fill in: plans/GOLD.yaml: up and down"), "{run:?}");
    imported(&repo, &live, &["--rate", "GOLD=30Mbps/30Mbps"]);
    assert_eq!(repo.run(&["check"]).code, 0);
    let run = import(&repo, &live, &["--rate", "GOLD=30kbps/30kbps"]);
    assert_eq!(run.code, 1, "{run:?}");
}
