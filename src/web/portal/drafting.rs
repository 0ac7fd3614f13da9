//! A draft on today's data: what it changes, what the rules find, and what that does to the network. Of other
//! domains than the person's own, nothing is said.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use axum::http::StatusCode;
use serde::Serialize;

use super::ask::{Ask, PageError};
use crate::edit::Review;
use crate::edit::gathered::{Fate, Gathered, GatheredChange, make};
use crate::finding::{Finding, PathStep, Severity, Where};
use crate::model::Subscriber;
use crate::plan::{Before, ChangePlan, PlanBase, Side, served_by, text};
use crate::query::Refusal;
use crate::render;
use crate::web::access::Scope;
use crate::web::data::snapshot::Snapshot;

/// How many changes a draft may have.
pub(super) const MOST: usize = 5000;

/// How many changes on the network are listed.
const LISTED: usize = 200;

/// A draft, checked.
pub(crate) struct Checked {
    /// The files, and what became of each change.
    pub(crate) gathered: Gathered,
    /// What the rules find that was not there before.
    pub(crate) findings: Vec<FoundView>,
    /// What happens on the network, if anything is changed at all.
    pub(crate) network: Option<NetworkView>,
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FoundView {
    rule: &'static str,
    pub(super) error: bool,
    message: String,
    help: Option<String>,
    /// The subscriber that it is about.
    pub(super) key: Option<String>,
    /// The field of the subscriber.
    pub(super) field: Option<String>,
}

/// What happens on the network.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NetworkView {
    rows: Vec<NetworkRow>,
    more: usize,
    summary: String,
    safe: bool,
    reasons: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct NetworkRow {
    kind: &'static str,
    address: String,
    domain: String,
    plan: String,
    rates: String,
    note: String,
}

impl Checked {
    /// Checks `changes` on `data`, for a person who sees `scope`.
    ///
    /// # Errors
    /// A [`Refusal`] if a change is of a domain that the person does not have; or if the data cannot be read.
    pub(crate) fn of(
        changes: &[GatheredChange],
        data: &Snapshot,
        tree: crate::tree::Tree,
        scope: &Scope,
    ) -> Result<Checked> {
        if changes.iter().flat_map(GatheredChange::domains).any(|domain| !scope.has(domain)) {
            return Err(outside().into());
        }
        let mut gathered = make(changes, tree, &data.repo, data.today)?;
        for fate in &mut gathered.fates {
            if let Fate::Conflict(now) = fate {
                now.take_if(|now| !scope.has(now.domain.as_str()));
            }
        }
        let Some(review) = &gathered.review else {
            return Ok(Checked { gathered, findings: Vec::new(), network: None });
        };
        if review.domains.iter().any(|domain| !scope.has(domain)) {
            return Err(outside().into());
        }
        let hidden: BTreeSet<&str> =
            data.domains.iter().map(|domain| domain.name.as_str()).filter(|domain| !scope.has(domain)).collect();
        let findings = review.new.iter().map(|finding| found(finding, review, &hidden)).collect();
        let network = Some(with_plan(review, |plan| network(plan, scope.is_all()))?);
        Ok(Checked { gathered, findings, network })
    }

    /// Whether it cannot be submitted: it has errors or conflicts, or does nothing.
    pub(crate) fn is_refused(&self) -> bool {
        self.has_errors() || self.conflicts() || self.gathered.draft.is_empty()
    }

    /// Whether the rules find errors.
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.error)
    }

    /// Whether another person changed what it changes.
    pub(crate) fn conflicts(&self) -> bool {
        self.gathered.fates.iter().any(|fate| matches!(fate, Fate::Conflict(_)))
    }
}

fn outside() -> Refusal {
    Refusal("This draft changes subscribers of a domain that is not yours.".to_owned())
}

impl Ask {
    /// Checks changes on today's data.
    ///
    /// # Errors
    /// As [`Checked::of`].
    pub(super) async fn check(&self, changes: Vec<GatheredChange>) -> Result<Checked, PageError> {
        let (data, scope) = (self.portal.current.snapshot(), self.scope()?);
        let proposer = self.portal.proposer.clone();
        let work = move || Checked::of(&changes, &data, proposer.tree(&data.commit)?, &scope);
        Ok(self.portal.heavy(work).await?)
    }

    /// Adds a change to the draft, in the place of the one that it has as `drafted`.
    ///
    /// # Errors
    /// If the draft has another change of the same subscriber, is full, or was changed in another window.
    pub(super) async fn gather(&self, change: GatheredChange, drafted: &str) -> Result<(), PageError> {
        self.change_draft(None, |changes| {
            if !put(changes, change, drafted) {
                bail!(Refusal("Your draft already changes this subscriber. Edit it there.".to_owned()));
            }
            // What the draft added or changed and takes back leaves nothing.
            changes.retain(|change| change.was != change.now);
            if changes.len() > MOST {
                bail!(Refusal(format!("A draft has at most {MOST} changes. Submit it first.")));
            }
            Ok(())
        })
        .await
    }

    /// Changes the draft, if it still has the version that the person has `seen`.
    ///
    /// # Errors
    /// If `change` fails, or the draft was changed in another window.
    pub(super) async fn change_draft(
        &self,
        seen: Option<&str>,
        change: impl FnOnce(&mut Vec<GatheredChange>) -> Result<()>,
    ) -> Result<(), PageError> {
        let (mut stored, mut changes) = self.draft().await?;
        if seen.is_some_and(|seen| seen != stored.version.to_string()) {
            return Err(changed_meanwhile());
        }
        change(&mut changes)?;
        stored.changes = serde_json::to_string(&changes).map_err(anyhow::Error::from)?;
        if self.portal.store.save_draft(&self.user()?.id, &stored).await? {
            return Ok(());
        }
        Err(changed_meanwhile())
    }
}

/// Puts a change last, in the place of the one that the draft has as `drafted`. One that the draft removes can be
/// added anew: that is a change. False if the draft changes the same subscriber otherwise.
pub(super) fn put(changes: &mut Vec<GatheredChange>, change: GatheredChange, drafted: &str) -> bool {
    changes.retain(|known| known.key() != drafted);
    let key = change.key();
    let Some(at) = changes.iter().position(|known| known.key() == key) else {
        changes.push(change);
        return true;
    };
    let replaces = change.was.is_none() && changes.get(at).is_some_and(|known| known.now.is_none());
    if replaces {
        let removed = changes.remove(at);
        changes.push(GatheredChange { was: removed.was, now: change.now });
    }
    replaces
}

/// What was decided may not fit what is there now.
pub(super) fn changed_meanwhile() -> PageError {
    PageError::new(StatusCode::CONFLICT, "The draft or the data changed in the meantime. Look at the draft again.")
}

fn found(finding: &Finding, review: &Review, hidden: &BTreeSet<&str>) -> FoundView {
    let record = match &finding.primary.at {
        Where::Place(place) => record_at(review, place.file, place.record),
        Where::File(_) | Where::Span(..) => None,
    };
    let field = match &finding.primary.at {
        Where::Place(place) => place.path.iter().find_map(|step| match step {
            PathStep::Field(name) => Some(name.clone()),
            PathStep::Index(_) => None,
        }),
        Where::File(_) | Where::Span(..) => None,
    };
    let texts = [Some(&finding.message), finding.help.as_ref()];
    let says = |name: &&str| texts.iter().flatten().any(|text| has_name(text, name));
    let related = finding.related.iter().any(|label| match &label.at {
        Where::Place(place) => {
            record_at(review, place.file, place.record).is_some_and(|record| hidden.contains(record.domain.as_str()))
        }
        Where::File(_) | Where::Span(..) => false,
    });
    let others =
        related || record.is_some_and(|record| hidden.contains(record.domain.as_str())) || hidden.iter().any(says);
    let own = record.filter(|record| !hidden.contains(record.domain.as_str()));
    let (message, help) = match others {
        true => ("this conflicts with data of another domain".to_owned(), None),
        false => (finding.message.clone(), finding.help.clone()),
    };
    FoundView {
        rule: finding.rule,
        error: finding.severity == Severity::Error,
        message,
        help,
        key: own.map(Subscriber::key),
        field: field.filter(|_| own.is_some()),
    }
}

/// Whether a text has the name of a domain, and not only as a part of another one.
fn has_name(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        !before.ends_with(part) && !after.starts_with(|c: char| part(c) && c != '.')
    })
}

fn record_at(review: &Review, file: crate::source::FileId, index: Option<u32>) -> Option<&Subscriber> {
    let mut records = review.after.subscribers.iter();
    records.find(|record| record.file == file && record.index() == index).map(|record| &record.value)
}

/// What `read` finds in the plan.
fn with_plan<T>(review: &Review, read: impl FnOnce(&ChangePlan<'_>) -> T) -> Result<T> {
    let output = render::output(&review.after.settings, None)?;
    let side = |table| Side { served: served_by(table), bytes: b"" };
    let base = PlanBase::File { path: String::new() };
    let (before, after) = (side(&review.table_before), side(&review.table_after));
    Ok(read(&ChangePlan::new(&output, base, before, after, &review.table_after, Before::default())))
}

/// Whether what happens on the network is within the safety limits.
///
/// # Errors
/// If the settings name an output that is none.
pub(super) fn is_safe(review: &Review) -> Result<bool> {
    with_plan(review, |plan| plan.verdict.is_safe())
}

/// The plan; for those who do not see all domains, without totals and limits, which are of all.
fn network(plan: &ChangePlan<'_>, all: bool) -> NetworkView {
    let rows = plan.changes.all.iter().take(LISTED).map(|change| {
        let [address, domain, plan, rates, note] = text::row(change);
        let (sign, address) = address.split_once(' ').unwrap_or(("", &address));
        let kind = match sign {
            "+" => "added",
            "-" => "removed",
            _ => "changed",
        };
        NetworkRow { kind, address: address.to_owned(), domain, plan, rates, note }
    });
    NetworkView {
        rows: rows.collect(),
        more: plan.changes.all.len().saturating_sub(LISTED),
        summary: if all { text::counts(plan) } else { text::changed(plan) },
        safe: plan.verdict.is_safe(),
        reasons: if all { plan.verdict.reasons.clone() } else { Vec::new() },
    }
}

impl FoundView {
    /// The finding in a sentence, with what to do.
    pub(super) fn text(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole() {
        for text in
            ["of `a.example`", "10.0.0.1@a.example", "in subscribers/a.example/x.yaml", "a.example.yaml", "a.example"]
        {
            assert!(has_name(text, "a.example"), "{text}");
        }
        for text in ["of `aa.example`", "b.a.example", "a.examples", "a-example", ""] {
            assert!(!has_name(text, "a.example"), "{text}");
        }
    }
}
