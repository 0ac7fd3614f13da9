//! `duplicate-id`: two subscribers are known by one name.

use rayon::prelude::*;

use super::{Group, Rule};
use crate::inventory::Resolved;
use crate::inventory::Context;
use crate::finding::{Finding, Severity, Where};
use crate::text::quote::quoted;
use crate::model::Address;

/// The rule.
pub const RULE: Rule = Rule {
    id: "duplicate-id",
    group: Group::Identity,
    severity: Severity::Error,
    fixed: false,
    summary: "two subscribers have the same id, or one has an id that another domain's could need",
    why: "History, plans and the portal know a subscriber by its `id`, or by `ip@domain` where it has none. If two \
          share one, the change of one shows as a change of the other. An id in the form `ip@domain` therefore \
          must not be what another subscriber without an id is called, and an id in the form of an address not the \
          address of another: commands take both, and could mean the wrong one. Nor may such an id name another \
          domain, or an address that the subscriber's domain may not give out, whether or not anyone has it yet: \
          whoever gets it later would be refused.",
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
        // In the record that has the id, and at once: a name held back would block another domain later.
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
    let what = if named.is_some() { "names a subscriber of another domain" } else { "reads as an address of others" };
    let key = format!("{}@{}", value.ip.first()?, value.domain);
    let help = format!("choose another id, or leave it out: the subscriber is then called {}", quoted(&key));
    Some(Finding::new(RULE.id, at(context, number)?, format!("the id {} {what}", quoted(id))).help(help))
}

/// An id such as `10.10.10.25`, while somebody else has that address; or such as
/// `10.10.10.25@ispcustomer.co.zw`, while the one who has that address there has no id: one that was
/// moved to another address may keep what it was called.
fn like_another(context: &Context<'_>, id: &str, number: usize) -> Option<Finding> {
    let (address, domain) = as_key(id).filter(|(address, _)| address.written().is_none())?;
    let own = context.repo.subscribers.get(number)?;
    let is_called_so = |other: &Resolved<'_>| {
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
    // One address may stand twice.
    let other = holders.iter().filter_map(|holder| context.holder(*holder)).find(is_called_so)?;
    let (message, label, help) = match domain {
        None => ("reads as the address of another subscriber", "whose address it is", "choose another id"),
        Some(_) => (
            "is what another subscriber is called",
            "without an id, it is called by its address and domain",
            "choose another id, or give the other subscriber one",
        ),
    };
    let finding = Finding::new(RULE.id, at(context, number)?, format!("the id {} {message}", quoted(id)));
    Some(finding.related(other.record.at("ip"), label).help(help))
}
