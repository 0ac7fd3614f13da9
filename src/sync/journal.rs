//! Journal lines: one for each event, none for a round without events.

use std::collections::BTreeMap;
use std::io::Write;

use crate::text::quote::harmless;

/// The longest line, in characters.
const MAX_LINE: usize = 2000;

/// Writes events to standard error, and each problem only once.
#[derive(Default)]
pub(crate) struct Journal {
    /// The current problems, by target; those of the whole round under an empty name.
    troubles: BTreeMap<String, String>,
}

impl Journal {
    /// Writes an event.
    pub(crate) fn event(&mut self, about: &str, what: &str) {
        let about = if about.is_empty() { "sync" } else { about };
        // A closed standard error does not stop the work.
        let _ = writeln!(crate::console::err(), "{about}: {}", harmless(what, MAX_LINE));
    }

    /// Writes a problem, unless it is the current one.
    pub(crate) fn trouble(&mut self, about: &str, what: &str) {
        if self.troubles.get(about).is_some_and(|known| known == what) {
            return;
        }
        self.event(about, what);
        self.troubles.insert(about.to_owned(), what.to_owned());
    }

    /// Writes that a problem is over, if there was one.
    pub(crate) fn fine(&mut self, about: &str) {
        if self.troubles.remove(about).is_some() {
            self.event(about, "back to normal");
        }
    }
}
