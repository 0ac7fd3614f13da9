//! Whatever the error in one domain, the others are published as if it did not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use shapeline::model::Date;
use shapeline::publish::data::{Data, DataRequest, LoadedData};
use shapeline::render::{output, render};
use shapeline::repo::Repo;
use shapeline::rules::sound_table;
use shapeline::tree::Tree;

use crate::support;
use crate::yaml_properties::cases;

/// A file, and what it holds; nothing if it is removed.
type Written = (&'static str, Option<&'static str>);

/// What is wrong with `mine.example`.
const FAULTS: [Written; 16] = [
    ("subscribers/mine.example/01.yaml", Some("ip: 10.9.0.1\ndomain: mine.example\nplan: P\n")),
    ("subscribers/mine.example/02.yaml", Some("ip: 10.1.0.1\ndomain: mine.example\nplan: P\n")),
    ("subscribers/mine.example/03.yaml", Some("ip: 10.1.0.0/24\ndomain: mine.example\nplan: P\n")),
    ("subscribers/mine.example/04.yaml", Some("ip: 10.2.0.9\ndomain: mine.example\nplan: NONE\n")),
    ("subscribers/mine.example/05.yaml", Some("ip: 10.2.0.8\ndomain: mine.example\nplan: P\nid: theirs\n")),
    (
        "subscribers/mine.example/06.yaml",
        Some("ip: 10.2.0.7\ndomain: mine.example\nplan: P\nid: 10.1.0.2@victim.example\n"),
    ),
    ("subscribers/mine.example/07.yaml", Some("ip: [10.2.0.6\n")),
    ("subscribers/mine.example/10.2.0.1.yaml", Some("ip: 10.2.0.01\ndomain: mine.example\nplan: P\n")),
    ("subscribers/mine.example/10.2.0.2.yaml", Some("ip: 10.2.0.1\ndomain: mine.example\nplan: P\n")),
    ("subscribers/victim.example/mine.yaml", Some("ip: 10.2.0.5\ndomain: mine.example\nplan: P\n")),
    (
        "subscribers/mine.example/08.yaml",
        Some("ip: 10.2.0.4\ndomain: mine.example\nplan: P\nstarts: 2027-01-02\nends: 2027-01-01\n"),
    ),
    ("subscribers/mine.example/09.yaml", Some("ip: 10.2.0.3\ndomain: mine.example\nplan: Q\nstarts: 2027-01-02\n")),
    ("subscribers/mine.example/10.yaml", Some("ip: 10.1.0.7\ndomain: mine.example\nplan: P\n")),
    ("domains/mine.example.yaml", Some("name: mine.example\nprefixes: [10.0.0.0/8]\n")),
    ("domains/mine.example.yaml", Some("name: [\n")),
    ("domains/mine.example.yaml", None),
];

/// What the others do meanwhile.
const SAFE: [Written; 8] = [
    ("subscribers/victim.example/10.1.0.1.yaml", Some("ip: 10.1.0.1\ndomain: victim.example\nplan: Q\nname: Other\n")),
    (
        "subscribers/victim.example/10.1.0.2.yaml",
        Some("ip: 10.1.0.2\ndomain: victim.example\nplan: P\nstatus: suspended\n"),
    ),
    ("subscribers/victim.example/10.1.0.3.yaml", None),
    ("subscribers/victim.example/10.1.0.7.yaml", Some("ip: 10.1.0.7\ndomain: victim.example\nplan: P\n")),
    ("subscribers/victim.example/10.1.0.8.yaml", Some("ip: 10.1.0.8\ndomain: victim.example\nplan: P\n")),
    ("domains/victim.example.yaml", Some("name: victim.example\nprefixes: [10.1.0.0/24]\nmax_subscribers: 9\n")),
    ("subscribers/third.yaml", Some("ip: 10.3.0.1\ndomain: third.example\nplan: Q\n")),
    ("plans/Q.yaml", Some("name: Q\nup: 4 Mbps\ndown: 4 Mbps\n")),
];

fn first() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (name, prefix) in
        [("mine.example", "10.2.0.0/24"), ("victim.example", "10.1.0.0/24"), ("third.example", "10.3.0.0/24")]
    {
        let capacity = if name == "mine.example" { "capacity: {up: 4 Mbps, down: 4 Mbps}\n" } else { "" };
        files.insert(format!("domains/{name}.yaml"), format!("name: {name}\nprefixes: [{prefix}]\n{capacity}"));
    }
    for (name, rate) in [("P", 1), ("Q", 3)] {
        files.insert(format!("plans/{name}.yaml"), format!("name: {name}\nup: {rate} Mbps\ndown: {rate} Mbps\n"));
    }
    for (domain, net) in [("mine.example", 2), ("victim.example", 1)] {
        for host in 1..=3 {
            let ip = format!("10.{net}.0.{host}");
            let text = format!("ip: {ip}\ndomain: {domain}\nplan: P\n");
            files.insert(format!("subscribers/{domain}/{ip}.yaml"), text);
        }
    }
    let theirs = "ip: 10.1.0.4\ndomain: victim.example\nplan: P\nid: theirs\n";
    files.insert("subscribers/victim.example/10.1.0.4.yaml".to_owned(), theirs.to_owned());
    files
}

/// The lines of all domains but `mine.example`.
fn lines(table: &Arc<shapeline::render::Table>) -> Vec<String> {
    let text = render(table, &output(&table.repo().settings, None).unwrap()).unwrap().into_text();
    text.lines().filter(|line| !line.contains("@mine.example")).map(ToOwned::to_owned).collect()
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn the_others_go_on_as_if_it_were_not_there(
        commits in prop::collection::vec(
            (prop::collection::vec(0..FAULTS.len(), 0..4), prop::collection::vec(0..SAFE.len(), 0..4)),
            1..4,
        ),
    ) {
        let today: Date = "2026-12-01".parse().unwrap();
        let folder = support::Repo::empty();
        let mut files = first();
        files.iter().for_each(|(path, text)| drop(folder.write(path, text)));
        let target = format!("targets: [{{name: hre-1, url: 'file://{}/live/shaper.txt'}}]\n", folder.path().display());
        folder.write("shapeline.yaml", target + "safety: {max_changed: 100%, max_removed: 100%, min_subscribers: 1}\n");
        folder.write(".gitignore", "/live\n");
        std::fs::create_dir(folder.path().join("live")).unwrap();
        folder.commit("first");
        prop_assert_eq!(folder.run(&["publish", "--on", "2026-12-01"]).code, 0);
        for (faults, safe) in commits {
            let written = faults.iter().map(|at| FAULTS[*at]).chain(safe.iter().map(|at| SAFE[*at]));
            for (path, text) in written {
                match text {
                    Some(text) => {
                        folder.write(path, text);
                        files.insert(path.to_owned(), text.to_owned());
                    }
                    None => {
                        let _ = std::fs::remove_file(folder.path().join(path));
                        files.remove(path);
                    }
                }
            }
            folder.commit("next");
            let run = folder.run(&["publish", "--on", "2026-12-01"]);
            prop_assert!((0..=1).contains(&run.code), "{:?}", run);
        }
        files.retain(|path, text| !path.contains("mine.example") && !text.contains("mine.example"));
        let without = Tree::Memory(files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect());
        let without = sound_table(&Arc::new(Repo::load(&without).unwrap()), today);
        let Ok(without) = without else { return Err(TestCaseError::reject("the others are at fault themselves")) };
        let wanted = DataRequest { rev: None, today, allow_dirty: false };
        let LoadedData::Ready(data) = Data::load(folder.path(), &wanted).unwrap() else {
            return Err(TestCaseError::fail("all is refused"));
        };
        prop_assert_eq!(lines(&data.table), lines(&without));
        prop_assert!(data.frozen.iter().all(|one| one.domain == "mine.example"), "{:?}", data.frozen);
    }
}
