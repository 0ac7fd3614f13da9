//! Whether so much may change at once.
//!
//! The limits follow octoDNS: more than 30 % changed or removed, of 10 or more, is not done unless
//! somebody says that this very plan is meant.

use std::collections::HashMap;

use super::{Change, Changes, DomainSold};
use crate::model::{DomainLimits, Limit, Safety};
use crate::text::lines::surplus;

const DEFAULT: Limit = Limit::Percent(30);
const DEFAULT_MIN: u32 = 10;

/// The guard's word on a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why the plan must be acknowledged; nothing if it is safe. Each is a sentence.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Whether the plan may be carried out without further ado.
    pub fn is_safe(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// What a plan touches.
pub(super) struct Touched<'p, 'a> {
    pub(super) changes: &'p Changes<'a>,
    pub(super) domains: &'p [DomainSold],
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Verdict {
    /// Judges a plan by these limits, on top of what was judged before.
    pub(super) fn hold(&mut self, touched: &Touched<'_, '_>, safety: Option<&Safety>) {
        let default = Safety::default();
        let safety = safety.unwrap_or(&default);
        let Touched { changes, domains, before, after } = *touched;
        if before > 0 && after == 0 {
            self.add(format!("nobody would be left: all {before} are removed"));
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

    /// Judges an output by its lines: how many of the old ones are not there any more.
    pub(super) fn hold_lines(&mut self, before: &[u8], after: &[u8], safety: Option<&Safety>) {
        if !before.is_empty() && after.is_empty() {
            self.add("the output would be empty".to_owned());
        }
        let lines = |bytes| <[u8]>::split_inclusive(bytes, |byte: &u8| *byte == b'\n');
        let (total, gone) = (lines(before).count(), surplus(lines(before), lines(after)).count());
        let limits = general(safety.unwrap_or(&Safety::default()));
        // A changed line is an old one gone: both limits together, as far as they go together.
        let limit = match (limits.max_changed, limits.max_removed) {
            (Some(Limit::Percent(changed)), Some(Limit::Percent(removed))) => {
                Limit::Percent((changed + removed).min(100))
            }
            (Some(Limit::Count(changed)), Some(Limit::Count(removed))) => Limit::Count(changed.saturating_add(removed)),
            _ => DEFAULT,
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

/// Whether so many may not be removed at once by these limits.
pub(crate) fn too_many_removed(limits: &Safety, removed: usize, before: usize) -> bool {
    let limits = general(limits);
    let Some(limit) = limits.max_removed else { return false };
    let enough = before >= limits.min_subscribers.unwrap_or(DEFAULT_MIN) as usize || matches!(limit, Limit::Count(_));
    (enough && limit.exceeded(removed, before)) || (before > 0 && removed == before)
}

fn general(safety: &Safety) -> DomainLimits {
    DomainLimits {
        max_changed: safety.max_changed.or(Some(DEFAULT)),
        max_removed: safety.max_removed.or(Some(DEFAULT)),
        min_subscribers: safety.min_subscribers,
    }
}

/// How many addresses of each domain, as it was, are changed and removed.
fn count_by_domain<'c>(changes: &'c Changes<'_>) -> HashMap<&'c str, (usize, usize)> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for change in &changes.all {
        match change {
            Change::Changed { before, .. } => counts.entry(before.domain.as_ref()).or_default().0 += 1,
            Change::Removed(served, _) => counts.entry(served.domain.as_ref()).or_default().1 += 1,
            Change::Added(_) => {}
        }
    }
    counts
}

/// With one decimal, cut: 30.04 % must not look like 30 %, so what exceeds a limit says so by the
/// counts before it.
fn percent(part: usize, total: usize) -> String {
    match (part as u128 * 1000).checked_div(total as u128) {
        Some(tenths) if tenths % 10 == 0 => format!("{}%", tenths / 10),
        Some(tenths) => format!("{}.{}%", tenths / 10, tenths % 10),
        None => "all of nothing".to_owned(),
    }
}
