//! The domains of a source, and the address blocks that they lack.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::current::CurrentData;
use crate::import::blocks::{Need, propose};
use crate::import::found::Found;
use crate::inventory::Blocks;
use crate::model::{Address, Domain, Name};
use crate::repo::Record;
use crate::text::quote::quoted;

/// What is done to the domains.
#[derive(Clone, Debug, Default)]
pub struct DomainWork {
    /// Domains that are made, with their blocks.
    pub new: BTreeMap<Name, Vec<Address>>,
    /// Blocks that are added: the domain's place in the data, and the blocks.
    pub more: Vec<(usize, Vec<Address>)>,
    /// The names of those that get more.
    pub names: BTreeMap<usize, String>,
    /// New domains of the source without subscribers: a domain has at least one block, and theirs are
    /// not known.
    pub empty: Vec<Name>,
    /// How many addresses are listed beside the block of which they are the first or last.
    pub edges: usize,
}

impl DomainWork {
    /// What is done, and the rows with addresses that are another domain's.
    pub(super) fn new(found: &Found, present: &CurrentData<'_>) -> (Self, BTreeMap<usize, Vec<String>>) {
        let repo = present.repo;
        let known: HashMap<&str, usize> =
            repo.domains.iter().enumerate().rev().map(|(at, domain)| (domain.value.name.as_str(), at)).collect();
        let blocks: Vec<Blocks> = repo.domains.iter().map(|domain| Blocks::new(&domain.value.prefixes)).collect();
        let mut needs = Vec::new();
        let mut served = HashSet::new();
        for (row, subscriber) in found.subscribers.iter().enumerate() {
            served.insert(subscriber.domain.as_str());
            let has = known.get(subscriber.domain.as_str()).map(|&at| &blocks[at]);
            for address in subscriber.ip.as_slice().iter().filter(|address| has.is_none_or(|has| !has.hold(address))) {
                needs.push(Need { domain: subscriber.domain.clone(), address: address.clone(), row });
            }
        }
        let taken: Vec<Address> = repo.domains.iter().flat_map(|domain| domain.value.prefixes.clone()).collect();
        let proposal = propose(&needs, &taken);
        let mut work = Self { edges: proposal.edges, ..Self::default() };
        for (domain, blocks) in proposal.blocks {
            match known.get(domain.as_str()) {
                Some(&at) => {
                    work.names.insert(at, domain.to_string());
                    work.more.push((at, blocks));
                }
                None => drop(work.new.insert(domain, blocks)),
            }
        }
        let missing = |name: &&Name| !served.contains(name.as_str()) && !known.contains_key(name.as_str());
        work.empty = found.domains.keys().filter(missing).cloned().collect();
        (work, conflicts(found, present, &proposal.conflicts))
    }
}

fn conflicts(
    found: &Found,
    present: &CurrentData<'_>,
    blocks: &BTreeMap<usize, Address>,
) -> BTreeMap<usize, Vec<String>> {
    let domains = present.repo.domains.iter().rev();
    let owners: HashMap<&Address, &Record<Domain>> =
        domains.flat_map(|domain| domain.value.prefixes.iter().map(move |prefix| (prefix, domain))).collect();
    let reason = |(&row, block): (&usize, &Address)| {
        let owner = owners.get(block);
        let of = found.subscribers[row].domain.as_str();
        let whose = match owner {
            Some(owner) => format!("which belongs to {}", quoted(owner.value.name.as_str())),
            None => "which another row of another domain has".to_owned(),
        };
        (row, vec![format!("it is in the block {}, {whose} and not to {}", quoted(&block.to_string()), quoted(of))])
    };
    blocks.iter().map(reason).collect()
}
