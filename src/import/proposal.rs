//! A source as a checked draft: what an import would do, before it does it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;

use super::adopt::{Adoption, CurrentData, RateHints, SubscriberStep};
use super::effect::Effect;
use super::found::Found;
use super::shadow::{self, Shadow};
use super::{files, removals, twice};
use crate::edit::{Draft, new_findings};
use crate::finding::{Finding, PathStep, Severity, Where};
use crate::inventory::Context;
use crate::model::{Date, Subscriber};
use crate::render::{Table, template_findings};
use crate::repo::Repo;
use crate::rules::{self};
use crate::source::FileId;
use crate::tree::Tree;

/// How often the rows that the rules refuse are skipped and the rest is checked again. Each round takes
/// as long as reading all of the data.
const ROUNDS: usize = 10;

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The files are written.
    Written,
    /// Nothing is written, as asked.
    DryRun,
    /// Rows are refused, so nothing is written.
    RowsRefused,
    /// The safety limits refuse it.
    Limits,
}

/// What an import would do.
pub struct Proposal {
    /// The source, without the rows that are refused.
    pub found: Found,
    /// Its effect on the records.
    pub adoption: Adoption,
    /// The files.
    pub draft: Draft,
    /// Its effect on the network.
    pub effect: Effect,
    /// How many errors the data had before.
    pub old_errors: usize,
    /// The subscribers that are suspended in the data and served in the source.
    pub resumed: Vec<Subscriber>,
    /// Whether they stay suspended.
    pub keep_suspended: bool,
    /// The subscribers that are in the data and not in the source.
    pub removed: Vec<Subscriber>,
}

/// How to import.
#[derive(Clone, Debug)]
pub struct ImportOptions<'w> {
    /// The rates of plans.
    pub rates: RateHints<'w>,
    /// Today.
    pub today: Date,
    /// Whether suspended subscribers stay suspended.
    pub keep_suspended: bool,
    /// Whether subscribers that the source lacks stay.
    pub add_only: bool,
}

/// The result of [`propose`].
pub enum ProposalOutcome {
    /// There is a proposal.
    Proposed(Box<Proposal>),
    /// The data itself, or what it would become, is refused for other reasons than a row of the
    /// source: the data and the findings.
    Refused(Arc<Repo>, Vec<Finding>),
}

impl Proposal {
    /// How many subscribers are added, changed and removed.
    pub fn steps(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for step in &self.adoption.subscribers.steps {
            match step {
                SubscriberStep::Add(_) => counts.0 += 1,
                SubscriberStep::Set(..) => counts.1 += 1,
                SubscriberStep::Remove(_) => counts.2 += 1,
            }
        }
        counts
    }
}

/// Works out what an import into the data of `tree` would do. Rows that the rules refuse are added to
/// the refused rows.
///
/// # Errors
/// If the data could not be read.
pub fn propose(mut found: Found, tree: &Tree, options: &ImportOptions<'_>) -> Result<ProposalOutcome> {
    let Shadow { repo, incomplete } = shadow::load(tree)?;
    if !repo.findings.is_empty() {
        // Records that cannot be read cannot be matched: they would be added a second time.
        let findings = repo.findings.clone();
        return Ok(ProposalOutcome::Refused(Arc::new(repo), findings));
    }
    let baseline = Baseline::new(repo, incomplete, options);
    for round in 0.. {
        let rows = match baseline.attempt(&found, tree)? {
            Attempt::Done(done) => {
                let (adoption, draft, effect) = *done;
                found.refusals.sort();
                let record = |&at: &usize| baseline.repo.subscribers[at].value.clone();
                let resumed = adoption.subscribers.resumed.iter().map(record).collect();
                let removed = adoption.subscribers.removed().map(|at| record(&at)).collect();
                return Ok(ProposalOutcome::Proposed(Box::new(Proposal {
                    found,
                    adoption,
                    draft,
                    effect,
                    old_errors: baseline.errors.len(),
                    resumed,
                    keep_suspended: options.keep_suspended,
                    removed,
                })));
            }
            Attempt::Refused(repo, findings) => return Ok(ProposalOutcome::Refused(repo, findings)),
            Attempt::Rows(rows) => rows,
        };
        if round == ROUNDS {
            break;
        }
        twice::drop_rows(&mut found, &rows);
    }
    anyhow::bail!("each time a row is skipped, another one is refused; fix the source and import again")
}

/// The present data, checked.
struct Baseline<'w> {
    repo: Arc<Repo>,
    incomplete: BTreeSet<String>,
    options: &'w ImportOptions<'w>,
    table: Arc<Table>,
    errors: Vec<Finding>,
}

/// The result of one round.
enum Attempt {
    /// It passes the check.
    Done(Box<(Adoption, Draft, Effect)>),
    /// These rows are refused, each with the reasons.
    Rows(BTreeMap<usize, Vec<String>>),
    /// It is refused for a reason that is in no row.
    Refused(Arc<Repo>, Vec<Finding>),
}

impl<'w> Baseline<'w> {
    fn new(repo: Repo, incomplete: BTreeSet<String>, options: &'w ImportOptions<'w>) -> Self {
        let repo = Arc::new(repo);
        let context = Context::new(&repo, options.today, None);
        let (table, errors) = (Arc::new(Table::new(&repo, &context)), errors(&context, &repo, &incomplete));
        drop(context);
        Self { repo, incomplete, options, table, errors }
    }

    fn attempt(&self, found: &Found, tree: &Tree) -> Result<Attempt> {
        let ImportOptions { rates, today, keep_suspended, add_only } = *self.options;
        let present = CurrentData { repo: &self.repo, incomplete: &self.incomplete, today, keep_suspended, add_only };
        let adoption = Adoption::new(found, &present, rates);
        if !adoption.conflicts.is_empty() {
            return Ok(Attempt::Rows(adoption.conflicts));
        }
        let mut draft = Draft::new(tree.clone());
        files::write(&adoption, &self.repo, &mut draft)?;
        let Shadow { repo: after, incomplete } = shadow::load(&draft.tree())?;
        let after = Arc::new(after);
        let context = Context::new(&after, today, None);
        let (table, now) = (Arc::new(Table::new(&after, &context)), errors(&context, &after, &incomplete));
        drop(context);
        let (new, _) = new_findings((&self.repo, &self.errors), (&after, now), key);
        let (rows, rest) = by_row(found, &after, new);
        if !rows.is_empty() {
            return Ok(Attempt::Rows(rows));
        }
        if !rest.is_empty() {
            return Ok(Attempt::Refused(after, rest));
        }
        let mut effect = Effect::new(&self.table, table, [&self.incomplete, &incomplete]);
        effect.verdict.reasons.extend(removals::beyond_limits(&self.repo, &adoption.subscribers, today));
        Ok(Attempt::Done(Box::new((adoption, draft, effect))))
    }
}

/// What identifies an error in the data before and after an import, which may write a record into
/// another file; and the place of a total, such as the rate sold in a domain, whose number changes.
fn key(repo: &Repo, finding: &Finding) -> ((&'static str, String), Option<(&'static str, String)>) {
    let path = repo.sources.file(finding.primary.at.file()).path();
    let place = (!path.starts_with("subscribers/")).then(|| (finding.rule, path.to_owned()));
    ((finding.rule, finding.message.clone()), place)
}

/// The errors of the data, those of rendering it with its own templates included.
fn errors(context: &Context<'_>, repo: &Arc<Repo>, incomplete: &BTreeSet<String>) -> Vec<Finding> {
    // A template could fail on a made-up rate; `check` asks for the missing ones first.
    let rendering = if incomplete.is_empty() { template_findings(repo, context) } else { Vec::new() };
    let mut findings = rules::check(context, rendering);
    findings.retain(|finding| {
        let made_up = || finding.labels().any(|label| is_made_up(&label.at, repo, incomplete));
        finding.severity == Severity::Error && !made_up()
    });
    findings
}

/// Whether a place is a rate of a plan that lacks one: the rate may be made up, and what a rule says
/// of it would be about a value that no file has.
fn is_made_up(at: &Where, repo: &Repo, incomplete: &BTreeSet<String>) -> bool {
    let Where::Place(place) = at else { return false };
    let is_rate = matches!(place.path.last(), Some(PathStep::Field(field)) if field == "up" || field == "down");
    let plan = || repo.plans.iter().find(|plan| plan.file == place.file);
    is_rate && !incomplete.is_empty() && plan().is_some_and(|plan| incomplete.contains(plan.value.name.as_str()))
}

/// Which rows of the source the findings are about, with what they say; and the findings that are
/// about none.
fn by_row(found: &Found, after: &Repo, findings: Vec<Finding>) -> (BTreeMap<usize, Vec<String>>, Vec<Finding>) {
    if findings.is_empty() {
        return Default::default();
    }
    let mut rows: HashMap<(bool, u128, u8), usize> = HashMap::new();
    for (number, row) in found.subscribers.iter().enumerate() {
        rows.extend(row.ip.as_slice().iter().map(|address| (address.sort_key(), number)));
    }
    let records: HashMap<(FileId, Option<u32>), usize> =
        after.subscribers.iter().enumerate().map(|(at, record)| ((record.file, record.index()), at)).collect();
    let row = |at: &Where| {
        let Where::Place(place) = at else { return None };
        let record = records.get(&(place.file, place.record))?;
        let addresses = after.subscribers[*record].value.ip.as_slice();
        addresses.iter().find_map(|address| rows.get(&address.sort_key())).copied()
    };
    let (mut by_row, mut rest) = (BTreeMap::<usize, Vec<String>>::new(), Vec::new());
    for finding in findings {
        // A template stops at the first row that it fails on: it would refuse them one by one.
        let number = match finding.primary.at {
            Where::Place(_) => finding.labels().find_map(|label| row(&label.at)),
            Where::File(_) | Where::Span(..) => None,
        };
        match number {
            Some(number) => by_row.entry(number).or_default().push(finding.message),
            None => rest.push(finding),
        }
    }
    (by_row, rest)
}
