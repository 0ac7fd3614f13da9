//! Subscriber records: who has which addresses and plan.

use super::text::text_type;
use super::{Addresses, Date, Labels, Name, Text};

text_type! {
    /// A subscriber's stable id, unique in the repository.
    SubscriberId, Box<str>, max 128,
    pattern "^[A-Za-z0-9][A-Za-z0-9._:@/+-]*$",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:@/+-".contains(&b)),
    expected "an id: letters, digits and . _ : @ / + -, at most 128"
}

/// Whether a subscriber is served.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum SubscriberStatus {
    /// Served.
    #[default]
    Active,
    /// Not served: left out of the shaper file, or given the plan named in the settings.
    Suspended,
}

/// A subscriber: an address (or several), the domain it belongs to, and the plan it has bought.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Subscriber")]
pub struct Subscriber {
    /// The address, or a prefix routed to the subscriber, IPv4 or IPv6; or a list of them.
    #[schemars(title = "Address")]
    pub ip: Addresses,
    /// The realm of the tier-2 ISP that serves the subscriber: the name of a file in domains/.
    #[schemars(title = "Domain", extend("x-expected" = "the name of a domain, as in domains/"))]
    pub(crate) domain: Name,
    /// What the subscriber has bought: the name of a file in plans/.
    #[schemars(title = "Plan", extend("x-expected" = "the name of a plan, as in plans/"))]
    pub(crate) plan: Name,
    /// A unique id that stays the same when the address changes. Default: ip@domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Id")]
    pub(crate) id: Option<SubscriberId>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Name")]
    pub name: Option<Text>,
    /// Suspended subscribers leave the shaper file, or get the plan named in shapeline.yaml.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Status")]
    pub(crate) status: SubscriberStatus,
    /// The first day of service, UTC. Before it the subscriber is not rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Starts")]
    pub(crate) starts: Option<Date>,
    /// The first day without service, UTC. From it on the subscriber is not rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Ends")]
    pub(crate) ends: Option<Date>,
    /// Free-form labels, such as a ticket number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Labels")]
    pub(crate) labels: Option<Box<Labels>>,
}

impl Subscriber {
    /// The id, or else the first address and the domain.
    pub(crate) fn key(&self) -> String {
        match (&self.id, self.ip.first()) {
            (Some(id), _) => id.to_string(),
            (None, Some(ip)) => format!("{ip}@{}", self.domain),
            (None, None) => format!("@{}", self.domain),
        }
    }

    /// The rest of the term from `today` on; `None` if the term is over or empty.
    pub(crate) fn remaining_term(&self, today: Date) -> Option<RemainingTerm> {
        let begins = self.starts.filter(|starts| today < *starts);
        let over = self.ends.is_some_and(|ends| ends <= begins.unwrap_or(today));
        (!over).then_some(RemainingTerm { begins, ends: self.ends })
    }

    /// Whether `day` is within the term: from `starts`, and before `ends`.
    pub(crate) fn in_term(&self, day: Date) -> bool {
        self.starts.is_none_or(|starts| starts <= day) && self.ends.is_none_or(|ends| day < ends)
    }
}

/// The part of a subscriber's term that lies ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RemainingTerm {
    /// The first day of service, if that is after today.
    pub(crate) begins: Option<Date>,
    /// The first day without service, after today and after `begins`.
    pub(crate) ends: Option<Date>,
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
