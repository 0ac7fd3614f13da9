//! The findings that a change causes, apart from the errors that were there before it.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::finding::{Finding, Severity};
use crate::repo::Repo;

/// Removes from `now`, the findings of `after`, the errors that are in `old` too, the findings of
/// `before`. Returns what is left and how many were removed.
///
/// `key` returns what identifies a finding, and, where its message may change with any edit, as that
/// of a total does, what identifies its place. Each old finding accounts for one with its key, and
/// for all in its place.
pub(crate) fn new_findings<K: Eq + Hash, P: Eq + Hash>(
    (before, old): (&Repo, &[Finding]),
    (after, now): (&Repo, Vec<Finding>),
    key: impl Fn(&Repo, &Finding) -> (K, Option<P>),
) -> (Vec<Finding>, usize) {
    let mut counts: HashMap<K, usize> = HashMap::new();
    let mut places: HashSet<P> = HashSet::new();
    for finding in old.iter().filter(|finding| finding.severity == Severity::Error) {
        let (key, place) = key(before, finding);
        *counts.entry(key).or_default() += 1;
        places.extend(place);
    }
    let mut is_old = |finding: &Finding| {
        if finding.severity != Severity::Error {
            return false;
        }
        let (key, place) = key(after, finding);
        match counts.get_mut(&key).filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                true
            }
            None => place.is_some_and(|place| places.contains(&place)),
        }
    };
    // Findings outside the change use up the old ones first.
    let (outside, inside): (Vec<_>, Vec<_>) = now.into_iter().partition(|finding| finding.in_change == Some(false));
    let (known, new): (Vec<_>, Vec<_>) = outside.into_iter().chain(inside).partition(|finding| is_old(finding));
    (new, known.len())
}
