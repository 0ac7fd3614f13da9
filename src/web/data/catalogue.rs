//! Plans and domains as the API shows them, made once for each commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Date;
use crate::query::{DomainView, PlanView, domains, plans};
use crate::repo::Repo;

/// A plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PlanEntry {
    /// Its name.
    pub(crate) name: String,
    /// The rate from the subscriber, in bit/s.
    pub(crate) up_bps: u64,
    /// The rate to the subscriber, in bit/s.
    pub(crate) down_bps: u64,
    /// `offered` or `retired`.
    pub(crate) status: &'static str,
    /// The last field of its lines in the shaper file.
    attribute: String,
    /// A description for people.
    pub(crate) description: Option<String>,
    /// How many subscribers have it, of the domains that the token may see.
    pub(crate) subscribers: usize,
    /// The same by domain, for the domains that may sell it or have sold it.
    pub(crate) domains: BTreeMap<String, usize>,
}

/// A domain.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DomainEntry {
    /// Its name.
    pub(crate) name: String,
    /// The address blocks that it may give out.
    pub(crate) prefixes: Vec<String>,
    /// The addresses and prefixes in them that no subscriber gets.
    reserved: Vec<String>,
    /// The plans that it may sell; null for every offered plan.
    plans: Option<Vec<String>>,
    /// How many subscribers it has.
    pub(crate) subscribers: usize,
    /// How many of them are served today.
    pub(crate) served: usize,
    /// How many it may have, if that is limited.
    pub(crate) max_subscribers: Option<u32>,
    /// IPv4 addresses in its blocks.
    ipv4_addresses: u64,
    /// IPv4 addresses in its blocks that are given out.
    ipv4_used: u64,
    /// IPv4 addresses in its blocks that a subscriber can still get.
    ipv4_free: u64,
    /// IPv6 addresses and prefixes in its blocks that are given out.
    ipv6_used: usize,
    /// The upload rates of its served subscribers together, in bit/s: a text, as the sum may be larger than a
    /// number in JSON.
    pub(crate) committed_up_bps: String,
    /// The download rates of its served subscribers together, in bit/s.
    pub(crate) committed_down_bps: String,
    /// The contracted upload rate in bit/s, if there is one.
    pub(crate) capacity_up_bps: Option<u64>,
    /// The contracted download rate in bit/s.
    pub(crate) capacity_down_bps: Option<u64>,
    /// How often each bit of the capacity may be sold.
    pub(crate) contention: Option<u32>,
}

/// The plans, the slowest first.
pub(super) fn all_plans(repo: &Repo) -> Vec<PlanEntry> {
    plans(repo, None).unwrap_or_default().into_iter().map(plan).collect()
}

/// The domains by name.
pub(super) fn all_domains(repo: &Arc<Repo>, today: Date) -> Vec<DomainEntry> {
    domains(repo, None, today).unwrap_or_default().into_iter().map(domain).collect()
}

fn plan(view: PlanView<'_>) -> PlanEntry {
    PlanEntry {
        name: view.name.to_owned(),
        up_bps: view.up_bps,
        down_bps: view.down_bps,
        status: view.status,
        attribute: view.attribute.to_owned(),
        description: view.description.map(ToOwned::to_owned),
        subscribers: view.subscribers,
        domains: view.domains.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
    }
}

fn domain(view: DomainView) -> DomainEntry {
    let texts = |addresses: &[crate::model::Address]| addresses.iter().map(ToString::to_string).collect();
    DomainEntry {
        name: view.name,
        prefixes: texts(&view.prefixes),
        reserved: texts(&view.reserved),
        plans: view.plans,
        subscribers: view.subscribers,
        served: view.served,
        max_subscribers: view.max_subscribers,
        ipv4_addresses: view.ipv4_addresses,
        ipv4_used: view.ipv4_used,
        ipv4_free: view.ipv4_free,
        ipv6_used: view.ipv6_used,
        committed_up_bps: view.committed_up_bps,
        committed_down_bps: view.committed_down_bps,
        capacity_up_bps: view.capacity_up_bps,
        capacity_down_bps: view.capacity_down_bps,
        contention: view.contention,
    }
}
