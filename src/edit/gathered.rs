//! Changes of several subscribers, gathered over time, against data that may have changed since.
//!
//! Each change has the record as it was when the change was made. What changed in the data meanwhile stays;
//! where both changed the same, it is a conflict, which a person decides.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::change::{FieldEdit, SubscriberEdits};
use super::draft::Draft;
use super::operation::Verb;
use super::review::Review;
use super::set::said;
use super::value::Fields;
use crate::model::{Date, Subscriber, SubscriberStatus};
use crate::repo::{Record, Repo};
use crate::text::quote::harmless;
use crate::tree::Tree;

/// A change of one subscriber: a new one without `was`, one to be removed without `now`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct GatheredChange {
    /// The record when the change was made.
    pub(crate) was: Option<Subscriber>,
    /// The record that is wanted.
    pub(crate) now: Option<Subscriber>,
}

/// What became of a change on today's data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is in the draft.
    Made,
    /// The data is that way already.
    Already,
    /// Another person changed the record, in these fields too, or removed it: as it is now.
    Conflict(Option<Box<Subscriber>>),
}

/// The changes on today's data.
pub(crate) struct Gathered {
    /// The files with all changes that are not in conflict.
    pub(crate) draft: Draft,
    /// What they do to the data; nothing if there is nothing to do.
    pub(crate) review: Option<Review>,
    /// What became of each change.
    pub(crate) fates: Vec<Fate>,
    /// What they lose, such as comments.
    pub(crate) notes: Vec<String>,
}

impl GatheredChange {
    /// The id, or else the address and domain, of the subscriber: before the change, or after it.
    pub(crate) fn key(&self) -> String {
        self.was.as_ref().or(self.now.as_ref()).map(Subscriber::key).unwrap_or_default()
    }

    /// The domains that it touches.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &str> {
        self.was.iter().chain(&self.now).map(|subscriber| subscriber.domain.as_str())
    }

    /// What kind of change it is.
    pub(crate) fn verb(&self) -> Verb {
        use SubscriberStatus::{Active, Suspended};
        match (&self.was, &self.now) {
            (None, _) => Verb::Add,
            (Some(_), None) => Verb::Remove,
            (Some(was), Some(now)) => {
                let only_status = Subscriber { status: was.status, ..now.clone() } == *was;
                match (was.status, now.status) {
                    (Active, Suspended) if only_status => Verb::Suspend,
                    (Suspended, Active) if only_status => Verb::Resume,
                    _ => Verb::Change,
                }
            }
        }
    }

    /// What it does, without the verb: `10.10.10.25@ispcustomer.co.zw: plan SILVER → GOLD`.
    ///
    /// # Errors
    /// If a record cannot be written.
    pub(crate) fn what(&self) -> Result<String> {
        let key = harmless(&self.key(), 100);
        Ok(match (&self.was, &self.now) {
            (None, Some(now)) => format!("{key} with {}", harmless(now.plan.as_str(), 100)),
            (Some(was), Some(now)) if self.verb() == Verb::Change => {
                let (old, new) = (Fields::of(was)?, Fields::of(now)?);
                let what = edits(&old, &new);
                let what: Vec<String> =
                    what.iter().filter_map(|(field, value)| said(field, old.get(field), value.as_ref())).collect();
                format!("{key}: {}", what.join(", "))
            }
            _ => key,
        })
    }

    /// The same change of the record as it is now, or of none: a person saw both and wants it all the same.
    ///
    /// # Errors
    /// If a record cannot be written.
    pub(crate) fn on(&self, current: Option<&Subscriber>) -> Result<GatheredChange> {
        let now = match (&self.was, &self.now, current) {
            (Some(was), Some(now), Some(current)) => {
                let mut fields = Fields::of(current)?;
                for (field, value) in edits(&Fields::of(was)?, &Fields::of(now)?) {
                    fields.0.retain(|(name, _)| *name != field);
                    fields.0.extend(value.map(|value| (field, value)));
                }
                Some(fields.record()?)
            }
            _ => self.now.clone(),
        };
        Ok(GatheredChange { was: current.cloned(), now })
    }
}

/// Whether the data is as all of these changes want it.
pub(crate) fn all_made(changes: &[GatheredChange], repo: &Repo) -> Result<bool> {
    let (records, mut edits) = (found(changes, repo), SubscriberEdits::new(repo));
    for change in changes {
        if one(change, &records, &mut edits)? != Fate::Already {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes `changes` on `before`, which was read from `tree`, and checks the result by every rule.
///
/// # Errors
/// A [`Refusal`](crate::query::Refusal) if a file cannot be edited; or if one cannot be read.
pub(crate) fn make(changes: &[GatheredChange], tree: Tree, before: &Arc<Repo>, today: Date) -> Result<Gathered> {
    let records = found(changes, before);
    let mut edits = SubscriberEdits::new(before);
    let mut fates = Vec::with_capacity(changes.len());
    for change in changes {
        fates.push(one(change, &records, &mut edits)?);
    }
    let mut draft = Draft::new(tree);
    let notes = edits.make(&mut draft)?;
    let review = if draft.is_empty() { None } else { Some(Review::of(before, &draft, today)?) };
    Ok(Gathered { draft, review, fates, notes })
}

/// The records that the changes name, by their keys.
fn found<'r>(changes: &[GatheredChange], repo: &'r Repo) -> HashMap<String, &'r Record<Subscriber>> {
    let records = changes.iter().flat_map(|change| change.was.iter().chain(&change.now));
    let mut wanted: HashMap<String, Option<&Record<Subscriber>>> =
        records.map(|subscriber| (subscriber.key(), None)).collect();
    for record in &repo.subscribers {
        if let Some(place) = wanted.get_mut(&record.value.key()) {
            place.get_or_insert(record);
        }
    }
    wanted.into_iter().filter_map(|(key, record)| Some((key, record?))).collect()
}

fn one(
    change: &GatheredChange,
    records: &HashMap<String, &Record<Subscriber>>,
    edits: &mut SubscriberEdits<'_>,
) -> Result<Fate> {
    let find = |subscriber: &Subscriber| records.get(&subscriber.key()).copied();
    match (&change.was, &change.now) {
        (None, None) => Ok(Fate::Already),
        (None, Some(now)) => {
            if find(now).is_some_and(|record| record.value == *now) {
                return Ok(Fate::Already);
            }
            // One that is there and differs is found by the rules: an address, or an id, that is taken.
            edits.add(now)?;
            Ok(Fate::Made)
        }
        (Some(was), None) => match find(was) {
            None => Ok(Fate::Already),
            Some(record) if record.value != *was => Ok(Fate::Conflict(Some(Box::new(record.value.clone())))),
            Some(record) => {
                edits.remove(record);
                Ok(Fate::Made)
            }
        },
        (Some(was), Some(now)) => match find(was) {
            // It has another id or address already, and is as it should be.
            None if find(now).is_some_and(|record| record.value == *now) => Ok(Fate::Already),
            None => Ok(Fate::Conflict(None)),
            // The id is another domain's now.
            Some(record) if record.value.domain != was.domain && record.value.domain != now.domain => {
                Ok(Fate::Conflict(Some(Box::new(record.value.clone()))))
            }
            Some(record) => set(was, now, record, edits),
        },
    }
}

/// Makes the change from `was` to `now` on a record that may be neither.
fn set(
    was: &Subscriber,
    now: &Subscriber,
    record: &Record<Subscriber>,
    edits: &mut SubscriberEdits<'_>,
) -> Result<Fate> {
    let (old, new, current) = (Fields::of(was)?, Fields::of(now)?, Fields::of(&record.value)?);
    let mut mine = self::edits(&old, &new);
    mine.retain(|(field, value)| current.get(field) != value.as_ref());
    if mine.is_empty() {
        return Ok(Fate::Already);
    }
    if mine.iter().any(|(field, _)| current.get(field) != old.get(field)) {
        return Ok(Fate::Conflict(Some(Box::new(record.value.clone()))));
    }
    // The file says how an active subscriber is written.
    if let Some(at) = mine.iter().position(|(field, value)| field == "status" && value.is_none()) {
        mine.remove(at);
        edits.resume(record);
    }
    if !mine.is_empty() {
        edits.set(record, mine)?;
    }
    Ok(Fate::Made)
}

/// The fields that differ, with their new values.
fn edits(old: &Fields, new: &Fields) -> Vec<FieldEdit> {
    let changed = new.0.iter().filter(|(field, value)| old.get(field) != Some(value));
    let gone = old.0.iter().filter(|(field, _)| new.get(field).is_none());
    let changed = changed.map(|(field, value)| (field.clone(), Some(value.clone())));
    changed.chain(gone.map(|(field, _)| (field.clone(), None))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FILE: &str = "subscribers/a.yaml";

    fn repo(subscribers: &str) -> (Tree, Arc<Repo>) {
        let files = [
            ("domains/a.example.yaml", "name: a.example\nprefixes: [10.0.0.0/16]\n"),
            ("plans/P.yaml", "name: P\nup: 1 Mbps\ndown: 2 Mbps\n"),
            ("plans/Q.yaml", "name: Q\nup: 2 Mbps\ndown: 4 Mbps\n"),
            (FILE, subscribers),
        ];
        let tree = Tree::Memory(files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into());
        (tree.clone(), Arc::new(Repo::load(&tree).unwrap()))
    }

    fn subscriber(yaml: &str) -> Subscriber {
        repo(&format!("- {yaml}\n")).1.subscribers.first().unwrap().value.clone()
    }

    /// The file afterwards, and what became of each change.
    fn made(now: &str, changes: &[(&str, &str)]) -> (String, Vec<Fate>) {
        let record = |yaml: &str| (!yaml.is_empty()).then(|| subscriber(yaml));
        let changes: Vec<GatheredChange> =
            changes.iter().map(|(was, now)| GatheredChange { was: record(was), now: record(now) }).collect();
        let (tree, before) = repo(now);
        let made = make(&changes, tree, &before, "2026-11-01".parse().unwrap()).unwrap();
        let text = made.draft.text(FILE).unwrap().unwrap();
        (text, made.fates)
    }

    const A: &str = "{ip: 10.0.0.1, domain: a.example, plan: P}";
    const A_Q: &str = "{ip: 10.0.0.1, domain: a.example, plan: Q}";
    const A_NAMED: &str = "{ip: 10.0.0.1, domain: a.example, plan: P, name: Hotel}";
    const B: &str = "{ip: 10.0.0.2, domain: a.example, plan: P}";

    #[test]
    fn what_others_changed_stays() {
        let (text, fates) = made(&format!("- {A_NAMED}\n"), &[(A, A_Q), ("", B)]);
        assert_eq!(fates, [Fate::Made, Fate::Made]);
        assert!(text.contains("plan: Q, name: Hotel") && text.contains("10.0.0.2"), "{text}");
    }

    #[test]
    fn the_same_field_twice_is_a_conflict() {
        let both = "{ip: 10.0.0.1, domain: a.example, plan: P, name: Inn}";
        let (text, fates) = made(&format!("- {A_NAMED}\n"), &[(A, both)]);
        assert_eq!(fates, [Fate::Conflict(Some(Box::new(subscriber(A_NAMED))))]);
        assert_eq!(text, format!("- {A_NAMED}\n"), "nothing is overwritten");
        let (_, fates) = made(&format!("- {B}\n"), &[(A, A_Q)]);
        assert_eq!(fates, [Fate::Conflict(None)], "it is gone");
        let (_, fates) = made(&format!("- {A_NAMED}\n"), &[(A, "")]);
        assert!(matches!(fates.as_slice(), [Fate::Conflict(Some(_))]), "removed by one, changed by the other");
    }

    #[test]
    fn what_is_there_already_is_nothing_to_do() {
        let (text, fates) = made(&format!("- {A_Q}\n"), &[(A, A_Q), ("", A_Q), (B, "")]);
        assert_eq!((text.as_str(), fates), (format!("- {A_Q}\n").as_str(), vec![Fate::Already; 3]));
    }

    #[test]
    fn a_conflict_is_decided_by_a_person() {
        let change = GatheredChange { was: Some(subscriber(A)), now: Some(subscriber(A_Q)) };
        let mine = change.on(Some(&subscriber(A_NAMED))).unwrap();
        assert_eq!(mine.was, Some(subscriber(A_NAMED)));
        assert_eq!(mine.now, Some(subscriber("{ip: 10.0.0.1, domain: a.example, plan: Q, name: Hotel}")));
        assert_eq!(change.on(None).unwrap(), GatheredChange { was: None, now: Some(subscriber(A_Q)) });
        let (_, with) = repo(&format!("- {A_Q}\n"));
        let (_, without) = repo(&format!("- {A}\n"));
        let changes = [change];
        assert!(all_made(&changes, &with).unwrap() && !all_made(&changes, &without).unwrap());
    }

    #[test]
    fn a_change_says_what_it_does() {
        let change = |was: &str, now: &str| {
            let record = |yaml: &str| (!yaml.is_empty()).then(|| subscriber(yaml));
            let change = GatheredChange { was: record(was), now: record(now) };
            format!("{} {}", change.verb().imperative(), change.what().unwrap())
        };
        let suspended = "{ip: 10.0.0.1, domain: a.example, plan: P, status: suspended}";
        assert_eq!(change("", A), "Add 10.0.0.1@a.example with P");
        assert_eq!(change(A, ""), "Remove 10.0.0.1@a.example");
        assert_eq!(change(A, A_Q), "Change 10.0.0.1@a.example: plan P → Q");
        assert_eq!(change(A, suspended), "Suspend 10.0.0.1@a.example");
        assert_eq!(change(suspended, A), "Resume 10.0.0.1@a.example");
        assert_eq!(change(suspended, A_Q), "Change 10.0.0.1@a.example: plan P → Q, status suspended removed");
    }
}
