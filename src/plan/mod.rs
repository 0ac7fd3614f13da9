//! What would change on the network: two renderings compared, guarded, fingerprinted.
//!
//! A plan is data. It is made here, printed by [`text`], [`markdown`] or [`json`], and, bound by
//! its fingerprint, it is what `publish` carries out.

mod diff;
mod guard;
pub mod json;
pub mod later;
pub mod markdown;
mod served;
mod shaper_file;
mod sold;
pub mod text;

pub use diff::{Change, Changes, Reason};
use guard::Touched;
pub use guard::Verdict;
pub(crate) use guard::too_many_removed;
use later::Later;
pub use served::{Served, of_table as served_by};
pub use shaper_file::{BadLine, BadLines, parse as parse_shaper_file};
pub use sold::{DomainSold, Sold};

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::{Date, Safety};
use crate::render::{Output, Table};
use crate::text::hex::hex;

/// What the data is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// A git revision.
    Revision {
        /// As named by the caller, or the default branch.
        name: String,
        /// The commit.
        commit: String,
    },
    /// A shaper file.
    File {
        /// Its path, or `-`.
        path: String,
    },
    /// What is live on a target.
    Live {
        /// The target's name.
        target: String,
        /// Where the file is.
        place: String,
    },
}

/// What is compared with, and how well it is known.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// What one should know about the comparison itself.
    pub notes: Vec<String>,
    /// Why it is not fully known who was served: what is not known may be removed unseen, so
    /// such a plan is never safe. Sentences.
    pub doubts: Vec<String>,
    /// The safety limits as they were: a change that raises them is judged by those too.
    pub limits: Option<Option<Safety>>,
    /// Limits that hold in place of those in the settings: a target's own.
    pub instead: Option<Safety>,
}

/// One of the two things compared: who is served, and the exact bytes.
pub struct Side<'a> {
    /// Who is served, by address.
    pub served: Vec<Served<'a>>,
    /// The output, byte for byte.
    pub bytes: &'a [u8],
}

/// What would change.
pub struct Plan<'a> {
    /// The output compared.
    pub output: &'a Output,
    /// The day for which it was rendered.
    pub date: Date,
    /// What it was compared with.
    pub base: Base,
    /// What one should know about the comparison itself.
    pub notes: Vec<String>,
    /// Every address that changes, in order.
    pub changes: Changes<'a>,
    /// How many addresses were served.
    pub before: usize,
    /// How many will be.
    pub after: usize,
    /// Whether the output's bytes change.
    pub bytes_differ: bool,
    /// What happens on later days; nothing unless the plan looks ahead.
    pub later: Later<'a>,
    /// Bandwidth sold, by domain.
    pub domains: Vec<DomainSold>,
    /// Whether so much may change at once.
    pub verdict: Verdict,
    /// Names this very plan: the output, the exact bytes before and the exact bytes after.
    pub fingerprint: String,
}

impl<'a> Plan<'a> {
    /// Compares `before` with `after`, which `table` gave.
    pub fn new(
        output: &'a Output,
        base: Base,
        before: Side<'a>,
        after: Side<'a>,
        table: &'a Arc<Table>,
        known: Before,
    ) -> Self {
        let domains = sold::by_domain(&before.served, &after.served, table.repo());
        let (served_before, served_after) = (before.served.len(), after.served.len());
        let changes = diff::diff(before.served, after.served, table);
        let mut verdict = Verdict { reasons: known.doubts };
        let touched = Touched { changes: &changes, domains: &domains, before: served_before, after: served_after };
        let limits = known.instead.as_ref().or(table.repo().settings.safety.as_ref());
        verdict.hold(&touched, limits);
        if let Some(old_limits) = &known.limits {
            verdict.hold(&touched, old_limits.as_ref());
        }
        // What a template of the repository's own writes follows from more than who is served.
        if !output.is_shaper_format() {
            verdict.hold_lines(before.bytes, after.bytes, limits);
            if let Some(old_limits) = &known.limits {
                verdict.hold_lines(before.bytes, after.bytes, old_limits.as_ref());
            }
        }
        Self {
            output,
            date: table.today(),
            base,
            notes: known.notes,
            before: served_before,
            after: served_after,
            bytes_differ: before.bytes != after.bytes,
            fingerprint: fingerprint(&output.name, before.bytes, after.bytes),
            changes,
            later: Later::default(),
            domains,
            verdict,
        }
    }

    /// The same with what `after`, the data that the plan is made from, brings on later days that
    /// `before` does not; without `before`, all that it brings.
    pub fn looking_ahead(mut self, before: Option<&'a Table>, after: &'a Table) -> Self {
        self.later = Later::new(before, after);
        self.domains = sold::with_peaks(self.domains, before, after);
        self
    }

    /// Whether anything would change, today or later.
    pub fn differs(&self) -> bool {
        !self.is_empty() || self.later.differs
    }

    /// Whether nothing at all would change today.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.bytes_differ
    }
}

/// Names a change of an output from exactly `before` to exactly `after`.
///
/// SHA-256 over a version line, the output's name, and both texts, each behind its length, so that
/// no two different plans are made of the same bytes.
pub fn fingerprint(output: &str, before: &[u8], after: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"shapeline plan 1\n");
    for part in [output.as_bytes(), before, after] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("sha256:{}", hex(&hash.finalize()))
}
