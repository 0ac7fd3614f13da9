//! `unused-setting`: a target has a setting that targets of its kind do not use.

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::model::{Access, TARGET_KINDS, TargetKind};
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "unused-setting",
    group: Group::Settings,
    severity: Severity::Warning,
    fixed: false,
    summary: "a target has a setting that targets of its kind do not use",
    why: "The setting suggests that a key or a server is used, and it is not. `identity` and `known_hosts` \
          belong to sftp, `endpoint` and `region` to s3.",
    bad: "# shapeline.yaml\ntargets:\n  - name: hre-1\n    url: file:///srv/shaper/shaper.txt\n    identity: /etc/shapeline/key\n",
    good: "# shapeline.yaml\ntargets:\n  - name: hre-1\n    url: sftp://shaper@192.0.2.1/srv/shaper/shaper.txt\n    identity: /etc/shapeline/key\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let settings = &context.repo.settings;
    let Some(file) = context.repo.settings_file else { return Vec::new() };
    let top = || Place::record(file, None);
    let mut findings = Vec::new();
    for (index, target) in settings.targets.iter().enumerate() {
        findings.extend(unused(&target.access(), &|| top().field("targets").index(index)));
    }
    if let Some(backup) = &settings.backup {
        findings.extend(unused(&backup.access(), &|| top().field("backup")));
    }
    findings
}

/// The settings of one place that only kinds of targets use that it is not.
fn unused(access: &Access<'_>, place: &dyn Fn() -> Place) -> Vec<Finding> {
    let finding = |key: &'static str| {
        let users: Vec<&TargetKind> = TARGET_KINDS.iter().filter(|kind| kind.settings.contains(&key)).collect();
        if users.iter().any(|kind| kind.scheme == access.url.scheme()) {
            return None;
        }
        let users: Vec<&str> = users.iter().map(|kind| kind.name).collect();
        let (users, url) = (users.join(" and "), quoted(access.url.as_str()));
        let message = format!("{} is for {users}, and has no effect on {url}", quoted(key));
        let help = "remove it, or correct the URL";
        Some(Finding::new(RULE.id, Where::Place(place().field(key)), message).help(help))
    };
    access.keys().filter_map(finding).collect()
}
