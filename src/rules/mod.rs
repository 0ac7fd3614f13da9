//! The business rules: one table, from which checks, `explain`, SARIF metadata, the settings'
//! schema and `docs/rules.md` come.
//!
//! A rule is one file with one `pub const RULE`, one line in [`RULES`], and a folder of fixtures
//! `tests/fixtures/rules/<id>/{good,bad}`.

mod change;
mod context;

pub use change::Change;
pub use context::{Context, Index};

use rayon::prelude::*;

use crate::finding::{Finding, Severity, Where};
use crate::repo::Repo;

/// A rule: what it is called, why it is there, how it is checked.
pub struct Rule {
    /// Stable name, kebab-case.
    pub id: &'static str,
    /// How grave its findings are unless the settings say otherwise.
    pub severity: Severity,
    /// Whether the settings may not change that: the output would be wrong, or data left out.
    pub fixed: bool,
    /// What it looks for, in a few words.
    pub summary: &'static str,
    /// Why it is there: one paragraph.
    pub why: &'static str,
    /// Data it refuses.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    /// Finds; nothing for rules that reading itself applies.
    pub check: fn(&Context<'_>) -> Vec<Finding>,
}

macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$($module::RULE),*];
    };
}

rules![yaml_syntax];

/// The rule called `id`.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// What reading finds by itself needs no further check.
fn while_reading(_: &Context<'_>) -> Vec<Finding> {
    Vec::new()
}

/// Everything that is wrong with `repo`: what reading found and what the rules find, with the
/// severities of the settings, sorted by file and place. Rules run on all cores.
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let repo = context.repo;
    let by_rules = RULES
        .par_iter()
        .filter(|rule| severity(repo, rule) != Severity::Off)
        .flat_map_iter(|rule| (rule.check)(context));
    let mut findings: Vec<Finding> = by_rules.collect();
    findings.extend(repo.findings.iter().cloned());
    for finding in &mut findings {
        if let Some(rule) = find(finding.rule) {
            finding.severity = severity(repo, rule);
        }
        if let Some(change) = &context.change {
            change.attribute(finding);
        }
    }
    findings.retain(|finding| finding.severity != Severity::Off);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings
}

fn order(finding: &Finding) -> (bool, crate::source::FileId, &Where, &'static str, &str) {
    // Without a change all are `None`, and alike.
    let outside_change = finding.in_change == Some(false);
    let at = &finding.primary.at;
    (outside_change, at.file(), at, finding.rule, &finding.message)
}

/// How grave findings of `rule` are under the settings of `repo`.
pub fn severity(repo: &Repo, rule: &Rule) -> Severity {
    let set = repo.settings.rules.get(&crate::model::RuleId(rule.id)).copied();
    if rule.fixed { rule.severity } else { set.unwrap_or(rule.severity) }
}
