//! The business rules: one table, the source of the checks, `explain`, SARIF metadata, the settings'
//! schema and `docs/rules.md`.
//!
//! A rule is one file with one `pub const RULE`, one line in [`RULES`], and a folder of fixtures
//! `tests/fixtures/rules/<id>/{good,bad}`.

pub use template::proposed_template_findings;

use std::sync::Arc;

use rayon::prelude::*;

use crate::finding::{Finding, Severity, Where};
use crate::inventory::Context;
use crate::inventory::bounded::MAX_FINDINGS;
use crate::model::Date;
use crate::render::{Table, template_findings};
use crate::repo::Repo;

/// A rule: its id, its reason and its check.
pub struct Rule {
    /// Stable name, kebab-case.
    pub id: &'static str,
    /// Its subject.
    pub group: Group,
    /// The severity of its findings unless the settings change it.
    pub severity: Severity,
    /// Whether the settings cannot change the severity: the output would be wrong, or data left out.
    pub fixed: bool,
    /// What it looks for, in a few words.
    pub summary: &'static str,
    /// The reason for it: one paragraph.
    pub why: &'static str,
    /// Data it rejects. A line `# PATH` starts a file, `# before: PATH` one that only the base
    /// revision has, `# after: PATH` one that only the change has; `# by: LOGIN` is the
    /// proposer. The rest of a repository is left out. A test runs every example.
    pub bad: &'static str,
    /// The same data, corrected.
    pub good: &'static str,
    /// The check; it finds nothing for rules that are applied while reading.
    pub check: fn(&Context<'_>) -> Vec<Finding>,
}

/// The subject of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Whether a file can be read at all, and in one way only.
    Reading,
    /// Whether what is named exists and may be named.
    References,
    /// Which subscriber has which address.
    Addresses,
    /// Whether two records are the same.
    Identity,
    /// What can be sold.
    Plans,
    /// Contracts.
    Commercial,
    /// Terms.
    Time,
    /// What a proposal may do; only with `--base`.
    Change,
    /// `shapeline.yaml`.
    Settings,
}

impl Group {
    /// Every group, in the order of the documentation.
    pub const ALL: [Group; 9] = [
        Group::Reading,
        Group::References,
        Group::Addresses,
        Group::Identity,
        Group::Plans,
        Group::Commercial,
        Group::Time,
        Group::Change,
        Group::Settings,
    ];

    /// The group's name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Group::Reading => "reading",
            Group::References => "references",
            Group::Addresses => "addresses",
            Group::Identity => "identity",
            Group::Plans => "plans",
            Group::Commercial => "commercial",
            Group::Time => "time",
            Group::Change => "change",
            Group::Settings => "settings",
        }
    }
}

macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$($module::RULE),*];
    };
}

rules![
    yaml_syntax,
    yaml_ambiguous,
    git_attributes,
    schema,
    file_name,
    unknown_plan,
    unknown_domain,
    plan_not_offered,
    retired_plan,
    duplicate_ip,
    overlapping_prefix,
    ip_outside_domain,
    reserved_ip,
    domain_overlap,
    non_canonical_ip,
    duplicate_id,
    duplicate_name,
    duplicate_plan,
    duplicate_attribute,
    plan_name_mismatch,
    unused_plan,
    oversubscribed,
    too_many_subscribers,
    ends_before_starts,
    expired,
    foreign_change,
    plan_in_use,
    retired_plan_sold,
    template,
    unknown_template,
    unknown_output,
    unused_setting,
];

/// The rule called `id`.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// For rules that are applied while reading.
fn while_reading(_: &Context<'_>) -> Vec<Finding> {
    Vec::new()
}

/// Everything that is wrong with the data: what reading found, what the rules find, and what
/// `rendering` found, with the severities of the settings, sorted by file and place. Rules run on
/// all cores.
pub fn check(context: &Context<'_>, rendering: Vec<Finding>) -> Vec<Finding> {
    let by_rules = RULES.par_iter().flat_map_iter(|rule| apply(context, rule));
    let mut findings: Vec<Finding> = by_rules.collect();
    // Data that could not be read is left out of every later step: no setting may silence that.
    findings.extend(context.repo.findings.iter().cloned().chain(rendering).map(|finding| {
        let severity = find(finding.rule).map_or(Severity::Error, |rule| rule.severity);
        let mut finding = Finding { severity, ..finding };
        if let Some(change) = &context.change {
            change.attribute(&mut finding);
        }
        finding
    }));
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings
}

/// The findings of one rule. Those of the change have at least the severity that the base sets: a
/// proposal cannot turn off the rule that would reject it.
fn apply(context: &Context<'_>, rule: &Rule) -> Vec<Finding> {
    let now = severity(context.repo, rule);
    let of_change = context.change.as_ref().map_or(now, |change| severity(change.base, rule).max(now));
    if of_change == Severity::Off {
        return Vec::new();
    }
    let mut found = (rule.check)(context);
    for finding in &mut found {
        if let Some(change) = &context.change {
            change.attribute(finding);
        }
        finding.severity = if finding.in_change == Some(true) { of_change } else { now.min(max_outside_change(rule)) };
    }
    found.retain(|finding| finding.severity != Severity::Off);
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    limit_findings(rule, &mut found);
    found
}

/// The highest severity of findings outside a change. Accepted data must not become an error as days
/// pass: that would stop publishing.
fn max_outside_change(rule: &Rule) -> Severity {
    if rule.id == expired::RULE.id { Severity::Warning } else { Severity::Error }
}

/// Limits the findings of a rule to what can be read, and reports that.
fn limit_findings(rule: &Rule, found: &mut Vec<Finding>) {
    // The first one left out; none of the others is graver.
    let Some(first) = found.get(MAX_FINDINGS) else { return };
    let (severity, in_change) = (first.severity, first.in_change);
    found.truncate(MAX_FINDINGS);
    if let Some(last) = found.last() {
        let at = Where::File(last.primary.at.file());
        let message =
            format!("{} finds more than {MAX_FINDINGS} places: those after this file are not listed", rule.id);
        let limit = Finding::new(rule.id, at, message).help("fix the listed ones, then check again");
        found.push(Finding { severity, in_change, ..limit });
    }
}

/// The severity of `rule` under the settings of `repo`.
pub fn severity(repo: &Repo, rule: &Rule) -> Severity {
    let set = repo.settings.rules.get(&crate::model::RuleId(rule.id)).copied();
    if rule.fixed { rule.severity } else { set.unwrap_or(rule.severity) }
}

/// The table of served subscribers, if the data has no errors.
///
/// # Errors
/// The findings that are errors.
pub fn sound_table(repo: &Arc<Repo>, today: Date) -> Result<Arc<Table>, Vec<Finding>> {
    let context = Context::new(repo, today, None);
    let errors: Vec<Finding> = check(&context, template_findings(repo, &context))
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    if errors.is_empty() { Ok(Arc::new(Table::new(repo, &context))) } else { Err(errors) }
}
