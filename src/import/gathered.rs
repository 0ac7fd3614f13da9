//! A table of one domain's subscribers as changes for a draft. Of other domains, nothing is looked at and
//! nothing is said.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::adopt::{Adoption, CurrentData, RateHints, SubscriberStep};
use super::found::{Found, FoundSubscriber, RefusedRow};
use super::twice::drop_rows;
use crate::edit::gathered::GatheredChange;
use crate::model::{Address, Date, Domain, Subscriber};
use crate::query::offered;
use crate::repo::{Record, Repo};
use crate::text::count::counted;
use crate::text::quote::quoted;

/// What a table does.
#[derive(Clone, Debug)]
pub(crate) struct TableChanges {
    /// The changes: of subscribers that are there in their order, then new ones by address.
    pub(crate) changes: Vec<GatheredChange>,
    /// The rows that are not taken, in the order of the table.
    pub(crate) refused: Vec<RefusedRow>,
    /// Sentences for the person.
    pub(crate) notes: Vec<String>,
    /// How many subscribers are as the table has them.
    pub(crate) unchanged: usize,
}

/// Compares the table with the subscribers of `domain`. Those that the table lacks are removed only if it `is_all`
/// of them.
pub(crate) fn compared(
    mut found: Found,
    repo: &Repo,
    domain: &Record<Domain>,
    today: Date,
    is_all: bool,
) -> TableChanges {
    let own = own(repo, domain);
    let incomplete = BTreeSet::new();
    let present = CurrentData { repo: &own, incomplete: &incomplete, today, keep_suspended: false, add_only: !is_all };
    let adoption = Adoption::new(&found, &present, RateHints::default());
    let others = others(&found, &own, &adoption, &domain.value);
    drop_rows(&mut found, &others);
    let Adoption { plans, subscribers, .. } = Adoption::new(&found, &present, RateHints::default());
    let was = |at: usize| own.subscribers.get(at).map(|record| record.value.clone());
    let changes = subscribers.steps.into_iter().map(|step| match step {
        SubscriberStep::Add(now) => GatheredChange { was: None, now: Some(*now) },
        SubscriberStep::Set(at, now) => GatheredChange { was: was(at), now: Some(*now) },
        SubscriberStep::Remove(at) => GatheredChange { was: was(at), now: None },
    });
    let changes = changes.collect();
    found.refusals.sort();
    let mut notes = found.notes;
    if !plans.set.is_empty() {
        notes.push("the rates of plans are as in the data, not as in the table".to_owned());
    }
    let left = subscribers.left;
    if left.doubted > 0 {
        let stay = counted(left.doubted, "subscriber stays", "subscribers stay");
        notes.push(format!("{stay} as before, because the row that names them is left out"));
    }
    if left.unserved > 0 && is_all {
        let stay = counted(left.unserved, "subscriber", "subscribers");
        notes.push(format!("not in the table, but kept because suspended or out of its term: {stay}"));
    }
    TableChanges { changes, refused: found.refusals, notes, unchanged: subscribers.unchanged }
}

/// The data without other domains.
fn own(repo: &Repo, domain: &Record<Domain>) -> Repo {
    let mut own = Repo::default();
    own.settings = repo.settings.clone();
    own.plans.clone_from(&repo.plans);
    own.domains = vec![domain.clone()];
    let mine = |record: &&Record<Subscriber>| record.value.domain.as_str() == domain.value.name.as_str();
    own.subscribers = repo.subscribers.iter().filter(mine).cloned().collect();
    own
}

/// The rows that are not for a subscriber that this domain can have, with the reasons.
fn others(found: &Found, own: &Repo, adoption: &Adoption, domain: &Domain) -> BTreeMap<usize, Vec<String>> {
    let sold = offered(own, domain).into_iter().map(|plan| plan.name.as_str());
    let held = own.subscribers.iter().map(|record| record.value.plan.as_str());
    let plans: HashSet<&str> = sold.chain(held).collect();
    let mut all = BTreeMap::new();
    for (number, row) in found.subscribers.iter().enumerate() {
        let name = adoption.plans.names.get(row.plan as usize).and_then(Option::as_ref);
        let named = found.plans.get(row.plan as usize).map(|plan| plan.key.to_string()).unwrap_or_default();
        let plan = match name.filter(|name| plans.contains(name.as_str())) {
            Some(_) => None,
            None => Some(format!("this domain does not sell a plan {}", quoted(&named))),
        };
        let reasons: Vec<String> = foreign(row, domain).into_iter().chain(plan).collect();
        if !reasons.is_empty() {
            all.insert(number, reasons);
        }
    }
    all
}

/// Why a row is not for this domain.
fn foreign(row: &FoundSubscriber, domain: &Domain) -> Vec<String> {
    if row.domain.as_str() != domain.name.as_str() {
        let [theirs, own] = [row.domain.as_str(), domain.name.as_str()].map(quoted);
        return vec![format!("its domain is {theirs}, and the table is for {own}")];
    }
    let addresses = row.ip.as_slice().iter();
    addresses.filter_map(|address| outside(address, domain)).collect()
}

/// That an address is in no block of a domain; nothing if it is in one.
pub(crate) fn outside(address: &Address, domain: &Domain) -> Option<String> {
    let inside = domain.prefixes.iter().any(|block| block.net().contains(&address.net()));
    (!inside).then(|| format!("{} is in no block of this domain", quoted(&address.to_string())))
}
