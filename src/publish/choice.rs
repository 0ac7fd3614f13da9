//! Which targets of the settings a run works on.

use anyhow::{Context as _, Result, anyhow, bail};

use crate::model::{Settings, Target};
use crate::text::quote::{listed, quoted};
use crate::text::suggest::nearest;
use crate::tree::SETTINGS;

const ADD_TARGETS: &str =
    "add `targets`, such as `targets: [{name: hre-1, url: 'file:///srv/shaper/shaper.txt'}]`, and commit it";

/// The targets called `names`, or all without any, in the order of the settings.
///
/// # Errors
/// If the settings have no target, or none of such a name.
pub(crate) fn choose_targets<'t>(settings: &'t Settings, names: &[String]) -> Result<Vec<&'t Target>> {
    let named: Vec<&Target> = names.iter().map(|name| find_target(settings, name)).collect::<Result<_>>()?;
    if settings.targets.is_empty() {
        bail!("{SETTINGS} names no target: {ADD_TARGETS}");
    }
    let is_chosen = |target: &&Target| names.is_empty() || named.iter().any(|named| named.name == target.name);
    Ok(settings.targets.iter().filter(is_chosen).collect())
}

/// No target is named, and there are these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeveralTargets(pub(crate) Vec<String>);

impl std::error::Error for SeveralTargets {}

impl std::fmt::Display for SeveralTargets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there are several targets: {}", listed(self.0.iter().map(String::as_str)))
    }
}

/// The target called `name`; without a name, the only one.
///
/// # Errors
/// If there is none of that name; [`SeveralTargets`] if there is no name and not exactly one target.
pub(crate) fn one_target<'t>(settings: &'t Settings, name: Option<&str>) -> Result<&'t Target> {
    if let Some(name) = name {
        return find_target(settings, name);
    }
    match choose_targets(settings, &[])?.as_slice() {
        [one] => Ok(one),
        several => {
            let names = several.iter().map(|target| target.name.to_string()).collect();
            Err(SeveralTargets(names).into())
        }
    }
}

/// The target called `name`.
///
/// # Errors
/// If there is none.
pub(crate) fn find_target<'t>(settings: &'t Settings, name: &str) -> Result<&'t Target> {
    let known = || settings.targets.iter().map(|target| target.name.as_str());
    settings.targets.iter().find(|target| target.name.as_str() == name).with_context(|| {
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None if settings.targets.is_empty() => format!("{SETTINGS} names none: {ADD_TARGETS}"),
            None => format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
        };
        anyhow!("there is no target {}; {hint}", quoted(name))
    })
}
