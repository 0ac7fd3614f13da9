//! The same address or id on several rows of a source.
//!
//! A row that repeats another is refused. If rows contradict each other, all of them are: taking either
//! could give a subscriber what they have not bought.

use std::collections::{BTreeMap, HashMap};

use super::found::{Found, FoundSubscriber, MAX_REASONS, Origin, RefusedRow};
use crate::text::quote::quoted;

/// Moves such rows from the subscribers to the refused rows.
pub fn refuse(found: &mut Found) {
    let mut reasons: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    same_address(found, &mut reasons);
    same_id(found, &mut reasons);
    drop_rows(found, reasons);
}

/// Moves rows, by their index in [`Found::subscribers`], to the refused rows.
pub fn drop_rows(found: &mut Found, reasons: BTreeMap<usize, Vec<String>>) {
    for (&number, reasons) in &reasons {
        let row = &found.subscribers[number];
        found.doubted.add(row.ip.as_slice(), row.id().map_or("", |id| id.as_str()));
        found.plans[row.plan as usize].subscribers -= 1;
        found.refusals.push(RefusedRow::new(row.origin, &subject(row), reasons.clone()));
    }
    let mut number = 0;
    found.subscribers.retain(|_| {
        number += 1;
        !reasons.contains_key(&(number - 1))
    });
}

/// The name of a row in its refusal.
fn subject(row: &FoundSubscriber) -> String {
    let addresses: Vec<String> = row.ip.as_slice().iter().take(16).map(ToString::to_string).collect();
    addresses.join(", ")
}

fn same_address(found: &Found, reasons: &mut BTreeMap<usize, Vec<String>>) {
    let rows = &found.subscribers;
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
        if numbers.iter().all(|&number| says_the_same(&rows[number], first)) {
            for &number in &numbers[1..] {
                let reason = format!("it repeats {}", first.origin);
                add(reasons, number, reason);
            }
            continue;
        }
        for &number in &numbers {
            let others = others(&numbers, number, |other| said(found, &rows[other], &rows[number]));
            add(reasons, number, format!("the address {shown} is on other rows too, with other data: {others}"));
        }
    }
}

fn add(reasons: &mut BTreeMap<usize, Vec<String>>, number: usize, reason: String) {
    let list = reasons.entry(number).or_default();
    // A row may have hundreds of addresses, and each of them another row.
    if list.len() < MAX_REASONS && !list.contains(&reason) {
        list.push(reason);
    }
}

fn says_the_same(one: &FoundSubscriber, other: &FoundSubscriber) -> bool {
    (&one.ip, &one.domain, one.plan, &one.more) == (&other.ip, &other.domain, other.plan, &other.more)
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

fn same_id(found: &Found, reasons: &mut BTreeMap<usize, Vec<String>>) {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, row) in found.subscribers.iter().enumerate() {
        // A row that only repeats another is refused already.
        if let Some(id) = row.id()
            && !reasons.contains_key(&number)
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
