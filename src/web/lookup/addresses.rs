//! Who holds an address, and which addresses are free.

use ipnet::{IpNet, Ipv4Net};
use schemars::JsonSchema;
use serde::Serialize;

use super::question::{Answer, Question};
use super::subscribers::SubscriberAnswer;
use crate::model::Address;
use crate::query::address;
use crate::text::quote::quoted;
use crate::web::server::problem::Problem;

/// How many ranges are listed.
const MAX_RANGES: usize = 10_000;

/// Who holds an address.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Address")]
pub(super) struct AddressAnswer<'a> {
    /// The address in its usual spelling.
    address: String,
    /// The longest of the subscriber's prefixes around it; the address itself if it holds just that.
    prefix: String,
    /// The subscriber.
    subscriber: SubscriberAnswer<'a>,
}

/// The free addresses of a domain.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Free addresses")]
pub(super) struct FreeAnswer<'a> {
    /// The domain.
    domain: &'a str,
    /// The lowest free address, IPv4 first; null if none is free.
    next: Option<String>,
    /// The free addresses, IPv4 first, in order; at most 10000 ranges.
    ranges: Vec<RangeAnswer>,
    /// Whether there are more ranges.
    more: bool,
}

/// Free addresses in a row.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Range")]
pub(super) struct RangeAnswer {
    /// The lowest.
    first: String,
    /// The highest.
    last: String,
    /// How many there are: a text, as IPv6 has more than a number in JSON can count.
    addresses: String,
}

pub(super) fn holder(question: &Question<'_>) -> Result<Answer, Problem> {
    let asked = unmapped(address(&question.tail).map_err(|refusal| Problem::bad_request(refusal.0))?);
    let Some(subscriber) = question.data.holder(&asked, question.scope) else {
        return Err(Problem::not_found(format!("no subscriber has the address {}", quoted(&asked.to_string()))));
    };
    let around = subscriber.ip.as_slice().iter().filter(|held| held.net().contains(&asked.net()));
    let prefix = around.max_by_key(|held| held.net().prefix_len()).map(ToString::to_string).unwrap_or_default();
    let subscriber = SubscriberAnswer::of(subscriber, question.data);
    Answer::json(&AddressAnswer { address: asked.to_string(), prefix, subscriber })
}

/// The IPv4 address that an IPv6 socket shows as `::ffff:a.b.c.d`; any other as it is.
fn unmapped(address: Address) -> Address {
    let IpNet::V6(net) = address.net() else { return address };
    let length = net.prefix_len().checked_sub(96);
    let mapped = net.network().to_ipv4_mapped().zip(length).and_then(|(ip, length)| Ipv4Net::new(ip, length).ok());
    mapped.map_or(address, |net| Address::from(IpNet::V4(net)))
}

pub(super) fn free(question: &Question<'_>) -> Result<Answer, Problem> {
    let name = question.parameters.get("domain").unwrap_or_default();
    let Some(domain) = question.data.domain(name, question.scope) else {
        return Err(Problem::bad_request(format!("there is no domain {}", quoted(name))));
    };
    let free = question.data.free(domain);
    let range = |range: &crate::query::FreeRange| RangeAnswer {
        first: range.first.to_string(),
        last: range.last.to_string(),
        addresses: range.addresses.to_string(),
    };
    let ranges: Vec<RangeAnswer> = free.iter().take(MAX_RANGES).map(range).collect();
    let next = free.first().map(|range| range.first.to_string());
    Answer::json(&FreeAnswer { domain: &domain.name, next, more: free.len() > ranges.len(), ranges })
}
