//! A template that a change proposes is rendered only if an admin of the base proposes it.

use super::{PLAN, with_subscribers};
use crate::support::{Repo, Run};

/// A base with one output, and with these lines in its settings.
fn base(settings: &str) -> Repo {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}"));
    repo.write("shapeline.yaml", format!("{settings}outputs:\n  all: {{template: templates/all.j2}}\n"));
    repo.write("templates/all.j2", "ok\n");
    repo.commit("start");
    repo
}

/// Whether a proposal is refused as a foreign change, as a template, and what was noted.
fn checked(repo: &Repo, actor: Option<&str>) -> (bool, bool, Run) {
    let mut arguments = vec!["check", "--base", "HEAD"];
    arguments.extend(actor.iter().flat_map(|actor| ["--actor", actor]));
    let run = repo.run(&arguments);
    (run.stdout.contains("[foreign-change]"), run.stdout.contains("[template]"), run)
}

const FAILS: &str = "{{ nosuch }}\n";

#[test]
fn with_admins_only_theirs_are_rendered() {
    let repo = base("admins: [alice]\n");
    repo.write("templates/all.j2", FAILS);
    let (foreign, template, run) = checked(&repo, Some("alice"));
    assert!(!foreign && template && run.stdout.contains("nosuch"), "{run:?}");
    let (foreign, template, run) = checked(&repo, Some("mallory"));
    assert!(foreign && !template, "{run:?}");
    let (foreign, template, run) = checked(&repo, None);
    assert!(!foreign && !template && run.code == 0, "{run:?}");
    assert!(run.stderr.contains("were not rendered: --actor does not name one of the base's admins"), "{run:?}");
}

#[test]
fn without_admins_none_is_rendered() {
    let repo = base("");
    repo.write("templates/all.j2", FAILS);
    for actor in [None, Some("mallory")] {
        let (foreign, template, run) = checked(&repo, actor);
        assert!(!foreign && template && run.code == 1, "{run:?}");
        assert!(run.stdout.contains("which names no admins") && run.stdout.contains("name `admins`"), "{run:?}");
        assert!(!run.stdout.contains("nosuch"), "it was rendered: {run:?}");
    }
    // To name oneself in the same change does not help.
    repo.write("shapeline.yaml", "admins: [mallory]\noutputs:\n  all: {template: templates/all.j2}\n");
    let (_, template, run) = checked(&repo, Some("mallory"));
    assert!(template && !run.stdout.contains("no such value"), "{run:?}");
    // On a desk, where there is nothing to compare with, it is rendered.
    let desk = repo.run(&["check"]);
    assert!(desk.code == 1 && desk.stdout.contains("nosuch"), "{desk:?}");
}

#[test]
fn an_output_that_newly_uses_a_template_is_a_changed_template() {
    let repo = base("");
    repo.write(
        "shapeline.yaml",
        "outputs:\n  all: {template: templates/all.j2}\n  more: {template: templates/all.j2}\n",
    );
    let (_, template, run) = checked(&repo, Some("mallory"));
    assert!(template && run.stdout.contains("the output `more` differs from the base"), "{run:?}");
}

#[test]
fn the_base_s_own_templates_are_rendered_with_the_new_data() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}"));
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", "{% for s in subscribers %}{{ s.id }}\n{% endfor %}");
    repo.write("subscribers/all.yaml", format!("- ip: 10.10.10.1\n  {PLAN}  id: hq\n"));
    repo.commit("start");
    repo.write("subscribers/all.yaml", format!("- ip: 10.10.10.1\n  {PLAN}"));
    let (_, template, run) = checked(&repo, Some("mallory"));
    assert!(template && run.stdout.contains("templates/all.j2:1"), "{run:?}");
    // A template that is gone is none that could be rendered.
    repo.write("shapeline.yaml", "{}\n");
    std::fs::remove_file(repo.path().join("templates/all.j2")).unwrap();
    assert_eq!(checked(&repo, None).2.code, 0);
}
