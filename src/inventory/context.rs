//! The input of the rules: the data, today's date, and the change under review.

use rayon::prelude::*;

use crate::finding::{Finding, Where};
use crate::inventory::ReviewedChange;
use crate::inventory::bounded::BoundedFindings;
use crate::inventory::holdings::{AddressHolder, Holdings};
use crate::inventory::index::{Index, KnownDomain};
use crate::model::{Address, Date, Plan, Subscriber};
use crate::repo::{Record, Repo};

/// The input of a rule.
pub struct Context<'a> {
    /// The data.
    pub(crate) repo: &'a Repo,
    /// The data by name.
    pub(crate) index: Index<'a>,
    /// Today, UTC.
    pub(crate) today: Date,
    /// The change under review, if one is.
    pub(crate) change: Option<ReviewedChange<'a>>,
    // Computed at once and not lazily: rules run on a pool, where a thread that waits for its own sorting
    // may be handed another rule that waits for the same.
    refers_to: Vec<References>,
    holdings: Holdings,
}

impl<'a> Context<'a> {
    /// A context for `repo` as of `today`.
    pub fn new(repo: &'a Repo, today: Date, change: Option<ReviewedChange<'a>>) -> Self {
        let index = Index::new(repo);
        let (refers_to, holdings) = rayon::join(
            || references(repo, &index),
            || {
                let addresses = repo.subscribers.iter().map(|record| record.value.ip.as_slice());
                Holdings::new(addresses, repo.subscribers.len())
            },
        );
        Self { repo, index, today, change, refers_to, holdings }
    }

    /// Every subscriber with what it refers to, on all cores, in the order of the data.
    pub(crate) fn subscribers(&self) -> impl IndexedParallelIterator<Item = Resolved<'_>> {
        self.subscribers_in(0, self.repo.subscribers.len())
    }

    fn subscribers_in(&self, from: usize, to: usize) -> impl IndexedParallelIterator<Item = Resolved<'_>> {
        self.repo.subscribers[from..to]
            .par_iter()
            .zip(&self.refers_to[from..to])
            .map(|(record, &refers_to)| self.resolved(record, refers_to))
    }

    /// Calls `look` for block after block of the subscribers, on all cores. Without a change, findings come
    /// in the order of the data, and the rest is skipped once there are more than are listed.
    fn in_blocks(&self, look: impl Fn(&Resolved<'_>, &mut BoundedFindings<'_>) + Sync + Send) -> Vec<Finding> {
        const BLOCK: usize = 1 << 17;
        let none = || self.findings();
        let all = self.repo.subscribers.len();
        let mut findings = none();
        for from in (0..all).step_by(BLOCK) {
            let block = self.subscribers_in(from, (from + BLOCK).min(all));
            let found = block.fold(none, |mut found, subscriber| {
                look(&subscriber, &mut found);
                found
            });
            findings = findings.and(found.reduce(none, BoundedFindings::and));
            if findings.is_full() {
                break;
            }
        }
        findings.finish()
    }

    /// Calls `look` for every subscriber. A finding's primary place must be in that record.
    pub(crate) fn each_subscriber<F>(&self, look: F) -> Vec<Finding>
    where
        F: Fn(&Resolved<'_>) -> Option<Finding> + Sync + Send,
    {
        self.in_blocks(|subscriber, found| found.extend(look(subscriber)))
    }

    /// Calls `look` for every address of every subscriber. A finding's primary place must be in that record.
    pub(crate) fn each_address<F>(&self, look: F) -> Vec<Finding>
    where
        F: Fn(&Resolved<'_>, &Address, HeldAddress<'_>) -> Option<Finding> + Sync + Send,
    {
        self.in_blocks(|subscriber, found| {
            for (position, address) in subscriber.record.value.ip.as_slice().iter().enumerate() {
                found.extend(look(subscriber, address, HeldAddress { record: subscriber.record, position }));
            }
        })
    }

    /// A new list of findings, limited to what is listed.
    pub(crate) fn findings(&self) -> BoundedFindings<'_> {
        BoundedFindings::new(self.change.as_ref())
    }

    /// The first of these findings, as many as are listed and one more: of the change under review, and
    /// outside it.
    pub(crate) fn first_of(&self, findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
        let mut found = self.findings();
        found.extend(findings);
        found.finish()
    }

    /// Every address and prefix of every subscriber.
    pub(crate) fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    /// One subscriber, by its place in [`Repo::subscribers`], with what it refers to.
    pub(crate) fn subscriber(&self, number: usize) -> Option<Resolved<'_>> {
        Some(self.resolved(self.repo.subscribers.get(number)?, *self.refers_to.get(number)?))
    }

    /// The subscriber that has the address, with what it refers to.
    pub(crate) fn holder(&self, holder: AddressHolder) -> Option<Resolved<'_>> {
        self.subscriber(holder.owner as usize)
    }

    /// The address of a holder, and its place.
    pub(crate) fn held(&self, holder: AddressHolder) -> Option<(&'a Address, Where)> {
        let record = self.repo.subscribers.get(holder.owner as usize)?;
        let position = holder.position as usize;
        Some((record.value.ip.as_slice().get(position)?, HeldAddress { record, position }.at()))
    }

    fn resolved<'s>(&'s self, record: &'s Record<Subscriber>, refers_to: References) -> Resolved<'s> {
        Resolved {
            record,
            plan: self.index.plans().get(refers_to.plan as usize).map(|plan| (refers_to.plan, *plan)),
            domain: self.index.domains().get(refers_to.domain as usize).map(|domain| (refers_to.domain, domain)),
        }
    }
}

/// A subscriber, with what it refers to; `None` where there is no such thing.
#[derive(Clone, Copy)]
pub(crate) struct Resolved<'s> {
    /// The subscriber.
    pub(crate) record: &'s Record<Subscriber>,
    /// Its plan, with the plan's number in the index.
    pub(crate) plan: Option<(u32, &'s Record<Plan>)>,
    /// Its domain, with the domain's number in the index.
    pub(crate) domain: Option<(u32, &'s KnownDomain<'s>)>,
}

/// One address of a subscriber.
#[derive(Clone, Copy)]
pub(crate) struct HeldAddress<'s> {
    record: &'s Record<Subscriber>,
    position: usize,
}

impl HeldAddress<'_> {
    pub(crate) fn at(self) -> Where {
        Where::Place(self.record.place().field("ip").index(self.position))
    }
}

/// Which plan and domain of the index a subscriber names, so that names are looked up only once.
#[derive(Clone, Copy)]
struct References {
    plan: u32,
    domain: u32,
}

/// Number of a name that does not exist: no list is that long.
const UNKNOWN: u32 = u32::MAX;

fn references(repo: &Repo, index: &Index<'_>) -> Vec<References> {
    let refer = |record: &Record<Subscriber>| References {
        plan: index.plan_number(record.value.plan.as_str()).unwrap_or(UNKNOWN),
        domain: index.domain_number(record.value.domain.as_str()).unwrap_or(UNKNOWN),
    };
    repo.subscribers.par_iter().map(refer).collect()
}
