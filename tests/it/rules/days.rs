//! What passes the check today passes it on every later day.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shapeline::finding::Severity;
use shapeline::inventory::Context;
use shapeline::inventory::ReviewedChange;
use shapeline::model::Date;
use shapeline::repo::Repo;
use shapeline::rules::{RULES, check};
use shapeline::tree::Tree;

use crate::yaml_properties::cases;

/// How many days terms may begin and end on.
const DAYS: usize = 12;

/// The rates of the plans, in Mbps.
const RATES: [u64; 3] = [1, 2, 5];

#[derive(Clone, Debug)]
struct Subscriber {
    plan: usize,
    suspended: bool,
    starts: Option<usize>,
    ends: Option<usize>,
}

#[derive(Clone, Debug)]
struct Data {
    subscribers: Vec<Subscriber>,
    capacity: u64,
    most: usize,
    retired: Option<usize>,
    severities: Vec<u8>,
}

fn subscriber() -> impl Strategy<Value = Subscriber> {
    let day = || prop::option::of(0..DAYS);
    (0..RATES.len(), prop::bool::weighted(0.2), day(), day()).prop_map(|(plan, suspended, starts, ends)| Subscriber {
        plan,
        suspended,
        starts,
        ends,
    })
}

fn data() -> impl Strategy<Value = Data> {
    let subscribers = prop::collection::vec(subscriber(), 1..12);
    let severities = prop::collection::vec(0_u8..3, RULES.len());
    (subscribers, 1_u64..20, 1_usize..12, prop::option::of(0..RATES.len()), severities).prop_map(
        |(subscribers, capacity, most, retired, severities)| Data { subscribers, capacity, most, retired, severities },
    )
}

fn day(number: usize) -> Date {
    format!("2026-12-{:02}", number + 10).parse().unwrap()
}

impl Data {
    fn tree(&self) -> Tree {
        let mut files = BTreeMap::new();
        let (capacity, most) = (self.capacity, self.most);
        files.insert(
            "domains/a.example.yaml".to_owned(),
            format!(
                "name: a.example\nprefixes: [10.0.0.0/24]\nmax_subscribers: {most}\n\
                 capacity: {{up: {capacity} Mbps, down: {} Mbps}}\n",
                capacity + 1
            ),
        );
        for (number, rate) in RATES.iter().enumerate() {
            let status = if self.retired == Some(number) { "retired" } else { "offered" };
            let text = format!("name: P{number}\nup: {rate} Mbps\ndown: {rate} Mbps\nstatus: {status}\n");
            files.insert(format!("plans/P{number}.yaml"), text);
        }
        for (number, one) in self.subscribers.iter().enumerate() {
            let mut text = format!("ip: 10.0.0.{}\ndomain: a.example\nplan: P{}\n", number + 1, one.plan);
            if one.suspended {
                text += "status: suspended\n";
            }
            for (key, at) in [("starts", one.starts), ("ends", one.ends)] {
                text += &at.map(|at| format!("{key}: {}\n", day(at))).unwrap_or_default();
            }
            files.insert(format!("subscribers/{number}.yaml"), text);
        }
        let rules = RULES.iter().zip(&self.severities).filter(|(rule, _)| !rule.fixed);
        let words = ["'off'", "warning", "error"];
        let rules: String =
            rules.map(|(rule, word)| format!("  {}: {}\n", rule.id, words[usize::from(*word)])).collect();
        files.insert("shapeline.yaml".to_owned(), format!("rules:\n{rules}"));
        Tree::Memory(files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect())
    }

    /// Whether more than the capacity is sold on some day from `from` on, counted day by day.
    fn oversubscribed(&self, from: usize) -> bool {
        (from..=DAYS).any(|day| {
            let on = |one: &&Subscriber| {
                !one.suspended
                    && one.starts.is_none_or(|starts| starts <= day)
                    && one.ends.is_none_or(|ends| day < ends)
            };
            self.subscribers.iter().filter(on).map(|one| RATES[one.plan]).sum::<u64>() > self.capacity
        })
    }
}

/// The rules that refuse the data on a day.
fn errors(repo: &Repo, today: Date, change: Option<ReviewedChange<'_>>) -> Vec<&'static str> {
    let found = check(&Context::new(repo, today, change), Vec::new());
    let mut rules: Vec<_> =
        found.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.rule).collect();
    rules.dedup();
    rules
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn passing_days_make_no_errors(base in data(), head in data(), today in 0..DAYS) {
        let (base, mut repo) = (Repo::load(&base.tree()).unwrap(), Repo::load(&head.tree()).unwrap());
        let actors = ["alice".to_owned()];
        let with_base = errors(&repo, day(today), None).is_empty() || {
            let change = ReviewedChange::new(&base, &mut repo, &actors);
            errors(&repo, day(today), Some(change)).is_empty()
        };
        if with_base {
            for later in today..=DAYS {
                prop_assert_eq!(errors(&repo, day(later), None), Vec::<&str>::new(), "{}", day(later));
            }
        }
    }

    #[test]
    fn the_peak_is_that_of_all_days(mut data in data(), today in 0..DAYS) {
        data.severities = vec![2; RULES.len()];
        let repo = Repo::load(&data.tree()).unwrap();
        let found = errors(&repo, day(today), None).contains(&"oversubscribed");
        prop_assert_eq!(found, data.oversubscribed(today));
    }
}
