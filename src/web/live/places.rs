//! Who there is: subscribers, domains and plans of the data, and the series of the store, each with its subscriber.

use std::collections::HashMap;
use std::sync::Arc;

use crate::inventory::Context;
use crate::render::Table;
use crate::telemetry::settings::TelemetrySettings;
use crate::telemetry::store::series::{Form, Series, Tenure};
use crate::telemetry::subscribers::{Directory, declared};
use crate::text::characters::is_steering;
use crate::web::data::snapshot::Snapshot;

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// A subscriber that is served today.
#[derive(PartialEq)]
pub(super) struct SubscriberPlace {
    pub(super) key: Box<str>,
    /// Its first address.
    pub(super) address: Box<str>,
    pub(super) domain: u32,
    pub(super) plan: u32,
    /// Its first series.
    pub(super) first: u32,
}

/// A series.
#[derive(PartialEq)]
pub(super) struct SeriesPlace {
    pub(super) id: i64,
    pub(super) name: Box<str>,
    pub(super) source: u32,
    pub(super) form: Form,
    /// Its subscriber.
    pub(super) owner: u32,
    /// Since when it has been of the domain of that, in milliseconds since 1970.
    pub(super) since: i64,
    /// The next series of the same subscriber.
    pub(super) next: u32,
}

/// A source, and for how long a sample of it is the present one, in milliseconds.
#[derive(PartialEq)]
pub(super) struct SourcePlace {
    pub(super) name: Box<str>,
    pub(super) patience: i64,
}

/// A domain, and what is contracted for it in bit/s.
#[derive(PartialEq)]
pub(super) struct DomainPlace {
    pub(super) name: Box<str>,
    pub(super) contract: Option<(u64, u64)>,
}

/// A plan with its rates in bit/s.
#[derive(PartialEq)]
pub(super) struct PlanPlace {
    pub(super) name: Box<str>,
    pub(super) up: u64,
    pub(super) down: u64,
}

/// Who there is, by numbers.
#[derive(Default)]
pub(super) struct Places {
    pub(super) subscribers: Vec<SubscriberPlace>,
    pub(super) series: Vec<SeriesPlace>,
    pub(super) domains: Vec<DomainPlace>,
    pub(super) plans: Vec<PlanPlace>,
    pub(super) sources: Vec<SourcePlace>,
    /// For each series since when its source lists it, and since when not any more.
    pub(super) listed: Vec<(i64, Option<i64>)>,
    /// The number of a series, by its id in the store.
    pub(super) by_id: HashMap<i64, u32>,
}

impl Places {
    /// Those of a snapshot at `now`, with these series of the store, and whose series are from now on.
    pub(super) fn new(
        data: &Snapshot,
        mut series: Vec<Series>,
        settings: &TelemetrySettings,
        now: i64,
    ) -> (Places, Vec<(i64, Tenure)>) {
        let repo: &Arc<crate::repo::Repo> = &data.repo;
        let declared = declared(&Table::new(repo, &Context::new(repo, data.today, None)));
        let directory = Directory::new(&declared, &settings.names);
        let owners: Vec<u32> = series.iter().map(|one| directory.find(one).unwrap_or(NONE)).collect();
        drop(directory);
        let mut handed_over = Vec::new();
        for (one, owner) in series.iter_mut().zip(&owners) {
            let domain = declared.get(*owner as usize).map(|owner| owner.domain.as_str());
            if let Some(new) = tenure(one.tenure.as_ref(), domain, now) {
                handed_over.push((one.id, new.clone()));
                one.tenure = Some(new);
            }
            // Not ahead, where the clock was: nothing would be shown until then.
            one.tenure.iter_mut().for_each(|tenure| tenure.since = tenure.since.min(now));
        }
        let mut places = Places::default();
        for domain in &data.domains {
            let contract = domain.capacity_up_bps.zip(domain.capacity_down_bps);
            places.domains.push(DomainPlace { name: domain.name.as_str().into(), contract });
        }
        let by_name: HashMap<String, u32> = data.domains.iter().map(|domain| domain.name.clone()).zip(0..).collect();
        let mut plans = HashMap::new();
        for one in declared {
            let plan = *plans.entry(one.plan).or_insert_with_key(|name| {
                places.plans.push(PlanPlace { name: name.as_str().into(), up: one.up, down: one.down });
                places.plans.len() as u32 - 1
            });
            places.subscribers.push(SubscriberPlace {
                key: one.key.into(),
                address: one.addresses.first().map(ToString::to_string).unwrap_or_default().into(),
                domain: by_name.get(&one.domain).copied().unwrap_or(NONE),
                plan,
                first: NONE,
            });
        }
        places.add_series(series, &owners, settings);
        (places, handed_over)
    }

    fn add_series(&mut self, series: Vec<Series>, owners: &[u32], settings: &TelemetrySettings) {
        let mut sources: HashMap<String, u32> = HashMap::new();
        for ((number, one), owner) in (0..).zip(series).zip(owners) {
            let source = *sources.entry(one.source).or_insert_with_key(|name| {
                self.sources.push(SourcePlace { name: shown(name), patience: settings.patience(name) });
                self.sources.len() as u32 - 1
            });
            let subscriber = self.subscribers.get_mut(*owner as usize);
            let next = subscriber.map_or(NONE, |subscriber| std::mem::replace(&mut subscriber.first, number));
            self.by_id.insert(one.id, number);
            self.listed.push((one.active_from, one.active_until.filter(|_| !one.active)));
            let (name, form) = (shown(&one.facts.name), one.facts.form);
            let since = one.tenure.map_or(0, |tenure| tenure.since);
            self.series.push(SeriesPlace { id: one.id, name, source, form, owner: *owner, since, next });
        }
    }

    /// Whether each number means the same, and is shown in the same way.
    pub(super) fn numbers_as(&self, other: &Places) -> bool {
        self.subscribers == other.subscribers
            && self.series == other.series
            && self.domains == other.domains
            && self.plans == other.plans
            && self.sources == other.sources
    }

    /// The domain of a series; nothing if it belongs to no subscriber.
    pub(super) fn domain_of(&self, series: &SeriesPlace) -> u32 {
        self.subscribers.get(series.owner as usize).map_or(NONE, |one| one.domain)
    }

    /// The numbers of the series of a subscriber.
    pub(super) fn series_of(&self, subscriber: &SubscriberPlace) -> Vec<u32> {
        let mut numbers = Vec::new();
        let mut number = subscriber.first;
        while let Some(series) = self.series.get(number as usize) {
            numbers.push(number);
            number = series.next;
        }
        numbers
    }
}

/// The tenure that begins with `domain` at `now`, unless the last one goes on. While a series is no subscriber's, it is
/// still kept for the domain that had it.
fn tenure(last: Option<&Tenure>, domain: Option<&str>, now: i64) -> Option<Tenure> {
    let begun = |since| Tenure { domain: domain.unwrap_or_default().to_owned(), since };
    match (last, domain) {
        (None, _) => Some(begun(0)),
        (Some(last), Some(domain)) if last.domain != domain => Some(begun(now)),
        (Some(_), _) => None,
    }
}

/// A name from outside as it is shown: nothing of it steers the text around.
fn shown(name: &str) -> Box<str> {
    name.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect::<String>().into()
}
