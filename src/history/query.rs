//! What is asked of a history, and which records that means.

use std::collections::HashSet;

use super::facts::{Facts, SUBSCRIBER};
use super::story::{Past, Story};
use super::times::{Seconds, TimeSpan};
use crate::model::Address;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Whom about; everybody, if nobody is named.
    pub who: Option<Who>,
    /// Only subscribers of this domain.
    pub domain: Option<String>,
    /// Only what was then.
    pub on: Option<TimeSpan>,
    /// Only changes from then on.
    pub from: Option<Seconds>,
    /// Only changes before then.
    pub until: Option<Seconds>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// Somebody, as people name subscribers: by address, prefix, id, or `ip@domain`.
#[derive(Clone, Debug)]
pub struct Who {
    /// As it was written.
    pub text: String,
    key: String,
    address: Option<Address>,
    /// The domain behind an address.
    realm: Option<String>,
}

impl Who {
    /// Whoever is meant by `text`.
    pub fn new(text: &str) -> Who {
        let (address, realm) = match text.split_once('@') {
            Some((address, realm)) => (address.parse().ok(), Some(realm.to_owned())),
            None => (text.parse().ok(), None),
        };
        Who { text: text.to_owned(), key: format!("{SUBSCRIBER}{text}"), address, realm }
    }

    /// Whether that is a record's key.
    fn is_key(&self, key: &str) -> bool {
        self.key == key
    }

    /// Whether a subscriber that says this holds the address, or some of the prefix.
    pub fn holds(&self, facts: Facts<'_>) -> bool {
        let Some(address) = &self.address else { return false };
        let (first, last) = address.bounds();
        let overlaps = |held: Address| {
            let (from, to) = held.bounds();
            held.sort_key().0 == address.sort_key().0 && from <= last && first <= to
        };
        self.realm.as_deref().is_none_or(|realm| facts.get("domain").as_deref() == Some(realm))
            && facts.addresses().any(overlaps)
    }
}

/// The stories that are meant, and beside them those that may go on as one of these, or come from one.
pub fn chosen(past: &Past<'_>, question: &Question) -> (Vec<Story>, Vec<Story>) {
    let meant = meant(past, question);
    let stories = past.stories(|key| meant[key as usize]);
    let neighbours = match &question.who {
        Some(_) => neighbours(past, &stories, &meant),
        None => Vec::new(),
    };
    (stories, neighbours)
}

/// Of each key whether it is meant: by itself, or for what its record says at any time.
fn meant(past: &Past<'_>, question: &Question) -> Vec<bool> {
    let log = past.log;
    if question.who.is_none() && question.domain.is_none() {
        return log.keys.iter().map(|key| key.starts_with(SUBSCRIBER)).collect();
    }
    let in_domain = |facts: Facts<'_>| {
        question.domain.as_deref().is_none_or(|domain| facts.get("domain").as_deref() == Some(domain))
    };
    let is_key = |key: u32| question.who.as_ref().is_none_or(|who| who.is_key(log.keys[key as usize]));
    let held: Vec<bool> =
        log.facts.iter().map(|facts| question.who.as_ref().is_some_and(|who| who.holds(Facts(facts)))).collect();
    let mut meant = vec![false; log.keys.len()];
    for entry in log.entries_of(past.commits).iter().filter(|entry| !past.is_plan(entry.key)) {
        if let Some(facts) = entry.facts
            && (held[facts as usize] || is_key(entry.key))
            && in_domain(past.facts(facts))
        {
            meant[entry.key as usize] = true;
        }
    }
    meant
}

/// Records that had an address and a domain that one of the stories has, under another key.
fn neighbours(past: &Past<'_>, stories: &[Story], meant: &[bool]) -> Vec<Story> {
    let place = |facts: u32| Some((past.facts(facts).raw("ip")?, past.facts(facts).raw("domain")?));
    let states = stories.iter().flat_map(|story| &story.states);
    let places: HashSet<_> = states.filter_map(|state| place(state.facts?)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let near: Vec<bool> = (0..past.log.facts.len() as u32)
        .map(|facts| place(facts).is_some_and(|place| places.contains(&place)))
        .collect();
    let mut wanted = vec![false; meant.len()];
    for entry in past.log.entries_of(past.commits) {
        if entry.facts.is_some_and(|facts| near[facts as usize]) && !meant[entry.key as usize] {
            wanted[entry.key as usize] = true;
        }
    }
    past.stories(|key| wanted[key as usize])
}
