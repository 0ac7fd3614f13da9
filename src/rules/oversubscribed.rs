//! `oversubscribed`: a domain has sold more than its capacity carries.

use rayon::prelude::*;

use super::{Change, Context, Group, KnownDomain, Resolved, Rule};
use crate::finding::{Finding, Severity, Where, quoted};
use crate::model::{Capacity, Date, Plan, Status, Subscriber, TotalBps};

/// The rule.
pub const RULE: Rule = Rule {
    id: "oversubscribed",
    group: Group::Commercial,
    severity: Severity::Error,
    fixed: false,
    summary: "a domain has sold more bandwidth than its capacity, times its contention ratio",
    why: "A domain contracts a capacity and how often each bit of it may be sold. The rates of all subscribers that \
          are active and in their term today are added up, each direction by itself; a subscriber with several \
          addresses counts once. Beyond the limit, every subscriber of the domain gets less than was promised.",
    bad: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n\
          capacity: {up: 20 Mbps, down: 20 Mbps, contention: 2}\n\n\
          # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    good: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n\
           capacity: {up: 20 Mbps, down: 20 Mbps, contention: 3}\n\n\
           # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    check,
};

/// How many subscribers of the change are shown as what was sold.
const SHOWN: usize = 3;

/// Bandwidth sold, in bit/s: a million subscribers at the largest rate are beyond 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sold {
    up: u128,
    down: u128,
}

impl Sold {
    fn add(&mut self, plan: &Plan) {
        self.up += u128::from(plan.up.bps());
        self.down += u128::from(plan.down.bps());
    }
}

/// One direction of a capacity, against what was sold of it.
struct Direction {
    name: &'static str,
    sold: u128,
    sold_before: Option<u128>,
    capacity: u128,
    contention: u128,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let domains = context.index.domains();
    if domains.iter().all(|domain| domain.record.value.capacity.is_none()) {
        return Vec::new();
    }
    let sold = sold(context);
    let mut before = None;
    let mut findings = Vec::new();
    for (number, (domain, sold)) in domains.iter().zip(sold).enumerate() {
        let Some(capacity) = &domain.record.value.capacity else { continue };
        if sold.up <= limit(capacity.up.bps(), capacity) && sold.down <= limit(capacity.down.bps(), capacity) {
            continue;
        }
        let change = context.change.as_ref();
        let before = change.map(|change| before.get_or_insert_with(|| sold_before(change, context.today)));
        let before = change.zip(before).and_then(|(change, sold)| {
            sold.get(change.base_index.domain_number(domain.name())? as usize).copied()
        });
        for direction in [
            direction("up", sold.up, before.map(|before| before.up), capacity.up.bps(), capacity),
            direction("down", sold.down, before.map(|before| before.down), capacity.down.bps(), capacity),
        ] {
            findings.extend(finding(context, number as u32, domain, &direction));
        }
    }
    findings
}

fn direction(name: &'static str, sold: u128, sold_before: Option<u128>, rate: u64, capacity: &Capacity) -> Direction {
    let contention = u128::from(capacity.contention.0);
    Direction { name, sold, sold_before, capacity: u128::from(rate), contention }
}

fn limit(rate: u64, capacity: &Capacity) -> u128 {
    u128::from(rate) * u128::from(capacity.contention.0)
}

fn finding(context: &Context<'_>, number: u32, domain: &KnownDomain<'_>, direction: &Direction) -> Option<Finding> {
    let Direction { name, sold, sold_before, capacity, contention } = *direction;
    if sold <= capacity * contention {
        return None;
    }
    let sold_of = format!("{} has sold {} {name}", quoted(domain.name()), TotalBps(sold));
    let (capacity_shown, ratio) = (TotalBps(capacity), times(sold, capacity));
    let message = match contention {
        1 => format!("{sold_of}, {ratio} times its capacity of {capacity_shown}"),
        _ => format!("{sold_of}, {ratio} times its capacity of {capacity_shown}; {contention} times is allowed"),
    };
    let place = domain.record.place().field("capacity");
    let mut finding = Finding::new(RULE.id, Where::Place(place.clone().field(name)), message)
        .label(format!("the capacity {name}"))
        .help(format!("sell {} less {name}, or contract more capacity", TotalBps(sold - capacity * contention)));
    if contention > 1 {
        finding = finding.related(Where::Place(place.field("contention")), "how often it may be sold");
    }
    let Some(change) = &context.change else { return Some(finding) };
    // The limit is a sum: the change has to do with it if it sells more, or lowers the limit.
    let raised = sold_before.is_none_or(|before| sold > before) || change.touches(&domain.record.place());
    let finding = sold_by_change(context, change, number).into_iter().fold(finding, |finding, subscriber| {
        finding.related(subscriber.record.at("plan"), "sold by this change")
    });
    Some(Finding { in_change: Some(raised), ..finding })
}

/// A ratio with two decimals, rounded up so that what is too much never shows as just enough.
fn times(sold: u128, capacity: u128) -> String {
    let hundredths = (sold * 100).div_ceil(capacity.max(1));
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn counts(subscriber: &Subscriber, today: Date) -> bool {
    subscriber.status == Status::Active && subscriber.in_term(today)
}

/// What each domain of the index has sold.
fn sold(context: &Context<'_>) -> Vec<Sold> {
    let none = || vec![Sold::default(); context.index.domains().len()];
    let add = |mut all: Vec<Sold>, subscriber: Resolved<'_>| {
        if let (Some((_, plan)), Some((domain, _))) = (subscriber.plan, subscriber.domain)
            && counts(&subscriber.record.value, context.today)
            && let Some(sold) = all.get_mut(domain as usize)
        {
            sold.add(&plan.value);
        }
        all
    };
    let both = |a: Vec<Sold>, b: Vec<Sold>| {
        a.iter().zip(&b).map(|(a, b)| Sold { up: a.up + b.up, down: a.down + b.down }).collect()
    };
    // Few and large shares: each has a sum for every domain.
    context.subscribers().with_min_len(10_000).fold(none, add).reduce(none, both)
}

/// The same for the base revision, as of the same day.
fn sold_before(change: &Change<'_>, today: Date) -> Vec<Sold> {
    let index = &change.base_index;
    let mut all = vec![Sold::default(); index.domains().len()];
    for subscriber in change.base.subscribers.iter().map(|record| &record.value).filter(|one| counts(one, today)) {
        let domain = index.domain_number(subscriber.domain.as_str()).and_then(|number| all.get_mut(number as usize));
        if let (Some(sold), Some(plan)) = (domain, index.plan(subscriber.plan.as_str())) {
            sold.add(&plan.value);
        }
    }
    all
}

/// The first few subscribers of the domain that the change adds or alters.
fn sold_by_change<'c>(context: &'c Context<'_>, change: &Change<'_>, domain: u32) -> Vec<Resolved<'c>> {
    change
        .touched_subscribers()
        .filter_map(|number| context.subscriber(number))
        .filter(|one| one.domain.is_some_and(|(number, _)| number == domain))
        .filter(|one| counts(&one.record.value, context.today))
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_never_look_smaller_than_they_are() {
        assert_eq!(times(20, 1), "20");
        assert_eq!(times(2_000_001, 100_000), "20.01");
        assert_eq!(times(25, 10), "2.5");
    }
}
