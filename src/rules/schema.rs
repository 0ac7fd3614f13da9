//! `schema`: a record violates its JSON Schema.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

pub const RULE: Rule = Rule {
    id: "schema",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: true,
    summary: "a field is unknown, missing, or has a value of the wrong kind",
    why: "A misspelt field would otherwise have no effect, and no message. A value that YAML reads as a number, a \
          boolean or null where text is required is rejected too, because the next tool may read it differently. \
          The schemas in `schemas/` give the same errors in editors while you type.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.300\ndomian: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.30\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check: while_reading,
};
