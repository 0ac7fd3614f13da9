//! `git-attributes`: git may check out other bytes than are committed.

use super::{Group, Rule, while_reading};
use crate::finding::Severity;

pub const RULE: Rule = Rule {
    id: "git-attributes",
    group: Group::Reading,
    severity: Severity::Error,
    fixed: true,
    summary: "git checks out other data than is committed",
    why: "Published data is read from the commit. With an attribute such as `ident`, `filter` or \
          `working-tree-encoding`, git writes other bytes to disk than are committed, and a reviewer, an editor or \
          a check that reads the files on disk sees other data than goes live. So `.gitattributes` is not allowed \
          within the data folders; at the top it may only configure how data files are displayed, merged and end \
          their lines. A file on disk that differs from its commit although git considers it unchanged is reported \
          too, and one that a sparse checkout leaves out.",
    bad: "# .gitattributes\n*.yaml ident\n",
    good: "# .gitattributes\n* text=auto eol=lf\n*.png filter=lfs\n",
    check: while_reading,
};
