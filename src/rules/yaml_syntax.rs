//! `yaml-syntax`: the file is not YAML, or exceeds a limit.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

pub const RULE: Rule = Rule {
    id: "yaml-syntax",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: true,
    summary: "the file is not valid YAML in UTF-8, or exceeds a limit",
    why: "A file that cannot be read as a whole may contain any subscriber. Nothing is guessed: the file is \
          rejected, and the other files are still checked. Limits on size, depth and the length of values keep a \
          hostile file from stopping the check for everyone else.",
    bad: "# subscribers/example.yaml\nip: 10.10.10.25\n\tdomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    good: "# subscribers/example.yaml\nip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    check: while_reading,
};
