//! The fields of a subscriber in a form: read, and shown again with what is wrong beside them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::form::Form;
use crate::model::{Date, Subscriber, SubscriberId, Text};
use crate::query;

/// What is wrong, by field; under an empty name what belongs to no field.
pub(super) type Wrong = BTreeMap<String, Vec<Remark>>;

/// Something about a field.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Remark {
    pub(super) text: String,
    pub(super) error: bool,
}

/// The fields as texts.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct FieldTexts {
    pub(super) ip: String,
    pub(super) domain: String,
    pub(super) plan: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) starts: String,
    pub(super) ends: String,
    pub(super) labels: String,
}

impl FieldTexts {
    /// The fields as they were sent.
    pub(super) fn sent(form: &Form) -> FieldTexts {
        let text = |name| form.get(name).to_owned();
        FieldTexts {
            ip: text("ip"),
            domain: text("domain"),
            plan: text("plan"),
            id: text("id"),
            name: text("name"),
            status: text("status"),
            starts: text("starts"),
            ends: text("ends"),
            labels: text("labels"),
        }
    }

    /// The fields of a record.
    pub(super) fn of(subscriber: &Subscriber) -> FieldTexts {
        let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let labels = subscriber.labels.iter().flat_map(|labels| labels.iter());
        FieldTexts {
            ip: subscriber.ip.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            domain: subscriber.domain.to_string(),
            plan: subscriber.plan.to_string(),
            id: subscriber.id.as_ref().map(ToString::to_string).unwrap_or_default(),
            name: subscriber.name.as_ref().map(ToString::to_string).unwrap_or_default(),
            status: query::status(subscriber).to_owned(),
            starts: date(subscriber.starts),
            ends: date(subscriber.ends),
            labels: labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n"),
        }
    }

    /// The fields by name, as a page shows them.
    pub(super) fn named(self) -> [(&'static str, String); 9] {
        [
            ("addresses", self.ip),
            ("domain", self.domain),
            ("plan", self.plan),
            ("id", self.id),
            ("name", self.name),
            ("status", self.status),
            ("starts", self.starts),
            ("ends", self.ends),
            ("labels", self.labels),
        ]
    }

    /// The record that they describe.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn record(&self) -> Result<Subscriber, Wrong> {
        let mut wrong = Wrong::new();
        let mut json = serde_json::Map::new();
        let addresses: Vec<String> = self.addresses(&mut wrong);
        match addresses.as_slice() {
            [] if wrong.is_empty() => say(&mut wrong, "ip", "an address is needed".to_owned()),
            [one] => drop(json.insert("ip".to_owned(), one.as_str().into())),
            many => drop(json.insert("ip".to_owned(), many.into())),
        }
        for (field, value) in [("domain", &self.domain), ("plan", &self.plan)] {
            match value.as_str() {
                "" => say(&mut wrong, field, format!("a {field} is needed")),
                value => drop(json.insert(field.to_owned(), value.into())),
            }
        }
        check::<SubscriberId>(&mut wrong, "id", &self.id);
        check::<Text>(&mut wrong, "name", &self.name);
        check::<Date>(&mut wrong, "starts", &self.starts);
        check::<Date>(&mut wrong, "ends", &self.ends);
        let optional = [
            ("id", &self.id),
            ("name", &self.name),
            ("starts", &self.starts),
            ("ends", &self.ends),
            ("status", &self.status),
        ];
        for (field, value) in optional.into_iter().filter(|(_, value)| !value.is_empty() && *value != "active") {
            json.insert(field.to_owned(), value.as_str().into());
        }
        let labels = self.labels(&mut wrong);
        if !labels.is_empty() {
            json.insert("labels".to_owned(), labels.into());
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        serde_json::from_value(json.into()).map_err(|error: serde_json::Error| {
            let field = if error.to_string().contains("label") { "labels" } else { "" };
            say(&mut wrong, field, error.to_string());
            wrong
        })
    }

    fn addresses(&self, wrong: &mut Wrong) -> Vec<String> {
        let texts = self.ip.split([',', ' ', '\n', '\r', '\t']).filter(|text| !text.is_empty());
        let mut addresses = Vec::new();
        for text in texts {
            match query::address(text) {
                Ok(address) => addresses.push(address.to_string()),
                Err(why) => say(wrong, "ip", why.0),
            }
        }
        addresses
    }

    fn labels(&self, wrong: &mut Wrong) -> serde_json::Map<String, serde_json::Value> {
        let mut labels = serde_json::Map::new();
        for line in self.labels.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once('=') {
                Some((name, value)) if labels.insert(name.trim().to_owned(), value.trim().into()).is_none() => {}
                Some(_) => say(wrong, "labels", "one label is given twice".to_owned()),
                None => say(wrong, "labels", "write a label on a line, as NAME=VALUE".to_owned()),
            }
        }
        labels
    }
}

fn check<T: std::str::FromStr<Err: std::fmt::Display>>(wrong: &mut Wrong, field: &str, text: &str) {
    if let Some(Err(why)) = Some(text).filter(|text| !text.is_empty()).map(str::parse::<T>) {
        say(wrong, field, why.to_string());
    }
}

/// Adds an error to a field.
pub(super) fn say(wrong: &mut Wrong, field: &str, text: String) {
    wrong.entry(field.to_owned()).or_default().push(Remark { text, error: true });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts() -> FieldTexts {
        let text = |text: &str| text.to_owned();
        FieldTexts {
            ip: text("10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5"),
            domain: text("a.example"),
            plan: text("P"),
            id: text("hotel"),
            name: text("Hotel"),
            status: text("suspended"),
            starts: text("2026-11-01"),
            ends: text("2027-11-01"),
            labels: text("ticket=4711\nsite = Hill"),
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = texts().record().unwrap();
        assert_eq!(record.ip.as_slice().len(), 5);
        let again = FieldTexts::of(&record);
        assert_eq!(again.labels, "site=Hill\nticket=4711");
        assert_eq!(again.record().unwrap(), record);
        let least = FieldTexts {
            ip: "10.0.0.1".into(),
            domain: "a".into(),
            plan: "P".into(),
            status: "active".into(),
            ..FieldTexts::default()
        };
        assert_eq!(FieldTexts::of(&least.record().unwrap()).ip, "10.0.0.1");
    }

    #[test]
    fn what_is_wrong_is_said_beside_its_field() {
        for (field, bad) in [
            ("ip", FieldTexts { ip: "10.0.0.300".into(), ..texts() }),
            ("ip", FieldTexts { ip: String::new(), ..texts() }),
            ("ip", FieldTexts { ip: "10.0.0.1/24".into(), ..texts() }),
            ("domain", FieldTexts { domain: String::new(), ..texts() }),
            ("plan", FieldTexts { plan: String::new(), ..texts() }),
            ("id", FieldTexts { id: "a b\u{202e}".into(), ..texts() }),
            ("name", FieldTexts { name: "a\nb".into(), ..texts() }),
            ("starts", FieldTexts { starts: "2026-02-30".into(), ..texts() }),
            ("ends", FieldTexts { ends: "soon".into(), ..texts() }),
            ("labels", FieldTexts { labels: "ticket".into(), ..texts() }),
            ("labels", FieldTexts { labels: "a=1\na=2".into(), ..texts() }),
        ] {
            let wrong = bad.record().unwrap_err();
            assert_eq!(wrong.keys().collect::<Vec<_>>(), [field], "{wrong:?}");
        }
    }
}
