//! Two lists of served addresses, merged by address.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::Served;
use super::side::ServedList;
use super::sums::SoldSums;
use crate::render::{Table, Unserved, unserved};

/// Why an address is not served any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// No record has the address.
    Gone,
    /// It has a record, which is not served.
    Unserved(Unserved),
}

/// What changes about one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AddressChange<'a> {
    /// Served from now on.
    Added(Served<'a>),
    /// No longer served.
    Removed(Served<'a>, Reason),
    /// Served differently: another plan, other rates, another domain.
    Changed {
        /// As it was.
        before: Served<'a>,
        /// As it will be.
        after: Served<'a>,
    },
}

impl AddressChange<'_> {
    pub(crate) fn address(&self) -> &crate::model::Address {
        match self {
            AddressChange::Added(served)
            | AddressChange::Removed(served, _)
            | AddressChange::Changed { after: served, .. } => &served.address,
        }
    }
}

/// Every change in the order of the addresses, and the number of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes<'a> {
    pub(crate) all: Vec<AddressChange<'a>>,
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) changed: usize,
}

impl Changes<'_> {
    /// Leaves out why addresses are removed: the data that says so is of another time.
    pub(crate) fn forget_reasons(&mut self) {
        for change in &mut self.all {
            if let AddressChange::Removed(_, reason) = change {
                *reason = Reason::Gone;
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// What two lists of served addresses differ in, and what each domain has sold by them.
pub(crate) struct Compared<'a> {
    pub(crate) changes: Changes<'a>,
    pub(crate) before: SoldSums<'a>,
    pub(crate) after: SoldSums<'a>,
    /// How many addresses of `after` are served in `before`, too, without being in that list.
    pub(crate) shared: usize,
}

/// Merges two lists.
pub(crate) fn diff<'a>(before: &ServedList<'a>, after: &ServedList<'a>, table: &Arc<Table>) -> Compared<'a> {
    let mut changes = Changes::default();
    let (mut sold_before, mut sold_after, mut sold_shared) = <(SoldSums, SoldSums, SoldSums)>::default();
    let is_shared = before.shared();
    let mut shared = 0;
    let differing = after.iter().filter(|served| {
        let is_shared = is_shared(served);
        shared += usize::from(is_shared);
        if is_shared {
            sold_shared.add(served)
        } else {
            sold_after.add(served)
        }
        !is_shared
    });
    let mut after = differing.peekable();
    let mut before = before.iter().inspect(|served| sold_before.add(served)).peekable();
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.address.sort_key().cmp(&new.address.sort_key()),
        };
        match order {
            Ordering::Less => changes.all.extend(before.next().map(|old| AddressChange::Removed(old, Reason::Gone))),
            Ordering::Greater => changes.all.extend(after.next().map(AddressChange::Added)),
            Ordering::Equal => {
                if let (Some(before), Some(after)) = (before.next(), after.next())
                    && before.differs(&after)
                {
                    changes.all.push(AddressChange::Changed { before, after });
                }
            }
        }
    }
    drop((before, after));
    give_reasons(&mut changes, table);
    for change in &changes.all {
        match change {
            AddressChange::Added(_) => changes.added += 1,
            AddressChange::Removed(..) => changes.removed += 1,
            AddressChange::Changed { .. } => changes.changed += 1,
        }
    }
    Compared { changes, before: sold_before.and(&sold_shared), after: sold_after.and(&sold_shared), shared }
}

/// Sets the reason of removed addresses that still have a record.
fn give_reasons(changes: &mut Changes<'_>, table: &Arc<Table>) {
    let mut removed: HashMap<(bool, u128, u8), &mut Reason> = changes
        .all
        .iter_mut()
        .filter_map(|change| match change {
            AddressChange::Removed(served, reason) => Some((served.address.sort_key(), reason)),
            _ => None,
        })
        .collect();
    if removed.is_empty() {
        return;
    }
    let repo = table.repo();
    for subscriber in &repo.subscribers {
        for address in subscriber.value.ip.as_slice() {
            if let Some(reason) = removed.get_mut(&address.sort_key())
                && let Some(why) = unserved(repo, &subscriber.value, table.today())
            {
                **reason = Reason::Unserved(why);
            }
        }
    }
}
