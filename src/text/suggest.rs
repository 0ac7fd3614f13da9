//! "Did you mean": the candidate that is most like a name, at a bounded cost.
//!
//! A proposal chooses the names, their length and their number, so the work is counted: each look at
//! a candidate and each comparison of two characters is a step. A search in a short list never comes
//! near the limits; where one is reached there is no suggestion, for these names and for the later
//! ones. Names are asked for in the order of the data, so the same data gives the same suggestions.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::text::quote::{listed, quoted};

/// How many steps one name may take.
const STEPS_A_NAME: usize = 5_000_000;

/// How many steps all names may take that are looked up in one list.
const STEPS: usize = 10_000_000;

/// How many steps a name may take that is looked up alone, while an operator waits.
const STEPS_ALONE: usize = 200_000_000;

/// Finds the candidate that is most like a name, once for each name.
pub(crate) struct Suggestions<'a> {
    names: Vec<&'a str>,
    /// The names by length and then by spelling; made when the first name is looked up.
    sorted: Option<Vec<Candidate<'a>>>,
    known: HashMap<String, Option<&'a str>>,
    /// For a name that is like none: a few candidates for people, by what the name begins with.
    there: HashMap<String, String>,
    /// How many steps are left.
    steps: usize,
    steps_a_name: usize,
}

impl<'a> Suggestions<'a> {
    /// Suggestions out of `candidates`, which may come in any order.
    pub(crate) fn new(candidates: impl IntoIterator<Item = &'a str>) -> Self {
        Self::within(candidates, STEPS, STEPS_A_NAME)
    }

    /// Suggestions for a single name, while an operator waits.
    pub(crate) fn alone(candidates: impl IntoIterator<Item = &'a str>) -> Self {
        Self::within(candidates, STEPS_ALONE, STEPS_ALONE)
    }

    fn within(candidates: impl IntoIterator<Item = &'a str>, steps: usize, steps_a_name: usize) -> Self {
        let names = candidates.into_iter().collect();
        Self { names, sorted: None, known: HashMap::new(), there: HashMap::new(), steps, steps_a_name }
    }

    /// What to say of `name`, which is none of the candidates: the likely one, or else what there is, called
    /// `kind`.
    pub(crate) fn hint(&mut self, name: &str, kind: &str) -> String {
        if let Some(near) = self.find(name) {
            return format!("did you mean {}?", quoted(near));
        }
        match self.there(name) {
            "" => format!("there are no {kind}s yet"),
            there => format!("the {kind}s are: {there}"),
        }
    }

    /// The candidates that begin as `name` does, then the others in the order of the alphabet; all in that order
    /// once the steps are used up.
    fn there(&mut self, name: &str) -> &str {
        let sorting = 64 + name.len() + self.names.len() * 16;
        let name = if self.there.contains_key(name) || sorting <= self.steps { name } else { "" };
        let (names, steps) = (&self.names, &mut self.steps);
        self.there.entry(name.to_owned()).or_insert_with(|| {
            *steps = steps.saturating_sub(sorting);
            let mut names = names.clone();
            names.sort_by_cached_key(|candidate| (Reverse(common_start(name, candidate)), *candidate));
            listed(names)
        })
    }

    /// The likely candidate for `name`; `None` once the steps for all names are used up.
    pub(crate) fn find(&mut self, name: &str) -> Option<&'a str> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        if self.steps == 0 || self.names.is_empty() {
            return None;
        }
        let names = &self.names;
        let sorted = self.sorted.get_or_insert_with(|| {
            let mut all: Vec<Candidate<'a>> = names.iter().map(|name| Candidate::new(name)).collect();
            all.sort_unstable_by_key(|candidate| (candidate.length, candidate.name));
            all
        });
        let allowed = self.steps.min(self.steps_a_name);
        let mut left = allowed;
        let found = search(name, sorted, &mut left);
        self.steps -= allowed - left;
        self.known.insert(name.to_owned(), found);
        found
    }
}

/// The candidate most like `name`, if one is near enough. Of several that are equally near, the first
/// in the alphabet.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    Suggestions::alone(candidates).find(name)
}

/// How many letters two names begin with alike, in any case.
fn common_start(one: &str, other: &str) -> usize {
    lower(one).zip(lower(other)).take_while(|(a, b)| a == b).count()
}

struct Candidate<'a> {
    name: &'a str,
    /// In lower-case letters.
    length: usize,
    signature: u64,
}

impl<'a> Candidate<'a> {
    fn new(name: &'a str) -> Self {
        Self { name, length: lower(name).count(), signature: signature(lower(name)) }
    }
}

fn lower(name: &str) -> impl Iterator<Item = char> {
    name.chars().flat_map(char::to_lowercase)
}

/// Which letters a name has, as bits. An edit changes at most two of them: it takes one letter away
/// and adds another.
fn signature(letters: impl Iterator<Item = char>) -> u64 {
    letters.fold(0, |bits, letter| bits | 1 << (u32::from(letter) % 64))
}

/// The nearest of `sorted`; `None` if the search takes more than `steps`. Subtracts the steps taken.
fn search<'a>(name: &str, sorted: &[Candidate<'a>], steps: &mut usize) -> Option<&'a str> {
    let letters: Vec<char> = lower(name).collect();
    let limit = (letters.len() / 3).clamp(1, 4);
    let own = signature(letters.iter().copied());
    let from = sorted.partition_point(|candidate| candidate.length + limit < letters.len());
    let to = sorted.partition_point(|candidate| candidate.length <= letters.len() + limit);
    let mut other = Vec::new();
    let mut best: Option<(usize, &str)> = None;
    *steps = steps.saturating_sub(letters.len() + 64);
    for candidate in sorted.get(from..to)? {
        let mut cost = 1;
        if (candidate.signature ^ own).count_ones() as usize <= 2 * limit {
            other.clear();
            other.extend(lower(candidate.name));
            cost += other.len();
            let distance = within(&letters, &other, limit, &mut cost);
            let found = distance.map(|distance| (distance, candidate.name));
            best = found.into_iter().chain(best).min();
        }
        *steps = steps.saturating_sub(cost);
        if *steps == 0 {
            return None;
        }
    }
    best.map(|(_, name)| name)
}

/// How many letters have to be added, removed, replaced or swapped with their neighbour to make one
/// text the other (the "optimal string alignment" distance), if at most `limit`. Adds the number of
/// comparisons to `cost`.
fn within(a: &[char], b: &[char], limit: usize, cost: &mut usize) -> Option<usize> {
    // What both begin or end with changes nothing.
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    *cost += same + tail;
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // Only a band around the diagonal can lie within the limit; the rest counts as beyond it.
    let beyond = limit + 1;
    let mut rows = [vec![beyond; b.len() + 1], vec![beyond; b.len() + 1], vec![beyond; b.len() + 1]];
    rows[0].iter_mut().enumerate().for_each(|(at, edits)| *edits = at.min(beyond));
    let mut least_above = 0;
    for (i, letter) in (1_usize..).zip(a) {
        // `row` is the present one, `last` the one above, `before` the one above that.
        rows.rotate_right(1);
        let [row, last, before] = &mut rows;
        let (from, to) = (i.saturating_sub(limit).max(1), (i + limit).min(b.len()));
        row[from - 1] = if from == 1 { i.min(beyond) } else { beyond };
        let mut least = row[from - 1];
        for j in from..=to {
            let mut edits = (last[j - 1] + usize::from(*letter != b[j - 1])).min(row[j - 1] + 1).min(last[j] + 1);
            if i > 1 && j > 1 && *letter == b[j - 2] && a[i - 2] == b[j - 1] {
                edits = edits.min(before[j - 2] + 1);
            }
            row[j] = edits.min(beyond);
            least = least.min(row[j]);
        }
        if let Some(next) = row.get_mut(to + 1) {
            *next = beyond;
        }
        *cost += to + 1 - from.min(to);
        // A swap goes on from the row above the last.
        if least.min(least_above) > limit {
            return None;
        }
        least_above = least;
    }
    let edits = rows[0][b.len()];
    (edits <= limit).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nearest_is_near() {
        let names = ["30_MEG_UP_30_MEG_DOWN", "50_MEG_UP_50_MEG_DOWN"];
        assert_eq!(nearest("30_MEG_UP_30_MEG_DWN", names), Some(names[0]));
        assert_eq!(nearest("domian", ["domain", "plan"]), Some("domain"));
        assert_eq!(nearest("GOLD", names), None);
        assert_eq!(nearest("gold", ["GOLE", "GOLD", "GOLF"]), Some("GOLD"));
        assert_eq!(nearest("GOLX", ["GOLF", "GOLE"]), Some("GOLE"), "the first in the alphabet");
    }

    #[test]
    fn a_name_that_is_like_none_gets_those_that_begin_like_it() {
        let names = ["10_MEG", "11_MEG", "20_MEG", "30_MEG", "35_MEG_UP", "40_MEG", "50_MEG"];
        let mut suggestions = Suggestions::new(names);
        let hint = suggestions.hint("35mbit", "plan");
        assert!(hint.starts_with("the plans are: `35_MEG_UP`, `30_MEG`, `10_MEG`, "), "{hint}");
        assert!(suggestions.hint("GOLD", "plan").starts_with("the plans are: `10_MEG`, `11_MEG`, "));
        suggestions.steps = 0;
        assert!(suggestions.hint("50bit", "plan").starts_with("the plans are: `10_MEG`, "), "no more work is done");
        assert_eq!(suggestions.hint("35mbit", "plan"), hint);
        assert_eq!(Suggestions::new([]).hint("GOLD", "plan"), "there are no plans yet");
    }

    #[test]
    fn the_work_for_many_long_names_is_bounded() {
        let name = |letter: &str, number: usize| format!("{letter}{number:05}{}", "ab".repeat(56));
        let known: Vec<String> = (0..5_000).map(|number| name("A", number)).collect();
        let mut suggestions = Suggestions::new(known.iter().map(String::as_str));
        let found: Vec<bool> = (0..1_000).map(|number| suggestions.find(&name("B", number)).is_some()).collect();
        assert!(found[0], "the first ones have a suggestion");
        assert_eq!((suggestions.steps, found[999]), (0, false), "the last ones cost nothing");
        assert!(suggestions.known.len() < 100);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a distance that fills the whole table.
        #[test]
        fn the_band_finds_what_the_whole_table_finds(a in "[abc]{0,9}", b in "[abc]{0,9}", limit in 1_usize..5) {
            let (letters, other): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let whole = strsim::osa_distance(&a, &b);
            let expected = (whole <= limit).then_some(whole);
            prop_assert_eq!(within(&letters, &other, limit, &mut 0), expected);
            let far = (signature(a.chars()) ^ signature(b.chars())).count_ones() as usize > 2 * limit;
            prop_assert!(!far || expected.is_none());
        }
    }
}
