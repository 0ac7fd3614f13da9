//! Messages for the bus and the other sinks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::sample::Kind;
use crate::text::hex::hex;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topic {
    /// An interface or device that appeared, disappeared, returned or changed.
    Interface,
    /// A measurement.
    Traffic,
    /// A subscriber that was added, changed or removed by a publish.
    Subscriber,
}

impl Topic {
    /// Its name in a message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Topic::Interface => "interface",
            Topic::Traffic => "traffic",
            Topic::Subscriber => "subscriber",
        }
    }
}

/// A message. The same event always has the same id, so that a repetition is recognisable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) topic: Topic,
    pub(crate) body: Value,
}

impl Message {
    /// A measurement of `name`: `into` and `out` as the source counts them.
    pub(crate) fn traffic(source: &str, name: &str, kind: Kind, at: i64, (into, out): (f64, f64)) -> Message {
        let body = json!({"name": name, "recordType": kind.name(), "timestamp": at, "in": into, "out": out});
        Message { id: id(source, name, kind.name(), at), topic: Topic::Traffic, body }
    }

    /// What became of an interface; `body` is its object, which gets the moment.
    pub(crate) fn interface(source: &str, name: &str, at: i64, mut body: Value) -> Message {
        if let Some(object) = body.as_object_mut() {
            object.insert("timestamp".to_owned(), at.into());
        }
        Message { id: id(source, name, "interface", at), topic: Topic::Interface, body }
    }

    /// A change of a subscriber on `target`: in which step between which versions, and when.
    pub(crate) fn subscriber(
        target: &str,
        address: &str,
        versions: &str,
        (step, at): (i64, i64),
        body: Value,
    ) -> Message {
        let what = format!("subscriber {step} {versions}");
        Message { id: id(target, address, &what, at), topic: Topic::Subscriber, body }
    }
}

/// The parts with their lengths: no two lists of parts give the same text.
fn id(source: &str, name: &str, what: &str, at: i64) -> String {
    let mut digest = Sha256::new();
    for part in [source, name, what] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.update(at.to_le_bytes());
    hex(&digest.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_has_the_same_id() {
        let message = |source: &str, name: &str, at| Message::traffic(source, name, Kind::Traffic, at, (1.0, 2.0)).id;
        assert_eq!(message("a", "bc", 1), message("a", "bc", 1));
        assert_ne!(message("a", "bc", 1), message("ab", "c", 1));
        assert_ne!(message("a", "bc", 1), message("a", "bc", 2));
        let body = Message::traffic("a", "xe-0/0/1", Kind::Errors, 5, (1.0, 2.0)).body;
        assert_eq!(body, json!({"name": "xe-0/0/1", "recordType": "errors", "timestamp": 5, "in": 1.0, "out": 2.0}));
    }
}
