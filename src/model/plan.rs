//! Plan records: what can be sold.

use super::subscriber::is_default;
use super::text::text_type;
use super::{Rate, Text};

text_type! {
    /// A plan's name; it is also the name of its file.
    PlanName, Box<str>, max 128,
    pattern "^[A-Za-z0-9][A-Za-z0-9._+-]*$",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b)),
    expected "a plan's name: letters, digits and . _ + -, at most 128, such as 30_MEG_UP_30_MEG_DOWN"
}

text_type! {
    /// The last field of a line in the shaper file. It cannot contain spaces.
    Attribute, Box<str>, max 255,
    pattern "^[!-~]+$",
    |text| text.bytes().all(|b| b.is_ascii_graphic()),
    expected "a shaper attribute: printable ASCII without spaces, at most 255"
}

/// Whether a plan may be sold.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum PlanStatus {
    /// May be sold.
    #[default]
    Offered,
    /// Stays valid for its subscribers, no longer sold.
    Retired,
}

/// A plan: what a subscriber can buy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Plan")]
pub struct Plan {
    /// The plan's name, by which subscribers refer to it. The record's file has the same name.
    #[schemars(title = "Name")]
    pub(crate) name: PlanName,
    /// The rate from the subscriber, such as 30 Mbps. Units: bit/s, kbps, Mbps, Gbps; decimal.
    #[schemars(title = "Upload rate")]
    pub(crate) up: Rate,
    /// The rate to the subscriber, such as 30 Mbps. Units: bit/s, kbps, Mbps, Gbps; decimal.
    #[schemars(title = "Download rate")]
    pub(crate) down: Rate,
    /// A retired plan stays valid for its subscribers and is no longer sold.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Status")]
    pub(crate) status: PlanStatus,
    /// The last field of the plan's lines in the shaper file. Default: the plan's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Shaper attribute")]
    pub(crate) attribute: Option<Attribute>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Description")]
    pub(crate) description: Option<Text>,
}

impl Plan {
    /// The attribute, or else the plan's name.
    pub(crate) fn shaper_attribute(&self) -> &str {
        self.attribute.as_ref().map_or(self.name.as_str(), Attribute::as_str)
    }
}
