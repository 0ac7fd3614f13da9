//! `yaml-ambiguous`: valid YAML that tools and readers interpret differently.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

pub const RULE: Rule = Rule {
    id: "yaml-ambiguous",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: true,
    summary: "a duplicate key, an anchor, alias, merge key or tag, or several documents in one file",
    why: "YAML has several ways to make a file mean something else than it shows: of two equal keys one tool takes \
          the first, another the last; an alias copies a value from far away; a second document is skipped \
          silently. A reviewer must see what will be applied, so these are rejected, not interpreted.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
          plan: 50_MEG_UP_50_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    check: while_reading,
};
