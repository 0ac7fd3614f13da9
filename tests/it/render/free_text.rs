//! Free text reaches an output through `csv`, `json`, `xml` and `text`, and in no other way.

use super::{PLAN, with_subscribers};

/// Whether an output with this template passes the check.
pub(super) fn passes(template: &str) -> bool {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}  name: INJ;a,evil\n  labels: {{k: 'v;inj'}}\n"));
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", format!("{{% for s in subscribers %}}{template}{{% endfor %}}"));
    let run = repo.run(&["check"]);
    assert!(run.code == 0 || run.code == 1, "{run:?}");
    run.code == 0
}

#[test]
fn free_text_stays_free_text_whatever_is_made_of_it() {
    for template in [
        "{{ s.name }}",
        "{{ s.name | upper }}",
        "{{ s.name ~ 'x' }}",
        "{{ 'x' ~ s.name }}",
        "{{ s.name | replace('a', 'b') }}",
        "{{ [s.name] | join }}",
        "{{ s.name | safe }}",
        "{{ s.labels.k | trim }}",
        "{{ s.labels }}",
        "{{ s }}",
        "{{ subscribers }}",
        "{% set n = s.name | string %}{{ n }}",
        "{{ s.labels | items | list }}",
    ] {
        assert!(!passes(template), "{template}");
    }
    for template in [
        "{{ s.name | csv }}",
        "{{ s.name | upper | json }}",
        "{{ (s.name ~ 'x') | xml }}",
        "{{ s.labels.k | text }}",
        "{{ s.addresses | json }}",
    ] {
        assert!(passes(template), "{template}");
    }
}
