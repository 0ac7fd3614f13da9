//! Whether so much may change at once.
//!
//! The limits follow octoDNS: more than 30 % changed or removed, of 10 or more, is not done unless
//! somebody says that this very plan is meant.

use super::{Change, Changes, DomainSold};
use crate::model::{DomainLimits, Limit, Safety};

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

/// Judges a plan by the settings' limits.
pub fn judge(
    changes: &Changes<'_>,
    domains: &[DomainSold],
    before: usize,
    after: usize,
    safety: Option<&Safety>,
) -> Verdict {
    let default = Safety::default();
    let safety = safety.unwrap_or(&default);
    let general = DomainLimits {
        max_changed: safety.max_changed.or(Some(DEFAULT)),
        max_removed: safety.max_removed.or(Some(DEFAULT)),
        min_subscribers: safety.min_subscribers,
    };
    let mut verdict = Verdict::default();
    if before > 0 && after == 0 {
        verdict.reasons.push(format!("nobody would be left: all {before} are removed"));
    }
    hold(&mut verdict, "", &general, changes.changed, changes.removed, before);
    for (name, limits) in &safety.domains {
        let of = |served: &super::Served<'_>| served.domain == name.as_str();
        let count = |matches: &dyn Fn(&Change<'_>) -> bool| changes.all.iter().filter(|change| matches(change)).count();
        let changed = count(&|change| matches!(change, Change::Changed { before, .. } if of(before)));
        let removed = count(&|change| matches!(change, Change::Removed(served, _) if of(served)));
        let total =
            domains.iter().find(|domain| domain.name == name.as_str()).map_or(0, |domain| domain.before.addresses);
        let min_subscribers = limits.min_subscribers.or(safety.min_subscribers);
        hold(
            &mut verdict,
            &format!(" of {name}"),
            &DomainLimits { min_subscribers, ..*limits },
            changed,
            removed,
            total,
        );
    }
    verdict
}

fn hold(verdict: &mut Verdict, whose: &str, limits: &DomainLimits, changed: usize, removed: usize, total: usize) {
    let enough = total >= limits.min_subscribers.unwrap_or(DEFAULT_MIN) as usize;
    let mut check = |what: &str, touched: usize, limit: Option<Limit>| {
        let Some(limit) = limit else { return };
        let counts = enough || matches!(limit, Limit::Count(_));
        if counts && limit.exceeded(touched, total) {
            let percent = percent(touched, total);
            verdict.reasons.push(format!(
                "{touched} of {total} served addresses{whose} would be {what} ({percent}), more than {limit}"
            ));
        }
    };
    check("changed", changed, limits.max_changed);
    check("removed", removed, limits.max_removed);
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
