//! What is found, made into a draft and checked: what an import would do, before it does it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::Result;

use super::adopt::{Adoption, GivenRates, Present};
use super::shadow::{self, Shadow};
use super::{Found, files, twice};
use crate::edit::Draft;
use crate::finding::{Finding, Severity, Where};
use crate::model::Date;
use crate::plan::{Base, Before, Plan, Side, Verdict, served_by};
use crate::render::{Output, SHAPER, Table, render};
use crate::repo::Repo;
use crate::rules::{self, Context};
use crate::source::FileId;
use crate::tree::Tree;

/// How often what the rules refuse is left out and the rest looked at again.
const ROUNDS: usize = 8;

/// What an import would do.
pub struct Proposal {
    /// The source, without the rows that are refused.
    pub found: Found,
    /// What is done with it.
    pub adoption: Adoption,
    /// The files.
    pub draft: Draft,
    /// What of it would be served otherwise.
    pub effect: Effect,
    /// How many errors the data has that were there before.
    pub old_errors: usize,
}

/// What changes on the network, and whether so much may.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// How many addresses were served before, and after.
    pub addresses: (usize, usize),
    /// How many are added, changed and removed.
    pub changes: (usize, usize, usize),
    /// Whether the safety limits allow it.
    pub verdict: Verdict,
    /// Names this very change.
    pub fingerprint: String,
}

/// How it ended.
pub enum Outcome {
    /// There is a proposal.
    Proposed(Box<Proposal>),
    /// The data itself, or what it would become, is refused for other reasons than a row of the
    /// source: the data and the findings.
    Refused(Box<Repo>, Vec<Finding>),
}

/// Works out what an import into the data of `tree` would do. Rows that the rules refuse are among
/// the refusals then.
///
/// # Errors
/// If the data could not be read.
pub fn propose(mut found: Found, tree: &Tree, rates: &[GivenRates], today: Date) -> Result<Outcome> {
    let Shadow { repo, incomplete } = shadow::load(tree)?;
    if !repo.findings.is_empty() {
        // What cannot be read cannot be compared: records would be made a second time.
        let findings = repo.findings.clone();
        return Ok(Outcome::Refused(Box::new(repo), findings));
    }
    let before = Arc::new(repo);
    let context = Context::new(&before, today, None);
    let table = Arc::new(Table::new(&before, &context));
    let old = errors(&context);
    drop(context);
    let present = Present { repo: &before, incomplete: &incomplete, today };
    for round in 0.. {
        let adoption = Adoption::new(&found, &present, rates);
        if !adoption.conflicts.is_empty() {
            twice::drop_rows(&mut found, adoption.conflicts);
            continue;
        }
        let mut draft = Draft::new(tree.clone());
        files::write(&adoption, &before, &mut draft)?;
        let after = Arc::new(shadow::load(&draft.tree())?.repo);
        let context = Context::new(&after, today, None);
        let new = new_errors(&old, errors(&context));
        let after_table = Arc::new(Table::new(&after, &context));
        drop(context);
        if !new.is_empty() {
            let (rows, rest) = by_row(&found, &after, new);
            if rows.is_empty() || round > ROUNDS {
                drop(after_table);
                let findings = rest.into_iter().chain(rows.into_values().flat_map(|(findings, _)| findings)).collect();
                let after = Arc::into_inner(after);
                return after
                    .map(|after| Outcome::Refused(Box::new(after), findings))
                    .ok_or_else(|| anyhow::anyhow!("the data is still in use"));
            }
            twice::drop_rows(&mut found, rows.into_iter().map(|(row, (_, reasons))| (row, reasons)).collect());
            continue;
        }
        let effect = effect(&table, &after_table, &incomplete);
        found.refusals.sort();
        return Ok(Outcome::Proposed(Box::new(Proposal { found, adoption, draft, effect, old_errors: old.len() })));
    }
    anyhow::bail!("an import does not come to an end; please report this with the source")
}

/// The errors of the data, its reading included.
fn errors(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = rules::check(context, Vec::new());
    findings.retain(|finding| finding.severity == Severity::Error);
    findings
}

/// Those that were not there before.
fn new_errors(old: &[Finding], now: Vec<Finding>) -> Vec<Finding> {
    let mut known: HashMap<(&'static str, String), usize> = HashMap::new();
    for finding in old {
        *known.entry((finding.rule, finding.message.clone())).or_default() += 1;
    }
    let mut new = Vec::new();
    for finding in now {
        match known.get_mut(&(finding.rule, finding.message.clone())) {
            Some(count) if *count > 0 => *count -= 1,
            _ => new.push(finding),
        }
    }
    new
}

type ByRow = BTreeMap<usize, (Vec<Finding>, Vec<String>)>;

/// Which rows of the source the findings are about; and the findings that are about none.
fn by_row(found: &Found, after: &Repo, findings: Vec<Finding>) -> (ByRow, Vec<Finding>) {
    let mut rows: HashMap<(bool, u128, u8), usize> = HashMap::new();
    for (number, row) in found.subscribers.iter().enumerate() {
        rows.extend(row.ip.as_slice().iter().map(|address| (address.sort_key(), number)));
    }
    let records: HashMap<(FileId, Option<u32>), usize> =
        after.subscribers.iter().enumerate().map(|(at, record)| ((record.file, record.index), at)).collect();
    let row = |at: &Where| {
        let Where::Place(place) = at else { return None };
        let record = records.get(&(place.file, place.record))?;
        let addresses = after.subscribers[*record].value.ip.as_slice();
        addresses.iter().find_map(|address| rows.get(&address.sort_key())).copied()
    };
    let (mut by_row, mut rest) = (ByRow::new(), Vec::new());
    for finding in findings {
        let number = finding.labels().find_map(|label| row(&label.at));
        match number {
            Some(number) => {
                let (findings, reasons) = by_row.entry(number).or_default();
                reasons.push(finding.message.clone());
                findings.push(finding);
            }
            None => rest.push(finding),
        }
    }
    (by_row, rest)
}

fn effect(before: &Arc<Table>, after: &Arc<Table>, incomplete: &std::collections::BTreeSet<String>) -> Effect {
    // Always the shaper file, whatever the settings make of it: it says who is served with what.
    let output = Output { name: "import".to_owned(), template: SHAPER.to_owned(), file: "shaper.txt".to_owned() };
    let bytes = |table| render(table, &output).map(crate::render::Rendered::into_text).unwrap_or_default();
    let (bytes_before, bytes_after) = (bytes(before), bytes(after));
    let mut served_before = served_by(before);
    // Rates that nobody knew do not change when they are filled in.
    for served in served_before.iter_mut().filter(|served| incomplete.contains(served.plan.as_ref())) {
        served.rates = None;
    }
    let before_side = Side { served: served_before, bytes: bytes_before.as_bytes() };
    let after_side = Side { served: served_by(after), bytes: bytes_after.as_bytes() };
    let known = Before { limits: Some(before.repo().settings.safety.clone()), ..Before::default() };
    let base = Base::File { path: String::new() };
    let plan = Plan::new(&output, base, before_side, after_side, after, known);
    Effect {
        addresses: (plan.before, plan.after),
        changes: (plan.changes.added, plan.changes.changed, plan.changes.removed),
        verdict: plan.verdict.clone(),
        fingerprint: plan.fingerprint.clone(),
    }
}
