//! The safety limits of a plan.
//!
//! They follow octoDNS: if more than 30 % of 10 or more are changed or removed, the plan is refused unless
//! its fingerprint is acknowledged.

use std::collections::HashMap;

use super::{AddressChange, Changes, DomainSold};
use crate::model::{DomainLimits, Limit, Safety};
use crate::text::lines::surplus;

/// How much may change at once where the settings do not say it.
pub(crate) const DEFAULT_LIMIT: Limit = Limit::Percent(30);
const DEFAULT_MIN: u32 = 10;

/// The result of checking a plan against the safety limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why the plan must be acknowledged, in sentences; empty if it is safe.
    pub(crate) reasons: Vec<String>,
    /// It puts back what was published last, to which the limits do not apply.
    pub(crate) puts_back: bool,
}

impl Verdict {
    /// A plan that puts back what was published last: it may, however much was changed by hand since.
    pub(crate) fn of_putting_back() -> Self {
        Self { reasons: Vec::new(), puts_back: true }
    }

    /// Why a safe plan is safe.
    pub(super) fn why_safe(&self) -> &'static str {
        match self.puts_back {
            true => "this puts back what was published last, to which the limits do not apply",
            false => "within the limits",
        }
    }

    /// Whether the plan needs no acknowledgement.
    pub(crate) fn is_safe(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// The changes of a plan, with the totals that the limits refer to.
pub(super) struct PlanTotals<'p, 'a> {
    pub(super) changes: &'p Changes<'a>,
    pub(super) domains: &'p [DomainSold],
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Verdict {
    /// Checks a plan against these limits, and adds the reasons to those already found.
    pub(super) fn check(&mut self, touched: &PlanTotals<'_, '_>, safety: Option<&Safety>) {
        let default = Safety::default();
        let safety = safety.unwrap_or(&default);
        let PlanTotals { changes, domains, before, after } = *touched;
        if before > 0 && after == 0 {
            self.add(format!("no address would be left: all {before} are removed"));
        }
        self.limit("", &general(safety), changes.changed, changes.removed, before);
        if safety.domains.is_empty() {
            return;
        }
        let by_domain = count_by_domain(changes);
        for (name, limits) in &safety.domains {
            let (changed, removed) = by_domain.get(name.as_str()).copied().unwrap_or_default();
            let sold = domains.binary_search_by(|domain| domain.name.as_str().cmp(name.as_str()));
            let total = sold.ok().and_then(|at| domains.get(at)).map_or(0, |domain| domain.before.addresses);
            let min_subscribers = limits.min_subscribers.or(safety.min_subscribers);
            let limits = DomainLimits { min_subscribers, ..*limits };
            self.limit(&format!(" of {name}"), &limits, changed, removed, total);
        }
    }

    /// Checks an output by its lines: how many of the old ones are gone.
    pub(super) fn check_lines(&mut self, before: &[u8], after: &[u8], safety: Option<&Safety>) {
        if !before.is_empty() && after.is_empty() {
            self.add("the output would be empty".to_owned());
        }
        let lines = |bytes| <[u8]>::split_inclusive(bytes, |byte: &u8| *byte == b'\n');
        let (total, gone) = (lines(before).count(), surplus(lines(before), lines(after)).count());
        let limits = general(safety.unwrap_or(&Safety::default()));
        // A changed line counts as an old one gone, so the two limits are added if they have the same unit.
        let limit = match (limits.max_changed, limits.max_removed) {
            (Some(Limit::Percent(changed)), Some(Limit::Percent(removed))) => {
                Limit::Percent((changed + removed).min(100))
            }
            (Some(Limit::Count(changed)), Some(Limit::Count(removed))) => Limit::Count(changed.saturating_add(removed)),
            _ => DEFAULT_LIMIT,
        };
        let counts =
            total >= limits.min_subscribers.unwrap_or(DEFAULT_MIN) as usize || matches!(limit, Limit::Count(_));
        if counts && limit.exceeded(gone, total) {
            let share = percent(gone, total);
            self.add(format!(
                "{gone} of {total} lines of the output would be changed or removed ({share}), more than {limit}"
            ));
        }
    }

    fn limit(&mut self, whose: &str, limits: &DomainLimits, changed: usize, removed: usize, total: usize) {
        let enough = total >= limits.min_subscribers.unwrap_or(DEFAULT_MIN) as usize;
        for (what, touched, limit) in
            [("changed", changed, limits.max_changed), ("removed", removed, limits.max_removed)]
        {
            let Some(limit) = limit else { continue };
            let counts = enough || matches!(limit, Limit::Count(_));
            if counts && limit.exceeded(touched, total) {
                let share = percent(touched, total);
                self.add(format!(
                    "{touched} of {total} served addresses{whose} would be {what} ({share}), more than {limit}"
                ));
            }
        }
    }

    fn add(&mut self, reason: String) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Whether these limits forbid to remove that many at once.
pub(crate) fn too_many_removed(limits: &Safety, removed: usize, before: usize) -> bool {
    let limits = general(limits);
    let Some(limit) = limits.max_removed else { return false };
    let enough = before >= limits.min_subscribers.unwrap_or(DEFAULT_MIN) as usize || matches!(limit, Limit::Count(_));
    (enough && limit.exceeded(removed, before)) || (before > 0 && removed == before)
}

fn general(safety: &Safety) -> DomainLimits {
    DomainLimits {
        max_changed: safety.max_changed.or(Some(DEFAULT_LIMIT)),
        max_removed: safety.max_removed.or(Some(DEFAULT_LIMIT)),
        min_subscribers: safety.min_subscribers,
    }
}

/// How many addresses of each domain are changed and removed, by the domain before the change.
fn count_by_domain<'c>(changes: &'c Changes<'_>) -> HashMap<&'c str, (usize, usize)> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for change in &changes.all {
        match change {
            AddressChange::Changed { before, .. } => counts.entry(before.domain.as_ref()).or_default().0 += 1,
            AddressChange::Removed(served, _) => counts.entry(served.domain.as_ref()).or_default().1 += 1,
            AddressChange::Added(_) => {}
        }
    }
    counts
}

/// With one decimal, rounded down. 30.04 % then shows as 30 %, which is why the message gives the counts
/// too.
pub(crate) fn percent(part: usize, total: usize) -> String {
    match (part as u128 * 1000).checked_div(total as u128) {
        Some(tenths) if tenths % 10 == 0 => format!("{}%", tenths / 10),
        Some(tenths) => format!("{}.{}%", tenths / 10, tenths % 10),
        None => "all of nothing".to_owned(),
    }
}
