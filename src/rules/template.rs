//! `template`: one of the repository's own templates does not compile, or fails on the data.

use std::sync::Arc;

use super::foreign_change::{self, Owners, admins};
use super::{Group, Rule, while_reading};
use crate::finding::{Finding, Severity, Where};
use crate::inventory::{Context, ReviewedChange};
use crate::render::{Output, outputs, template_findings};
use crate::repo::Repo;
use crate::text::quote::quoted;

/// The rule. Rendering applies it: see [`crate::render::template_findings`].
pub const RULE: Rule = Rule {
    id: "template",
    group: Group::Settings,
    severity: Severity::Error,
    fixed: true,
    summary: "a template does not compile, or cannot render the data",
    why: "An output is rendered after a change is merged, with no one watching. A template that fails then blocks \
          every later change. So `check` renders every output that has a template of the repository's own, and \
          rejects the change that would break it: a template with a mistake, or data that the template cannot \
          render.",
    bad: "# shapeline.yaml\noutputs:\n  all: {template: templates/all.j2}\n# templates/all.j2\n{% for line in lines %}\n{{ line.adress }}\n{% endfor %}\n# subscribers/a.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# shapeline.yaml\noutputs:\n  all: {template: templates/all.j2}\n# templates/all.j2\n{% for line in lines %}\n{{ line.address }}\n{% endfor %}\n# subscribers/a.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check: while_reading,
};

/// What `check` finds in the templates of `repo`. Without a base to compare with it renders them all;
/// with one, a template or an output that differs from the base is rendered only if one of the base's
/// `admins` proposes it. The second value is the reason why templates were not rendered, if that is no finding.
pub fn proposed_template_findings(repo: &Arc<Repo>, context: &Context<'_>) -> (Vec<Finding>, Option<&'static str>) {
    let Some(change) = &context.change else { return (template_findings(repo, context), None) };
    if !(foreign_change::RULE.check)(context).is_empty() {
        return (Vec::new(), None);
    }
    let changed = changed(repo, change);
    if changed.is_empty() {
        return (template_findings(repo, context), None);
    }
    match admins(change) {
        Owners::Anyone => (changed.into_iter().map(without_admins).collect(), None),
        admins if admins.allow(change.actors) => (template_findings(repo, context), None),
        _ => (Vec::new(), Some(NOT_RENDERED)),
    }
}

const NOT_RENDERED: &str = "templates or outputs differ from the base and were not rendered: \
     --actor does not name one of the base's admins";

/// Templates, and outputs with a template of the repository's own, that differ from the base.
fn changed(repo: &Repo, change: &ReviewedChange<'_>) -> Vec<(Where, String)> {
    let path = |file| repo.sources.file(file).path();
    // One that is gone cannot be rendered.
    let templates = change.files().filter(|file| repo.templates.contains_key(path(*file)));
    let mut changed: Vec<(Where, String)> =
        templates.map(|file| (Where::File(file), format!("the template {}", quoted(path(file))))).collect();
    let before = outputs(&change.base.settings);
    let differs = |output: &Output| {
        let same = before.get(&output.name).is_some_and(|old| old.template == output.template);
        !output.is_shaper_format() && !same
    };
    if let Some(settings) = repo.settings_file {
        let outputs = outputs(&repo.settings).into_values().filter(differs);
        changed.extend(outputs.map(|output| (Where::File(settings), format!("the output {}", quoted(&output.name)))));
    }
    changed
}

fn without_admins((at, what): (Where, String)) -> Finding {
    Finding::new("template", at, format!("{what} differs from the base, which names no admins"))
        .help("name `admins` in shapeline.yaml first, in a change of its own: only they may propose templates")
}
