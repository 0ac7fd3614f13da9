//! What rules look at: the data, today's date, and the change under review.

use rayon::prelude::*;

use crate::finding::{Finding, Where};
use crate::inventory::Change;
use crate::inventory::bounded::Bounded;
use crate::inventory::holdings::{Holder, Holdings};
use crate::inventory::index::{Index, KnownDomain};
use crate::model::{Address, Date, Plan, Subscriber};
use crate::repo::{Record, Repo};

/// What a rule may look at.
pub struct Context<'a> {
    /// The data.
    pub repo: &'a Repo,
    /// The data by name.
    pub index: Index<'a>,
    /// Today, UTC.
    pub today: Date,
    /// The change under review, if one is.
    pub change: Option<Change<'a>>,
    // Made at once and not when first asked for: rules run on a pool, where a thread that waits for
    // its own sorting may be handed another rule that asks for the same.
    refers_to: Vec<References>,
    holdings: Holdings,
}

impl<'a> Context<'a> {
    /// A context for `repo` as of `today`.
    pub fn new(repo: &'a Repo, today: Date, change: Option<Change<'a>>) -> Self {
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
    pub fn subscribers(&self) -> impl IndexedParallelIterator<Item = Resolved<'_>> {
        self.subscribers_in(0, self.repo.subscribers.len())
    }

    fn subscribers_in(&self, from: usize, to: usize) -> impl IndexedParallelIterator<Item = Resolved<'_>> {
        self.repo.subscribers[from..to]
            .par_iter()
            .zip(&self.refers_to[from..to])
            .map(|(record, &refers_to)| self.resolved(record, refers_to))
    }

    /// Block after block of the subscribers, on all cores. Without a change findings come in the order
    /// of the data, and what follows once there are more than are listed is not looked at.
    fn in_blocks(&self, look: impl Fn(&Resolved<'_>, &mut Bounded<'_>) + Sync + Send) -> Vec<Finding> {
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
            findings = findings.and(found.reduce(none, Bounded::and));
            if findings.is_full() {
                break;
            }
        }
        findings.finish()
    }

    /// Looks at every subscriber. A finding's own place is in the record that is looked at.
    pub fn each_subscriber<F>(&self, look: F) -> Vec<Finding>
    where
        F: Fn(&Resolved<'_>) -> Option<Finding> + Sync + Send,
    {
        self.in_blocks(|subscriber, found| found.extend(look(subscriber)))
    }

    /// Looks at every address of every subscriber. A finding's own place is in the record that is
    /// looked at.
    pub fn each_address<F>(&self, look: F) -> Vec<Finding>
    where
        F: Fn(&Resolved<'_>, &Address, Held<'_>) -> Option<Finding> + Sync + Send,
    {
        self.in_blocks(|subscriber, found| {
            for (position, address) in subscriber.record.value.ip.as_slice().iter().enumerate() {
                found.extend(look(subscriber, address, Held { record: subscriber.record, position }));
            }
        })
    }

    /// No findings yet, of as many as are listed.
    pub(crate) fn findings(&self) -> Bounded<'_> {
        Bounded::new(self.change.as_ref())
    }

    /// As many of these findings as are listed, and one more: the first of the change under review,
    /// and the first outside it.
    pub fn first_of(&self, findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
        let mut found = self.findings();
        found.extend(findings);
        found.finish()
    }

    /// Every address and prefix of every subscriber.
    pub fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    /// One subscriber, by its place in [`Repo::subscribers`], with what it refers to.
    pub fn subscriber(&self, number: usize) -> Option<Resolved<'_>> {
        Some(self.resolved(self.repo.subscribers.get(number)?, *self.refers_to.get(number)?))
    }

    /// The subscriber that is meant, with what it refers to.
    pub fn holder(&self, holder: Holder) -> Option<Resolved<'_>> {
        self.subscriber(holder.owner as usize)
    }

    /// The address that is meant, and where it stands.
    pub fn held(&self, holder: Holder) -> Option<(&'a Address, Where)> {
        let record = self.repo.subscribers.get(holder.owner as usize)?;
        let position = holder.position as usize;
        Some((record.value.ip.as_slice().get(position)?, Held { record, position }.at()))
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
pub struct Resolved<'s> {
    /// The subscriber.
    pub record: &'s Record<Subscriber>,
    /// Its plan, with the plan's number in the index.
    pub plan: Option<(u32, &'s Record<Plan>)>,
    /// Its domain, with the domain's number in the index.
    pub domain: Option<(u32, &'s KnownDomain<'s>)>,
}

/// One address of a subscriber.
#[derive(Clone, Copy)]
pub struct Held<'s> {
    record: &'s Record<Subscriber>,
    position: usize,
}

impl Held<'_> {
    /// Where it stands.
    pub fn at(self) -> Where {
        Where::Place(self.record.place().field("ip").index(self.position))
    }
}

/// Which plan and domain of the index a subscriber names, so that names are looked up only once.
#[derive(Clone, Copy)]
struct References {
    plan: u32,
    domain: u32,
}

/// Stands for a name that is nobody's: no list is so long.
const NOBODY: u32 = u32::MAX;

fn references(repo: &Repo, index: &Index<'_>) -> Vec<References> {
    let refer = |record: &Record<Subscriber>| References {
        plan: index.plan_number(record.value.plan.as_str()).unwrap_or(NOBODY),
        domain: index.domain_number(record.value.domain.as_str()).unwrap_or(NOBODY),
    };
    repo.subscribers.par_iter().map(refer).collect()
}
