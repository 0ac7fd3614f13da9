//! Domains: who sells, to how many, which addresses are used and free, and what is committed.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use super::names;
use super::refusal::Refusal;
use super::unread::UnreadAddresses;
use crate::finding::Where;
use crate::inventory::address_use::{AddressUse, GivenOut};
use crate::inventory::{Context, Index, KnownDomain};
use crate::locate::Locator;
use crate::model::{Address, Date, Domain};
use crate::plan::{served_by, sold_by_domain};
use crate::render::Table;
use crate::repo::Repo;

/// A domain with everything that programs ask for; docs/commands.md documents the JSON. Sums of rates are
/// texts: they can be larger than a number in JSON.
#[derive(Debug, Serialize)]
pub struct DomainView {
    /// Its name.
    pub name: String,
    /// The address blocks it may give out.
    pub prefixes: Vec<Address>,
    /// The addresses and prefixes in them that no subscriber gets.
    pub reserved: Vec<Address>,
    /// The plans that it may sell; nothing for every offered plan.
    pub plans: Option<Vec<String>>,
    /// Who may change its subscribers.
    pub owners: Vec<String>,
    /// How many subscribers it has.
    pub subscribers: usize,
    /// How many of them are served.
    pub served: usize,
    /// How many it may have, if that is limited.
    pub max_subscribers: Option<u32>,
    /// IPv4 addresses in its blocks.
    pub ipv4_addresses: u64,
    /// IPv4 addresses in its blocks that are given out.
    pub ipv4_used: u64,
    /// IPv4 addresses in its blocks that a subscriber can still get.
    pub ipv4_free: u64,
    /// IPv6 addresses and prefixes in its blocks that are given out.
    pub ipv6_used: usize,
    /// The upload rates of its served subscribers together, in bit/s.
    pub committed_up_bps: String,
    /// The download rates of its served subscribers together, in bit/s.
    pub committed_down_bps: String,
    /// The contracted upload rate in bit/s, if there is one.
    pub capacity_up_bps: Option<u64>,
    /// The contracted download rate in bit/s.
    pub capacity_down_bps: Option<u64>,
    /// How often each bit of the capacity may be sold.
    pub contention: Option<u32>,
    /// The path of its file.
    pub file: String,
    /// The line on which its record starts.
    pub line: usize,
    /// The sums as numbers.
    #[serde(skip)]
    pub committed: (u128, u128),
}

/// The domains of `repo` by name; with a name, the domain of that name. What is served is as of `today`.
///
/// # Errors
/// If there is no domain of that name; with a suggestion.
pub fn domains(repo: &Arc<Repo>, name: Option<&str>, today: Date) -> Result<Vec<DomainView>, Refusal> {
    let wanted = name.map(|name| names::domain(repo, name)).transpose()?;
    let index = Index::new(repo);
    let unread = UnreadAddresses::of(repo);
    let held = repo.subscribers.iter().flat_map(|record| record.value.ip.as_slice());
    let given_out = GivenOut::new(held.chain(unread.addresses()));
    let mut count: HashMap<&str, usize> = HashMap::new();
    for record in &repo.subscribers {
        *count.entry(record.value.domain.as_str()).or_default() += 1;
    }
    let table = Table::new(repo, &Context::new(repo, today, None));
    let sold = sold_by_domain(&served_by(&table), repo);
    let mut locator = Locator::new(&repo.sources);
    let is_wanted = |known: &&KnownDomain<'_>| wanted.is_none_or(|domain| domain.name.as_str() == known.name());
    let mut views: Vec<DomainView> = Vec::new();
    for known in index.domains().iter().filter(is_wanted) {
        // Sorted by name.
        let at = sold.binary_search_by(|sold| sold.name.as_str().cmp(known.name()));
        let sold = at.ok().and_then(|at| sold.get(at)).map(|sold| sold.after).unwrap_or_default();
        let file = repo.sources.file(known.record.file);
        let line = file.position(locator.span(&Where::Place(known.record.place())).start).line;
        let view = DomainView {
            subscribers: count.get(known.name()).copied().unwrap_or_default(),
            served: sold.subscribers,
            committed_up_bps: sold.up.to_string(),
            committed_down_bps: sold.down.to_string(),
            committed: (sold.up, sold.down),
            file: file.path().to_owned(),
            line,
            ..of_record(&known.record.value, given_out.of(known))
        };
        views.push(view);
    }
    views.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(views)
}

/// What the record and the addresses tell.
fn of_record(domain: &Domain, addresses: AddressUse) -> DomainView {
    let texts = |names: &Vec<crate::model::Name>| names.iter().map(ToString::to_string).collect();
    DomainView {
        name: domain.name.to_string(),
        prefixes: domain.prefixes.clone(),
        reserved: domain.reserved.clone(),
        plans: domain.plans.as_ref().map(texts),
        owners: domain.owners.iter().map(ToString::to_string).collect(),
        subscribers: 0,
        served: 0,
        max_subscribers: domain.max_subscribers.map(|most| most.0),
        ipv4_addresses: addresses.v4,
        ipv4_used: addresses.v4_used,
        ipv4_free: addresses.v4_free,
        ipv6_used: addresses.v6_used,
        committed_up_bps: String::new(),
        committed_down_bps: String::new(),
        capacity_up_bps: domain.capacity.as_ref().map(|capacity| capacity.up.bps()),
        capacity_down_bps: domain.capacity.as_ref().map(|capacity| capacity.down.bps()),
        contention: domain.capacity.as_ref().map(|capacity| capacity.contention.0),
        file: String::new(),
        line: 0,
        committed: (0, 0),
    }
}
