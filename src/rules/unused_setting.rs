//! `unused-setting`: a target has a setting that targets of its kind do not use.

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::model::{Scheme, TargetUrl};
use crate::text::quote::quoted;

pub const RULE: Rule = Rule {
    id: "unused-setting",
    group: Group::Settings,
    severity: Severity::Warning,
    fixed: false,
    summary: "a target has a setting that targets of its kind do not use",
    why: "The setting suggests an effect that it does not have: a key that is never used, or a server that is \
          never asked. `identity` and `known_hosts` are for sftp, `endpoint` and `region` for s3.",
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
        let has = [
            target.identity.is_some(),
            target.known_hosts.is_some(),
            target.endpoint.is_some(),
            target.region.is_some(),
        ];
        findings.extend(unused(&target.url, has, &|| top().field("targets").index(index)));
    }
    if let Some(backup) = &settings.backup {
        let has = [
            backup.identity.is_some(),
            backup.known_hosts.is_some(),
            backup.endpoint.is_some(),
            backup.region.is_some(),
        ];
        findings.extend(unused(&backup.url, has, &|| top().field("backup")));
    }
    findings
}

/// The settings of one place that only some kinds of URL use, and which kind that is.
const OF_KIND: [(&str, Scheme, &str); 4] = [
    ("identity", Scheme::Sftp, "sftp"),
    ("known_hosts", Scheme::Sftp, "sftp"),
    ("endpoint", Scheme::S3, "s3"),
    ("region", Scheme::S3, "s3"),
];

fn unused(url: &TargetUrl, has: [bool; 4], place: &dyn Fn() -> Place) -> Vec<Finding> {
    let idle = OF_KIND.iter().zip(has).filter(|((_, scheme, _), has)| *has && *scheme != url.scheme());
    let finding = |((key, _, kind), _): (&(&str, Scheme, &str), bool)| {
        let message = format!("{} is for {kind}, and has no effect on {}", quoted(key), quoted(url.as_str()));
        let help = "remove it, or correct the URL";
        Finding::new(RULE.id, Where::Place(place().field(*key)), message).help(help)
    };
    idle.map(finding).collect()
}
