//! Two lists of who is served, merged by address.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::Served;
use crate::render::{Table, Unserved, unserved};

/// Why an address is not served any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No record has it.
    Gone,
    /// There is a record, which is not served.
    Unserved(Unserved),
}

/// What happens to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Served from now on.
    Added(Served<'a>),
    /// No longer served.
    Removed(Served<'a>, Reason),
    /// Served otherwise: another plan, other rates, another domain.
    Changed {
        /// As it was.
        before: Served<'a>,
        /// As it will be.
        after: Served<'a>,
    },
}

impl Change<'_> {
    /// The address.
    pub fn address(&self) -> &crate::model::Address {
        match self {
            Change::Added(served) | Change::Removed(served, _) | Change::Changed { after: served, .. } => {
                &served.address
            }
        }
    }
}

/// Every change, in the order of the addresses, and how many of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes<'a> {
    /// The changes.
    pub all: Vec<Change<'a>>,
    /// How many are added.
    pub added: usize,
    /// How many are removed.
    pub removed: usize,
    /// How many are changed.
    pub changed: usize,
}

impl Changes<'_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Merges two lists that are sorted by address.
pub fn diff<'a>(before: Vec<Served<'a>>, after: Vec<Served<'a>>, table: &Arc<Table>) -> Changes<'a> {
    let mut changes = Changes::default();
    let mut before = before.into_iter().peekable();
    let mut after = after.into_iter().peekable();
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.address.sort_key().cmp(&new.address.sort_key()),
        };
        match order {
            Ordering::Less => changes.all.extend(before.next().map(|old| Change::Removed(old, Reason::Gone))),
            Ordering::Greater => changes.all.extend(after.next().map(Change::Added)),
            Ordering::Equal => {
                if let (Some(before), Some(after)) = (before.next(), after.next())
                    && before.differs(&after)
                {
                    changes.all.push(Change::Changed { before, after });
                }
            }
        }
    }
    give_reasons(&mut changes, table);
    for change in &changes.all {
        match change {
            Change::Added(_) => changes.added += 1,
            Change::Removed(..) => changes.removed += 1,
            Change::Changed { .. } => changes.changed += 1,
        }
    }
    changes
}

/// Finds out which of the removed addresses still have a record.
fn give_reasons(changes: &mut Changes<'_>, table: &Arc<Table>) {
    let mut removed: HashMap<(bool, u128, u8), &mut Reason> = changes
        .all
        .iter_mut()
        .filter_map(|change| match change {
            Change::Removed(served, reason) => Some((served.address.sort_key(), reason)),
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
