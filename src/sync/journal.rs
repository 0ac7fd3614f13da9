//! Lines for a journal: one for each event, none for a round in which nothing happened.

use std::collections::BTreeMap;
use std::io::Write;

use crate::text::quote::harmless;

/// The longest line.
const LONGEST: usize = 2000;

/// Writes to standard error, and knows what it has said.
#[derive(Default)]
pub struct Journal {
    /// What is wrong at the moment, by whom it is about: a target, or nobody.
    troubles: BTreeMap<String, String>,
}

impl Journal {
    /// Something happened.
    pub fn event(&mut self, about: &str, what: &str) {
        let about = if about.is_empty() { "sync" } else { about };
        // If nobody reads it, the work goes on.
        let _ = writeln!(crate::console::err(), "{about}: {}", harmless(what, LONGEST));
    }

    /// Something is wrong: told once, and again when it is something else.
    pub fn trouble(&mut self, about: &str, what: &str) {
        if self.troubles.get(about).is_some_and(|known| known == what) {
            return;
        }
        self.event(about, what);
        self.troubles.insert(about.to_owned(), what.to_owned());
    }

    /// Nothing is wrong: told where something was.
    pub fn fine(&mut self, about: &str) {
        if self.troubles.remove(about).is_some() {
            self.event(about, "back to normal");
        }
    }
}
