//! What an import changes on the network, and whether so much may.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::plan::{AddressChange, Before, ChangePlan, PlanBase, Side, Verdict, json, served_by, text};
use crate::render::{Output, SHAPER, Table, render};
use crate::text::columns::columns;

/// How many added addresses the text lists; the source has them all.
const ADDED: usize = 20;

/// What changes on the network, and whether so much may.
#[derive(Clone)]
pub struct Effect {
    /// How many addresses were served before, and after.
    pub addresses: (usize, usize),
    /// How many are added, changed and removed.
    pub changes: (usize, usize, usize),
    /// Whether the safety limits allow it.
    pub verdict: Verdict,
    /// Names this very change.
    pub fingerprint: String,
    before: Arc<Table>,
    after: Arc<Table>,
    /// The plans that lack a rate before, and after.
    incomplete: [BTreeSet<String>; 2],
}

impl Effect {
    pub(super) fn new(before: &Arc<Table>, after: Arc<Table>, incomplete: [&BTreeSet<String>; 2]) -> Self {
        let mut effect = Self {
            addresses: (0, 0),
            changes: (0, 0, 0),
            verdict: Verdict::default(),
            fingerprint: String::new(),
            before: before.clone(),
            after,
            incomplete: incomplete.map(Clone::clone),
        };
        let (addresses, changes, verdict, fingerprint) = effect.plan(|plan| {
            let changes = (plan.changes.added, plan.changes.changed, plan.changes.removed);
            ((plan.before, plan.after), changes, plan.verdict.clone(), plan.fingerprint.clone())
        });
        (effect.addresses, effect.changes) = (addresses, changes);
        (effect.verdict, effect.fingerprint) = (verdict, fingerprint);
        effect
    }

    /// Computes the plan and takes a part of it: keeping the whole would cost memory.
    fn plan<T>(&self, take: impl FnOnce(&ChangePlan<'_>) -> T) -> T {
        // The built-in shaper output, whatever the settings say: it lists every served address.
        let output = Output { name: "import".to_owned(), template: SHAPER.to_owned(), file: "shaper.txt".to_owned() };
        let bytes = |table| render(table, &output).map(crate::render::Rendered::into_text).unwrap_or_default();
        let (bytes_before, bytes_after) = (bytes(&self.before), bytes(&self.after));
        // A rate that was made up is none; filling it in is no change of a rate.
        let [before, after] = &self.incomplete;
        let before_side =
            Side { served: served_by(&self.before).without_rates_of(before), bytes: bytes_before.as_bytes() };
        let after_side = Side { served: served_by(&self.after).without_rates_of(after), bytes: bytes_after.as_bytes() };
        let known = Before { limits: Some(self.before.repo().settings.safety.clone()), ..Before::default() };
        let base = PlanBase::File { path: String::new() };
        take(&ChangePlan::new(&output, base, before_side, after_side, &self.after, known))
    }

    /// The changes by address, as `plan` shows them: all that are changed or removed, and the first of
    /// those added. Empty if no address was served before, because then they are the source itself.
    pub fn text(&self) -> String {
        if self.addresses.0 == 0 || self.changes == (0, 0, 0) {
            return String::new();
        }
        self.plan(|plan| {
            let mut added = 0;
            let mut shown = |change: &&AddressChange<'_>| {
                let is_new = matches!(change, AddressChange::Added(_));
                added += usize::from(is_new);
                !is_new || added <= ADDED
            };
            let rows: Vec<[String; 5]> =
                plan.changes.all.iter().filter(|change| shown(change)).map(text::row).collect();
            let mut out = columns(&rows);
            if added > ADDED {
                out += &format!("+ and {} more\n", added - ADDED);
            }
            out
        })
    }

    /// The changes by address, all of them, in the shape of docs/plan-json.md.
    pub fn json(&self) -> Vec<Value> {
        self.plan(json::changes)
    }
}
