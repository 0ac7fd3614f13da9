//! Adding a subscriber.

use anyhow::Result;

use super::change::SubscriberEdits;
use super::not_added::{Missing, NotAdded};
use super::operation::{EditSummary, Verb, subject};
use crate::inventory::{Index, KnownDomain};
use crate::model::misspelling::Misspelt;
use crate::model::{Address, Date, Domain, Subscriber, SubscriberId, Text};
use crate::query::{self, Refusal, UnreadAddresses, domains_of, next_free, who};
use crate::repo::Repo;
use crate::schema::FileKind;
use crate::text::quote::harmless;

/// A subscriber as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct NewSubscriber {
    /// Addresses and prefixes; none to take the next free one.
    pub addresses: Vec<String>,
    /// Take the next free address of the domain, or of this block of it if it is not empty.
    pub next_free: Option<String>,
    /// The length of the prefix to take; without it, a single address.
    pub length: Option<u8>,
    /// The domain; without it, the one that the address tells.
    pub domain: Option<String>,
    /// The plan.
    pub plan: Option<String>,
    /// The record's own id.
    pub id: Option<String>,
    /// Free text.
    pub name: Option<String>,
    /// First day of service.
    pub starts: Option<Date>,
    /// First day without service.
    pub ends: Option<Date>,
    /// Labels as `NAME=VALUE`.
    pub labels: Vec<String>,
}

impl NewSubscriber {
    /// The address, or the block, that decides the domain.
    ///
    /// # Errors
    /// If it is none.
    pub fn first_address(&self) -> Result<Option<Address>, Refusal> {
        let block = self.next_free.iter().filter(|block| !block.is_empty());
        self.addresses.iter().chain(block).next().map(|text| query::address(text)).transpose()
    }
}

/// Adds a subscriber.
///
/// # Errors
/// [`NotAdded`] or a [`Refusal`] if the request is at fault: an address that is taken, a name that does not
/// exist.
pub fn add(repo: &Repo, wanted: &NewSubscriber, changes: &mut SubscriberEdits<'_>) -> Result<EditSummary> {
    let subscriber = subscriber(repo, wanted)?;
    let key = harmless(&subscriber.key(), 100);
    let ip = who::addresses(&subscriber);
    let summary = EditSummary {
        verb: Verb::Add,
        what: format!(
            "{ip} to {} with {}",
            harmless(subscriber.domain.as_str(), 100),
            harmless(subscriber.plan.as_str(), 100)
        ),
        each: Vec::new(),
        // Of two proposals that take the same free address, both branches have the same name.
        subject: if wanted.next_free.is_some() { ip.clone() } else { subject(&subscriber) },
        already: format!("{key} is there as you say"),
        notes: Vec::new(),
    };
    if repo.subscribers.iter().any(|record| record.value == subscriber) {
        return Ok(summary);
    }
    not_held(repo, subscriber.ip.as_slice())?;
    changes.add(&subscriber)?;
    Ok(summary)
}

/// Refuses addresses that a subscriber has, or may have.
///
/// # Errors
/// In these cases.
pub fn not_held(repo: &Repo, addresses: &[Address]) -> Result<(), NotAdded> {
    for ip in addresses {
        let holds = |held: &Address| held.net() == ip.net();
        if let Some(holder) = repo.subscribers.iter().find(|record| record.value.ip.as_slice().iter().any(holds)) {
            let (by, plan) = (holder.value.key(), holder.value.plan.to_string());
            return Err(NotAdded::Held { address: ip.clone(), by, plan });
        }
    }
    let unread = UnreadAddresses::of(repo);
    match addresses.iter().find_map(|ip| Some((ip, unread.holder(ip)?))) {
        Some((ip, path)) => Err(NotAdded::Unread { address: ip.clone(), path: path.to_owned() }),
        None => Ok(()),
    }
}

fn subscriber(repo: &Repo, wanted: &NewSubscriber) -> Result<Subscriber> {
    let mut addresses: Vec<Address> =
        wanted.addresses.iter().map(|text| query::address(text)).collect::<Result<_, _>>()?;
    let known = wanted.first_address()?;
    let missing = missing(repo, wanted, known.as_ref());
    let Some(plan) = wanted.plan.as_ref().filter(|_| missing.is_empty()) else {
        return Err(NotAdded::Missing(missing).into());
    };
    let domain = domain(repo, wanted, known.as_ref())?;
    if addresses.is_empty() {
        addresses.push(free_address(repo, domain, known.as_ref(), wanted.length)?);
    }
    let plan = query::plan(repo, plan)?.name.to_string();
    let mut json = serde_json::json!({"ip": addresses.iter().map(ToString::to_string).collect::<Vec<_>>()});
    if let [one] = addresses.as_slice() {
        json = serde_json::json!({"ip": one.to_string()});
    }
    let dates = [("starts", wanted.starts), ("ends", wanted.ends)];
    let dates = dates.into_iter().filter_map(|(field, date)| Some((field, date?.to_string())));
    let texts = [("id", wanted.id.clone()), ("name", wanted.name.clone())];
    let texts = texts.into_iter().filter_map(|(field, text)| Some((field, text?)));
    for (field, text) in [("domain", domain.name.to_string()), ("plan", plan)].into_iter().chain(texts).chain(dates) {
        json[field] = text.into();
    }
    for label in &wanted.labels {
        let Some((name, value)) = label.split_once('=') else {
            return Err(NotAdded::BadLabel(label.clone()).into());
        };
        json["labels"][name] = value.into();
    }
    check::<SubscriberId>(&wanted.id, "id")?;
    check::<Text>(&wanted.name, "name")?;
    serde_json::from_value(json).map_err(|error| Refusal(error.to_string()).into())
}

/// Checks the value of a field.
fn check<T: std::str::FromStr<Err = Misspelt>>(value: &Option<String>, field: &'static str) -> Result<(), NotAdded> {
    let parsed = value.as_ref().map(|value| value.parse::<T>());
    parsed.transpose().map(drop).map_err(|why| NotAdded::BadValue(field, why.to_string()))
}

/// All that is not given, for one message.
fn missing(repo: &Repo, wanted: &NewSubscriber, address: Option<&Address>) -> Vec<Missing> {
    let no_address = wanted.addresses.is_empty() && wanted.next_free.is_none();
    let no_domain = wanted.domain.is_none() && address.is_none() && Index::new(repo).domains().len() != 1;
    let all = [(no_address, Missing::Address), (no_domain, Missing::Domain), (wanted.plan.is_none(), Missing::Plan)];
    all.into_iter().filter_map(|(is_missing, what)| is_missing.then_some(what)).collect()
}

/// The domain that is named, or the one that the address tells.
fn domain<'r>(repo: &'r Repo, wanted: &NewSubscriber, address: Option<&Address>) -> Result<&'r Domain> {
    if let Some(name) = &wanted.domain {
        return Ok(query::domain(repo, name)?);
    }
    let index = Index::new(repo);
    let known = match address {
        Some(address) => domains_of(&index, address),
        None => index.domains().iter().map(KnownDomain::name).collect(),
    };
    if let ([one], true) = (known.as_slice(), address.is_some() || wanted.next_free.is_some()) {
        return Ok(query::domain(repo, one)?);
    }
    Err(match address {
        Some(address) if known.is_empty() => {
            NotAdded::InNoBlock(address.clone(), query::unread(repo, FileKind::Domain, None)).into()
        }
        Some(address) => {
            let names = known.iter().map(|name| (*name).to_owned()).collect();
            NotAdded::InSeveralBlocks(address.clone(), names).into()
        }
        None => NotAdded::Missing(vec![Missing::Domain]).into(),
    })
}

/// The next free address of a domain, or of a block of it.
fn free_address(
    repo: &Repo,
    domain: &Domain,
    block: Option<&Address>,
    length: Option<u8>,
) -> Result<Address, NotAdded> {
    let none = || NotAdded::NoneFree { domain: domain.name.to_string(), block: block.cloned(), length };
    next_free(repo, domain, block, length).ok_or_else(none)
}
