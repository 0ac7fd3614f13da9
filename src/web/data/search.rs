//! The search texts of all subscribers, in one string: a hundred thousand are searched in milliseconds.

use crate::model::Subscriber;

/// What is searched for each subscriber, in lower case.
#[derive(Debug, Default)]
pub(crate) struct SearchTexts {
    text: String,
    /// Where the text of each subscriber ends.
    ends: Vec<usize>,
}

impl SearchTexts {
    /// The texts of these subscribers: those in which [`crate::query::SubscriberQuery`] searches.
    pub(crate) fn new<'s>(subscribers: impl Iterator<Item = &'s Subscriber>) -> SearchTexts {
        let mut texts = SearchTexts::default();
        for subscriber in subscribers {
            let labels = subscriber.labels.iter().flat_map(|labels| labels.iter());
            let addresses = subscriber.ip.as_slice().iter().map(ToString::to_string);
            let own = [subscriber.key(), subscriber.domain.to_string(), subscriber.plan.to_string()];
            addresses.chain(own).for_each(|text| texts.add(&text));
            subscriber.name.iter().for_each(|name| texts.add(name.as_str()));
            labels.for_each(|(name, value)| {
                texts.add(name);
                texts.add(value);
            });
            texts.ends.push(texts.text.len());
        }
        texts
    }

    /// No text that is searched for has a line break: it never matches across two values.
    fn add(&mut self, value: &str) {
        self.text.push_str(&value.to_lowercase());
        self.text.push('\n');
    }

    /// Whether the text of a subscriber has `lower` in it.
    pub(crate) fn has(&self, subscriber: u32, lower: &str) -> bool {
        let at = subscriber as usize;
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.text.get(begin..end).is_some_and(|text| text.contains(lower))
    }
}
