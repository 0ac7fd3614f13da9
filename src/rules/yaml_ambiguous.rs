//! `yaml-ambiguous`: valid YAML that does not mean the same to every tool and every reader.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

/// The rule.
pub const RULE: Rule = Rule {
    id: "yaml-ambiguous",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: true,
    summary: "a duplicate key, an anchor, alias, merge key or tag, or several documents in one file",
    why: "YAML has several ways to make a file mean something else than it shows: of two equal keys one tool \
          takes the first, another the last; an alias brings in a value from far away; a second document is \
          skipped in silence. A reviewer must see what will be applied, so these are refused, not interpreted.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n\
          plan: 50_MEG_UP_50_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 50_MEG_UP_50_MEG_DOWN\n",
    check: while_reading,
};
