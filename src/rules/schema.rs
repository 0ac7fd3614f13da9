//! `schema`: a record is not what its JSON Schema says.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

/// The rule.
pub const RULE: Rule = Rule {
    id: "schema",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: true,
    summary: "a field is unknown, missing, or has a value of the wrong kind",
    why: "A field that is spelt wrong would otherwise do nothing, and nobody would be told. A value that YAML \
          reads as a number, a boolean or nothing where a text is wanted is refused too, because the next \
          tool may read it differently. The schemas in `schemas/` say the same to editors while you type.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.300\ndomian: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.30\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check: while_reading,
};
