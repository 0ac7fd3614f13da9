//! The subscribers of a source, each matched with the record that is it.
//!
//! A row that has an id is the record with that id; otherwise it is the record that has its address.
//! Several rows without an id that have addresses of one record are that record: a shaper file has a
//! line for each address.

use std::collections::{BTreeMap, HashMap};

use super::current::CurrentData;
use super::plans::PlanWork;
use crate::import::found::{Found, FoundSubscriber, PlanKey};
use crate::model::{Address, Addresses, Name, Plan, Subscriber, SubscriberStatus, Suspended};
use crate::render::{Unserved, unserved};

/// The change of one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriberStep {
    /// A new record.
    Add(Box<Subscriber>),
    /// The record at this index in the data becomes this.
    Set(usize, Box<Subscriber>),
    /// The record at this index in the data is removed.
    Remove(usize),
}

/// Records that are not in the source, and stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptSubscribers {
    /// Those of domains that the source does not name: how many of each.
    pub other_domains: BTreeMap<Name, usize>,
    /// Those that are not served, which no source lists.
    pub unserved: usize,
    /// Those that a refused row names.
    pub doubted: usize,
    /// Those that would be removed, and stay because nothing may be.
    pub only_added: usize,
}

/// The changes of the subscribers.
#[derive(Clone, Debug, Default)]
pub struct SubscriberWork {
    /// The steps: first those on records that are there, in their order, then what is new.
    pub steps: Vec<SubscriberStep>,
    /// How many records stay as they are.
    pub unchanged: usize,
    /// Records that stay, though they are not in the source.
    pub left: KeptSubscribers,
    /// Indices of the subscribers that are suspended in the data and served in the source: they are
    /// resumed unless suspended ones are kept.
    pub resumed: Vec<usize>,
}

impl SubscriberWork {
    /// Indices of the subscribers that are removed.
    pub fn removed(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().filter_map(|step| match step {
            SubscriberStep::Remove(at) => Some(*at),
            _ => None,
        })
    }

    pub(super) fn new(found: &Found, present: &CurrentData<'_>, plans: &PlanWork) -> Self {
        let mut work = Self::default();
        let matching = Matching::new(found, present);
        let by_name = present.repo.plans.iter().rev().map(|plan| (plan.value.name.as_str(), &plan.value)).collect();
        let adopt = RecordMaker { found, present, plans, by_name };
        let mut new = Vec::new();
        for (at, rows) in matching.rows.iter().enumerate() {
            if rows.is_empty() {
                work.without_row(at, found, present);
                continue;
            }
            let (mut record, rest) = adopt.record(at, rows);
            new.extend(rest);
            let is = &present.repo.subscribers[at].value;
            if is.status == SubscriberStatus::Suspended && record.status == SubscriberStatus::Active {
                work.resumed.push(at);
                if present.keep_suspended {
                    record.status = SubscriberStatus::Suspended;
                }
            }
            if record == *is {
                work.unchanged += 1;
            } else {
                work.steps.push(SubscriberStep::Set(at, Box::new(record)));
            }
        }
        new.extend(matching.new);
        let mut added: Vec<Box<Subscriber>> = new.into_iter().map(|row| Box::new(adopt.fresh(row))).collect();
        added.sort_by_cached_key(|subscriber| subscriber.ip.first().map(Address::sort_key));
        work.steps.extend(added.into_iter().map(SubscriberStep::Add));
        work
    }

    fn without_row(&mut self, at: usize, found: &Found, present: &CurrentData<'_>) {
        let record = &present.repo.subscribers[at].value;
        if !found.domains.contains_key(&record.domain) {
            *self.left.other_domains.entry(record.domain.clone()).or_default() += 1;
        } else if unserved(present.repo, record, present.today).is_some() {
            self.left.unserved += 1;
        } else if found.doubted.may_mean(record) {
            self.left.doubted += 1;
        } else if present.add_only {
            self.left.only_added += 1;
        } else {
            self.steps.push(SubscriberStep::Remove(at));
        }
    }
}

/// Matches rows with records.
struct Matching {
    /// By record: the rows that are it.
    rows: Vec<Vec<usize>>,
    /// The rows that match no record.
    new: Vec<usize>,
}

impl Matching {
    fn new(found: &Found, present: &CurrentData<'_>) -> Self {
        let records = &present.repo.subscribers;
        let mut by_address: HashMap<(bool, u128, u8), usize> = HashMap::with_capacity(records.len());
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            for address in record.value.ip.as_slice() {
                by_address.entry(address.sort_key()).or_insert(at);
            }
            if let Some(id) = &record.value.id {
                by_id.entry(id.as_str()).or_insert(at);
            }
        }
        // Ids first: an id outweighs an address.
        let mut claimed = vec![false; records.len()];
        let of_id = |row: &FoundSubscriber| row.id().and_then(|id| by_id.get(id.as_str())).copied();
        found.subscribers.iter().filter_map(of_id).for_each(|at| claimed[at] = true);
        let mut matching = Self { rows: vec![Vec::new(); records.len()], new: Vec::new() };
        for (number, row) in found.subscribers.iter().enumerate() {
            let holder = || row.ip.as_slice().iter().find_map(|address| by_address.get(&address.sort_key())).copied();
            // Two rows with ids are two subscribers, even if one record has the addresses of both.
            let free = |at: &usize| row.id().is_none() || !claimed[*at];
            match of_id(row).or_else(|| holder().filter(free)) {
                Some(at) => {
                    claimed[at] |= row.id().is_some();
                    matching.rows[at].push(number);
                }
                None => matching.new.push(number),
            }
        }
        matching
    }
}

/// Turns rows into records.
struct RecordMaker<'a> {
    found: &'a Found,
    present: &'a CurrentData<'a>,
    plans: &'a PlanWork,
    by_name: HashMap<&'a str, &'a Plan>,
}

impl RecordMaker<'_> {
    fn plan(&self, row: &FoundSubscriber) -> Name {
        let name = self.plans.names.get(row.plan as usize).and_then(Option::as_ref);
        Name::new(name.map_or("", |name| name.as_str()))
    }

    /// A subscriber that is new.
    fn fresh(&self, number: usize) -> Subscriber {
        let row = &self.found.subscribers[number];
        let more = row.more.as_deref().cloned().unwrap_or_default();
        Subscriber {
            ip: row.ip.clone(),
            domain: row.domain.clone(),
            plan: self.plan(row),
            id: more.id,
            name: more.name,
            status: more.status.unwrap_or_default(),
            starts: more.starts,
            ends: more.ends,
            labels: None,
        }
    }

    /// The changed record, and those of its rows that are other subscribers.
    fn record(&self, at: usize, rows: &[usize]) -> (Subscriber, Vec<usize>) {
        let is = &self.present.repo.subscribers[at].value;
        let row = |number: &usize| &self.found.subscribers[*number];
        let is_it = |number: &&usize| row(number).domain == is.domain && self.fits(is, row(number));
        let has_id = |number: &&usize| is.id.is_some() && row(number).id() == is.id.as_ref();
        let main = rows.iter().find(has_id).or_else(|| rows.iter().find(is_it)).or(rows.first()).map(row);
        let Some(main) = main else { return (is.clone(), Vec::new()) };
        let same =
            |other: &FoundSubscriber| (&other.domain, other.plan, &other.more) == (&main.domain, main.plan, &main.more);
        let (mine, others): (Vec<usize>, Vec<usize>) = rows.iter().partition(|number| same(row(number)));
        let mut record = Subscriber { ip: self.addresses(&is.ip, &mine), domain: main.domain.clone(), ..is.clone() };
        if !self.fits(is, main) {
            record.plan = self.plan(main);
        }
        self.serve(&mut record, main);
        (record, others)
    }

    /// Whether the record has the plan that the row means.
    fn fits(&self, is: &Subscriber, row: &FoundSubscriber) -> bool {
        let served_with = match (&self.present.repo.settings.suspended, is.status) {
            (Suspended::Plan(plan), SubscriberStatus::Suspended) => plan.as_str(),
            _ => is.plan.as_str(),
        };
        let same = |plan: &Plan| match &self.found.plans[row.plan as usize].key {
            PlanKey::Attribute(attribute) => plan.shaper_attribute() == attribute,
            PlanKey::Rates(up, down) => (plan.up, plan.down) == (*up, *down),
            PlanKey::Name(_) => false,
        };
        self.by_name.get(served_with).is_some_and(|plan| same(plan)) || self.plan(row).as_str() == served_with
    }

    /// The addresses of a record: what it has of them, in its order, then what is new.
    fn addresses(&self, is: &Addresses, rows: &[usize]) -> Addresses {
        let wanted: Vec<&Address> =
            rows.iter().flat_map(|&number| self.found.subscribers[number].ip.as_slice()).collect();
        if is.as_slice().len() == wanted.len() && is.as_slice().iter().all(|address| wanted.contains(&address)) {
            return is.clone();
        }
        let kept = is.as_slice().iter().filter(|address| wanted.contains(address));
        let added = wanted.iter().copied().filter(|address| !is.as_slice().contains(address));
        let all: Vec<Address> = kept.chain(added).cloned().collect();
        match all.as_slice() {
            [one] => Addresses::One(one.clone()),
            _ => Addresses::Many(all.into()),
        }
    }

    /// Makes the record served, unless the source says otherwise, and takes over its other fields.
    fn serve(&self, record: &mut Subscriber, row: &FoundSubscriber) {
        let more = row.more.as_deref().cloned().unwrap_or_default();
        let as_suspended = matches!(&self.present.repo.settings.suspended, Suspended::Plan(_));
        match (more.status, unserved(self.present.repo, record, self.present.today)) {
            (Some(status), _) => record.status = status,
            (None, Some(Unserved::Suspended)) => record.status = SubscriberStatus::Active,
            // Suspended subscribers are in the file too, with the plan for them: only another plan
            // means that this one is active.
            (None, None) if as_suspended && record.status == SubscriberStatus::Suspended => {
                let is = &self.present.repo.settings.suspended;
                if !matches!(is, Suspended::Plan(plan) if *plan == self.plan(row)) {
                    record.status = SubscriberStatus::Active;
                }
            }
            _ => {}
        }
        match unserved(self.present.repo, record, self.present.today) {
            Some(Unserved::NotStarted) if more.starts.is_none() => record.starts = None,
            Some(Unserved::Ended) if more.ends.is_none() => record.ends = None,
            _ => {}
        }
        record.starts = more.starts.or(record.starts);
        record.ends = more.ends.or(record.ends);
        record.id = more.id.or(record.id.take());
        record.name = more.name.or(record.name.take());
    }
}
