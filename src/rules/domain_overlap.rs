//! `domain-overlap`: two domains may give out the same addresses.

use super::{Group, Rule, non_canonical_ip};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::{AddressHolder, Context, Holdings, Overlap};
use crate::model::{Address, Domain};
use crate::repo::Record;
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "domain-overlap",
    group: Group::Addresses,
    severity: Severity::Error,
    fixed: false,
    summary: "two domains have prefixes that overlap",
    why: "An address belongs to one tier-2 ISP. If two domains may give it out, each can take the other's traffic, \
          and neither notices.",
    bad: "# domains/a.example.yaml\nname: a.example\nprefixes: [10.20.0.0/16]\n\n\
          # domains/b.example.yaml\nname: b.example\nprefixes: [10.20.30.0/24]\n",
    good: "# domains/a.example.yaml\nname: a.example\nprefixes: [10.20.0.0/16]\n\n\
           # domains/b.example.yaml\nname: b.example\nprefixes: [10.21.30.0/24]\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let domains = &context.repo.domains;
    let holdings = Holdings::new(domains.iter().map(|domain| domain.value.prefixes.as_slice()), domains.len());
    context.first_of(
        holdings
            .clear_overlaps(!non_canonical_ip::refuses(context))
            .iter()
            .filter_map(|overlap| finding(domains, overlap)),
    )
}

fn finding(domains: &[Record<Domain>], overlap: &Overlap) -> Option<Finding> {
    let ((inner, inner_prefix, here), (outer, outer_prefix, there)) =
        (prefix(domains, overlap.inner)?, prefix(domains, overlap.outer)?);
    // Within one domain it does no harm, and `duplicate-name` reports two records of one name.
    if inner == outer {
        return None;
    }
    let message = if overlap.same {
        format!("the prefix {} belongs to two domains", quoted(&inner_prefix.to_string()))
    } else {
        let (inner_prefix, outer_prefix) = (quoted(&inner_prefix.to_string()), quoted(&outer_prefix.to_string()));
        format!("the prefixes {inner_prefix} and {outer_prefix} of two domains overlap")
    };
    Some(
        Finding::new(RULE.id, here, message)
            .related(there, "overlaps with this one")
            .help("leave the addresses to one of the two, or split the wider prefix"),
    )
}

fn prefix(domains: &[Record<Domain>], holder: AddressHolder) -> Option<(&str, &Address, Where)> {
    let domain = domains.get(holder.owner as usize)?;
    let position = holder.position as usize;
    let at = Where::Place(domain.place().field("prefixes").index(position));
    Some((domain.value.name.as_str(), domain.value.prefixes.get(position)?, at))
}
