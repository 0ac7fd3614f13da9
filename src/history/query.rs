//! A question, and the records that it is about.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::facts::{Facts, SUBSCRIBER};
use super::story::{Past, Story};
use super::times::{Seconds, TimeSpan};
use crate::model::Address;

/// A question to a history.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only this subscriber.
    pub who: Option<Who>,
    /// Only subscribers of this domain.
    pub domain: Option<String>,
    /// Only the state at this time.
    pub on: Option<TimeSpan>,
    /// Only changes from this time on.
    pub from: Option<Seconds>,
    /// Only changes before this time.
    pub until: Option<Seconds>,
    /// At most this many events or snapshots.
    pub limit: Option<usize>,
}

/// A subscriber, given by address, prefix, id, or `ip@domain`.
#[derive(Clone, Debug)]
pub struct Who {
    /// The text as given.
    pub text: String,
    key: String,
    address: Option<Address>,
    /// The domain behind an address.
    realm: Option<String>,
}

impl Who {
    /// Parses `text`, which may be any id.
    pub fn new(text: &str) -> Who {
        let (address, realm) = match text.split_once('@') {
            Some((address, realm)) => (address.parse().ok(), Some(realm.to_owned())),
            None => (text.parse().ok(), None),
        };
        Who { text: text.to_owned(), key: format!("{SUBSCRIBER}{text}"), address, realm }
    }

    /// Whether this is a record's key.
    fn is_key(&self, key: &str) -> bool {
        self.key == key
    }

    /// Whether a subscriber with these facts has the address, or a part of the prefix.
    pub fn holds(&self, facts: Facts<'_>) -> bool {
        let Some(address) = &self.address else { return false };
        let (first, last) = address.bounds();
        let overlaps = |other: Address| {
            let (from, to) = other.bounds();
            other.sort_key().0 == address.sort_key().0 && from <= last && first <= to
        };
        self.realm.as_deref().is_none_or(|realm| facts.get("domain").as_deref() == Some(realm))
            && facts.addresses().any(overlaps)
    }
}

/// A subscriber that a text may mean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate<'l> {
    /// Its key.
    pub key: &'l str,
    /// Its last name, if it has one.
    pub name: Option<String>,
}

/// The subscribers that a text names, by key, if it is nobody's key or address at any time: those with this
/// name, else those with the text in their id, name or addresses.
pub fn candidates<'l>(past: &Past<'l>, question: &Question) -> Vec<Candidate<'l>> {
    let Some(who) = &question.who else { return Vec::new() };
    let text = who.text.trim().to_lowercase();
    if text.is_empty() || who.address.is_some() || selected(past, question).contains(&true) {
        return Vec::new();
    }
    let name = |facts: Facts<'_>| facts.get("name").map(|name| name.trim().to_lowercase());
    let ip = |facts: Facts<'_>| facts.raw("ip").is_some_and(|ip| ip.contains(&text));
    let is_named: Vec<bool> = past.log.facts.iter().map(|facts| name(Facts(facts)).as_deref() == Some(&text)).collect();
    let id = |facts: Facts<'_>| facts.get("id").is_some_and(|id| id.to_lowercase().contains(&text));
    let has_text = |facts: Facts<'_>| name(facts).is_some_and(|name| name.contains(&text)) || ip(facts) || id(facts);
    let has_text: Vec<bool> = past.log.facts.iter().map(|facts| has_text(Facts(facts))).collect();
    let named = with_facts(past, question, &is_named);
    if !named.is_empty() {
        return named;
    }
    with_facts(past, question, &has_text)
}

/// The subscribers of the question's domain that had any of the facts that `fit`.
fn with_facts<'l>(past: &Past<'l>, question: &Question, fit: &[bool]) -> Vec<Candidate<'l>> {
    let mut found: HashMap<u32, Option<String>> = HashMap::new();
    for entry in past.log.entries_of(past.commits).iter().filter(|entry| !past.is_plan(entry.key)) {
        let Some(facts) = entry.facts.filter(|facts| fit[*facts as usize]) else { continue };
        let of = past.facts(facts);
        if question.domain.as_deref().is_none_or(|domain| of.get("domain").as_deref() == Some(domain)) {
            let name = found.entry(entry.key).or_default();
            *name = of.get("name").map(Cow::into_owned).or(name.take());
        }
    }
    let mut found: Vec<_> = found.into_iter().map(|(key, name)| Candidate { key: past.name(key), name }).collect();
    found.sort();
    found
}

/// The stories in question, and those that may continue one of them under another key.
pub fn chosen(past: &Past<'_>, question: &Question) -> (Vec<Story>, Vec<Story>) {
    let selected = selected(past, question);
    let stories = past.stories(|key| selected[key as usize]);
    let neighbours = match &question.who {
        Some(_) => neighbours(past, &stories, &selected),
        None => Vec::new(),
    };
    (stories, neighbours)
}

/// For each key whether it is in question: by itself, or by its record's facts at any time.
fn selected(past: &Past<'_>, question: &Question) -> Vec<bool> {
    let log = past.log;
    if question.who.is_none() && question.domain.is_none() {
        return log.keys.iter().map(|key| key.starts_with(SUBSCRIBER)).collect();
    }
    let in_domain = |facts: Facts<'_>| {
        question.domain.as_deref().is_none_or(|domain| facts.get("domain").as_deref() == Some(domain))
    };
    let is_key = |key: u32| question.who.as_ref().is_none_or(|who| who.is_key(log.keys[key as usize]));
    let has_address: Vec<bool> =
        log.facts.iter().map(|facts| question.who.as_ref().is_some_and(|who| who.holds(Facts(facts)))).collect();
    let mut selected = vec![false; log.keys.len()];
    for entry in log.entries_of(past.commits).iter().filter(|entry| !past.is_plan(entry.key)) {
        if let Some(facts) = entry.facts
            && (has_address[facts as usize] || is_key(entry.key))
            && in_domain(past.facts(facts))
        {
            selected[entry.key as usize] = true;
        }
    }
    selected
}

/// Records that had an address and a domain that one of the stories has, under another key.
fn neighbours(past: &Past<'_>, stories: &[Story], selected: &[bool]) -> Vec<Story> {
    let place = |facts: u32| Some((past.facts(facts).raw("ip")?, past.facts(facts).raw("domain")?));
    let states = stories.iter().flat_map(|story| &story.states);
    let places: HashSet<_> = states.filter_map(|state| place(state.facts?)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let near: Vec<bool> = (0..past.log.facts.len() as u32)
        .map(|facts| place(facts).is_some_and(|place| places.contains(&place)))
        .collect();
    let mut wanted = vec![false; selected.len()];
    for entry in past.log.entries_of(past.commits) {
        if entry.facts.is_some_and(|facts| near[facts as usize]) && !selected[entry.key as usize] {
            wanted[entry.key as usize] = true;
        }
    }
    past.stories(|key| wanted[key as usize])
}
