//! A plan that was looked at before, and binds what is published.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::publish::remedy::{Remedy, Words};
use crate::text::quote::harmless;

/// Fingerprints of what may happen.
#[derive(Clone, Debug)]
pub enum Planned {
    /// On whatever target; with the target whose live file the plan was made for, if it was made for one.
    Anywhere(String, Option<String>),
    /// On each target.
    By(BTreeMap<String, String>),
}

/// What `plan --format json` and `publish --dry-run --format json` write, as far as it matters.
#[derive(Deserialize)]
struct PlanFile {
    version: u32,
    fingerprint: Option<String>,
    #[serde(default)]
    base: Option<PlannedBase>,
    #[serde(default)]
    targets: Vec<PlannedTarget>,
}

/// What a plan compares with.
#[derive(Deserialize)]
struct PlannedBase {
    /// The target, if it is a live file.
    target: Option<String>,
}

#[derive(Deserialize)]
struct PlannedTarget {
    target: String,
    fingerprint: Option<String>,
}

/// The largest plan that is read.
const MOST_BYTES: u64 = 1 << 30;

impl Planned {
    /// Reads a plan that `plan --format json` or `publish --dry-run --format json` wrote.
    ///
    /// # Errors
    /// If the file cannot be read or holds no plan.
    pub fn read(path: &Path) -> Result<Planned> {
        let shown = path.display();
        let no_plan =
            || format!("{shown} holds no plan: `shapeline plan --live TARGET --format json --out {shown}` writes one");
        let cannot = || format!("cannot read the plan {shown}");
        let bytes = crate::disk::open::read(path, MOST_BYTES).with_context(cannot)?;
        let bytes = bytes.with_context(|| format!("cannot read the plan {shown}: there is no such file"))?;
        let file: PlanFile = serde_json::from_slice(&bytes)
            .map_err(|error| anyhow!("{}; it is not JSON of a plan: {error}", no_plan()))?;
        // Both shapes are at their first version.
        if file.version != 1 {
            bail!(
                "{shown} is a plan in version {} of the format, and this program reads version 1: \
                 `shapeline plan --live TARGET --format json --out {shown}` writes it anew",
                file.version
            );
        }
        match file.fingerprint {
            Some(fingerprint) => Ok(Planned::Anywhere(fingerprint, file.base.and_then(|base| base.target))),
            None if file.targets.is_empty() => bail!("{}", no_plan()),
            None => {
                let known = |target: PlannedTarget| Some((target.target, target.fingerprint?));
                Ok(Planned::By(file.targets.into_iter().filter_map(known).collect()))
            }
        }
    }

    /// Why what would happen on `target`, by its fingerprint, is not the plan, and what to do; nothing if it is.
    pub fn mismatch(&self, target: &str, now: &str, words: Words) -> Option<String> {
        let Some(planned) = self.of(target) else {
            return Some(format!("the plan does not cover {target}; {}", words(&Remedy::MakePlan(target))));
        };
        if planned == now {
            return None;
        }
        let why = match self {
            Planned::Anywhere(_, Some(made_for)) if made_for != target => {
                format!("it was made for the target {}", harmless(made_for, 100))
            }
            Planned::Anywhere(_, None) => {
                format!("it compares with a revision or a file, not with what is live on {target}")
            }
            _ => "the data or the live file has changed since".to_owned(),
        };
        Some(format!(
            "what would happen now is not the plan: {why}; {} (fingerprint of the plan: {planned}, now: {now})",
            words(&Remedy::PlanAgain(target))
        ))
    }

    /// What may happen on `target`; nothing if the plan does not cover it.
    pub fn of(&self, target: &str) -> Option<&String> {
        match self {
            Planned::Anywhere(fingerprint, _) => Some(fingerprint),
            Planned::By(targets) => targets.get(target),
        }
    }
}
