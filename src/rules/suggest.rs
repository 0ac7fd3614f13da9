//! "Did you mean": the same wrong name may stand in a hundred thousand records.

use std::collections::HashMap;

use crate::finding::nearest;

/// For how many different names a suggestion is looked for; beyond that the data has another
/// problem than typing errors, and each search costs a comparison with every candidate.
const MOST: usize = 200;

/// Finds the candidate that is most like a name, once for each name.
pub struct Suggestions<'a> {
    candidates: Vec<&'a str>,
    known: HashMap<String, Option<&'a str>>,
}

impl<'a> Suggestions<'a> {
    /// Suggestions out of `candidates`.
    pub fn new(candidates: impl Iterator<Item = &'a str>) -> Self {
        Self { candidates: candidates.collect(), known: HashMap::new() }
    }

    /// What was probably meant by `name`.
    pub fn find(&mut self, name: &str) -> Option<&'a str> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        if self.known.len() >= MOST {
            return None;
        }
        let found = nearest(name, self.candidates.iter().copied());
        self.known.insert(name.to_owned(), found);
        found
    }
}
