//! `template`: one of the repository's own templates does not compile, or fails on the data.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

/// The rule. Rendering applies it: see [`crate::render::template_findings`].
pub const RULE: Rule = Rule {
    id: "template",
    group: Group::Settings,
    severity: Severity::Error,
    fixed: true,
    summary: "a template does not compile, or cannot be filled in with the data",
    why: "An output is rendered when a change has been merged and nobody is watching. If a template fails then, \
          everybody's changes wait. So `check` renders every output that has a template of the repository's own, and \
          refuses the change that would break it: a template with a mistake, or data that the template does not \
          know how to write.",
    bad: "# shapeline.yaml\noutputs:\n  all: {template: templates/all.j2}\n# templates/all.j2\n{% for line in lines %}\n{{ line.adress }}\n{% endfor %}\n# subscribers/a.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# shapeline.yaml\noutputs:\n  all: {template: templates/all.j2}\n# templates/all.j2\n{% for line in lines %}\n{{ line.address }}\n{% endfor %}\n# subscribers/a.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check: while_reading,
};
