//! `duplicate-id`: two subscribers have the same id.

use rayon::prelude::*;

use super::{Group, Rule};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::{Context, Resolved};
use crate::model::Address;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "duplicate-id",
    group: Group::Identity,
    severity: Severity::Error,
    fixed: false,
    summary: "two subscribers have the same id, or one has an id that another domain's could need",
    why: "History, plans and the portal identify a subscriber by its `id`, or by `ip@domain` if it has none. If \
          two share one, the change of one shows as a change of the other. An id in the form `ip@domain` must \
          therefore not be the key of another subscriber without an id, and an id in the form of an address must \
          not be the address of another: commands accept both, and could pick the wrong one. Nor may such an id \
          name another domain, or an address that the subscriber's domain may not give out, even if it is not in \
          use yet: the subscriber that gets it later would be rejected.",
    bad: "# subscribers/example.yaml\n\
          - ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  id: head-office\n\
          - ip: 10.10.10.26\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n  id: head-office\n",
    good: "# subscribers/example.yaml\n\
           - ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  id: head-office\n\
           - ip: 10.10.10.26\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n  id: warehouse\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let with_ids = context.subscribers().enumerate();
    // Only those that have an id: a name for each of a million subscribers would take as long as reading them.
    let mut ids: Vec<(&str, usize)> = with_ids
        .filter_map(|(number, subscriber)| Some((subscriber.record.value.id.as_ref()?.as_str(), number)))
        .collect();
    ids.par_sort_unstable();
    let mut findings = context.findings();
    for same in ids.chunk_by(|a, b| a.0 == b.0) {
        let [(id, first), others @ ..] = same else { continue };
        for (_, other) in others {
            findings.extend(twice(context, id, *other, *first));
        }
        // In the record that has the id, and at once: such an id would block another domain later.
        findings.extend(names_another_domain(context, id, *first).or_else(|| like_another(context, id, *first)));
    }
    findings.finish()
}

fn at(context: &Context<'_>, number: usize) -> Option<Where> {
    context.repo.subscribers.get(number).map(|record| record.at("id"))
}

fn twice(context: &Context<'_>, id: &str, other: usize, first: usize) -> Option<Finding> {
    let message = format!("two subscribers have the id {}", quoted(id));
    let finding = Finding::new(RULE.id, at(context, other)?, message);
    Some(finding.related(at(context, first)?, "the same id").help("give one of the two another id"))
}

/// The address that an id reads as, and the domain behind the `@` if it has one.
fn as_key(id: &str) -> Option<(Address, Option<&str>)> {
    let (ip, domain) = id.split_once('@').map_or((id, None), |(ip, domain)| (ip, Some(domain)));
    Some((ip.parse().ok()?, domain))
}

/// An id such as `10.10.10.25@isp.example` on a subscriber of another domain, or one that reads as an
/// address which the subscriber does not have and its domain may not give out.
fn names_another_domain(context: &Context<'_>, id: &str, number: usize) -> Option<Finding> {
    let (address, named) = as_key(id)?;
    let subscriber = context.subscriber(number)?;
    let value = &subscriber.record.value;
    let own = match named {
        Some(named) => named == value.domain.as_str(),
        None => {
            value.ip.as_slice().iter().any(|ip| ip.net() == address.net())
                || subscriber.domain.is_none_or(|(_, domain)| domain.blocks.hold(&address))
        }
    };
    if own {
        return None;
    }
    let what =
        if named.is_some() { "names a subscriber of another domain" } else { "reads as an address outside its domain" };
    let key = format!("{}@{}", value.ip.first()?, value.domain);
    let help = format!("choose another id, or leave it out: the subscriber's key is then {}", quoted(&key));
    Some(Finding::new(RULE.id, at(context, number)?, format!("the id {} {what}", quoted(id))).help(help))
}

/// An id such as `10.10.10.25`, while another subscriber has that address; or such as
/// `10.10.10.25@ispcustomer.co.zw`, while the subscriber with that address there has no id. A
/// subscriber that moved to another address may keep its old key as its id.
fn like_another(context: &Context<'_>, id: &str, number: usize) -> Option<Finding> {
    let (address, domain) = as_key(id).filter(|(address, _)| address.written().is_none())?;
    let own = context.repo.subscribers.get(number)?;
    let has_this_key = |other: &Resolved<'_>| {
        let value = &other.record.value;
        match domain {
            None => other.record.place() != own.place(),
            // Only a first address gives a name.
            Some(domain) => {
                value.id.is_none()
                    && value.domain.as_str() == domain
                    && value.ip.first().is_some_and(|first| first.net() == address.net())
            }
        }
    };
    let holders = context.holdings().holders(&address);
    // An address may be given out twice.
    let other = holders.iter().filter_map(|holder| context.holder(*holder)).find(has_this_key)?;
    let (message, label, help) = match domain {
        None => ("reads as the address of another subscriber", "has the address", "choose another id"),
        Some(_) => (
            "is the key of another subscriber",
            "without an id, its key is its address and domain",
            "choose another id, or give the other subscriber one",
        ),
    };
    let finding = Finding::new(RULE.id, at(context, number)?, format!("the id {} {message}", quoted(id)));
    Some(finding.related(other.record.at("ip"), label).help(help))
}
