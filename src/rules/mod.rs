//! The business rules: one table, from which checks, `explain`, SARIF metadata, the settings'
//! schema and `docs/rules.md` come.
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

/// A rule: what it is called, why it is there, how it is checked.
pub struct Rule {
    /// Stable name, kebab-case.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// How grave its findings are unless the settings say otherwise.
    pub severity: Severity,
    /// Whether the settings may not change that: the output would be wrong, or data left out.
    pub fixed: bool,
    /// What it looks for, in a few words.
    pub summary: &'static str,
    /// Why it is there: one paragraph.
    pub why: &'static str,
    /// Data it refuses. A line `# PATH` starts a file, `# before: PATH` one that only the base
    /// revision has, `# after: PATH` one that only the change has; `# by: LOGIN` is who proposes
    /// it. What else a repository needs is left out. A test runs every example.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    /// Finds; nothing for rules that reading itself applies.
    pub check: fn(&Context<'_>) -> Vec<Finding>,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Whether a file can be read at all, and in one way only.
    Reading,
    /// Whether what is named exists and may be named.
    References,
    /// Who holds which address.
    Addresses,
    /// Whether two things are one.
    Identity,
    /// What can be sold.
    Plans,
    /// What was contracted.
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

/// What reading finds by itself needs no further check.
fn while_reading(_: &Context<'_>) -> Vec<Finding> {
    Vec::new()
}

/// Everything that is wrong with the data: what reading found, what the rules find, and what
/// `rendering` found, with the severities of the settings, sorted by file and place. Rules run on
/// all cores.
pub fn check(context: &Context<'_>, rendering: Vec<Finding>) -> Vec<Finding> {
    let by_rules = RULES.par_iter().flat_map_iter(|rule| apply(context, rule));
    let mut findings: Vec<Finding> = by_rules.collect();
    // What could not be read is left out of everything after: no setting may make that silent.
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

/// What one rule finds. What a change itself does is judged by the severity that the base sets too:
/// a proposal cannot turn off the rule that would refuse it.
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
        finding.severity = if finding.in_change == Some(true) { of_change } else { now.min(most_outside_change(rule)) };
    }
    found.retain(|finding| finding.severity != Severity::Off);
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    tell_if_too_many(rule, &mut found);
    found
}

/// The most that findings of `rule` can be outside a change. Data that was accepted must not become an
/// error as days pass: that would stop everything that is published from it.
fn most_outside_change(rule: &Rule) -> Severity {
    if rule.id == expired::RULE.id { Severity::Warning } else { Severity::Error }
}

/// Leaves out what nobody will read, and says so.
fn tell_if_too_many(rule: &Rule, found: &mut Vec<Finding>) {
    // What is left out begins with this one; none of the others is graver.
    let Some(first) = found.get(MAX_FINDINGS) else { return };
    let (severity, in_change) = (first.severity, first.in_change);
    found.truncate(MAX_FINDINGS);
    if let Some(last) = found.last() {
        let at = Where::File(last.primary.at.file());
        let message =
            format!("{} finds more than {MAX_FINDINGS} places: those after this file are not listed", rule.id);
        let told = Finding::new(rule.id, at, message).help("mend those that are listed, then check again");
        found.push(Finding { severity, in_change, ..told });
    }
}

/// How grave findings of `rule` are under the settings of `repo`.
pub fn severity(repo: &Repo, rule: &Rule) -> Severity {
    let set = repo.settings.rules.get(&crate::model::RuleId(rule.id)).copied();
    if rule.fixed { rule.severity } else { set.unwrap_or(rule.severity) }
}

/// Who is served, from data without errors; from other data, the errors.
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
