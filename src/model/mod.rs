//! Typed records and settings. A value that exists is a valid value.
//!
//! The JSON Schemas are generated from these types. Editors show the doc comments here as help.

mod address_spelling;
mod addresses;
mod date;
mod date_spelling;
mod domain;
mod forms;
mod labels;
mod limits;
pub(crate) mod misspelling;
mod name;
mod plan;
mod rate;
mod rate_spelling;
mod rates_in_name;
mod rule_names;
mod setting_name;
mod settings;
mod subscriber;
mod target;
mod target_kind;
mod target_url;
mod text;

pub use addresses::Address;
pub use date::Date;
pub use domain::Domain;
pub use plan::Plan;
pub use rate::Rate;
pub use rates_in_name::RatesInName;
pub use settings::Settings;
pub use subscriber::Subscriber;
pub use target::{Access, Target};
pub use target_kind::{TARGET_KINDS, TargetKind};

pub(crate) use addresses::Addresses;
pub(crate) use domain::{Capacity, Contention, DomainName, MaxSubscribers, Owner};
#[cfg(test)]
pub(crate) use forms::is_known_form;
pub(crate) use forms::{explain, is_form, may_be_quoted};
pub(crate) use labels::Labels;
pub(crate) use limits::{DomainLimits, Limit, Safety};
pub(crate) use name::Name;
pub(crate) use plan::{Attribute, PlanName, PlanStatus};
pub(crate) use rate::TotalBps;
pub(crate) use settings::{Faults, RuleId, Suspended};
pub(crate) use subscriber::{RemainingTerm, SubscriberId, SubscriberStatus};
pub(crate) use target::{Backup, Word};
pub(crate) use target_kind::Scheme;
#[cfg(feature = "sftp")]
pub(crate) use target_url::ServerName;
#[cfg(all(unix, feature = "serve"))]
pub(crate) use target_url::TargetUrl;
pub(crate) use text::Text;
