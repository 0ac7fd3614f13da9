//! Questions about the data: which subscribers match, which one is meant, what is free. The command
//! line, the portal and the API ask them.

mod domains;
#[cfg(feature = "serve")]
mod free;
mod lines;
mod names;
mod next_free;
mod plans;
mod refusal;
mod subscribers;
mod unread;
mod view;
pub mod who;

pub use domains::{DomainView, domains};
#[cfg(feature = "serve")]
pub(crate) use free::{FreeRange, free_ranges};
pub use lines::shaper_lines;
pub(crate) use names::unread;
pub use names::{address, domain, offered, plan};
pub use next_free::{domains_of, next_free};
pub use plans::{PlanView, plans};
pub use refusal::Refusal;
pub use subscribers::{PAGE, Page, SortField, StatusFilter, SubscriberQuery};
pub use unread::UnreadAddresses;
pub use view::{SubscriberView, Viewer, status, unserved_reason};
