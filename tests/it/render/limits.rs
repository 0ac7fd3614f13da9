//! A custom template cannot exceed its limits.

use super::{PLAN, with_subscribers};
use crate::support::Repo;

/// A repository whose only output has this template.
fn with_template(template: &str) -> Repo {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}- ip: 10.10.10.2\n  {PLAN}"));
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", template);
    repo
}

/// What the finding of a check of this template says.
fn found(template: &str) -> String {
    let check = with_template(template).run(&["check", "--format", "json"]);
    assert_eq!(check.code, 1, "{template}: {}", check.stderr);
    let report: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!(report["findings"][0]["rule"], "template");
    report["findings"][0]["message"].as_str().unwrap().to_owned()
}

fn grown(by: &str, to: &str) -> String {
    format!(
        "{{% set n = namespace(x={to}) %}}{{% for i in range(200) %}}{{% set n.x = {by} %}}{{% endfor %}}{{{{ n.x | length }}}}"
    )
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_limited() {
    // A few long replacements: with many short ones, processor time ends first.
    let long = format!("a{}", "b".repeat(255)).repeat(256);
    for template in [
        grown("n.x ~ n.x", "'ab'"),
        grown(&format!("n.x | replace('a', '{long}')"), "'a'"),
        grown("[n.x, n.x] | join", "'ab'"),
        grown("n.x + n.x", "'ab'"),
    ] {
        let said = found(&template);
        assert!(said.contains(" MiB of memory"), "{template:.200}: {said}");
    }
    let render = with_template(&grown("n.x ~ n.x", "'ab'")).run(&["render", "all"]);
    assert_eq!((render.code, render.stdout.as_str()), (1, ""), "{render:?}");
    assert!(render.stderr.contains("templates/all.j2") && render.stderr.contains("of memory"), "{render:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn processor_time_is_limited() {
    // A text of 2^60 entries, in 60 steps.
    let said =
        found(&grown("[n.x, n.x]", "['a']").replace("range(200)", "range(60)").replace("length", "string | upper"));
    assert!(said.contains("10 s of processor time"), "{said}");
}

#[test]
fn lists_in_json_nest_only_so_deep() {
    let said = found(&grown("[n.x]", "['a']").replace("length", "json"));
    assert!(said.contains("32 levels deep"), "{said}");
}

#[test]
fn several_outputs_are_rendered_and_an_error_is_that_of_its_own() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}- ip: 10.10.10.2\n  {PLAN}  name: Näme, 名 😀\n"));
    repo.write(
        "shapeline.yaml",
        "outputs:\n  a: {template: templates/a.j2}\n  b: {template: templates/b.j2}\n  c: {template: templates/c.j2}\n",
    );
    repo.write("templates/a.j2", "{% for s in subscribers %}{{ s.name | default('-', true) | text }}\n{% endfor %}");
    repo.write("templates/b.j2", "{% for s in subscribers %}\n{{ s.name }}{% endfor %}");
    repo.write("templates/c.j2", "{{ nosuch }}");
    let check = repo.run(&["check"]);
    assert_eq!(check.code, 1, "{check:?}");
    for place in ["templates/b.j2:2:", "templates/c.j2:1:", "subscribers/all.yaml:1"] {
        assert!(check.stdout.contains(place), "{place}: {check:?}");
    }
    repo.write("templates/b.j2", "{{ lines | length }}\n");
    repo.write("templates/c.j2", "{{ output }} {{ date }}\n");
    let run = repo.run(&["render", "--on", "2026-11-21", "--out-dir", "out"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(repo.read("out/a.txt"), "-\nNäme, 名 😀\n");
    assert_eq!((repo.read("out/b.txt"), repo.read("out/c.txt")), ("2\n".to_owned(), "c 2026-11-21\n".to_owned()));
}

#[test]
fn a_process_that_is_not_asked_properly_renders_nothing() {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .arg("__render")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!((run.status.code(), run.stdout.as_slice()), (Some(2), &b""[..]));
    assert_eq!(String::from_utf8_lossy(&run.stderr).trim(), "no request: failed to fill whole buffer");
}
