//! `subscriber suspend`, `resume` and `remove`: the same to each of several.

use std::path::Path;

use anyhow::Result;

use super::change::{self, Told};
use crate::cli::WhoListArgs;
use crate::commands::Outcome;
use crate::edit::{Refusal, SubscriberEdits, Value, who};
use crate::model::{Status, Subscriber};
use crate::repo::Record;
use crate::text::quote::harmless;

pub(super) fn suspend(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    let act = |changes: &mut SubscriberEdits<'_>, record: &Record<Subscriber>| {
        if record.value.status == Status::Suspended {
            return Ok(false);
        }
        changes.set(record, vec![("status".to_owned(), Some(Value::text("suspended")))])?;
        Ok(true)
    };
    each(root, args, ["Suspend", "Suspended", "suspended already"], act)
}

pub(super) fn resume(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    let act = |changes: &mut SubscriberEdits<'_>, record: &Record<Subscriber>| {
        changes.resume(record);
        Ok(record.value.status == Status::Suspended)
    };
    each(root, args, ["Resume", "Resumed", "active already"], act)
}

pub(super) fn remove(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    let act = |changes: &mut SubscriberEdits<'_>, record: &Record<Subscriber>| {
        changes.remove(record);
        Ok(true)
    };
    each(root, args, ["Remove", "Removed", "gone already"], act)
}

/// Does something to everybody who is named. It says whether there was anything to do.
fn each(
    root: &Path,
    args: &WhoListArgs,
    [verb, done, already]: [&'static str; 3],
    act: impl Fn(&mut SubscriberEdits<'_>, &Record<Subscriber>) -> Result<bool>,
) -> Result<Outcome> {
    change::run(root, &args.edit, |repo, changes| {
        let mut seen = Vec::new();
        let mut touched: Vec<&Record<Subscriber>> = Vec::new();
        for who in &args.who {
            let record = who::find(repo, who).map_err(Refusal)?;
            if seen.contains(&(record.file, record.index)) {
                continue;
            }
            seen.push((record.file, record.index));
            if act(changes, record)? {
                touched.push(record);
            }
        }
        let keys: Vec<String> = touched.iter().map(|record| harmless(&record.value.key(), 100)).collect();
        let first = touched.first().map(|record| change::subject(&record.value)).unwrap_or_default();
        let (what, subject) = match keys.as_slice() {
            [one] => (one.clone(), first),
            many => {
                (format!("{} subscribers", many.len()), format!("{first} and {} more", many.len().saturating_sub(1)))
            }
        };
        let asked = if seen.len() == 1 { "the subscriber is".to_owned() } else { format!("all {} are", seen.len()) };
        let details = |record: &&Record<Subscriber>| {
            let plan = harmless(record.value.plan.as_str(), 100);
            format!("{} ({plan})", harmless(&record.value.key(), 100))
        };
        Ok(Told {
            verb,
            done,
            what,
            each: if touched.len() > 1 { touched.iter().map(details).collect() } else { Vec::new() },
            subject,
            already: format!("{asked} {already}"),
        })
    })
}
