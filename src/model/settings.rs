//! `shapeline.yaml`: outputs, targets, safety limits, rule severities. Every key is optional.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::domain::Owner;
use super::domain::some_list;
use super::limits::{Safety, by_name};
use super::name::Name;
use super::plan::PlanName;
use super::rule_names::RULE_NAMES;
use super::setting_name::SettingName;
use super::target::{Backup, Target};
use super::text::text_type;
use crate::finding::Severity;

text_type! {
    /// A built-in template's name, or the path of one of the repository's own.
    TemplateName, Box<str>, max 200,
    pattern "^(?:shaper|templates/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\\.j2)$",
    is_template,
    expected "`shaper`, or a path such as templates/acme.j2"
}

text_type! {
    /// The name of an output file, without folders.
    FileName, Box<str>, max 128,
    pattern "^[A-Za-z0-9_][A-Za-z0-9._-]*$",
    |text| !text.starts_with(['.', '-']) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
    expected "a file name without folders: letters, digits and . _ -"
}

fn is_template(text: &str) -> bool {
    if text == "shaper" {
        return true;
    }
    let Some(path) = text.strip_prefix("templates/").and_then(|path| path.strip_suffix(".j2")) else {
        return false;
    };
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    path.split('/').all(part)
}

/// One output: its template and the file it is written to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct OutputSettings {
    /// A built-in template's name (shaper), or the path of one of your own, such as templates/acme.j2.
    #[schemars(title = "Template")]
    pub(crate) template: TemplateName,
    /// The file that `render --out-dir` writes. Default: the output's name with .txt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "File")]
    pub(crate) file: Option<FileName>,
}

/// What becomes of suspended subscribers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Suspended {
    /// Leave them out.
    #[default]
    Omit,
    /// Give them this plan.
    Plan(Name),
}

/// How publish treats domains whose data has errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Faults {
    /// Keep their last version without errors, publish the others.
    #[default]
    Freeze,
    /// Publish nothing.
    Refuse,
}

impl serde::Serialize for Suspended {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Suspended::Omit => serializer.serialize_str("omit"),
            Suspended::Plan(name) => name.serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Suspended {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = PlanName::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "omit" => Suspended::Omit,
            name => Suspended::Plan(Name::new(name)),
        })
    }
}

impl schemars::JsonSchema for Suspended {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Suspended".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        PlanName::json_schema(generator)
    }
}

/// The settings of a data repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Settings")]
pub struct Settings {
    /// Outputs to render, by name. Default: shaper alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(title = "Outputs", schema_with = "by_name::<SettingName, OutputSettings>", extend("x-expected" = "outputs by name, such as {acme: {template: templates/acme.j2}}"))]
    pub(crate) outputs: BTreeMap<SettingName, OutputSettings>,
    /// Where outputs are published.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "targets")]
    #[schemars(title = "Targets", length(max = 1000), extend("x-expected" = "a list of targets, such as [{name: hre-1, url: 'file:///srv/shaper/shaper.txt'}]"))]
    pub targets: Vec<Target>,
    /// Where `backup` keeps its copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Backup")]
    pub(crate) backup: Option<Backup>,
    /// Limits for one change. A larger change needs an acknowledgement by its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Safety limits")]
    pub(crate) safety: Option<Safety>,
    /// Suspended subscribers: omit them, or give them the plan of this name.
    #[serde(default)]
    #[schemars(title = "Suspended subscribers", extend("x-expected" = "`omit`, or the name of a plan", "x-form" = "Suspended"))]
    pub(crate) suspended: Suspended,
    /// What publish does with domains whose data has errors: freeze (keep their last version without errors, publish the others) or refuse (publish nothing).
    #[serde(default)]
    #[schemars(title = "Domains with errors")]
    pub(crate) faults: Faults,
    /// Who may change plans, domains and settings: logins and teams. Default: everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "admins")]
    #[schemars(title = "Administrators", length(min = 1, max = 1000), extend("x-expected" = "a list of logins and teams"))]
    pub(crate) admins: Vec<Owner>,
    /// Severity of each rule's findings: error, warning or off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "severities")]
    #[schemars(title = "Rules", schema_with = "rule_severities")]
    pub(crate) rules: BTreeMap<RuleId, Severity>,
}

fn targets<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Target>, D::Error> {
    let targets = <Vec<Target> as serde::Deserialize>::deserialize(deserializer)?;
    if targets.len() > 1000 {
        return Err(serde::de::Error::custom("expected at most 1000 targets"));
    }
    Ok(targets)
}

fn admins<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Owner>, D::Error> {
    some_list(deserializer, 1000)
}

/// The id of a rule that settings may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct RuleId(pub(crate) &'static str);

impl FromStr for RuleId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = RULE_NAMES.iter().find(|rule| rule.id == text);
        rule.map(|rule| RuleId(rule.id)).ok_or_else(|| format!("there is no rule {}", crate::text::quote::quoted(text)))
    }
}

impl<'de> serde::Deserialize<'de> for RuleId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::text::FromStrVisitor::new("the id of a rule"))
    }
}

fn severities<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<RuleId, Severity>, D::Error> {
    let set = <BTreeMap<RuleId, Severity> as serde::Deserialize>::deserialize(deserializer)?;
    for (id, severity) in &set {
        let rule = RULE_NAMES.iter().find(|rule| rule.id == id.0);
        if rule.is_some_and(|rule| rule.fixed && rule.severity != *severity) {
            return Err(serde::de::Error::custom(format!("the rule {} cannot be changed", id.0)));
        }
    }
    Ok(set)
}

fn rule_severities(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let severity = generator.subschema_for::<Severity>();
    let properties: serde_json::Map<String, serde_json::Value> = RULE_NAMES
        .iter()
        .map(|rule| {
            let mut schema = severity.clone();
            if rule.fixed {
                schema.insert("enum".into(), serde_json::json!([rule.severity.as_str()]));
            }
            schema.insert("title".into(), rule.id.into());
            schema
                .insert("description".into(), format!("{} (default: {})", rule.summary, rule.severity.as_str()).into());
            (rule.id.to_owned(), schema.to_value())
        })
        .collect();
    schemars::json_schema!({"type": "object", "properties": properties, "additionalProperties": false, "x-expected": "severities by rule, such as {unused-plan: warning}"})
}
