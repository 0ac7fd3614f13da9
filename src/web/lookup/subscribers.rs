//! Subscribers: one, or a page of those that match.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::question::{Answer, Question};
use crate::model::Subscriber;
use crate::query::{PAGE, StatusFilter, status};
use crate::text::quote::quoted;
use crate::web::data::snapshot::{Filter, Snapshot};
use crate::web::server::problem::Problem;

/// A subscriber.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Subscriber")]
pub(super) struct SubscriberAnswer<'a> {
    /// Its id, or else its first address and its domain: `10.10.10.25@ispcustomer.co.zw`.
    key: String,
    /// Its own id.
    id: Option<&'a str>,
    /// Addresses and prefixes.
    ip: Vec<String>,
    /// Its domain.
    domain: &'a str,
    /// Its plan.
    plan: &'a str,
    /// The plan's rate from the subscriber, in bit/s.
    up_bps: Option<u64>,
    /// The plan's rate to the subscriber, in bit/s.
    down_bps: Option<u64>,
    /// A name for people.
    name: Option<&'a str>,
    /// `active` or `suspended`.
    status: &'static str,
    /// First day of service.
    starts: Option<String>,
    /// First day without service.
    ends: Option<String>,
    /// Labels by name.
    labels: BTreeMap<&'a str, &'a str>,
    /// Whether it has a line in the shaper file today.
    served: bool,
    /// Why it has none: `suspended`, `not started` or `ended`.
    reason: Option<&'static str>,
}

impl<'a> SubscriberAnswer<'a> {
    pub(super) fn of(subscriber: &'a Subscriber, data: &Snapshot) -> SubscriberAnswer<'a> {
        let rates = data.rates(subscriber.plan.as_str());
        let reason = data.unserved(subscriber);
        SubscriberAnswer {
            key: subscriber.key(),
            id: subscriber.id.as_ref().map(|id| id.as_str()),
            ip: subscriber.ip.as_slice().iter().map(ToString::to_string).collect(),
            domain: subscriber.domain.as_str(),
            plan: subscriber.plan.as_str(),
            up_bps: rates.map(|(up, _)| up),
            down_bps: rates.map(|(_, down)| down),
            name: subscriber.name.as_ref().map(|name| name.as_str()),
            status: status(subscriber),
            starts: subscriber.starts.map(|date| date.to_string()),
            ends: subscriber.ends.map(|date| date.to_string()),
            labels: subscriber.labels.iter().flat_map(|labels| labels.iter()).collect(),
            served: reason.is_none(),
            reason,
        }
    }
}

/// A page of subscribers, by address.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Subscribers")]
pub(super) struct PageAnswer<'a> {
    /// How many match in all.
    total: usize,
    /// The number of the page, from 1.
    page: usize,
    /// How many pages there are, at least one.
    pages: usize,
    /// The subscribers on the page, at most 50.
    subscribers: Vec<SubscriberAnswer<'a>>,
}

/// Words of the parameter `status`.
pub(super) const STATUSES: &[&str] = &["active", "suspended", "served", "unserved"];

pub(super) fn one(question: &Question<'_>) -> Result<Answer, Problem> {
    match question.data.subscriber(&question.tail, question.scope) {
        Some(subscriber) => Answer::json(&SubscriberAnswer::of(subscriber, question.data)),
        None => Err(Problem::not_found(format!("there is no subscriber {}", quoted(&question.tail)))),
    }
}

pub(super) fn page(question: &Question<'_>) -> Result<Answer, Problem> {
    let Question { data, scope, parameters, .. } = question;
    let (domain, plan) = (parameters.some("domain"), parameters.some("plan"));
    if let Some(name) = domain.filter(|name| data.domain(name, scope).is_none()) {
        return Err(Problem::bad_request(format!("there is no domain {}", quoted(name))));
    }
    if let Some(name) = plan.filter(|name| data.plan(name, scope).is_none()) {
        return Err(Problem::bad_request(format!("there is no plan {}", quoted(name))));
    }
    let status =
        parameters.some("status").and_then(|word| <StatusFilter as clap::ValueEnum>::from_str(word, false).ok());
    let filter = Filter {
        domain,
        plan,
        status,
        text: parameters.some("q").map(str::trim).filter(|text| !text.is_empty()),
        ..Filter::default()
    };
    let page: usize = parameters.some("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let (total, shown) = data.page(&filter, scope, page.saturating_sub(1), PAGE);
    let subscribers = shown.into_iter().map(|one| SubscriberAnswer::of(one, data)).collect();
    Answer::json(&PageAnswer { total, page, pages: total.div_ceil(PAGE).max(1), subscribers })
}
