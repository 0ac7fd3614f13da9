//! Domain records: a tier-2 customer's realm, address blocks and contract.

use super::text::text_type;
use super::{Address, Name, Rate};

text_type! {
    /// A realm: a DNS name in lower case (RFC 1035 section 2.3.1, with digits first as RFC 1123 allows).
    DomainName, Box<str>, max 253,
    pattern "^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
    |text| text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    }),
    expected "a domain name in lower case, such as ispcustomer.co.zw"
}

text_type! {
    /// Who may change a domain's subscribers: a login, or a team with its organisation.
    Owner, Box<str>, max 128,
    pattern "^@?[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)?$",
    |text| {
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let text = text.strip_prefix('@').unwrap_or(text);
        match text.split_once('/') {
            Some((organisation, team)) => part(organisation) && part(team),
            None => part(text),
        }
    },
    expected "a login such as alice, or a team such as '@ispcustomer/noc'"
}

impl Owner {
    /// Whether `actor` is this owner. Ignores case, as forges do for logins, and a leading `@`.
    pub(crate) fn is(&self, actor: &str) -> bool {
        let bare = |text: &str| text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
        bare(self.as_str()) == bare(actor)
    }
}

/// The contracted capacity of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Capacity {
    /// Contracted rate from the domain, such as 1 Gbps.
    #[schemars(title = "Upload capacity")]
    pub(crate) up: Rate,
    /// Contracted rate to the domain, such as 1 Gbps.
    #[schemars(title = "Download capacity")]
    pub(crate) down: Rate,
    /// Contention ratio: how often each bit of capacity may be sold. 20 means 20:1. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(title = "Contention ratio", range(min = 1, max = 10000), extend("x-expected" = "a whole number from 1 to 10000: 20 means 20:1"))]
    pub(crate) contention: Contention,
}

fn one() -> Contention {
    Contention(1)
}

fn is_one(contention: &Contention) -> bool {
    contention.0 == 1
}

/// A contention ratio: a whole number from 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct Contention(pub(crate) u32);

impl<'de> serde::Deserialize<'de> for Contention {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        in_range(u32::deserialize(deserializer)?, 1, 10_000).map(Contention)
    }
}

/// How many subscribers a domain may have: a whole number from 1 to 100 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct MaxSubscribers(pub(crate) u32);

impl<'de> serde::Deserialize<'de> for MaxSubscribers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        in_range(u32::deserialize(deserializer)?, 1, 100_000_000).map(MaxSubscribers)
    }
}

fn in_range<E: serde::de::Error>(value: u32, min: u32, max: u32) -> Result<u32, E> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(E::custom(format!("expected a whole number from {min} to {max}")))
    }
}

/// A domain: a tier-2 customer of the upstream ISP.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Domain")]
pub struct Domain {
    /// The realm: the part after the @ in the shaper file. The record's file has the same name.
    #[schemars(title = "Name")]
    pub(crate) name: DomainName,
    /// The address blocks it may give out, IPv4 or IPv6.
    #[schemars(title = "Prefixes", length(min = 1, max = 10000), extend("x-expected" = "a list of address blocks, such as [10.10.10.0/24]"))]
    #[serde(deserialize_with = "some_prefixes")]
    pub(crate) prefixes: Vec<Address>,
    /// Addresses and prefixes in its blocks that no subscriber gets, such as those of gateways.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some_prefixes")]
    #[schemars(title = "Reserved", length(min = 1, max = 10000), extend("x-expected" = "a list of addresses and prefixes, such as [10.10.10.1]"))]
    pub(crate) reserved: Vec<Address>,
    /// Plans that the domain may sell. Default: every offered plan.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_plans")]
    #[schemars(title = "Plans", with = "Vec<Name>", length(min = 1, max = 10000), extend("x-expected" = "a list of plan names"))]
    pub(crate) plans: Option<Vec<Name>>,
    /// Contracted rates. The rule oversubscribed compares them with what is sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Capacity")]
    pub(crate) capacity: Option<Capacity>,
    /// How many subscribers it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Most subscribers", with = "u32", range(min = 1, max = 100_000_000), extend("x-expected" = "a whole number from 1"))]
    pub(crate) max_subscribers: Option<MaxSubscribers>,
    /// Who may change its subscribers: logins and teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some_owners")]
    #[schemars(title = "Owners", length(min = 1, max = 1000), extend("x-expected" = "a list of logins and teams"))]
    pub(crate) owners: Vec<Owner>,
}

fn some_prefixes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    some_list(deserializer, 10_000)
}

fn some_plans<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Name>>, D::Error> {
    some_list(deserializer, 10_000).map(Some)
}

fn some_owners<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Owner>, D::Error> {
    some_list(deserializer, 1000)
}

/// A list that must not be empty if its key is present.
pub(crate) fn some_list<'de, D, T>(deserializer: D, max: usize) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    let list = <Vec<T> as serde::Deserialize>::deserialize(deserializer)?;
    if list.is_empty() || list.len() > max {
        return Err(serde::de::Error::custom(format!("expected 1 to {max} entries")));
    }
    Ok(list)
}
