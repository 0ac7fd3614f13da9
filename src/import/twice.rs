//! The same address or id on several rows of a source.
//!
//! A row that repeats another is one subscriber with it, in a dump also if its id differs. If rows
//! contradict each other, all of them are refused: taking either could give a subscriber what they have
//! not bought.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::found::{Found, FoundSubscriber, MAX_REASONS, Origin, RefusedRow, SourceKind, SubscriberDetails};
use crate::model::Address;
use crate::text::count::counted;
use crate::text::quote::quoted;

/// Drops rows that repeat another, and moves rows that contradict another to the refused rows.
pub fn refuse(found: &mut Found) {
    let mut reasons: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut repeats = same_address(found, &mut reasons);
    one_in_another(found, &mut reasons, &repeats);
    // Another of its addresses may contradict a third row: then it is refused like the row that it repeats.
    repeats.retain(|row| !reasons.contains_key(row));
    note_repeats(found, &repeats);
    same_id(found, &mut reasons, &repeats);
    for &row in &repeats {
        let plan = found.subscribers[row].plan;
        found.plans[plan as usize].subscribers -= 1;
    }
    refuse_rows(found, &reasons);
    keep(found, |row| !reasons.contains_key(&row) && !repeats.contains(&row));
}

/// Moves rows, by their index in [`Found::subscribers`], to the refused rows.
pub fn drop_rows(found: &mut Found, reasons: &BTreeMap<usize, Vec<String>>) {
    refuse_rows(found, reasons);
    keep(found, |row| !reasons.contains_key(&row));
}

fn refuse_rows(found: &mut Found, reasons: &BTreeMap<usize, Vec<String>>) {
    for (&number, reasons) in reasons {
        let row = &found.subscribers[number];
        found.doubted.add(row.ip.as_slice(), row.id().map_or("", |id| id.as_str()));
        found.plans[row.plan as usize].subscribers -= 1;
        found.refusals.push(RefusedRow::new(row.origin, &subject(row), reasons.clone()));
    }
}

fn keep(found: &mut Found, keep: impl Fn(usize) -> bool) {
    let mut number = 0;
    found.subscribers.retain(|_| {
        number += 1;
        keep(number - 1)
    });
}

fn note_repeats(found: &mut Found, repeats: &BTreeSet<usize>) {
    if let Some(&first) = repeats.first() {
        let rows = counted(repeats.len(), "row repeats", "rows repeat");
        let origin = found.subscribers[first].origin;
        found.notes.push(format!(
            "{rows} an earlier row, or {} from it in the id alone, such as {origin}: each subscriber is taken once, \
             with the first id",
            if repeats.len() == 1 { "differs" } else { "differ" }
        ));
    }
}

/// The name of a row in its refusal.
fn subject(row: &FoundSubscriber) -> String {
    let addresses: Vec<String> = row.ip.as_slice().iter().take(16).map(ToString::to_string).collect();
    addresses.join(", ")
}

/// Refuses rows that contradict each other about an address; returns those that repeat another.
fn same_address(found: &Found, reasons: &mut BTreeMap<usize, Vec<String>>) -> BTreeSet<usize> {
    let mut repeats = BTreeSet::new();
    let rows = &found.subscribers;
    // The portal's database numbers rows by itself; elsewhere another id is another subscriber.
    let numbered = found.kind == SourceKind::Mysqldump;
    let mut by_address: Vec<((bool, u128, u8), u32)> = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        by_address.extend(row.ip.as_slice().iter().map(|address| (address.sort_key(), number as u32)));
    }
    by_address.sort_unstable();
    for same in by_address.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let numbers: Vec<usize> = same.iter().map(|(_, number)| *number as usize).collect();
        let first = &rows[numbers[0]];
        let Some(address) = first.ip.as_slice().iter().find(|address| address.sort_key() == same[0].0) else {
            continue;
        };
        let shown = quoted(&address.to_string());
        if numbers.iter().all(|&number| says_the_same(&rows[number], first, numbered)) {
            repeats.extend(&numbers[1..]);
            continue;
        }
        for &number in &numbers {
            let others = others(&numbers, number, |other| said(found, &rows[other], &rows[number]));
            add(reasons, number, format!("the address {shown} is on other rows too, with other data: {others}"));
        }
    }
    repeats
}

/// Refuses a prefix and what other rows have within it: either could be the wrong one.
fn one_in_another(found: &Found, reasons: &mut BTreeMap<usize, Vec<String>>, repeats: &BTreeSet<usize>) {
    let mut all: Vec<(&Address, usize)> = Vec::new();
    for (number, row) in found.subscribers.iter().enumerate().filter(|(number, _)| !repeats.contains(number)) {
        all.extend(row.ip.as_slice().iter().map(|address| (address, number)));
    }
    // A prefix sorts before everything that it contains.
    all.sort_by_key(|(address, number)| (address.sort_key(), *number));
    let mut around: Vec<(&Address, usize)> = Vec::new();
    for (address, number) in all {
        while around.pop_if(|(outer, _)| !outer.net().contains(&address.net())).is_some() {}
        if let Some(&(outer, other)) = around.last()
            && other != number
            && outer != address
        {
            let (inner_row, outer_row) = (found.subscribers[number].origin, found.subscribers[other].origin);
            let (inner, outer) = (quoted(&address.to_string()), quoted(&outer.to_string()));
            add(reasons, number, format!("{inner} is within {outer}, which {outer_row} has"));
            add(reasons, other, format!("{outer} contains {inner}, which {inner_row} has"));
        }
        around.push((address, number));
    }
}

fn add(reasons: &mut BTreeMap<usize, Vec<String>>, number: usize, reason: String) {
    let list = reasons.entry(number).or_default();
    // A row may have hundreds of addresses, and each of them another row.
    if list.len() < MAX_REASONS && !list.contains(&reason) {
        list.push(reason);
    }
}

/// Whether two rows differ in their id at most, and that is only a number.
fn says_the_same(one: &FoundSubscriber, other: &FoundSubscriber, numbered: bool) -> bool {
    let details = |row: &FoundSubscriber| {
        let more = row.more.as_deref().cloned().unwrap_or_default();
        SubscriberDetails { id: more.id.filter(|_| !numbered), ..more }
    };
    (&one.ip, &one.domain, one.plan) == (&other.ip, &other.domain, other.plan) && details(one) == details(other)
}

/// A row's plan, domain and place, and its id and name if they differ from the other row's.
fn said(found: &Found, row: &FoundSubscriber, other: &FoundSubscriber) -> String {
    let plan = found.plans[row.plan as usize].key.to_string();
    let mut said = format!("{} of {}", quoted(&plan), quoted(row.domain.as_str()));
    if row.id() != other.id() {
        let id = row.id().map_or_else(|| "no id".to_owned(), |id| format!("the id {}", quoted(id.as_str())));
        said += &format!(" with {id}");
    }
    let name = |row: &FoundSubscriber| row.more.as_ref().and_then(|more| more.name.as_ref()).map(ToString::to_string);
    if let Some(name) = name(row).filter(|_| name(row) != name(other)) {
        said += &format!(" for {}", quoted(&name));
    }
    format!("{said} on {}", row.origin)
}

/// The first few of the other rows, and how many more there are: thousands may have one address, and
/// each lists the others.
fn others(rows: &[usize], own: usize, said: impl Fn(usize) -> String) -> String {
    const SHOWN: usize = 3;
    let first: Vec<String> = rows.iter().filter(|other| **other != own).take(SHOWN).map(|other| said(*other)).collect();
    match (rows.len() - 1).saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn same_id(found: &Found, reasons: &mut BTreeMap<usize, Vec<String>>, repeats: &BTreeSet<usize>) {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, row) in found.subscribers.iter().enumerate() {
        if let Some(id) = row.id()
            && !reasons.contains_key(&number)
            && !repeats.contains(&number)
        {
            by_id.entry(id.as_str()).or_default().push(number);
        }
    }
    for (id, numbers) in by_id.iter().filter(|(_, numbers)| numbers.len() > 1) {
        let origin = |number: usize| -> Origin { found.subscribers[number].origin };
        for number in numbers {
            let others = others(numbers, *number, |other| origin(other).to_string());
            add(reasons, *number, format!("the id {} is on other rows too: {others}", quoted(id)));
        }
    }
}
