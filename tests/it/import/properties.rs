//! What holds for every source: `import` and `render` undo each other, and nothing is done twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shapeline::import::{Options, adopt::GivenRates, proposal, read};
use shapeline::tree::Tree;

use crate::support::Repo;

/// Imports into files in memory; what becomes of them.
pub fn import_into(files: BTreeMap<String, Vec<u8>>, source: &[u8], rates: &[GivenRates]) -> BTreeMap<String, Vec<u8>> {
    let options = Options { domain: "isp.example".parse().ok(), ..Options::default() };
    let found = read(source, &options).unwrap();
    assert!(found.refusals.is_empty(), "{:?}", found.refusals);
    let tree = Tree::Memory(files.clone());
    let outcome = proposal::propose(found, &tree, rates, "2026-11-21".parse().unwrap()).unwrap();
    let proposal::Outcome::Proposed(proposal) = outcome else { panic!("the data is refused") };
    assert!(proposal.found.refusals.is_empty(), "{:?}", proposal.found.refusals);
    let mut files = files;
    for change in proposal.draft.changes() {
        match change.after {
            Some(text) => drop(files.insert(change.path.to_owned(), text.as_bytes().to_vec())),
            None => drop(files.remove(change.path)),
        }
    }
    files
}

fn rendered(files: &BTreeMap<String, Vec<u8>>) -> String {
    let repo = Repo::empty();
    for (path, bytes) in files {
        repo.write(path, bytes);
    }
    for folder in ["plans", "domains", "subscribers"] {
        std::fs::create_dir_all(repo.path().join(folder)).unwrap();
    }
    super::rendered(&repo)
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..4_u8, 0..4_u8, 1..=254_u8).prop_map(|(a, b, c)| format!("10.{a}.{b}.{c}")),
        1 => (8..12_u8, 0..32_u8).prop_map(|(a, b)| format!("10.{a}.0.{}/29", b * 8)),
        2 => (0..4_u16, 1..0xffff_u16).prop_map(|(a, b)| format!("2001:db8:{a:x}::{b:x}").replace(":0::", "::")),
        1 => (16..20_u16, 0..256_u16).prop_map(|(a, b)| format!("2001:db8:{a:x}:{b:x}00::/56").replace(":000::", "::")),
    ]
}

fn plan() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..1000_u32, 1..1000_u32).prop_map(|(up, down)| format!("{up}_MEG_UP_{down}_MEG_DOWN")),
        (1..100_u32).prop_map(|rate| format!("\"Plan\"=GOLD_{rate}.5MEG")),
        "[!-~]{1,12}",
    ]
}

prop_compose! {
    fn shaper_file()(
        rows in prop::collection::btree_map(address(), (0..3_usize, any::<prop::sample::Index>()), 1..60),
        plans in prop::collection::vec(plan(), 1..8),
    ) -> (String, Vec<String>) {
        let domains = ["isp.example", "other.example", "third.example"];
        let mut rows: Vec<(shapeline::model::Address, usize, String)> = rows
            .into_iter()
            .map(|(ip, (domain, plan))| (ip.parse().unwrap(), domain, plan.get(&plans).clone()))
            .collect();
        rows.sort_by_key(|(ip, ..)| ip.sort_key());
        let lines = rows.iter().map(|(ip, domain, plan)| super::line(&ip.to_string(), domains[*domain], plan));
        (lines.collect(), plans)
    }
}

fn rates(plans: &[String]) -> Vec<GivenRates> {
    let mut seen = std::collections::BTreeSet::new();
    let unique = plans.iter().filter(|plan| seen.insert((*plan).clone()));
    let hard = unique.filter(|plan| !plan.ends_with("MEG_DOWN") && !plan.ends_with("5MEG"));
    hard.map(|plan| GivenRates { plan: plan.clone(), up: "10 Mbps".parse().unwrap(), down: "20 Mbps".parse().unwrap() })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.min(64).max(if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { 0 })))]

    /// An imported clean shaper file is rendered byte for byte, and importing it again does nothing.
    #[test]
    fn render_gives_back_what_was_imported((text, plans) in shaper_file()) {
        let rates: Vec<GivenRates> = rates(&plans);
        let files = import_into(BTreeMap::new(), text.as_bytes(), &rates);
        prop_assert_eq!(rendered(&files), text.clone());
        let again = import_into(files.clone(), text.as_bytes(), &[]);
        prop_assert_eq!(again, files);
    }

    /// Whatever was there before, afterwards the domains of the source have what it says.
    #[test]
    fn a_second_source_replaces_the_first((first, plans) in shaper_file(), (second, more) in shaper_file()) {
        let before = import_into(BTreeMap::new(), first.as_bytes(), &rates(&plans));
        // Addresses that another domain's blocks hold now are refused, and told by row: not looked at here.
        let owner = |text: &str| text.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>();
        let kept: String = first.lines().chain(second.lines())
            .filter(|line| owner(&first).contains(line.split(' ').nth(1).unwrap()))
            .filter(|line| second.contains(line.split(' ').next().unwrap()))
            .map(|line| (line.split(' ').nth(1).unwrap(), line))
            .collect::<BTreeMap<_, _>>()
            .into_values().map(|line| format!("{line}\n")).collect();
        prop_assume!(!kept.is_empty());
        let all: Vec<String> = plans.iter().chain(&more).cloned().collect();
        let after = import_into(before, kept.as_bytes(), &rates(&all));
        let named: std::collections::BTreeSet<&str> = kept.lines().map(|line| line.split(' ').nth(1).unwrap().split_once('@').unwrap().1).collect();
        let of_named = |text: &str| {
            let mut lines: Vec<String> = text.lines().filter(|line| named.contains(line.split(' ').nth(1).unwrap().split_once('@').unwrap().1)).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        prop_assert_eq!(of_named(&rendered(&after)), of_named(&kept));
    }
}
