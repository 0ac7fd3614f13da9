//! What a plan brings on later days: terms that begin and end, and the most that is then sold.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::{Change, Reason, Served};
use crate::inventory::peak::{Peaks, Terms};
use crate::model::Date;
use crate::render::Table;

/// How many events are kept; all are counted.
pub const KEPT: usize = 1000;

/// Something that happens to an address on a later day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The day.
    pub date: Date,
    /// Whether a term begins; else one ends.
    pub begins: bool,
    /// Added: it will happen. Removed: it would have happened. Changed: it begins with something else.
    pub change: Change<'a>,
}

/// What can happen later, in the words of every format.
pub const WORDS: [&str; 4] = ["begins", "ends", "no longer begins", "no longer ends"];

impl Event<'_> {
    /// Which of [`WORDS`] it is.
    pub fn word(&self) -> &'static str {
        let gone = matches!(self.change, Change::Removed(..));
        WORDS[usize::from(!self.begins) + 2 * usize::from(gone)]
    }
}

/// Everything that happens later, by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Later<'a> {
    /// The first of it.
    pub events: Vec<Event<'a>>,
    /// How many there are of each of [`WORDS`].
    pub counts: [usize; 4],
    /// The day of the last.
    pub last: Option<Date>,
    /// Whether these are differences to earlier data; else they are all that its terms bring.
    pub differs: bool,
}

impl<'a> Later<'a> {
    /// What `after` brings later that `before` does not, and the other way round; without `before`,
    /// all that it brings.
    pub(super) fn new(before: Option<&'a Table>, after: &'a Table) -> Later<'a> {
        let mut all = merge(before.map(of_table).unwrap_or_default(), of_table(after));
        without_what_is_told_otherwise(&mut all, after);
        let mut later = Later { last: all.last().map(|event| event.date), ..Later::default() };
        for event in &all {
            let word = WORDS.iter().position(|word| *word == event.word());
            if let Some(count) = word.and_then(|word| later.counts.get_mut(word)) {
                *count += 1;
            }
        }
        later.differs = before.is_some() && !all.is_empty();
        all.truncate(KEPT);
        later.events = all;
        later
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What there is beyond the first `shown`, in words; nothing if there is no more.
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

/// Each coming begin and end of each address, by date, ends first, then by address.
fn of_table(table: &Table) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    for (number, record, plan, coming) in table.coming() {
        let days = [(coming.begins, true), (coming.ends, false)];
        for (date, begins) in days.into_iter().filter_map(|(date, begins)| Some((date?, begins))) {
            for address in record.value.ip.as_slice() {
                let served = Served::of(address, &record.value, plan, number);
                events.push(Event { date, begins, change: Change::Added(served) });
            }
        }
    }
    events.sort_by_key(key);
    events
}

fn key(event: &Event<'_>) -> (Date, bool, (bool, u128, u8)) {
    (event.date, event.begins, event.change.address().sort_key())
}

fn merge<'a>(before: Vec<Event<'a>>, after: Vec<Event<'a>>) -> Vec<Event<'a>> {
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
            (Some(Event { date, begins, change: Change::Added(old) }), None) => {
                all.push(Event { date, begins, change: Change::Removed(old, Reason::Gone) });
            }
            (Some(old), Some(new)) => {
                // Who stops being served has no other rate than none.
                if let (Change::Added(before), Change::Added(after), true) = (old.change, new.change, new.begins)
                    && before.differs(&after)
                {
                    all.push(Event { date: new.date, begins: true, change: Change::Changed { before, after } });
                }
            }
            _ => {}
        }
    }
}

/// A term that no longer begins because it began, or no longer ends because the address is served no
/// more, is told by the changes of today.
fn without_what_is_told_otherwise(all: &mut Vec<Event<'_>>, after: &Table) {
    let is_gone = |event: &Event<'_>| matches!(event.change, Change::Removed(..));
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

/// The most that each domain has sold from the table's day on, by name.
pub(super) fn peaks(table: &Table) -> HashMap<&str, Peaks> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    for record in &table.repo().subscribers {
        let next = numbers.len() as u32;
        numbers.entry(record.value.domain.as_str()).or_insert(next);
    }
    let mut terms = Terms::new(numbers.len(), table.today());
    for (number, record, plan, _) in table.coming_or_served() {
        if let Some(domain) = numbers.get(record.value.domain.as_str()) {
            terms.add(*domain, number, &record.value, plan);
        }
    }
    let terms = terms.sorted();
    numbers.into_iter().map(|(name, number)| (name, terms.peaks(number))).collect()
}
