//! `unknown-template`: an output names a template that does not exist.

use std::collections::HashSet;

use super::{Group, Rule};
use crate::finding::{Finding, Place, Severity, Where};
use crate::inventory::Context;
use crate::text::quote::quoted;
use crate::text::suggest::Suggestions;

pub const RULE: Rule = Rule {
    id: "unknown-template",
    group: Group::Settings,
    severity: Severity::Error,
    fixed: false,
    summary: "an output names a template file that does not exist",
    why: "Without its template the output cannot be rendered. It is better to find out in the pull request than \
          when publishing.",
    bad: "# shapeline.yaml\noutputs:\n  acme: {template: templates/acme.j2}\n",
    good: "# shapeline.yaml\noutputs:\n  acme: {template: templates/acme.j2}\n\n\
           # templates/acme.j2\n{{ subscribers | length }}\n",
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let repo = context.repo;
    let Some(file) = repo.settings_file else { return Vec::new() };
    let there: HashSet<&str> = repo.sources.iter().map(|(_, file)| file.path()).collect();
    let mut suggestions = Suggestions::new(repo.templates.keys().map(String::as_str));
    let lacking = repo.settings.outputs.iter().filter(|(_, output)| {
        let template = output.template.as_str();
        // One that is there but cannot be read has been reported.
        template.contains('/') && !there.contains(template)
    });
    lacking
        .map(|(name, output)| {
            let template = output.template.as_str();
            let place = Place::record(file, None).field("outputs").field(name.as_str()).field("template");
            let message = format!("there is no template {}", quoted(template));
            let finding = Finding::new(RULE.id, Where::Place(place), message);
            match suggestions.find(template) {
                Some(near) => finding.did_you_mean(Some(near)),
                None => finding.help("add the file, or use the built-in template `shaper`"),
            }
        })
        .collect()
}
