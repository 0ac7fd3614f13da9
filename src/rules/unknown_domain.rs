//! `unknown-domain`: something names a domain that does not exist.

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::model::DomainName;
use crate::text::quote::quoted;
use crate::text::suggest::Suggestions;

pub const RULE: Rule = Rule {
    id: "unknown-domain",
    group: Group::References,
    severity: Severity::Error,
    fixed: true,
    summary: "a subscriber or the settings name a domain that does not exist",
    why: "The domain defines which addresses a subscriber may have and who may change it. Without it, neither can \
          be checked, and the shaper file would contain a realm that no one serves.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zx\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut suggestions = Suggestions::new(context.index.domain_names());
    let mut findings = context.findings();
    for (name, at) in references(context) {
        if !is_unknown(context, name) {
            continue;
        }
        let message = format!("there is no domain {}", quoted(name));
        let finding = Finding::new(RULE.id, at, message);
        let mut help = suggestions.hint(name, "domain");
        if suggestions.find(name).is_none() && DomainName::is_valid(name) {
            help += &format!("; to add it, write {}", quoted(&format!("domains/{name}.yaml")));
        }
        findings.push(finding.help(help));
    }
    findings.finish()
}

/// Every place that names a domain which the index does not have, one by one: there may be a million.
pub(super) fn references<'c>(context: &'c Context<'_>) -> impl Iterator<Item = (&'c str, Where)> {
    let repo = context.repo;
    let lacking = (0..repo.subscribers.len())
        .filter_map(|number| context.subscriber(number))
        .filter(|subscriber| subscriber.domain.is_none())
        .map(|subscriber| (subscriber.record.value.domain.as_str(), subscriber.record.at("domain")));
    let safety = repo.settings.safety.as_ref().zip(repo.settings_file);
    let limited = safety.into_iter().flat_map(|(safety, file)| {
        safety.domains.keys().map(move |name| {
            let place = Place::record(file, None).field("safety").field("domains").field(name.as_str());
            (name.as_str(), Where::Place(place.key()))
        })
    });
    lacking.chain(limited.filter(|(name, _)| context.index.domain_number(name).is_none()))
}

/// Not one that could not be read, and not one that the change removes: `plan-in-use` reports those.
fn is_unknown(context: &Context<'_>, name: &str) -> bool {
    let removed = context.change.as_ref().is_some_and(|change| change.base_index.domain_number(name).is_some());
    !removed && !context.repo.unread_domains.may_have(name)
}
