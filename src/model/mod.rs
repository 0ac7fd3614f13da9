//! What the data means: plain types, each of which exists only as a valid value.
//!
//! The JSON Schemas that editors use are made from these types; the doc comments here are the help
//! that editors show.

mod addresses;
mod date;
mod domain;
mod labels;
mod limits;
mod name;
mod plan;
mod rate;
mod rates_said;
mod rule_names;
mod setting_name;
mod settings;
mod subscriber;
mod target;
mod target_kind;
mod target_url;
mod text;

pub use addresses::{Address, Addresses};
pub use date::Date;
pub use domain::{Capacity, Contention, Domain, DomainName, MaxSubscribers, Owner};
pub use labels::{LabelName, Labels};
pub use limits::{DomainLimits, Limit, Safety};
pub use name::Name;
pub use plan::{Attribute, Plan, PlanName, PlanStatus};
pub use rate::{Rate, RateError, TotalBps};
pub use rates_said::RatesSaid;
pub use setting_name::SettingName;
pub use settings::{Faults, FileName, Output, RuleId, Settings, Suspended, TemplateName};
pub use subscriber::{Coming, Status, Subscriber, SubscriberId};
pub use target::{Access, Backup, Target, Word};
pub use target_kind::{Scheme, TARGET_KINDS, TargetKind};
pub(crate) use target_url::ServerName;
pub use target_url::{Endpoint, TargetUrl};
pub use text::Text;
