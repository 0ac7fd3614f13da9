//! `unknown-output`: a target names an output that is not defined.

use std::collections::BTreeSet;

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::text::quote::{listed, quoted};
use crate::text::suggest::Suggestions;

pub const RULE: Rule = Rule {
    id: "unknown-output",
    group: Group::Settings,
    severity: Severity::Error,
    fixed: false,
    summary: "a target names an output that is not defined",
    why: "The target would have nothing to publish. The output `shaper` is always defined.",
    bad: "# shapeline.yaml\ntargets:\n  - name: hre-1\n    url: file:///srv/shaper/shaper.txt\n    output: shapper\n",
    good: "# shapeline.yaml\ntargets:\n  - name: hre-1\n    url: file:///srv/shaper/shaper.txt\n    output: shaper\n",
    check,
};

/// Always defined.
const BUILT_IN: &str = "shaper";

fn check(context: &Context<'_>) -> Vec<Finding> {
    let settings = &context.repo.settings;
    let Some(file) = context.repo.settings_file else { return Vec::new() };
    let defined: BTreeSet<&str> = settings.outputs.keys().map(|name| name.as_str()).chain([BUILT_IN]).collect();
    let mut suggestions = Suggestions::new(defined.iter().copied());
    let mut findings = Vec::new();
    for (index, target) in settings.targets.iter().enumerate() {
        let Some(output) = target.output.as_ref().map(|output| output.as_str()) else { continue };
        if defined.contains(output) {
            continue;
        }
        let place = Place::record(file, None).field("targets").index(index).field("output");
        let finding = Finding::new(RULE.id, Where::Place(place), format!("there is no output {}", quoted(output)));
        findings.push(match suggestions.find(output) {
            Some(near) => finding.did_you_mean(Some(near)),
            None => {
                finding.help(format!("define it under `outputs`, or use one of {}", listed(defined.iter().copied())))
            }
        });
    }
    findings
}
