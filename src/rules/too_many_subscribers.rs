//! `too-many-subscribers`: a domain has more subscribers than it may have.

use std::cell::OnceCell;
use std::collections::HashMap;

use rayon::prelude::*;

use super::{Group, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::{Context, KnownDomain, Resolved, ReviewedChange};
use crate::model::{Date, Subscriber};
use crate::text::count::counted;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "too-many-subscribers",
    group: Group::Commercial,
    severity: Severity::Error,
    fixed: false,
    summary: "a domain has more subscribers than its `max_subscribers`",
    why: "The number is part of the contract, and keeps one domain from filling the shaper's table for all others. \
          Every record whose term is not over counts: suspended and future subscribers keep their place, so that \
          the number can only become smaller as days pass.",
    bad: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\nmax_subscribers: 1\n\n\
          # subscribers/example.yaml\n- ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n\
          - ip: 10.10.10.26\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# domains/ispcustomer.co.zw.yaml\nname: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\nmax_subscribers: 2\n\n\
           # subscribers/example.yaml\n- ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n\
           - ip: 10.10.10.26\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

/// How many subscribers of the change are shown.
const SHOWN: usize = 3;

fn check(context: &Context<'_>) -> Vec<Finding> {
    let domains = context.index.domains();
    if domains.iter().all(|domain| domain.record.value.max_subscribers.is_none()) {
        return Vec::new();
    }
    let none = || vec![0_usize; domains.len()];
    let add = |mut all: Vec<usize>, subscriber: Resolved<'_>| {
        if let Some((domain, _)) = subscriber.domain.filter(|_| counts(&subscriber.record.value, context.today))
            && let Some(count) = all.get_mut(domain as usize)
        {
            *count += 1;
        }
        all
    };
    let both = |a: Vec<usize>, b: Vec<usize>| a.iter().zip(&b).map(|(a, b)| a + b).collect();
    // Few and large shares: each has a count for every domain.
    let counts = context.subscribers().with_min_len(10_000).fold(none, add).reduce(none, both);
    let before = OnceCell::new();
    let too_many = |(number, (domain, count))| finding(context, number as u32, domain, count, &before);
    domains.iter().zip(counts).enumerate().filter_map(too_many).collect()
}

/// How many subscribers each domain had in the base revision.
fn counts_before<'c>(context: &'c Context<'_>, change: &ReviewedChange<'c>) -> HashMap<&'c str, usize> {
    let mut counted = HashMap::new();
    for subscriber in change.subscribers_before(context.repo).filter(|one| counts(one, context.today)) {
        *counted.entry(subscriber.domain.as_str()).or_default() += 1;
    }
    counted
}

fn counts(subscriber: &Subscriber, today: Date) -> bool {
    subscriber.ends.is_none_or(|ends| today < ends)
}

fn finding<'c>(
    context: &'c Context<'_>,
    number: u32,
    domain: &KnownDomain<'_>,
    count: usize,
    before: &OnceCell<HashMap<&'c str, usize>>,
) -> Option<Finding> {
    let most = domain.record.value.max_subscribers?.0 as usize;
    if count <= most {
        return None;
    }
    let message = format!(
        "{} has {}, {} more than it may have",
        quoted(domain.name()),
        counted(count, "subscriber", "subscribers"),
        count - most
    );
    let mut finding = Finding::new(RULE.id, domain.record.at("max_subscribers"), message)
        .help("remove subscribers that have left, or contract more");
    let Some(change) = &context.change else { return Some(finding) };
    let of_domain = |one: &Resolved<'_>| one.domain.is_some_and(|(domain, _)| domain == number);
    let added = change.touched_subscribers().filter_map(|number| context.subscriber(number)).filter(of_domain);
    for subscriber in added.take(SHOWN) {
        finding = finding.related(subscriber.record.at("domain"), "added or altered by this change");
    }
    let before = before.get_or_init(|| counts_before(context, change)).get(domain.name()).copied().unwrap_or(0);
    finding.in_change = Some(count > before || change.touches(&domain.record.place()));
    Some(finding)
}
