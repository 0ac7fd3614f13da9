//! Other values in the fields of a subscriber.

use anyhow::{Result, bail};

use super::change::{FieldEdit, SubscriberEdits};
use super::not_made::NotMade;
use super::operation::{EditSummary, Verb, subject};
use super::value::{Fields, Value};
use crate::model::{Address, Subscriber};
use crate::query::{self, Refusal};
use crate::repo::{Record, Repo};
use crate::text::quote::{harmless, quoted};
use crate::text::suggest::nearest;

/// The fields of a subscriber.
pub(crate) const FIELDS: [&str; 9] = ["ip", "domain", "plan", "id", "name", "status", "starts", "ends", "labels"];

/// Fields that every subscriber has.
const REQUIRED: [&str; 3] = ["ip", "domain", "plan"];

/// Gives fields of a subscriber other values: `FIELD=VALUE`, an empty value to remove the field.
///
/// # Errors
/// A [`Refusal`] or [`NotMade`] if the request is at fault.
pub fn set(
    repo: &Repo,
    record: &Record<Subscriber>,
    fields: &[String],
    changes: &mut SubscriberEdits<'_>,
) -> Result<EditSummary> {
    let wanted = wanted(repo, &record.value, fields)?;
    let old = Fields::of(&record.value)?;
    let key = harmless(&record.value.key(), 100);
    let what: Vec<String> =
        wanted.iter().filter_map(|(field, new)| said(field, old.get(field), new.as_ref())).collect();
    changes.set(record, wanted)?;
    Ok(EditSummary {
        verb: Verb::Change,
        what: format!("{key}: {}", what.join(", ")),
        each: Vec::new(),
        subject: subject(&record.value),
        already: format!("{key} is as you say"),
        notes: Vec::new(),
    })
}

/// `plan A → B`, or nothing where both are the same.
pub(super) fn said(field: &str, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    let shown = |value: &Value| match value {
        Value::Text(text) => harmless(text, 60),
        Value::Whole(number) => number.to_string(),
        Value::List(values) => {
            let texts: Vec<String> = values.iter().map(plain).collect();
            harmless(&texts.join(" "), 60)
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
            harmless(&entries.join(" "), 60)
        }
    };
    match (old, new) {
        (old, new) if old == new => None,
        (Some(old), Some(new)) => Some(format!("{field} {} → {}", shown(old), shown(new))),
        (None, Some(new)) => Some(format!("{field} {}", shown(new))),
        (Some(old), None) => Some(format!("{field} {} removed", shown(old))),
        (None, None) => None,
    }
}

fn plain(value: &Value) -> String {
    if let Value::Text(text) = value { text.clone() } else { String::new() }
}

fn wanted(repo: &Repo, subscriber: &Subscriber, asked: &[String]) -> Result<Vec<FieldEdit>> {
    let mut wanted: Vec<FieldEdit> = Vec::new();
    let labels = subscriber.labels.iter().flat_map(|labels| labels.iter());
    let mut labels: Vec<(String, Value)> = labels.map(|(name, value)| (name.to_owned(), Value::text(value))).collect();
    let mut named = Vec::new();
    for one in asked {
        let Some((field, text)) = one.split_once('=') else {
            bail!("{} is no change: write FIELD=VALUE, such as plan=GOLD", quoted(one));
        };
        if named.contains(&field) {
            return Err(Refusal(format!("{} is given two values", quoted(field))).into());
        }
        named.push(field);
        if let Some(label) = field.strip_prefix("labels.") {
            let found = labels.iter().position(|(name, _)| name == label);
            match (found, text.is_empty()) {
                (Some(at), true) => drop(labels.remove(at)),
                (Some(at), false) => labels[at].1 = Value::text(text),
                (None, true) => {}
                (None, false) => labels.push((label.to_owned(), Value::text(text))),
            }
            continue;
        }
        wanted.push((field.to_owned(), value(repo, field, text)?));
    }
    if named.iter().any(|field| field.starts_with("labels.")) {
        wanted.push(("labels".to_owned(), (!labels.is_empty()).then_some(Value::Map(labels))));
    }
    Ok(wanted)
}

/// What a field gets; nothing for one that goes.
fn value(repo: &Repo, field: &str, text: &str) -> Result<Option<Value>> {
    if !FIELDS.contains(&field) {
        let hint = match nearest(field, FIELDS) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => format!("known are: {}", FIELDS.join(", ")),
        };
        return Err(Refusal(format!("a subscriber has no field {}; {hint}", quoted(field))).into());
    }
    if text.is_empty() {
        if REQUIRED.contains(&field) {
            return Err(NotMade::Required(field.to_owned()).into());
        }
        return Ok(None);
    }
    match field {
        "labels" => Err(Refusal("name one label: labels.NAME=VALUE".into()).into()),
        "ip" => {
            let list = text.split(',').map(query::address).collect::<Result<Vec<_>, _>>()?;
            Ok(Some(addresses(&list)))
        }
        "domain" => Ok(Some(Value::text(query::domain(repo, text)?.name.as_str()))),
        "plan" => Ok(Some(Value::text(query::plan(repo, text)?.name.as_str()))),
        _ => Ok(Some(Value::text(text))),
    }
}

/// One address, or a list of them, as a value.
fn addresses(list: &[Address]) -> Value {
    match list {
        [one] => Value::text(one.to_string()),
        many => Value::List(many.iter().map(|address| Value::text(address.to_string())).collect()),
    }
}
