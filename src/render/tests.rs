//! No template gets free text out but through `csv`, `json`, `xml` and `text`.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::own::{RenderJob, carry_out};
use super::*;
use crate::tree::Tree;

/// All of it, in any case, is beyond ASCII: what is ASCII in an output came from elsewhere.
const NAME: &str = "ŋøŦ名\u{a0}ŋ😀";

/// What becomes of NAME in a template that has it as `v`.
fn rendered(template: &str) -> Result<String, String> {
    let files = [
        ("shapeline.yaml", "outputs: {a: {template: templates/a.j2}}\n".to_owned()),
        ("plans/P.yaml", format!("name: P\nup: 1 Mbps\ndown: 1 Mbps\ndescription: {NAME}\n")),
        ("domains/d.example.yaml", "name: d.example\nprefixes: [10.10.10.0/24]\n".to_owned()),
        (
            "subscribers/a.yaml",
            format!("ip: 10.10.10.1\ndomain: d.example\nplan: P\nname: {NAME}\nlabels: {{k: {NAME}}}\n"),
        ),
        ("templates/a.j2", format!("{{% set s = subscribers[0] %}}{{% set v = s.name %}}{template}")),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
    let repo = Arc::new(Repo::load(&Tree::Memory(files.into())).unwrap());
    assert!(repo.findings.is_empty(), "{:?}", repo.findings);
    let context = Context::new(&repo, "2026-11-21".parse().unwrap(), None);
    let table = Arc::new(Table::new(&repo, &context));
    let output = output(&repo.settings, Some("a")).unwrap();
    let answer = carry_out(&table, &RenderJob { outputs: vec![output], checking: false }).remove(0);
    answer.map(Rendered::into_text).map_err(|failure| failure.finding(&repo, FileId::default()).message)
}

/// Every filter that a template has, but for those that make free text fit, with ordinary arguments.
const FILTERS: [&str; 59] = [
    "abs",
    "attr('x')",
    "bool",
    "bps",
    "broadcast",
    "capitalize",
    "chain([1])",
    "cidr",
    "count",
    "d('x')",
    "default('x')",
    "dictsort",
    "dictsort(by='value')",
    "e",
    "escape",
    "first",
    "float",
    "float(default=1)",
    "gbps",
    "groupby('x')",
    "int",
    "int(default=1)",
    "items",
    "join",
    "join('-')",
    "kbps",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map('upper')",
    "map(attribute=0)",
    "max",
    "mbps",
    "min",
    "netmask",
    "network",
    "prefixlen",
    "reject",
    "rejectattr('x')",
    "replace('ŋ', 'x')",
    "replace('', '')",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr('x')",
    "sort",
    "sort(case_sensitive=true)",
    "split",
    "split('')",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip([1, 2])",
];

/// What else can be made of a value.
const SHAPES: [&str; 19] = [
    "v ~ 'x'",
    "'x' ~ v",
    "v ~ v",
    "v + 'x'",
    "v * 2",
    "'%s' % v",
    "[v]",
    "[v, [v]]",
    "{'k': v}",
    "{v: 'k'}",
    "(v, 1)",
    "v[1:]",
    "v[::2]",
    "v[1::2]",
    "v[::-1]",
    "v[0]",
    "s",
    "s.labels",
    "plans.P.description",
];

#[test]
fn the_filters_here_are_all_there_are() {
    let shown = format!("{:?}", bare_environment());
    let (_, from) = shown.split_once("filters: [").unwrap();
    let known: BTreeSet<&str> =
        from.split_once(']').unwrap().0.split(", ").map(|name| name.trim_matches('"')).collect();
    let here = FILTERS.iter().map(|call| call.split('(').next().unwrap()).chain(["csv", "json", "xml", "text"]);
    assert_eq!(known, here.collect());
}

#[test]
fn free_text_comes_back_whole_through_the_filters_that_make_it_fit() {
    for (template, expected) in [
        ("{{ v | text }}", NAME.to_owned()),
        ("{{ v | upper | text }}", NAME.to_uppercase()),
        ("{{ v | string | list | join | text }}", NAME.to_owned()),
        ("{{ (v ~ '<') | xml }}", format!("{NAME}&lt;")),
        ("{{ ('<' ~ v) | e | text }}", format!("&lt;{NAME}")),
        ("{{ v | string | split('名') | last | json }}", "\"\u{a0}ŋ😀\"".to_owned()),
        ("{{ (v | string)[3:4] | csv }}", "名".to_owned()),
        ("{{ v | replace('名', '-') | text }}", NAME.replace('名', "-")),
        ("{{ [v, v] | unique | length }}", "1".to_owned()),
        ("{{ v == s.labels.k }}", "true".to_owned()),
        ("{{ [v] | json }}", format!("[\"{NAME}\"]")),
    ] {
        assert_eq!(rendered(template), Ok(expected), "{template}");
    }
}

#[test]
fn a_panic_in_the_template_engine_is_a_failure_of_the_template() {
    let failure = rendered("{{ ([] | reject)[::-1] | list }}").unwrap_err();
    assert!(failure.contains("minijinja cannot render this template: index out of bounds"), "{failure}");
}

/// The value itself, and what a loop over it gives.
fn written(steps: &[String]) -> [String; 2] {
    let steps: String = steps.iter().map(|step| format!("{{% set v = {step} %}}")).collect();
    [format!("{steps}{{{{ v }}}}"), format!("{steps}{{% for c in v %}}{{{{ c }}}}{{% endfor %}}")]
}

fn stays_hidden(steps: &[String]) {
    for template in written(steps) {
        if let Ok(text) = rendered(&template) {
            assert!(text.is_ascii(), "{template} gives {text}");
        }
    }
}

fn step() -> impl Strategy<Value = String> {
    let filter = proptest::sample::select(FILTERS.to_vec()).prop_map(|filter| format!("v | {filter}"));
    prop_oneof![3 => filter, 2 => proptest::sample::select(SHAPES.to_vec()).prop_map(ToOwned::to_owned)]
}

#[test]
fn no_single_step_lets_free_text_out() {
    stays_hidden(&[]);
    for first in SHAPES.map(ToOwned::to_owned).into_iter().chain(FILTERS.map(|filter| format!("v | {filter}"))) {
        stays_hidden(std::slice::from_ref(&first));
        // Most filters want a text.
        stays_hidden(&["v | string".to_owned(), first]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
    #[test]
    fn no_sequence_of_steps_lets_free_text_out(steps in prop::collection::vec(step(), 1..6)) {
        stays_hidden(&steps);
    }
}
