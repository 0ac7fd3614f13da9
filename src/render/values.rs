//! The data as templates see it. docs/templates.md lists every field; a test compares.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectExt, ObjectRepr};

use super::free::free;
use super::table::{ServedAddress, Table};
use crate::model::{Domain, Labels, Plan, Rate, Subscriber, SubscriberStatus};

/// The fields of a line.
pub(super) const LINE_FIELDS: [&str; 7] = ["address", "domain", "attribute", "plan", "up", "down", "subscriber"];

/// The fields of a subscriber.
pub(super) const SUBSCRIBER_FIELDS: [&str; 13] = [
    "key",
    "id",
    "name",
    "addresses",
    "domain",
    "plan",
    "attribute",
    "up",
    "down",
    "status",
    "starts",
    "ends",
    "labels",
];

/// The fields of a plan.
pub(super) const PLAN_FIELDS: [&str; 6] = ["name", "attribute", "up", "down", "offered", "description"];

/// The fields of a domain.
pub(super) const DOMAIN_FIELDS: [&str; 4] = ["name", "prefixes", "capacity", "max_subscribers"];

/// Shared state of one rendering: the table, cached values, and the subscriber read last, so that an
/// error can name it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) table: Arc<Table>,
    plan_names: Vec<Value>,
    attributes: Vec<Value>,
    last: AtomicU32,
}

/// No subscriber was read.
const NO_SUBSCRIBER: u32 = u32::MAX;

impl Shared {
    pub(super) fn new(table: &Arc<Table>) -> Self {
        let plans = || table.repo().plans.iter().map(|plan| &plan.value);
        Self {
            table: table.clone(),
            plan_names: plans().map(|plan| Value::from(plan.name.as_str())).collect(),
            attributes: plans().map(|plan| Value::from(plan.shaper_attribute())).collect(),
            last: AtomicU32::new(NO_SUBSCRIBER),
        }
    }

    /// The subscriber that a template read last.
    pub(super) fn last_subscriber(&self) -> Option<u32> {
        let last = self.last.load(Ordering::Relaxed);
        (last != NO_SUBSCRIBER).then_some(last)
    }
}

/// A rate: written as `30 Mbps`; the filters `bps`, `kbps`, `mbps`, `gbps` give numbers.
#[derive(Debug)]
pub(super) struct RateValue(pub(super) Rate);

impl Object for RateValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn rate(rate: Rate) -> Value {
    Value::from_object(RateValue(rate))
}

/// A list that makes its entries on demand.
pub(super) struct Lazy<F> {
    len: usize,
    entry: F,
}

impl<F> fmt::Debug for Lazy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.len)
    }
}

pub(super) fn lazy<F: Fn(usize) -> Value + Send + Sync + 'static>(len: usize, entry: F) -> Value {
    Value::from_object(Lazy { len, entry })
}

impl<F: Fn(usize) -> Value + Send + Sync + 'static> Object for Lazy<F> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = key.as_usize().filter(|at| *at < self.len)?;
        Some((self.entry)(at))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|list| Box::new((0..list.len).map(|at| (list.entry)(at))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len)
    }
}

/// One line of the shaper file: one address of a served subscriber.
#[derive(Debug)]
pub(super) struct LineValue {
    pub(super) shared: Arc<Shared>,
    pub(super) row: ServedAddress,
}

impl Object for LineValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let table = &self.shared.table;
        let number = table.subscriber_number(self.row);
        self.shared.last.store(number, Ordering::Relaxed);
        let plan = table.plan_number(self.row) as usize;
        Some(match key {
            "address" => address(table.address(self.row)),
            "domain" => Value::from(table.subscriber(self.row).value.domain.shared()),
            "attribute" => self.shared.attributes.get(plan)?.clone(),
            "plan" => self.shared.plan_names.get(plan)?.clone(),
            "up" => rate(table.plan(self.row).up),
            "down" => rate(table.plan(self.row).down),
            "subscriber" => subscriber(&self.shared, self.row),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&LINE_FIELDS)
    }
}

/// An address as text, without a heap allocation for the usual lengths.
fn address(address: &crate::model::Address) -> Value {
    use std::io::Write;
    let mut buffer = [0_u8; 64];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "{address}").is_ok();
    let left = rest.len();
    match std::str::from_utf8(&buffer[..buffer.len() - left]) {
        Ok(text) if written => Value::from(text),
        _ => Value::from(address.to_string()),
    }
}

pub(super) fn subscriber(shared: &Arc<Shared>, row: ServedAddress) -> Value {
    Value::from_object(SubscriberValue { shared: shared.clone(), row })
}

/// A served subscriber.
#[derive(Debug)]
struct SubscriberValue {
    shared: Arc<Shared>,
    row: ServedAddress,
}

impl Object for SubscriberValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let table = &self.shared.table;
        self.shared.last.store(table.subscriber_number(self.row), Ordering::Relaxed);
        let own: &Subscriber = &table.subscriber(self.row).value;
        let plan = table.plan(self.row);
        let or_none = |value: Option<String>| value.map_or(Value::from(()), Value::from);
        Some(match key.as_str()? {
            "key" => Value::from(own.key()),
            "id" => or_none(own.id.as_ref().map(ToString::to_string)),
            "name" => own.name.as_ref().map_or(Value::from(()), |name| free(name.as_str())),
            "addresses" => own.ip.as_slice().iter().map(address).collect(),
            "domain" => Value::from(own.domain.as_str()),
            "plan" => Value::from(plan.name.as_str()),
            "attribute" => Value::from(plan.shaper_attribute()),
            "up" => rate(plan.up),
            "down" => rate(plan.down),
            "status" => Value::from(if own.status == SubscriberStatus::Active { "active" } else { "suspended" }),
            "starts" => or_none(own.starts.map(|day| day.to_string())),
            "ends" => or_none(own.ends.map(|day| day.to_string())),
            "labels" => labels(own.labels.as_deref()),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&SUBSCRIBER_FIELDS)
    }
}

fn labels(labels: Option<&Labels>) -> Value {
    labels
        .into_iter()
        .flat_map(Labels::iter)
        .map(|(name, value)| (Value::from(name), free(value)))
        .collect::<std::collections::BTreeMap<_, _>>()
        .into()
}

/// A plan, with or without subscribers.
pub(super) fn plan(plan: &Plan) -> Value {
    let offered = plan.status == crate::model::PlanStatus::Offered;
    Value::from_pairs([
        ("name", Value::from(plan.name.as_str())),
        ("attribute", Value::from(plan.shaper_attribute())),
        ("up", rate(plan.up)),
        ("down", rate(plan.down)),
        ("offered", Value::from(offered)),
        ("description", plan.description.as_ref().map_or(Value::from(()), |text| free(text.as_str()))),
    ])
}

/// A domain, with or without subscribers.
pub(super) fn domain(domain: &Domain) -> Value {
    let prefixes: Value = domain.prefixes.iter().map(address).collect();
    let capacity = domain.capacity.as_ref().map_or(Value::from(()), |capacity| {
        Value::from_pairs([
            ("up", rate(capacity.up)),
            ("down", rate(capacity.down)),
            ("contention", Value::from(capacity.contention.0)),
        ])
    });
    Value::from_pairs([
        ("name", Value::from(domain.name.as_str())),
        ("prefixes", prefixes),
        ("reserved", domain.reserved.iter().map(address).collect()),
        ("capacity", capacity),
        ("max_subscribers", domain.max_subscribers.map_or(Value::from(()), |most| Value::from(most.0))),
    ])
}
