//! The rules that settings can name. Written by scripts/generate from the table of rules. Do not edit.

use crate::finding::Severity;

/// What settings and their schema know of a rule.
pub(crate) struct RuleName {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// Whether settings may not change the severity.
    pub(crate) fixed: bool,
    pub(crate) summary: &'static str,
}

#[rustfmt::skip]
pub(crate) const RULE_NAMES: &[RuleName] = &[
    RuleName { id: "yaml-syntax", severity: Severity::Error, fixed: true, summary: "the file is not valid YAML in UTF-8, or exceeds a limit" },
    RuleName { id: "yaml-ambiguous", severity: Severity::Error, fixed: true, summary: "a duplicate key, an anchor, alias, merge key or tag, or several documents in one file" },
    RuleName { id: "git-attributes", severity: Severity::Error, fixed: true, summary: "git checks out other data than is committed" },
    RuleName { id: "schema", severity: Severity::Error, fixed: true, summary: "a field is unknown, missing, or has a value of the wrong kind" },
    RuleName { id: "file-name", severity: Severity::Error, fixed: false, summary: "a plan's or domain's file is not named after it, a subscriber is in another domain's folder, or a name has characters that a shell interprets" },
    RuleName { id: "unknown-plan", severity: Severity::Error, fixed: true, summary: "a subscriber, a domain or the settings name a plan that does not exist" },
    RuleName { id: "unknown-domain", severity: Severity::Error, fixed: true, summary: "a subscriber or the settings name a domain that does not exist" },
    RuleName { id: "plan-not-offered", severity: Severity::Error, fixed: false, summary: "a subscriber has a plan that its domain may not sell" },
    RuleName { id: "retired-plan", severity: Severity::Warning, fixed: false, summary: "a subscriber still has a retired plan" },
    RuleName { id: "duplicate-ip", severity: Severity::Error, fixed: true, summary: "the same address or prefix is given out twice" },
    RuleName { id: "overlapping-prefix", severity: Severity::Error, fixed: false, summary: "an address or prefix lies within a prefix that is given out too" },
    RuleName { id: "ip-outside-domain", severity: Severity::Error, fixed: false, summary: "a subscriber's address is in none of its domain's prefixes" },
    RuleName { id: "reserved-ip", severity: Severity::Error, fixed: false, summary: "a network, broadcast, loopback, multicast, unspecified or link-local address, or one that its domain reserves" },
    RuleName { id: "domain-overlap", severity: Severity::Error, fixed: false, summary: "two domains have prefixes that overlap" },
    RuleName { id: "non-canonical-ip", severity: Severity::Error, fixed: false, summary: "an address or prefix is not written in its canonical form" },
    RuleName { id: "duplicate-id", severity: Severity::Error, fixed: false, summary: "two subscribers have the same id, or one has an id that another domain's could need" },
    RuleName { id: "duplicate-name", severity: Severity::Error, fixed: true, summary: "two plans, two domains or two targets have the same name, or two targets one file" },
    RuleName { id: "duplicate-plan", severity: Severity::Warning, fixed: false, summary: "two plans have the same rates and the same shaper attribute" },
    RuleName { id: "duplicate-attribute", severity: Severity::Error, fixed: false, summary: "two plans with different rates have the same shaper attribute" },
    RuleName { id: "plan-name-mismatch", severity: Severity::Error, fixed: false, summary: "the rates in the plan's name differ from its fields" },
    RuleName { id: "unused-plan", severity: Severity::Off, fixed: false, summary: "no subscriber has the plan" },
    RuleName { id: "oversubscribed", severity: Severity::Error, fixed: false, summary: "a domain has sold more bandwidth than its capacity, times its contention ratio" },
    RuleName { id: "too-many-subscribers", severity: Severity::Error, fixed: false, summary: "a domain has more subscribers than its `max_subscribers`" },
    RuleName { id: "ends-before-starts", severity: Severity::Error, fixed: false, summary: "a subscriber's term ends before, or on the day, it starts" },
    RuleName { id: "expired", severity: Severity::Warning, fixed: false, summary: "a subscriber's term is over" },
    RuleName { id: "foreign-change", severity: Severity::Error, fixed: true, summary: "the proposer owns neither the domain nor the settings that the change touches" },
    RuleName { id: "plan-in-use", severity: Severity::Error, fixed: true, summary: "the change removes a plan or a domain that is still referred to" },
    RuleName { id: "retired-plan-sold", severity: Severity::Error, fixed: false, summary: "the change gives a retired plan to a subscriber that did not have it" },
    RuleName { id: "template", severity: Severity::Error, fixed: true, summary: "a template does not compile, or cannot render the data" },
    RuleName { id: "unknown-template", severity: Severity::Error, fixed: false, summary: "an output names a template file that does not exist" },
    RuleName { id: "unknown-output", severity: Severity::Error, fixed: false, summary: "a target names an output that is not defined" },
    RuleName { id: "unused-setting", severity: Severity::Warning, fixed: false, summary: "a target has a setting that targets of its kind do not use" },
];
