//! Finding a subscriber by id, by key, or by address.

use super::refusal::Refusal;
use super::unread::UnreadAddresses;
use crate::model::Address;
use crate::model::Subscriber;
use crate::repo::{Record, Repo};
use crate::text::quote::{harmless, quoted};
use crate::text::suggest::nearest;

/// How many candidates the error lists.
const SHOWN: usize = 10;

/// How a text may name a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By its id, an address, address@domain, or its name.
    Whole,
    /// By a part of its id, name or addresses too, if no other subscriber has that part.
    Part,
}

/// The subscriber that a text names.
#[derive(Clone, Debug)]
pub struct Found<'r> {
    /// The record.
    pub record: &'r Record<Subscriber>,
    /// Which one it is, in a sentence, if the text is only a part of what names it.
    pub note: Option<String>,
}

/// The one subscriber with this id, `address@domain` or address; else the one with this name; else, if
/// the naming allows it, the one that contains the text.
///
/// # Errors
/// A sentence, if there is none, or more than one; with the candidates.
pub fn find<'r>(repo: &'r Repo, who: &str, naming: Naming) -> Result<Found<'r>, Refusal> {
    for found in [all(repo, who), named(repo, who)] {
        match found.as_slice() {
            [one] => return Ok(Found { record: one, note: None }),
            [] => {}
            several => return Err(ambiguous(repo, who, several)),
        }
    }
    let containing = containing(repo, who);
    match (containing.as_slice(), naming) {
        ([one], Naming::Part) => Ok(Found { record: one, note: Some(note(who, &one.value)) }),
        ([_, _, ..], Naming::Part) => Err(ambiguous(repo, who, &containing)),
        ([_, ..], Naming::Whole) if around(repo, who).is_none() => {
            let candidates = candidates(repo, &containing);
            Err(Refusal(format!(
                "there is no subscriber {}; name one of those that contain it:{candidates}",
                quoted(who)
            )))
        }
        _ => {
            let why = not_found(repo, who);
            Err(Refusal(match UnreadAddresses::of(repo).hint() {
                Some(hint) => format!("{why}; {hint}"),
                None if why.contains("; ") => why,
                None => format!("{why}; `shapeline subscriber list TEXT` searches for one"),
            }))
        }
    }
}

fn note(who: &str, subscriber: &Subscriber) -> String {
    let name = subscriber.name.as_ref().map(|name| format!(" ({})", harmless(name.as_str(), 60))).unwrap_or_default();
    format!("{} is a part of {}{name}, and of no other subscriber", quoted(who), quoted(&subscriber.key()))
}

fn ambiguous(repo: &Repo, who: &str, several: &[&Record<Subscriber>]) -> Refusal {
    let candidates = candidates(repo, several);
    Refusal(format!("{} may be any of these; name one by another id or address:{candidates}", quoted(who)))
}

/// A line for each of the first candidates.
fn candidates(repo: &Repo, several: &[&Record<Subscriber>]) -> String {
    let mut text = String::new();
    for record in several.iter().take(SHOWN) {
        let path = quoted(repo.sources.file(record.file).path());
        let name = record.value.name.as_ref().map(|name| format!(" {},", quoted(name.as_str()))).unwrap_or_default();
        text += &format!("\n  {},{name} {} in {path}", quoted(&record.value.key()), addresses(&record.value));
    }
    if several.len() > SHOWN {
        text += &format!("\n  and {} more", several.len() - SHOWN);
    }
    text
}

/// All subscribers with this id, key or address. None of these takes precedence: an id that reads as
/// another subscriber's address would have the wrong one removed.
fn all<'r>(repo: &'r Repo, who: &str) -> Vec<&'r Record<Subscriber>> {
    let (address, domain) = match who.rsplit_once('@') {
        Some((address, domain)) => (address, Some(domain)),
        None => (who, None),
    };
    let address = address.parse::<Address>().ok();
    let has_address = |subscriber: &Subscriber| {
        let has = |wanted: &Address| subscriber.ip.as_slice().iter().any(|ip| ip.net() == wanted.net());
        domain.is_none_or(|domain| subscriber.domain.as_str() == domain) && address.as_ref().is_some_and(has)
    };
    let has_id = |subscriber: &Subscriber| subscriber.id.as_ref().is_some_and(|id| id.as_str() == who);
    repo.subscribers.iter().filter(|record| has_id(&record.value) || has_address(&record.value)).collect()
}

/// All subscribers with this name, in capitals or not.
fn named<'r>(repo: &'r Repo, name: &str) -> Vec<&'r Record<Subscriber>> {
    let wanted = name.trim().to_lowercase();
    let is_named = |subscriber: &Subscriber| {
        subscriber.name.as_ref().is_some_and(|name| name.as_str().trim().to_lowercase() == wanted)
    };
    repo.subscribers.iter().filter(|record| is_named(&record.value)).collect()
}

/// All subscribers with this text in their id, name or addresses; for an address, those with a prefix around
/// it, and for a prefix also those within it.
fn containing<'r>(repo: &'r Repo, who: &str) -> Vec<&'r Record<Subscriber>> {
    let text = who.trim().to_lowercase();
    let address = who.trim().parse::<Address>().ok();
    let meets = |ip: &Address| match &address {
        Some(address) => ip.net().contains(&address.net()) || address.net().contains(&ip.net()),
        None => ip.to_string().contains(&text),
    };
    let has = |value: Option<&str>| value.is_some_and(|value| value.to_lowercase().contains(&text));
    let contains = |subscriber: &Subscriber| {
        subscriber.ip.as_slice().iter().any(meets)
            || has(subscriber.id.as_ref().map(|id| id.as_str()))
            || has(subscriber.name.as_ref().map(|name| name.as_str()))
    };
    if text.is_empty() {
        return Vec::new();
    }
    repo.subscribers.iter().filter(|record| contains(&record.value)).collect()
}

fn not_found(repo: &Repo, who: &str) -> String {
    let none = format!("there is no subscriber {}", quoted(who));
    if who.parse::<Address>().is_ok() {
        return match around(repo, who) {
            Some(record) => format!("{none}; it lies within {}: name that", quoted(&record.value.key())),
            None => none,
        };
    }
    let keys: Vec<String> = repo.subscribers.iter().map(|record| record.value.key()).collect();
    match nearest(who, keys.iter().map(String::as_str)) {
        Some(near) => format!("{none}; did you mean {}?", quoted(near)),
        None => format!("{none}; name one by its id, its address, address@domain, or a part of its name"),
    }
}

/// The subscriber with a prefix around this address.
fn around<'r>(repo: &'r Repo, who: &str) -> Option<&'r Record<Subscriber>> {
    let address = who.parse::<Address>().ok()?;
    let holds =
        |record: &&Record<Subscriber>| record.value.ip.as_slice().iter().any(|ip| ip.net().contains(&address.net()));
    repo.subscribers.iter().find(holds)
}

/// A subscriber's addresses, the first few of them.
pub fn addresses(subscriber: &Subscriber) -> String {
    let ips = subscriber.ip.as_slice();
    let shown: Vec<String> = ips.iter().take(3).map(ToString::to_string).collect();
    let more = if ips.len() > shown.len() { format!(" and {} more", ips.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
