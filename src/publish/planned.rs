//! A plan that was looked at before, and binds what is published.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Fingerprints of what may happen.
#[derive(Clone, Debug)]
pub enum Planned {
    /// On whatever target.
    Anywhere(String),
    /// On each target.
    By(BTreeMap<String, String>),
}

/// What `plan --format json` and `publish --dry-run --format json` write, as far as it matters.
#[derive(Deserialize)]
struct PlanFile {
    version: u32,
    fingerprint: Option<String>,
    #[serde(default)]
    targets: Vec<PlannedTarget>,
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
        let no_plan = || {
            format!(
                "{shown} holds no plan: `publish --dry-run --format json` makes one, and `plan --live TARGET --format json`"
            )
        };
        let cannot = || format!("cannot read the plan {shown}");
        let bytes = crate::disk::open::read(path, MOST_BYTES).with_context(cannot)?;
        let bytes = bytes.with_context(|| format!("cannot read the plan {shown}: there is no such file"))?;
        let file: PlanFile = serde_json::from_slice(&bytes).with_context(no_plan)?;
        // Both shapes are at their first version.
        if file.version != 1 {
            bail!("{shown} was written by another version of shapeline: plan again");
        }
        match file.fingerprint {
            Some(fingerprint) => Ok(Planned::Anywhere(fingerprint)),
            None if file.targets.is_empty() => bail!("{}", no_plan()),
            None => {
                let known = |target: PlannedTarget| Some((target.target, target.fingerprint?));
                Ok(Planned::By(file.targets.into_iter().filter_map(known).collect()))
            }
        }
    }

    /// What may happen on `target`; nothing if the plan does not cover it.
    pub fn of(&self, target: &str) -> Option<&String> {
        match self {
            Planned::Anywhere(fingerprint) => Some(fingerprint),
            Planned::By(targets) => targets.get(target),
        }
    }
}
