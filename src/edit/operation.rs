//! What an edit of subscribers does. Each operation adds its changes and says what it did; nothing is
//! written here.

use anyhow::Result;

use super::change::SubscriberEdits;
use super::value::Value;
use crate::model::{Subscriber, SubscriberStatus};
use crate::repo::Record;
use crate::text::quote::harmless;

/// What an edit does, in words.
#[derive(Clone, Debug)]
pub struct EditSummary {
    /// For a commit: `Add`.
    pub verb: Verb,
    /// The rest of the sentence.
    pub what: String,
    /// One line for each subscriber, where there are several.
    pub each: Vec<String>,
    /// What a branch is named after.
    pub subject: String,
    /// What is printed if there is nothing to do.
    pub already: String,
    /// Sentences that are printed before the effect.
    pub notes: Vec<String>,
}

/// The kinds of edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// New subscribers.
    Add,
    /// Other values in fields.
    Change,
    /// Out of the shaper file for a while.
    Suspend,
    /// Back into it.
    Resume,
    /// Records deleted.
    Remove,
}

impl Verb {
    /// As a commit says it: `Add`.
    pub fn imperative(self) -> &'static str {
        match self {
            Verb::Add => "Add",
            Verb::Change => "Change",
            Verb::Suspend => "Suspend",
            Verb::Resume => "Resume",
            Verb::Remove => "Remove",
        }
    }

    /// As it is reported afterwards: `Added`.
    pub fn past(self) -> &'static str {
        match self {
            Verb::Add => "Added",
            Verb::Change => "Changed",
            Verb::Suspend => "Suspended",
            Verb::Resume => "Resumed",
            Verb::Remove => "Removed",
        }
    }
}

/// Suspends subscribers.
///
/// # Errors
/// If a record cannot be written.
pub fn suspend(who: &[&Record<Subscriber>], changes: &mut SubscriberEdits<'_>) -> Result<EditSummary> {
    each(who, changes, (Verb::Suspend, "suspended already"), |changes, record| {
        if record.value.status == SubscriberStatus::Suspended {
            return Ok(false);
        }
        changes.set(record, vec![("status".to_owned(), Some(Value::text("suspended")))])?;
        Ok(true)
    })
}

/// Ends the suspension of subscribers.
///
/// # Errors
/// Never so far.
pub fn resume(who: &[&Record<Subscriber>], changes: &mut SubscriberEdits<'_>) -> Result<EditSummary> {
    each(who, changes, (Verb::Resume, "active already"), |changes, record| {
        changes.resume(record);
        Ok(record.value.status == SubscriberStatus::Suspended)
    })
}

/// Removes subscribers.
///
/// # Errors
/// Never so far.
pub fn remove(who: &[&Record<Subscriber>], changes: &mut SubscriberEdits<'_>) -> Result<EditSummary> {
    each(who, changes, (Verb::Remove, "gone already"), |changes, record| {
        changes.remove(record);
        Ok(true)
    })
}

/// The same to each that is named; `act` says whether there was anything to do.
fn each(
    who: &[&Record<Subscriber>],
    changes: &mut SubscriberEdits<'_>,
    (verb, already): (Verb, &str),
    act: impl Fn(&mut SubscriberEdits<'_>, &Record<Subscriber>) -> Result<bool>,
) -> Result<EditSummary> {
    let mut seen = Vec::new();
    let mut touched: Vec<&Record<Subscriber>> = Vec::new();
    for &record in who {
        if seen.contains(&(record.file, record.index())) {
            continue;
        }
        seen.push((record.file, record.index()));
        if act(changes, record)? {
            touched.push(record);
        }
    }
    let keys: Vec<String> = touched.iter().map(|record| harmless(&record.value.key(), 100)).collect();
    let first = touched.first().map(|record| subject(&record.value)).unwrap_or_default();
    let (what, subject) = match keys.as_slice() {
        [one] => (one.clone(), first),
        many => (format!("{} subscribers", many.len()), format!("{first} and {} more", many.len().saturating_sub(1))),
    };
    let asked = if seen.len() == 1 { "the subscriber is".to_owned() } else { format!("all {} are", seen.len()) };
    let details = |record: &&Record<Subscriber>| {
        let plan = harmless(record.value.plan.as_str(), 100);
        format!("{} ({plan})", harmless(&record.value.key(), 100))
    };
    Ok(EditSummary {
        verb,
        what,
        each: if touched.len() > 1 { touched.iter().map(details).collect() } else { Vec::new() },
        subject,
        already: format!("{asked} {already}"),
        notes: Vec::new(),
    })
}

/// What a branch is named after: the id, or the first address.
pub(super) fn subject(subscriber: &Subscriber) -> String {
    match (&subscriber.id, subscriber.ip.first()) {
        (Some(id), _) => id.to_string(),
        (None, ip) => ip.map(ToString::to_string).unwrap_or_default(),
    }
}
