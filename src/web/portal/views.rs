//! Values for the templates.

use serde::Serialize;

use crate::model::{Rate, Subscriber, TotalBps};
use crate::query::status;
use crate::text::count::grouped;
use crate::web::access::Scope;
use crate::web::data::snapshot::Snapshot;

/// A bar: how much of something is used.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub(super) struct Bar {
    /// Per cent of its width, for the picture.
    width: f64,
    /// Whether more is used than there is.
    over: bool,
}

impl Bar {
    /// `part` of `whole`.
    pub(super) fn of(part: f64, whole: f64) -> Bar {
        let percent = if whole > 0.0 { part / whole * 100.0 } else { 0.0 };
        // One that is not nothing can be seen.
        let seen = if part > 0.0 { percent.max(2.0) } else { 0.0 };
        Bar { width: (seen.min(100.0) * 10.0).round() / 10.0, over: percent > 100.0 }
    }
}

/// A subscriber in a list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) key: String,
    id: Option<String>,
    name: Option<String>,
    addresses: Vec<String>,
    domain: String,
    plan: String,
    up: String,
    down: String,
    bar: Bar,
    status: &'static str,
    /// Why it is not served, in a word.
    unserved: Option<&'static str>,
}

impl Row {
    /// A row; `fastest` is the download rate for which a bar is full.
    pub(super) fn of(subscriber: &Subscriber, data: &Snapshot, fastest: u64) -> Row {
        let rates = data.rates(subscriber.plan.as_str());
        let shown = |bps: Option<u64>| bps.map(rate).unwrap_or_else(|| "not known".to_owned());
        Row {
            key: subscriber.key(),
            id: subscriber.id.as_ref().map(ToString::to_string),
            name: subscriber.name.as_ref().map(ToString::to_string),
            addresses: subscriber.ip.as_slice().iter().map(ToString::to_string).collect(),
            domain: subscriber.domain.to_string(),
            plan: subscriber.plan.to_string(),
            up: shown(rates.map(|(up, _)| up)),
            down: shown(rates.map(|(_, down)| down)),
            bar: Bar::of(rates.map_or(0.0, |(_, down)| down as f64), fastest as f64),
            status: status(subscriber),
            unserved: data.unserved(subscriber),
        }
    }
}

/// The fastest download rate of any plan, in bit/s.
pub(super) fn fastest(data: &Snapshot) -> u64 {
    data.plans.iter().map(|plan| plan.down_bps).max().unwrap_or(0)
}

/// A rate in bit/s as people write it.
pub(super) fn rate(bps: u64) -> String {
    Rate::from_bps(bps).map(|rate| rate.to_string()).unwrap_or_default()
}

/// A domain with what it has sold.
#[derive(Debug, Serialize)]
pub(super) struct DomainSummary {
    name: String,
    subscribers: String,
    served: String,
    directions: Vec<Direction>,
}

/// What is sold in one direction.
#[derive(Debug, Serialize)]
struct Direction {
    name: &'static str,
    sold: String,
    /// What is contracted, and how often each bit may be sold.
    contract: Option<String>,
    bar: Option<Bar>,
}

/// The domains that a person sees.
pub(super) fn domains(data: &Snapshot, scope: &Scope) -> Vec<DomainSummary> {
    let seen = data.domains.iter().filter(|domain| scope.has(&domain.name));
    seen.map(|domain| {
        let contention = domain.contention.unwrap_or(1);
        let direction = |name, sold: &str, capacity: Option<u64>| {
            let sold: u128 = sold.parse().unwrap_or(0);
            let times = if contention > 1 { format!(" × {contention}") } else { String::new() };
            Direction {
                name,
                sold: TotalBps(sold).to_string(),
                contract: capacity.map(|capacity| format!("{}{times}", rate(capacity))),
                bar: capacity.map(|capacity| Bar::of(sold as f64, capacity as f64 * f64::from(contention))),
            }
        };
        DomainSummary {
            name: domain.name.clone(),
            subscribers: grouped(domain.subscribers),
            served: grouped(domain.served),
            directions: vec![
                direction("down", &domain.committed_down_bps, domain.capacity_down_bps),
                direction("up", &domain.committed_up_bps, domain.capacity_up_bps),
            ],
        }
    })
    .collect()
}

/// The seconds since 1970 as people read them, in UTC.
pub(super) fn moment(seconds: i64) -> String {
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    moment.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fits_its_box() {
        assert_eq!(Bar::of(1.0, 2.0), Bar { width: 50.0, over: false });
        assert_eq!(Bar::of(3.0, 2.0), Bar { width: 100.0, over: true });
        assert_eq!((Bar::of(0.0, 2.0).width, Bar::of(1.0, 1e9).width, Bar::of(1.0, 0.0).width), (0.0, 2.0, 2.0));
        assert_eq!(moment(0), "1970-01-01 00:00 UTC");
    }
}
