//! What would change on the network: two renderings compared, guarded, fingerprinted.
//!
//! A plan is data: built here, printed by [`text`], [`markdown`] or [`json`], identified by its
//! fingerprint, and applied by `publish`.

mod base;
mod diff;
mod guard;
pub(crate) mod json;
pub(crate) mod later;
pub(crate) mod markdown;
mod served;
mod shaper_file;
mod side;
mod sold;
mod sums;
pub(crate) mod text;

pub(crate) use base::BaseData;
use diff::Compared;
pub(crate) use diff::{AddressChange, Changes, Reason};
use guard::PlanTotals;
pub use guard::Verdict;
pub(crate) use guard::{DEFAULT_LIMIT, percent, too_many_removed};
use later::Later;
pub use served::Served;
pub(crate) use shaper_file::BadLine;
pub use shaper_file::BadLines;
pub(crate) use side::side_of_file;
pub use side::{ServedList, Side, parse_shaper_file, served_by};
pub(crate) use sold::{DomainSold, sold_by_domain};
pub(crate) use sums::Sold;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::{Date, Safety};
use crate::render::{Output, Table};
use crate::text::hex::hex;

/// What the data is compared with, as a plan prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanBase {
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
    /// The live file of a target.
    Live {
        /// The target's name.
        target: String,
        /// The place of the file.
        place: String,
    },
}

/// What is known about the earlier state, and the limits that apply to the comparison.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Remarks about the comparison itself.
    pub(crate) notes: Vec<String>,
    /// Why it is not fully known which addresses were served. An unknown one may be removed without being
    /// listed, so such a plan is never safe. Sentences.
    pub(crate) doubts: Vec<String>,
    /// The earlier safety limits: a change that raises the limits is checked against those too.
    pub(crate) limits: Option<Option<Safety>>,
    /// Limits that replace those of the settings: a target's own.
    pub(crate) instead: Option<Safety>,
    /// The digest of what was published last. It may be put back, however much was changed by hand since.
    pub(crate) published: Option<String>,
}

/// What would change on the network.
pub struct ChangePlan<'a> {
    pub(crate) output: &'a Output,
    /// The day for which it was rendered.
    pub(crate) date: Date,
    /// What it was compared with.
    pub(crate) base: PlanBase,
    /// Remarks about the comparison itself.
    pub(crate) notes: Vec<String>,
    /// Every address that changes, in order.
    pub(crate) changes: Changes<'a>,
    /// How many addresses are served before.
    pub(crate) before: usize,
    /// How many after.
    pub(crate) after: usize,
    /// Whether the output's bytes change.
    pub(crate) bytes_differ: bool,
    /// Changes on later days; empty unless the plan looks ahead.
    pub(crate) later: Later<'a>,
    /// Bandwidth sold, by domain.
    pub(crate) domains: Vec<DomainSold>,
    /// Whether the plan is within the safety limits.
    pub(crate) verdict: Verdict,
    /// Identifies exactly this plan: the output, the bytes before and the bytes after.
    pub fingerprint: String,
}

impl<'a> ChangePlan<'a> {
    /// Compares `before` with `after`, which was made from `table`.
    pub fn new(
        output: &'a Output,
        base: PlanBase,
        before: Side<'a>,
        after: Side<'a>,
        table: &'a Arc<Table>,
        known: Before,
    ) -> Self {
        let (compared, (bytes_differ, fingerprint)) = rayon::join(
            || diff::diff(&before.served, &after.served, table),
            || (before.bytes != after.bytes, fingerprint(&output.name, before.bytes, after.bytes)),
        );
        let Compared { changes, before: sold_before, after: sold_after, shared } = compared;
        let (served_before, served_after) = (before.served.len() + shared, after.served.len());
        let domains = sold::by_domain(sold_before, sold_after, table.repo());
        let mut verdict = Verdict { reasons: known.doubts, ..Verdict::default() };
        let touched = PlanTotals { changes: &changes, domains: &domains, before: served_before, after: served_after };
        let limits = known.instead.as_ref().or(table.repo().settings.safety.as_ref());
        verdict.check(&touched, limits);
        if let Some(old_limits) = &known.limits {
            verdict.check(&touched, old_limits.as_ref());
        }
        // The output of a repository's own template depends on more than the served addresses.
        if !output.is_shaper_format() {
            verdict.check_lines(before.bytes, after.bytes, limits);
            if let Some(old_limits) = &known.limits {
                verdict.check_lines(before.bytes, after.bytes, old_limits.as_ref());
            }
        }
        Self {
            output,
            date: table.today(),
            base,
            notes: known.notes,
            before: served_before,
            after: served_after,
            bytes_differ,
            fingerprint,
            changes,
            later: Later::default(),
            domains,
            verdict,
        }
    }

    /// Adds the changes on later days: what the terms in `after`, the data of the plan, bring that those in
    /// `before` do not; without `before`, all that they bring.
    pub(crate) fn looking_ahead(mut self, before: Option<&'a Table>, after: &'a Table) -> Self {
        let domains = std::mem::take(&mut self.domains);
        (self.later, self.domains) =
            rayon::join(|| Later::new(before, after), || sold::with_peaks(domains, before, after));
        self
    }

    /// Whether anything would change, today or later.
    pub(crate) fn differs(&self) -> bool {
        !self.is_empty() || self.later.differs
    }

    /// Whether nothing at all would change today.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.bytes_differ
    }
}

/// Identifies the change of an output from exactly `before` to exactly `after`.
///
/// SHA-256 over a version line, the output's name and both texts, each preceded by its length, so that
/// two different plans never give the same input.
pub fn fingerprint(output: &str, before: &[u8], after: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"shapeline plan 1\n");
    for part in [output.as_bytes(), before, after] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("sha256:{}", hex(&hash.finalize()))
}
