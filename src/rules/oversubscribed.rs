//! `oversubscribed`: a domain has sold more than its capacity carries.

use rayon::prelude::*;

use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::peak::{Peak, Terms};
use crate::inventory::{Context, KnownDomain, Resolved, ReviewedChange};
use crate::model::{Capacity, Date, SubscriberStatus, TotalBps};
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "oversubscribed",
    group: Group::Commercial,
    severity: Severity::Error,
    fixed: false,
    summary: "a domain has sold more bandwidth than its capacity, times its contention ratio",
    why: "A domain contracts a capacity and a contention ratio: how often each bit of the capacity may be sold. \
          The rates of all active subscribers are added up for today and for every later day on which a term \
          begins or ends, each direction separately; the day with the largest sum counts. A subscriber with \
          several addresses counts once. Beyond the limit, every subscriber of the domain gets less than was \
          promised. Because coming terms count from the start, data that passes today also passes on every later \
          day.",
    bad: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n\
          capacity: {up: 20 Mbps, down: 20 Mbps, contention: 2}\n\n\
          # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    good: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n\
           capacity: {up: 20 Mbps, down: 20 Mbps, contention: 3}\n\n\
           # subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    check,
};

/// How many subscribers are shown of each kind.
const SHOWN: usize = 3;

/// One direction of a capacity, and the largest sum that is sold of it.
struct Direction {
    name: &'static str,
    peak: Peak,
    peak_before: Option<Peak>,
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
    for (domain, number) in domains.iter().zip(0..) {
        let Some(capacity) = &domain.record.value.capacity else { continue };
        let peaks = sold.peaks(number);
        if peaks.up.bps <= limit(capacity.up.bps(), capacity) && peaks.down.bps <= limit(capacity.down.bps(), capacity)
        {
            continue;
        }
        let change = context.change.as_ref();
        let before = change.map(|change| before.get_or_insert_with(|| sold_before(context, change)));
        let before = change
            .zip(before)
            .and_then(|(change, sold)| Some(sold.peaks(change.base_index.domain_number(domain.name())?)));
        for direction in [
            direction("up", peaks.up, before.map(|before| before.up), capacity.up.bps(), capacity),
            direction("down", peaks.down, before.map(|before| before.down), capacity.down.bps(), capacity),
        ] {
            findings.extend(finding(context, number, domain, &sold, &direction));
        }
    }
    findings
}

fn direction(name: &'static str, peak: Peak, peak_before: Option<Peak>, rate: u64, capacity: &Capacity) -> Direction {
    let contention = u128::from(capacity.contention.0);
    Direction { name, peak, peak_before, capacity: u128::from(rate), contention }
}

fn limit(rate: u64, capacity: &Capacity) -> u128 {
    u128::from(rate) * u128::from(capacity.contention.0)
}

fn finding(
    context: &Context<'_>,
    number: u32,
    domain: &KnownDomain<'_>,
    terms: &Terms,
    direction: &Direction,
) -> Option<Finding> {
    let Direction { name, peak, peak_before, capacity, contention } = *direction;
    let sold = peak.bps;
    if sold <= capacity * contention {
        return None;
    }
    let later = if peak.from == context.today { String::new() } else { format!("from {} on, ", peak.from) };
    let sold_of = format!("{later}{} has sold {} {name}", quoted(domain.name()), TotalBps(sold));
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
    let first = terms.begin_on(number, peak.from).take(SHOWN).filter_map(|number| context.subscriber(number as usize));
    finding = first
        .fold(finding, |finding, subscriber| finding.related(subscriber.record.at("starts"), "begins on that day"));
    let Some(change) = &context.change else { return Some(finding) };
    // The limit is on a sum: the change is involved if it sells more, or alters the limit.
    let raised = peak_before.is_none_or(|before| sold > before.bps) || change.touches(&domain.record.place());
    let finding = sold_by_change(context, change, number, peak.from)
        .into_iter()
        .fold(finding, |finding, subscriber| finding.related(subscriber.record.at("plan"), "sold by this change"));
    Some(Finding { in_change: Some(raised), ..finding })
}

/// A ratio with two decimals, rounded up so that a ratio above the limit never shows as the limit.
fn times(sold: u128, capacity: u128) -> String {
    let hundredths = (sold * 100).div_ceil(capacity.max(1));
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What each domain of the index has sold, over all coming terms.
fn sold(context: &Context<'_>) -> Terms {
    let none = || Terms::new(context.index.domains().len(), context.today);
    let add = |mut all: Terms, (number, subscriber): (usize, Resolved<'_>)| {
        if let (Some((_, plan)), Some((domain, _))) = (subscriber.plan, subscriber.domain)
            && subscriber.record.value.status == SubscriberStatus::Active
        {
            all.add(domain, number as u32, &subscriber.record.value, &plan.value);
        }
        all
    };
    // Few and large shares: each has a sum for every domain.
    context.subscribers().enumerate().with_min_len(10_000).fold(none, add).reduce(none, Terms::and).sorted()
}

/// The same for the base revision, as of the same day.
fn sold_before(context: &Context<'_>, change: &ReviewedChange<'_>) -> Terms {
    let index = &change.base_index;
    let mut all = Terms::new(index.domains().len(), context.today);
    let before = change.subscribers_before(context.repo).zip(0..);
    for (subscriber, number) in before.filter(|(one, _)| one.status == SubscriberStatus::Active) {
        let domain = index.domain_number(subscriber.domain.as_str());
        if let (Some(domain), Some(plan)) = (domain, index.plan(subscriber.plan.as_str())) {
            all.add(domain, number, subscriber, &plan.value);
        }
    }
    all.sorted()
}

/// The first few subscribers of the domain that the change adds or alters, and that are served on `day`.
fn sold_by_change<'c>(
    context: &'c Context<'_>,
    change: &ReviewedChange<'_>,
    domain: u32,
    day: Date,
) -> Vec<Resolved<'c>> {
    change
        .touched_subscribers()
        .filter_map(|number| context.subscriber(number))
        .filter(|one| one.domain.is_some_and(|(number, _)| number == domain))
        .filter(|one| one.record.value.status == SubscriberStatus::Active && one.record.value.in_term(day))
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
