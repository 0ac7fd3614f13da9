//! Changes of a plan on later days: terms that begin and end, and the largest bandwidth sold.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{AddressChange, Reason, Served};
use crate::inventory::peak::{Peaks, Terms};
use crate::model::{Date, Subscriber};
use crate::render::Table;
use crate::repo::Record;

/// How many events are kept; all are counted.
pub(crate) const MAX_EVENTS: usize = 1000;

/// A change of one address on a later day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaterEvent<'a> {
    pub(crate) date: Date,
    /// Whether a term begins or ends.
    pub(crate) begins: bool,
    /// Added: it will happen. Removed: it would have happened. Changed: the term begins with another plan.
    pub(crate) change: AddressChange<'a>,
}

/// The kinds of events, as every format names them.
pub(crate) const WORDS: [&str; 4] = ["begins", "ends", "no longer begins", "no longer ends"];

impl LaterEvent<'_> {
    /// One of [`WORDS`].
    pub(crate) fn word(&self) -> &'static str {
        let gone = matches!(self.change, AddressChange::Removed(..));
        WORDS[usize::from(!self.begins) + 2 * usize::from(gone)]
    }
}

/// All later events, by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Later<'a> {
    /// The first of them.
    pub(crate) events: Vec<LaterEvent<'a>>,
    /// How many there are of each of [`WORDS`].
    pub(crate) counts: [usize; 4],
    /// The day of the last event.
    pub(crate) last: Option<Date>,
    /// Whether the events are differences to earlier data, and not all events of the data.
    pub(crate) differs: bool,
}

impl<'a> Later<'a> {
    /// The events of `after` that `before` does not have, and the reverse; without `before`, all of them.
    pub(super) fn new(before: Option<&'a Table>, after: &'a Table) -> Later<'a> {
        let (old, new) =
            rayon::join(|| before.map(|table| of_table(table, None)).unwrap_or_default(), || of_table(after, before));
        let mut all = merge(old, new);
        remove_events_of_today(&mut all, after);
        let mut later = Later { last: all.last().map(|event| event.date), ..Later::default() };
        for event in &all {
            let word = WORDS.iter().position(|word| *word == event.word());
            if let Some(count) = word.and_then(|word| later.counts.get_mut(word)) {
                *count += 1;
            }
        }
        later.differs = before.is_some() && !all.is_empty();
        all.truncate(MAX_EVENTS);
        later.events = all;
        later
    }

    pub(crate) fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// PlanSummaryJson of the events after the first `shown`; `None` if there are no more.
    pub(super) fn rest(&self, shown: usize) -> Option<String> {
        let mut counts = self.counts;
        for event in self.events.iter().take(shown) {
            if let Some(count) = WORDS.iter().position(|word| *word == event.word()).and_then(|at| counts.get_mut(at)) {
                *count = count.saturating_sub(1);
            }
        }
        let more: usize = counts.iter().sum();
        let last = self.last.filter(|_| more > 0)?;
        let words = WORDS.iter().zip(counts).filter(|(_, count)| *count > 0);
        let words: Vec<String> = words.map(|(word, count)| format!("{count} × {word}")).collect();
        Some(format!("and {more} more until {last}: {}", words.join(", ")))
    }
}

/// Each coming begin and end of the term of each address, by date, ends first, then by address; without those
/// that a table `before` shares.
fn of_table<'a>(table: &'a Table, before: Option<&Table>) -> Vec<LaterEvent<'a>> {
    let mut events = Vec::new();
    let is_shared = shared_with(before);
    for (number, record, plan, coming) in table.coming().filter(|(_, record, ..)| !is_shared(record)) {
        let days = [(coming.begins, true), (coming.ends, false)];
        for (date, begins) in days.into_iter().filter_map(|(date, begins)| Some((date?, begins))) {
            for address in record.value.ip.as_slice() {
                let served = Served::of(address, record, plan, number);
                events.push(LaterEvent { date, begins, change: AddressChange::Added(served) });
            }
        }
    }
    events.sort_by_key(key);
    events
}

fn key(event: &LaterEvent<'_>) -> (Date, bool, (bool, u128, u8)) {
    (event.date, event.begins, event.change.address().sort_key())
}

fn merge<'a>(before: Vec<LaterEvent<'a>>, after: Vec<LaterEvent<'a>>) -> Vec<LaterEvent<'a>> {
    let mut all = Vec::new();
    let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return all,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => key(old).cmp(&key(new)),
        };
        let old = before.next_if(|_| order != Ordering::Greater);
        let new = after.next_if(|_| order != Ordering::Less);
        match (old, new) {
            (None, Some(new)) => all.push(new),
            (Some(LaterEvent { date, begins, change: AddressChange::Added(old) }), None) => {
                all.push(LaterEvent { date, begins, change: AddressChange::Removed(old, Reason::Gone) });
            }
            (Some(old), Some(new)) => {
                // An end has no rates to compare.
                if let (AddressChange::Added(before), AddressChange::Added(after), true) =
                    (old.change, new.change, new.begins)
                    && before.differs(&after)
                {
                    all.push(LaterEvent {
                        date: new.date,
                        begins: true,
                        change: AddressChange::Changed { before, after },
                    });
                }
            }
            _ => {}
        }
    }
}

/// Removes events that the changes of today already show: a term no longer begins because it began, or no
/// longer ends because the address is no longer served.
fn remove_events_of_today(all: &mut Vec<LaterEvent<'_>>, after: &Table) {
    let is_gone = |event: &LaterEvent<'_>| matches!(event.change, AddressChange::Removed(..));
    let of_gone: HashSet<_> =
        all.iter().filter(|event| is_gone(event)).map(|event| event.change.address().sort_key()).collect();
    if of_gone.is_empty() {
        return;
    }
    let now: HashSet<_> =
        after.rows().iter().map(|row| after.address(*row).sort_key()).filter(|key| of_gone.contains(key)).collect();
    let coming = after.coming().filter(|(.., coming)| coming.begins.is_some());
    let coming = coming.flat_map(|(_, record, ..)| record.value.ip.as_slice());
    let later: HashSet<_> = coming.map(|address| address.sort_key()).filter(|key| of_gone.contains(key)).collect();
    all.retain(|event| {
        let address = event.change.address().sort_key();
        match (is_gone(event), event.begins) {
            (false, _) => true,
            (true, true) => !now.contains(&address),
            (true, false) => now.contains(&address) || later.contains(&address),
        }
    });
}

fn shared_with(before: Option<&Table>) -> impl Fn(&Record<Subscriber>) -> bool {
    let shared = before.map(|table| &table.repo().shared).filter(|shared| !shared.is_empty());
    move |record| shared.is_some_and(|shared| shared.contains(&record.file))
}

/// Peaks by the names of domains.
type PeaksByName<'a> = HashMap<&'a str, Peaks>;

/// The peaks of each domain with subscribers, from the table's day on: before, if there are terms before, and
/// after.
pub(super) fn peaks<'a>(before: Option<&'a Table>, after: &'a Table) -> (Option<PeaksByName<'a>>, PeaksByName<'a>) {
    let is_shared = shared_with(before);
    let (mut names_before, mut names) = <(HashSet<&str, RandomState>, HashSet<&str, RandomState>)>::default();
    for record in &after.repo().subscribers {
        names.insert(record.value.domain.as_str());
        if is_shared(record) {
            names_before.insert(record.value.domain.as_str());
        }
    }
    let own = before.into_iter().flat_map(|table| &table.repo().subscribers);
    names_before.extend(own.map(|record| record.value.domain.as_str()));
    let numbers: HashMap<&str, u32, RandomState> = names.union(&names_before).copied().zip(0..).collect();

    let terms = |table: &Table, wanted: &dyn Fn(&Record<Subscriber>) -> bool| {
        let mut terms = Terms::new(numbers.len(), table.today());
        for (number, record, plan, _) in table.coming_or_served().filter(|(_, record, ..)| wanted(record)) {
            if let Some(domain) = numbers.get(record.value.domain.as_str()) {
                terms.add(*domain, number, &record.value, plan);
            }
        }
        terms
    };
    let of = |terms: Terms, names: HashSet<&'a str, RandomState>| {
        let terms = terms.sorted();
        names.into_iter().map(|name| (name, terms.peaks(numbers.get(name).copied().unwrap_or(u32::MAX)))).collect()
    };
    let shared = terms(after, &is_shared);
    let own = terms(after, &|record| !is_shared(record));
    let before = before.map(|before| of(terms(before, &|_| true).and(shared.clone()), names_before));
    (before, of(own.and(shared), names))
}
