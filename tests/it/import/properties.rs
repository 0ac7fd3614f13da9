//! What holds for every source: `import` and `render` undo each other, and nothing is done twice.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use shapeline::import::adopt::{GivenRates, RateHints};
use shapeline::import::{ReadOptions, proposal, read};
use shapeline::model::RatesInName;
use shapeline::tree::Tree;

use crate::support::Repo;
use crate::yaml_properties::cases;

/// Imports into files in memory; what becomes of them.
fn import_into(files: BTreeMap<String, Vec<u8>>, source: &[u8], rates: &[GivenRates]) -> Imported {
    let options = ReadOptions { domain: "isp.example".parse().ok(), ..ReadOptions::default() };
    let found = read(source, &options).unwrap();
    assert!(found.refusals.is_empty(), "{:?}", found.refusals);
    let tree = Tree::Memory(files.clone());
    let wishes = proposal::ImportOptions {
        rates: RateHints { given: rates, order: None },
        today: "2026-11-21".parse().unwrap(),
        keep_suspended: false,
        add_only: false,
    };
    let outcome = proposal::propose(found, &tree, &wishes).unwrap();
    let proposal::ProposalOutcome::Proposed(proposal) = outcome else { panic!("the data is refused") };
    assert!(proposal.found.refusals.is_empty(), "{:?}", proposal.found.refusals);
    let mut files = files;
    for change in proposal.draft.changes() {
        match change.after {
            Some(text) => drop(files.insert(change.path.to_owned(), text.as_bytes().to_vec())),
            None => drop(files.remove(change.path)),
        }
    }
    Imported { files, missing: proposal.adoption.plans.missing.into_iter().map(|missing| missing.name).collect() }
}

/// What became of the files, and the plans that lack rates.
struct Imported {
    files: BTreeMap<String, Vec<u8>>,
    missing: Vec<String>,
}

/// The same with all rates given, as far as they are asked for.
fn import_whole(files: BTreeMap<String, Vec<u8>>, source: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let first = import_into(files, source, &[]);
    let given: Vec<GivenRates> = first.missing.into_iter().map(rates).collect();
    import_into(first.files, source, &given).files
}

/// Rates that fit what the name says of them.
fn rates(plan: String) -> GivenRates {
    let (up, down) = ("10 Mbps".parse().unwrap(), "20 Mbps".parse().unwrap());
    let (up, down) = match RatesInName::by_name(&plan) {
        Some(RatesInName::Two(up, down)) => (up, down),
        Some(RatesInName::Directions { up: said_up, down: said_down }) => {
            (said_up.unwrap_or(up), said_down.unwrap_or(down))
        }
        _ => (up, down),
    };
    GivenRates { plan, up, down }
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
    ) -> String {
        let domains = ["isp.example", "other.example", "third.example"];
        let mut rows: Vec<(shapeline::model::Address, usize, String)> = rows
            .into_iter()
            .map(|(ip, (domain, plan))| (ip.parse().unwrap(), domain, plan.get(&plans).clone()))
            .collect();
        rows.sort_by_key(|(ip, ..)| ip.sort_key());
        let lines = rows.iter().map(|(ip, domain, plan)| super::line(&ip.to_string(), domains[*domain], plan));
        lines.collect()
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// An imported clean shaper file is rendered byte for byte, and importing it again does nothing.
    #[test]
    fn render_gives_back_what_was_imported(text in shaper_file()) {
        let files = import_whole(BTreeMap::new(), text.as_bytes());
        prop_assert_eq!(rendered(&files), text.clone());
        let again = import_into(files.clone(), text.as_bytes(), &[]);
        prop_assert_eq!(again.files, files);
    }

    /// Whatever was there before, afterwards the domains of the source have what it says.
    #[test]
    fn a_second_source_replaces_the_first(first in shaper_file(), plans in prop::collection::vec(plan(), 1..4), keep in any::<u64>()) {
        let before = import_whole(BTreeMap::new(), first.as_bytes());
        // Some of the lines, some of them with another plan, and a neighbour of each.
        let kept = first.lines().enumerate().filter(|(number, _)| number % 61 == 0 || keep >> (number % 61) & 1 == 1);
        let second: String = kept.map(|(number, line)| {
            let (rest, plan) = line.rsplit_once(' ').unwrap();
            let plan = if number % 3 == 0 { &plans[number % plans.len()] } else { plan };
            format!("{rest} {plan}\n")
        }).collect();
        replaces(before, &second);
    }
}

/// After the import of `second`, its domains have what it says, and no more.
fn replaces(before: BTreeMap<String, Vec<u8>>, second: &str) {
    let after = import_whole(before, second.as_bytes());
    let domain = |line: &str| line.split(['@', ' ']).nth(2).unwrap().to_owned();
    let named: BTreeSet<String> = second.lines().map(domain).collect();
    let rendered = rendered(&after);
    let left = rendered.lines().filter(|line| named.contains(&domain(line)));
    assert_eq!(left.map(|line| format!("{line}\n")).collect::<String>(), second);
}

/// Generated once, when it failed.
#[test]
fn a_second_source_with_other_plans_and_a_prefix_replaces_the_first() {
    let line = |ip: &str, plan: &str| super::line(ip, "isp.example", plan);
    let before = import_whole(BTreeMap::new(), line("10.0.0.1", "1g").as_bytes());
    let gold = "\"Plan\"=GOLD_98.5MEG";
    let second = [("10.0.2.189", "224_MEG_UP_899_MEG_DOWN"), ("10.2.0.153", gold), ("10.8.0.224/29", gold)];
    replaces(before, &second.map(|(ip, plan)| line(ip, plan)).concat());
}
