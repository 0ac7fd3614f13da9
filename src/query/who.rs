//! Finding a subscriber by id, by key, or by address.

use super::refusal::Refusal;
use super::unread::UnreadAddresses;
use crate::model::Address;
use crate::model::Subscriber;
use crate::repo::{Record, Repo};
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// How many candidates the error lists.
const SHOWN: usize = 10;

/// The one subscriber with this id, `address@domain` or address.
///
/// # Errors
/// A sentence, if there is none, or more than one.
pub fn find<'r>(repo: &'r Repo, who: &str) -> Result<&'r Record<Subscriber>, Refusal> {
    let found = all(repo, who);
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let why = not_found(repo, who);
            Err(Refusal(match UnreadAddresses::of(repo).hint() {
                Some(hint) => format!("{why}; {hint}"),
                None if why.contains("; ") => why,
                None => format!("{why}; `shapeline subscriber list TEXT` searches for one"),
            }))
        }
        several => {
            let mut text = format!("{} may be any of these; name one by another id or address:", quoted(who));
            for record in several.iter().take(SHOWN) {
                let path = repo.sources.file(record.file).path();
                let key = quoted(&record.value.key());
                text += &format!("\n  {key}, {} in {}", addresses(&record.value), quoted(path));
            }
            if several.len() > SHOWN {
                text += &format!("\n  and {} more", several.len() - SHOWN);
            }
            Err(Refusal(text))
        }
    }
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

fn not_found(repo: &Repo, who: &str) -> String {
    let none = format!("there is no subscriber {}", quoted(who));
    if let Ok(address) = who.parse::<Address>() {
        let around =
            |subscriber: &Subscriber| subscriber.ip.as_slice().iter().any(|ip| ip.net().contains(&address.net()));
        return match repo.subscribers.iter().find(|record| around(&record.value)) {
            Some(record) => format!("{none}; it lies within {}: name that", quoted(&record.value.key())),
            None => none,
        };
    }
    let keys: Vec<String> = repo.subscribers.iter().map(|record| record.value.key()).collect();
    match nearest(who, keys.iter().map(String::as_str)) {
        Some(near) => format!("{none}; did you mean {}?", quoted(near)),
        None => format!("{none}; name one by its id, its address, or address@domain"),
    }
}

/// A subscriber's addresses, the first few of them.
pub fn addresses(subscriber: &Subscriber) -> String {
    let ips = subscriber.ip.as_slice();
    let shown: Vec<String> = ips.iter().take(3).map(ToString::to_string).collect();
    let more = if ips.len() > shown.len() { format!(" and {} more", ips.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
