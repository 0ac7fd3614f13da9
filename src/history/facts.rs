//! The facts of a record, as one text: what histories compare, keep and show.
//!
//! A line a field, `name value`, in a fixed order and independent of the file's spelling: an address
//! has one form, a default status is left out. So two records have the same facts if and only if their
//! texts are equal.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use crate::model::{Address, Date, Plan, PlanStatus, Subscriber, SubscriberStatus};

/// Prefix of a subscriber's key, so that no plan has the same key.
pub const SUBSCRIBER: char = 's';

/// Prefix of a plan's key.
pub const PLAN: char = 'p';

/// A record by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its key, after [`SUBSCRIBER`] or [`PLAN`].
    pub key: String,
    /// Its facts.
    pub facts: String,
}

impl From<&Subscriber> for Known {
    fn from(subscriber: &Subscriber) -> Known {
        let mut facts = String::with_capacity(96);
        let mut addresses = String::new();
        for address in subscriber.ip.as_slice() {
            let comma = if addresses.is_empty() { "" } else { ", " };
            let _ = write!(addresses, "{comma}{address}");
        }
        push(&mut facts, "ip", addresses);
        push(&mut facts, "domain", &subscriber.domain);
        push(&mut facts, "plan", &subscriber.plan);
        push_some(&mut facts, "id", subscriber.id.as_ref());
        push_some(&mut facts, "name", subscriber.name.as_ref());
        push_some(&mut facts, "status", (subscriber.status == SubscriberStatus::Suspended).then_some("suspended"));
        push_some(&mut facts, "starts", subscriber.starts);
        push_some(&mut facts, "ends", subscriber.ends);
        for (name, value) in subscriber.labels.iter().flat_map(|labels| labels.iter()) {
            push(&mut facts, &format!("labels.{name}"), value);
        }
        Known { key: format!("{SUBSCRIBER}{}", subscriber.key()), facts }
    }
}

impl From<&Plan> for Known {
    fn from(plan: &Plan) -> Known {
        let mut facts = String::with_capacity(64);
        push(&mut facts, "up", plan.up);
        push(&mut facts, "down", plan.down);
        push_some(&mut facts, "status", (plan.status == PlanStatus::Retired).then_some("retired"));
        push_some(&mut facts, "attribute", plan.attribute.as_ref());
        push_some(&mut facts, "description", plan.description.as_ref());
        Known { key: format!("{PLAN}{}", plan.name), facts }
    }
}

fn push_some(facts: &mut String, field: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        push(facts, field, value);
    }
}

fn push(facts: &mut String, field: &str, value: impl Display) {
    let _ = write!(facts, "{field} ");
    let start = facts.len();
    let _ = writeln!(facts, "{value}");
    // A domain's name is any text as long as the reference to it is not checked.
    let value = &facts[start..facts.len() - 1];
    if value.contains(['\n', '\\']) {
        let escaped = value.replace('\\', "\\\\").replace('\n', "\\n");
        facts.truncate(start);
        let _ = writeln!(facts, "{escaped}");
    }
}

/// A record's facts, for look-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts<'a>(pub &'a str);

impl<'a> Facts<'a> {
    /// Fields and values, in order.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        self.0.lines().filter_map(|line| line.split_once(' ')).map(|(field, value)| (field, unescaped(value)))
    }

    /// The value of a field.
    pub fn get(self, field: &str) -> Option<Cow<'a, str>> {
        self.raw(field).map(unescaped)
    }

    /// The value of a field in its escaped form, which is enough for comparisons.
    pub fn raw(self, field: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(' '))
    }

    /// A subscriber's addresses.
    pub fn addresses(self) -> impl Iterator<Item = Address> {
        self.raw("ip").unwrap_or_default().split(", ").filter_map(|address| address.parse().ok())
    }

    /// A field that holds a day.
    pub fn date(self, field: &str) -> Option<Date> {
        self.raw(field)?.parse().ok()
    }

    /// Whether the subscriber is not suspended.
    pub fn is_active(self) -> bool {
        self.raw("status") != Some("suspended")
    }
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return value.into();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => out.push(if chars.next() == Some('n') { '\n' } else { '\\' }),
            (c, false) => out.push(c),
        }
    }
    out.into()
}

/// One field, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// Its old value.
    pub before: Option<String>,
    /// Its new value.
    pub after: Option<String>,
}

/// The fields in which two records differ.
pub fn differences(before: Option<Facts<'_>>, after: Option<Facts<'_>>) -> Vec<FieldDifference> {
    let (before, after) = (before.unwrap_or(Facts("")), after.unwrap_or(Facts("")));
    let mut changes = Vec::new();
    for (field, value) in after.fields() {
        let old = before.get(field);
        if old.as_ref() != Some(&value) {
            changes.push(FieldDifference {
                field: field.to_owned(),
                before: old.map(Cow::into_owned),
                after: Some(value.into_owned()),
            });
        }
    }
    let gone = before.fields().filter(|(field, _)| after.raw(field).is_none());
    changes.extend(gone.map(|(field, value)| FieldDifference {
        field: field.to_owned(),
        before: Some(value.into_owned()),
        after: None,
    }));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_comes_back() {
        for value in ["plain", "a\nb", "a\\nb", "\\", "\n\\\n", "a b  c"] {
            let mut facts = String::new();
            push(&mut facts, "name", value);
            push(&mut facts, "plan", "x");
            assert_eq!(Facts(&facts).get("name").as_deref(), Some(value));
            assert_eq!(Facts(&facts).get("plan").as_deref(), Some("x"));
            assert_eq!(Facts(&facts).fields().count(), 2);
        }
    }

    #[test]
    fn differences_are_by_field() {
        let (a, b) = ("ip 1\nplan x\nname n\n", "ip 1\nplan y\nid i\n");
        let shown: Vec<String> = differences(Some(Facts(a)), Some(Facts(b)))
            .iter()
            .map(|change| format!("{} {:?} {:?}", change.field, change.before, change.after))
            .collect();
        assert_eq!(shown, ["plan Some(\"x\") Some(\"y\")", "id None Some(\"i\")", "name Some(\"n\") None"]);
        assert!(differences(Some(Facts(a)), Some(Facts(a))).is_empty());
    }
}
